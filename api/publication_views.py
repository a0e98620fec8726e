"""What is sent and shown of calendars, policies, ladders, previews and publications."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from domain.text import Name
from store.publications import Kind, Publication
from upkeep.preview import Effect, Totals, Whose

#: What a column of numbers holds.
MOST = 2**31 - 1
Days = Annotated[list[str], Field(max_length=2000, description="Dates, and ranges such as 2026-10-01..2026-10-07.")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class SeasonBody(_Body):
    """In force from the day `from` (MM-DD) until the next season, round the year."""

    from_: str = Field("01-01", alias="from")
    weekdays: dict[str, list[str]] = Field(examples=[{"mon-fri": ["08:00-12:00", "14:00-18:00"]}])


class _Calendar(_Body):
    id: Name
    version: int = Field(ge=1, le=MOST)
    zone: str
    official_through: date
    seasons: list[SeasonBody] = Field(min_length=1, max_length=24)


class CalendarBody(_Calendar):
    """The next version of a calendar, or version 1 of a new one. As in a calendar's file (docs/publications.md)."""

    holidays: Days = []
    make_up_workdays: Days = []


class OfficialBody(_Body):
    """A year's notice. Without `holidays`: as the installed package `chinesecalendar` knows it."""

    year: int = Field(ge=2004, le=2100)
    holidays: Days | None = None
    make_up_workdays: Days = []


class RulesBody(_Body):
    """The next version of the policy, of the ladder, or of both. As in a file of rules: limits are `2 work_hour`."""

    policy: dict[str, Any] | None = None
    ladder: dict[str, Any] | None = None
    rung: list[dict[str, Any]] | None = Field(None, max_length=200)


class CalendarView(_Calendar):
    """As it can be edited and sent back; the exceptions as single dates."""

    holidays: list[date]
    make_up_workdays: list[date]


class CalendarEditionView(BaseModel):
    """`city`: of whoever has none of his own. `latest`: what new cases get."""

    id: str
    version: int
    official_through: date
    published_at: datetime
    city: bool
    latest: bool


class CalendarList(BaseModel):
    items: list[CalendarEditionView]


class RulesEditionView(BaseModel):
    kind: Literal["policy", "ladder"]
    id: str
    version: int
    latest: bool


class RulesView(BaseModel):
    """Those in force, as `POST /rules/policies` takes them; and every version there has been."""

    policy: dict[str, Any]
    ladder: dict[str, Any]
    rung: list[dict[str, Any]]
    items: list[RulesEditionView]


class MoveView(BaseModel):
    of: Whose
    unit: str | None
    before: datetime | None
    after: datetime | None


class EffectView(BaseModel):
    """What would happen to a case. `overdue`: whether the deadline in force has passed."""

    case: str
    unit: str | None
    moves: list[MoveView]
    overdue_before: bool
    overdue_after: bool
    provisional_before: bool
    provisional_after: bool


class PreviewView(BaseModel):
    """`totals` are of all running cases as of `at`; `items` a page of those that would change, by number."""

    at: datetime
    totals: Totals
    items: list[EffectView]
    next_after: str | None


class PublicationView(BaseModel):
    """How far it has come. `name` and `version` are the calendar's, or of the kind `rules` the policy's.

    `took` of `total` cases have it, `moved` of them another deadline; `silent` ones did not answer yet.
    `superseded_by`: the next one, which these cases get instead.
    """

    id: int
    state: Literal["on_its_way", "finished", "superseded"]
    kind: Kind
    name: str
    version: int
    ladder: str | None
    ladder_version: int | None
    by: str
    started_at: datetime
    finished_at: datetime | None
    superseded_by: int | None
    total: int
    took: int
    moved: int
    silent: int


class PublicationList(BaseModel):
    items: list[PublicationView]


def publication_view(each: Publication, zone: ZoneInfo) -> PublicationView:
    state = "on_its_way" if each.finished_at is None else "superseded" if each.superseded_by else "finished"
    instants = {"started_at": local(each.started_at, zone), "finished_at": local(each.finished_at, zone)}
    return PublicationView.model_validate({**each.model_dump(), "state": state, **instants})


def effect_view(effect: Effect, zone: ZoneInfo) -> EffectView:
    return EffectView(
        case=effect.case,
        unit=effect.unit,
        moves=[
            MoveView(of=move.of, unit=move.unit, before=local(move.before, zone), after=local(move.after, zone))
            for move in effect.moves
        ],
        overdue_before=effect.overdue[0],
        overdue_after=effect.overdue[1],
        provisional_before=effect.provisional[0],
        provisional_after=effect.provisional[1],
    )


def local(at: Any, zone: ZoneInfo) -> Any:  # noqa: ANN401 - an instant, or None for None
    return at and at.astimezone(zone)
