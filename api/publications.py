"""New calendars, policies and ladders: what they would do to the running cases, and how far they have come.

All administrators read them; those of the whole city foretell and publish. The answer to publishing comes when it is
stored, and in force for new cases; workers take it to the running ones.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from api.auth import Caller
from api.problems import RESPONSES
from api.publication_views import (
    MOST,
    CalendarBody,
    CalendarEditionView,
    CalendarList,
    CalendarView,
    OfficialBody,
    PreviewView,
    PublicationList,
    PublicationView,
    RulesBody,
    RulesEditionView,
    RulesView,
    effect_view,
    local,
    publication_view,
)
from api.reading import zone_of
from api.services import Injected, Services
from directory.calendars import calendar_table, make_official, official_year, read_calendar, read_year
from directory.changes import scope
from directory.rules import BadRules, read_rules, rules_table
from domain.actors import Actor, Role
from domain.calendar import Calendar
from domain.errors import Conflict, Forbidden, Invalid, NotVisible
from domain.policy import Ladder, Policy
from domain.text import Name
from store import publications
from store import rules as editions
from store.rules import NotInForce, NotNext
from upkeep.preview import Change, Effect, NewRules, Totals, effects

router = APIRouter(prefix="/rules", tags=["rules"], responses=RESPONSES)


async def administrator(actor: Caller) -> Actor:
    if actor.role is not Role.ADMIN:
        raise Forbidden("role_forbidden", role=actor.role.value)
    return actor


Admin = Annotated[Actor, Depends(administrator)]


async def whole_city(actor: Admin) -> Actor:
    """Not those of a district: what concerns everybody is not theirs."""
    if scope(actor) is not None:
        raise Forbidden("not_in_your_area")
    return actor


Chief = Annotated[Actor, Depends(whole_city)]
CalendarId = Annotated[Name, Path(description="The city's calendar, or another that units go by.")]
After = Annotated[Name | None, Query(description="`next_after` of the page before: a case's number.")]
Most = Annotated[int, Query(ge=1, le=1000, description="Cases a page.")]


# --- calendars ---


@router.get("/calendars", name="list_calendars")
async def list_calendars(services: Injected, _actor: Admin) -> CalendarList:
    """Every version of every calendar; the city's first, and of each the latest first."""
    zone = await zone_of(services)
    return CalendarList(
        items=[
            CalendarEditionView(
                id=each.calendar.id,
                version=each.calendar.version,
                official_through=each.calendar.official_through,
                published_at=each.published_at.astimezone(zone),
                city=each.city,
                latest=each.latest,
            )
            for each in await editions.calendars(services.database)
        ]
    )


@router.get("/calendars/{calendar_id}", name="get_calendar")
async def get_calendar(
    services: Injected,
    _actor: Admin,
    calendar_id: CalendarId,
    version: Annotated[int | None, Query(ge=1, le=MOST, description="The latest unless given.")] = None,
) -> CalendarView:
    return CalendarView.model_validate(calendar_table(await _calendar(services, calendar_id, version)))


@router.post("/calendars/preview", name="preview_calendar")
async def preview_calendar(
    services: Injected, _actor: Chief, body: CalendarBody, after: After = None, limit: Most = 100
) -> PreviewView:
    """What publishing it would do to the running cases. Changes nothing. Each page is worked out anew."""
    return await _foretold(services, await _wanted(services, body), after, limit)


@router.post("/calendars", name="publish_calendar", status_code=202)
async def publish_calendar(services: Injected, actor: Chief, body: CalendarBody) -> PublicationView:
    """Puts the version in force for new cases, and on its way to the running ones. The same again: the same answer."""
    return await _publish_calendar(services, actor, await _wanted(services, body))


@router.post("/calendars/{calendar_id}/official/preview", name="preview_official_year")
async def preview_official_year(
    services: Injected,
    _actor: Chief,
    calendar_id: CalendarId,
    body: OfficialBody,
    after: After = None,
    limit: Most = 100,
) -> PreviewView:
    """What making the year official would do to the running cases. Changes nothing."""
    return await _foretold(services, await _official(services, calendar_id, body), after, limit)


@router.post("/calendars/{calendar_id}/official", name="make_year_official", status_code=202)
async def make_year_official(
    services: Injected, actor: Chief, calendar_id: CalendarId, body: OfficialBody
) -> PublicationView:
    """The next version, with the year's holidays and make-up workdays, official through its end. May be told anew."""
    return await _publish_calendar(services, actor, await _official(services, calendar_id, body))


async def _calendar(services: Services, name: str, version: int | None = None) -> Calendar:
    found = await editions.calendar(services.database, name, version)
    if found is None:
        raise NotVisible("not_found")
    return found


