"""Everything that can be set from outside: by the environment (`RECTIFY_…`) or by the options of `rectify up`.

Imports nothing of ours and nothing slow: every process reads it first. `python -m settings` prints docs/settings.md.
"""

from datetime import timedelta
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "RECTIFY_"
_LAST_PORT = 65_535
_UI_DISTANCE = 1000

#: In the data folder: where its embedded Temporal listens.
TEMPORAL_ADDRESS = "temporal.address"


class Settings(BaseSettings):
    """ValidationError for a value that cannot be."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, hide_input_in_errors=True)

    data: Path = Field(Path("data"), description="Folder for everything this machine keeps: databases, photos, tokens.")
    database_url: str | None = Field(
        None,
        description="`postgresql://…` or `sqlite:///…`. Without it: SQLite in the data folder. May hold a password.",
        repr=False,
    )

    temporal_address: str = Field(
        "127.0.0.1:7233", description="Host and port of Temporal. `rectify up` starts its own and sets this."
    )
    temporal_namespace: str = Field("default", description="Temporal namespace that the cases live in.")
    temporal_api_key: SecretStr | None = Field(None, description="API key, for Temporal Cloud.")
    temporal_tls: bool = Field(default=False, description="Talk to Temporal over TLS.")
    task_queue: str = Field(
        "rectify", pattern=r"^[^'\"\\]+$", description="Temporal task queue that joins the API and its workers."
    )

    payload_keys: Path | None = Field(
        None,
        description="Key ring (`rectify keys`): what lies in Temporal is encrypted by it. Without it: in plain.",
    )
    temporal_ui_origin: str | None = Field(
        None,
        pattern=r"^https?://[^/*\s]+$",
        description="Where browsers have Temporal's web UI, such as `https://temporal.example.org`: it may ask the API "
        "to decrypt. `rectify up` sets its own.",
    )

    host: str = Field("127.0.0.1", description="Address that the API listens on.")
    port: int = Field(8080, ge=1, le=_LAST_PORT, description="Port that the API listens on.")
    temporal_port: int = Field(
        7233, ge=1, le=_LAST_PORT, description="Port of `rectify up`'s own Temporal; its web UI is 1000 above."
    )
    time_travel: bool = Field(
        default=False,
        description="Lets a case's clock be moved (`POST /api/v1/dev/advance`). For demonstrations and training.",
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least that is logged.")
    log_format: Literal["console", "json"] = Field("console", description="For eyes, or one JSON object per line.")

    update_timeout_seconds: float = Field(
        5.0, gt=0, description="How long a command waits for a worker before the API answers 503."
    )
    requests_per_second: int = Field(500, ge=1, description="Per caller and API process; more are answered with 429.")
    header_timeout_seconds: float = Field(
        10.0, gt=0, description="How long the head of a request may take to arrive, from its first byte to its last."
    )
    body_timeout_seconds: float = Field(
        20.0, gt=0, description="How long a body may take, and a second more for every 8 KiB of it; then 408."
    )
    send_timeout_seconds: float = Field(
        60.0, gt=0, description="How long a client may take nothing of its answer before it is cut off."
    )
    max_connections: int = Field(
        800, ge=1, description="Per API process; keep it below the limit of open files. At more, the idle ones go."
    )

    session_hours: float = Field(
        12.0,
        gt=0,
        le=720,
        description="How long a sign-in lasts at most. Tokens of `rectify token issue` are not of it.",
    )
    session_idle_minutes: float = Field(
        60.0, ge=5, description="After so long without any request a session ends. Use is written down once a minute."
    )
    lock_after_failures: int = Field(
        5,
        ge=2,
        le=20,
        description="So many wrong passwords in a row lock a user's password for a minute; each further one for twice "
        "as long, up to an hour.",
    )
    failures_per_address: int = Field(
        30,
        ge=1,
        description="Failed sign-ins from one address within ten minutes, per API process; more wait, with 429.",
    )

    oidc_issuer: str | None = Field(
        None,
        pattern=r"^(https://[^\s?#]+|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?[^\s?#]*)$",
        description="An OpenID Connect provider whose users may sign in (docs/sign-in.md), to the letter as it calls "
        "itself. Without it: none.",
    )
    oidc_client_id: str | None = Field(None, description="What the provider calls us.")
    oidc_client_secret: SecretStr | None = Field(None, description="Our secret there. Without it: a public client.")
    oidc_audience: str | None = Field(
        None,
        description="Whom tokens of the provider must be for when they are used as bearer tokens. Without it: us, by "
        "our client id.",
    )
    oidc_clients: str | None = Field(
        None, description="Other clients of the provider whose bearer tokens count, by their ids, with commas."
    )
    oidc_scopes: str = Field("openid profile", pattern=r"\bopenid\b", description="What is asked of the provider.")
    oidc_login_claim: str | None = Field(
        None,
        description="A claim that says the login, such as `preferred_username`: whoever is first signed in by it is "
        "bound to that user. Only for claims that nobody can choose for himself. Without it: by `rectify user link` "
        "alone.",
    )
    oidc_role_claim: str | None = Field(
        None,
        description="A claim that says the role, such as `groups` or `realm_access.roles`; then unit and area come "
        "from claims too. Without it: from the directory.",
    )
    oidc_roles: str | None = Field(
        None,
        pattern=r"^(\s*[^=,]+=(resident|officer|unit|dispatcher|supervisor|admin)\s*(,|$))*$",
        description="What values of that claim mean, such as `wangge=officer,duban=supervisor`. The first that fits "
        "counts.",
    )
    oidc_unit_claim: str = Field(
        "unit", description="With `RECTIFY_OIDC_ROLE_CLAIM`: the claim that says the unit's id."
    )
    oidc_area_claim: str = Field(
        "area", description="With `RECTIFY_OIDC_ROLE_CLAIM`: the claim that says the area's id."
    )
    oidc_admins: bool = Field(
        default=False, description="Lets claims make administrators. Otherwise only `rectify user link` opens to them."
    )
    oidc_return_origins: str | None = Field(
        None,
        pattern=r"^(\s*https?://[^/*\s,]+\s*(,|$))*$",
        description="Where browsers may come back to after signing in at the provider, with commas: "
        "`https://app.example.org`. Without it: the origin of `RECTIFY_PUBLIC_URL`, without which no browser can.",
    )

    max_cached_workflows: int | None = Field(
        None,
        ge=1,
        description="Cases a worker keeps in memory. One that is not is replayed when it wakes. Without it: as many as "
        "an eighth of the machine's memory holds, or of what the container may have; 7,000 of 8 GiB.",
    )
    sandbox: bool = Field(
        default=False,
        description="Runs each case in Temporal's sandbox: slower, and finds code that is not deterministic.",
    )
    deployment: str | None = Field(
        None,
        pattern=r"^[^.]+$",
        description="Temporal Worker Deployment that the workers belong to; no dot in it. Without it: unversioned. "
        "`rectify up` goes without.",
    )
    build_id: str | None = Field(
        None, description="Build id of this worker in its deployment. Without it: release and a digest of the code."
    )
    versioning: Literal["pinned", "auto-upgrade"] = Field(
        "pinned",
        description="In a deployment, a case stays with its build until it wakes after a change of builds (`pinned`), "
        "or goes on under the new one as it is (`auto-upgrade`).",
    )
    worker_metrics_address: str | None = Field(
        None,
        pattern=r"^.+:\d{1,5}$",
        description="Host and port where a worker serves Prometheus metrics. Without it: nowhere.",
    )

    public_url: str | None = Field(
        None,
        pattern=r"^https?://\S+$",
        description="Where people reach the API from outside, for the links in notices. Without it: no links.",
    )
    notices_metrics_address: str | None = Field(
        None,
        pattern=r"^.+:\d{1,5}$",
        description="Host and port where `rectify notify` serves Prometheus metrics. Without it: nowhere.",
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.oidc_issuer and not self.oidc_client_id:
            raise ValueError("RECTIFY_OIDC_ISSUER needs RECTIFY_OIDC_CLIENT_ID")
        if self.oidc_role_claim and not self.oidc_roles:
            raise ValueError("RECTIFY_OIDC_ROLE_CLAIM needs RECTIFY_OIDC_ROLES")
        if self.oidc_return_origins and not self.public_url:
            raise ValueError("RECTIFY_OIDC_RETURN_ORIGINS needs RECTIFY_PUBLIC_URL")
        return self

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data.absolute() / 'rectify.db'}"

    @property
    def evidence(self) -> Path:
        """The folder of the photos."""
        return self.data.absolute() / "evidence"

    @property
    def session(self) -> timedelta:
        return timedelta(hours=self.session_hours)

    @property
    def session_idle(self) -> timedelta:
        return timedelta(minutes=self.session_idle_minutes)

    @property
    def temporal_ui_port(self) -> int:
        above = self.temporal_port + _UI_DISTANCE
        return above if above <= _LAST_PORT else self.temporal_port - _UI_DISTANCE

    def temporal_connection(self) -> dict[str, object]:
        """What `temporalio.client.Client.connect` takes."""
        return {
            "target_host": self.temporal_address,
            "namespace": self.temporal_namespace,
            "api_key": self.temporal_api_key.get_secret_value() if self.temporal_api_key else None,
            "tls": self.temporal_tls or None,
        }

    def environment(self) -> dict[str, str]:
        """These settings as variables, for a child process: an empty one unsets its own. Secrets included."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return {_variable(name): "" if value is None else _text(value) for name, value in values.items()}


def installed(data: Path | None) -> Settings:
    """For commands that look after an installation: unless told otherwise, its Temporal is where `up` last put it."""
    settings = Settings() if data is None else Settings(data=data)
    try:
        address = (settings.data / TEMPORAL_ADDRESS).read_text().strip()
    except OSError:
        return settings
    given = "temporal_address" in settings.model_fields_set
    return settings if given else settings.model_copy(update={"temporal_address": address})


def as_markdown() -> str:
    """docs/settings.md."""
    rows = [
        f"| `{_variable(name)}` | {_default(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    head = [
        "# 设置 Settings",
        "",
        "环境变量；`rectify up` 的选项优先。Environment variables; the options of `rectify up` go before them.",
        "Written by `make docs` from `settings.py`.",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    return "\n".join([*head, *rows, ""])


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _text(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Path):
        return str(value.absolute())
    return str(value).lower() if isinstance(value, bool) else str(value)


def _default(value: object) -> str:
    return "" if value is None else f"`{_text(value) if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    import sys

    sys.stdout.write(as_markdown())
