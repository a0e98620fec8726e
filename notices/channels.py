"""What a channel must be, the same for the command line and the API."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from directory.model import Slug
from domain.policy import Audience
from domain.text import Name
from domain.words import Words
from notices.services import BadAddress, service_of
from store.notices import Channel

#: Reporters are persons, and a channel is a group's: they see the outcome at their case.
AUDIENCES = tuple(audience for audience in Audience if audience is not Audience.REPORTER)
#: A WeCom or DingTalk robot takes 20 messages a minute; who sends DingTalk more is shut out for ten.
PER_MINUTE, MOST_PER_MINUTE = 20, 600


class BadChannel(ValueError):
    """`field` is wrong, for a reason in both languages."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class Wanted(BaseModel):
    """`url`: where to, as Apprise writes it (docs/notices.md); it is never shown again.

    A channel for units may be for one `unit`; any other for one `area` (id or path) with all below it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: Annotated[SecretStr, Field(min_length=1, max_length=2000)]
    audience: Audience
    unit: Name | None = None
    area: Name | None = None
    per_minute: Annotated[int, Field(ge=1, le=MOST_PER_MINUTE, description="Messages a minute at most.")] = PER_MINUTE


class Named(BaseModel):
    id: Annotated[Slug, StringConstraints(max_length=64)]


def channel(channel_id: str, wanted: Wanted, area: str | None) -> Channel:
    """`area` is the path of the wanted one. Raises BadChannel."""
    if wanted.audience not in AUDIENCES:
        raise BadChannel("audience", _both(("上报人不经通道通知", "reporters are not told through channels")))
    if wanted.unit and wanted.audience is not Audience.UNIT:
        raise BadChannel("unit", _both(("仅用于发给责任单位的通道", "only for the audience `unit`")))
    if wanted.area and wanted.audience is Audience.UNIT:
        raise BadChannel("area", _both(("不用于发给责任单位的通道", "not for the audience `unit`")))
    url = wanted.url.get_secret_value().strip()
    try:
        service = service_of(url)
    except BadAddress as error:
        raise BadChannel("url", str(error)) from None
    facts: dict[str, Any] = {"unit": wanted.unit, "area": area, "per_minute": wanted.per_minute}
    return Channel(id=channel_id, service=service, url=url, audience=wanted.audience, **facts)


def _both(words: Words) -> str:
    return " ".join(words)