async def _wanted(services: Services, body: CalendarBody) -> Calendar:
    try:
        wanted = read_calendar(body.model_dump(by_alias=True))
        await editions.check_calendar(services.database, wanted)
    except NotNext as error:
        raise _not_next(error) from None
    except ValueError as error:
        raise Invalid("calendar_invalid", reason=str(error)[:200]) from None
    return wanted


async def _official(services: Services, name: str, body: OfficialBody) -> Calendar:
    present = await _calendar(services, name)
    try:
        if body.holidays is None:
            notice = official_year(body.year)
        else:
            notice = read_year(body.model_dump(include={"holidays", "make_up_workdays"}), body.year)
        made = make_official(present, notice)
    except LookupError:
        raise Invalid("year_not_known", year=body.year) from None
    except ValueError as error:
        raise Invalid("calendar_invalid", reason=str(error)[:200]) from None
    same = made.model_copy(update={"version": present.version}) == present
    return present if same else made


async def _publish_calendar(services: Services, actor: Actor, wanted: Calendar) -> PublicationView:
    try:
        number = await editions.publish_calendar(services.database, wanted, actor.user, services.now())
    except NotNext as error:
        raise _not_next(error) from None
    return await _shown(services, number)


# --- policies and ladders ---


@router.get("/policies", name="list_policies")
async def list_policies(services: Injected, _actor: Admin) -> RulesView:
    policy, ladder = await editions.check_rules(services.database, None, None)
    items = [RulesEditionView.model_validate(each.model_dump()) for each in await editions.editions(services.database)]
    return RulesView(**rules_table(policy, ladder), items=items)


@router.post("/policies/preview", name="preview_policy")
async def preview_policy(
    services: Injected, _actor: Chief, body: RulesBody, after: After = None, limit: Most = 100
) -> PreviewView:
    """What publishing them would do to the running cases. Changes nothing. Each page is worked out anew."""
    return await _foretold(services, await _pair(services, *_rules(body)), after, limit)


@router.post("/policies", name="publish_policy", status_code=202)
async def publish_policy(services: Injected, actor: Chief, body: RulesBody) -> PublicationView:
    """Puts them in force for new cases, and on their way to the running ones, whose condition's limits stay."""
    policy, ladder = _rules(body)
    await _pair(services, policy, ladder)
    try:
        number = await editions.publish_rules(services.database, policy, ladder, actor.user, services.now())
    except NotNext as error:
        raise _not_next(error) from None
    return await _shown(services, number)


def _rules(body: RulesBody) -> tuple[Policy | None, Ladder | None]:
    try:
        return read_rules(body.model_dump(exclude_none=True))
    except BadRules as bad:
        errors = [{"field": each.key, "reason": f"{each.zh} {each.en}"} for each in bad.problems]
        raise Invalid("rules_invalid", errors=errors) from None


async def _pair(services: Services, policy: Policy | None, ladder: Ladder | None) -> NewRules:
    try:
        return NewRules(*await editions.check_rules(services.database, policy, ladder))
    except NotNext as error:
        raise _not_next(error) from None
    except NotInForce as error:
        raise Invalid("rules_not_in_force", name=error.name) from None


def _not_next(error: NotNext) -> Conflict:
    return Conflict("version_not_next", name=error.name, following=error.following)


# --- publications ---


@router.get("/publications", name="list_publications")
async def list_publications(
    services: Injected, _actor: Admin, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> PublicationList:
    """The latest first."""
    zone = await zone_of(services)
    found = await publications.listing(services.database, limit)
    return PublicationList(items=[publication_view(each, zone) for each in found])


@router.get("/publications/{publication_id}", name="get_publication")
async def get_publication(
    services: Injected, _actor: Admin, publication_id: Annotated[int, Path(ge=1, le=2**53)]
) -> PublicationView:
    """How far it has come. Workers go on with it until every running case has it."""
    return await _shown(services, publication_id)


async def _shown(services: Services, number: int) -> PublicationView:
    found = await publications.get(services.database, number)
    if found is None:
        raise NotVisible("not_found")
    return publication_view(found, await zone_of(services))


async def _foretold(services: Services, change: Change, after: str | None, limit: int) -> PreviewView:
    now, zone = services.now(), await zone_of(services)
    totals, more = Totals(), False
    page: list[Effect] = []
    async for some in effects(services.database, change, now):
        totals = totals.plus(some)
        for effect in some:
            if effect.changes and (after is None or effect.case > after):
                more = len(page) == limit
                page += [] if more else [effect]
    items = [effect_view(each, zone) for each in page]
    return PreviewView(at=local(now, zone), totals=totals, items=items, next_after=items[-1].case if more else None)
