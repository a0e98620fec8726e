"""Every setting is documented, and what is passed to a child process arrives there unchanged."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from settings import TEMPORAL_ADDRESS, Settings, as_markdown, installed


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings().environment():
        monkeypatch.delenv(name, raising=False)


class TestDocumentation:
    def test_every_setting_says_what_it_is_for(self) -> None:
        silent = [name for name, field in Settings.model_fields.items() if not field.description]
        assert silent == []

    def test_the_page_is_up_to_date(self) -> None:
        page = Path(__file__).parent.parent / "docs" / "settings.md"
        assert page.read_text(encoding="utf-8") == as_markdown(), "run `make docs`"


class TestSettings:
    def test_an_option_goes_before_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RECTIFY_PORT", "9001")
        assert (Settings().port, Settings(port=9002).port) == (9001, 9002)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"oidc_issuer": "https://id.example"},
            {"oidc_issuer": "http://id.example", "oidc_client_id": "rectify"},
            {"oidc_issuer": "https://id.example?x=1", "oidc_client_id": "rectify"},
            {"oidc_role_claim": "groups"},
            {"oidc_roles": "wangge=emperor"},
            {"oidc_scopes": "profile"},
            {"oidc_return_origins": "https://app.example"},
            {"oidc_return_origins": "https://*.example", "public_url": "https://rectify.example"},
        ],
        ids=str,
    )
    def test_a_provider_that_is_half_set_is_refused(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            Settings(**wrong)

    def test_an_empty_variable_is_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RECTIFY_PORT", "")
        assert Settings().port == 8080

    def test_without_a_url_the_database_lies_in_the_data_folder(self, tmp_path: Path) -> None:
        assert Settings(data=tmp_path).database == f"sqlite:///{tmp_path}/rectify.db"

    def test_a_port_that_cannot_be_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="port"):
            Settings(port=70_000)

    def test_the_web_ui_stays_within_the_ports_there_are(self) -> None:
        ports = [Settings(temporal_port=port).temporal_ui_port for port in (7233, 65_000)]
        assert ports == [8233, 64_000]

    def test_no_secret_shows(self) -> None:
        settings = Settings(temporal_api_key="hush", database_url="postgresql://u:hush@h/d")
        assert "hush" not in repr(settings)

    def test_a_child_process_reads_what_its_parent_had(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        parent = Settings(data=tmp_path, port=9001, time_travel=True, temporal_api_key="hush", log_format="json")
        for name, value in parent.environment().items():
            monkeypatch.setenv(name, value)
        assert Settings() == parent

    def test_a_child_process_does_not_read_what_its_parent_set_aside(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RECTIFY_DEPLOYMENT", "rectify")
        for name, value in Settings().model_copy(update={"deployment": None}).environment().items():
            monkeypatch.setenv(name, value)
        assert Settings().deployment is None


class TestAnInstallation:
    def test_is_found_where_it_was_last_brought_up(self, tmp_path: Path) -> None:
        assert installed(tmp_path).temporal_address == "127.0.0.1:7233"
        (tmp_path / TEMPORAL_ADDRESS).write_text("127.0.0.1:7777\n")
        assert installed(tmp_path).temporal_address == "127.0.0.1:7777"

    def test_elsewhere_is_where_the_environment_says(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / TEMPORAL_ADDRESS).write_text("127.0.0.1:7777\n")
        monkeypatch.setenv("RECTIFY_TEMPORAL_ADDRESS", "temporal.example:7233")
        assert installed(tmp_path).temporal_address == "temporal.example:7233"
