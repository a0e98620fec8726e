"""What there is already where somebody reports: offered to him before a case is opened, and asked about when he joins.

Knows cases as they have been written down. Whatever the database cannot tell in time counts as not there: a report is
never lost for want of an answer.
"""

import asyncio
from typing import NamedTuple

import structlog

from api.reading import zone_of
from api.services import OUTAGES, Services
from api.views import candidate_view
from directory.nearby import Spot, metres, near_metres, recurs_within
from directory.reporting import City
from domain.actors import Actor
from domain.case import CaseFacts, Location, Snapshot
from domain.commands import Opening
from domain.errors import Conflict
from domain.policy import Source
from store import nearby

#: How long an opening waits for it, in seconds.
PATIENCE = 1.0
#: Cases offered, the nearest: nobody reads more on a phone.
OFFERED = 10
#: Nobody stands there who could choose.
_UNASKED = frozenset({Source.IMPORT, Source.SYSTEM})

_log = structlog.get_logger()


class Candidate(NamedTuple):
    case: Snapshot
    metres: float | None


class Found(NamedTuple):
    """`candidates`: the nearest first; none where there is nobody to be asked. `recurrence_of`: what has come back."""

    candidates: tuple[Candidate, ...] = ()
    recurrence_of: str | None = None


async def look(services: Services, city: City, opening: Opening, *, asking: bool) -> Found:
    asking = asking and opening.self_handled is None and opening.source not in _UNASKED
    try:
        async with asyncio.timeout(PATIENCE):
            return await _look(services, _sought(city, opening, asking=asking))
    except OUTAGES as error:
        _log.warning("nearby_not_known", error=type(error).__name__)
        return Found()


async def _look(services: Services, sought: nearby.Sought) -> Found:
    found = await nearby.surroundings(services.database, sought)
    nearest = found.open[:OFFERED]
    cases = await nearby.snapshots(services.database, tuple(each.id for each in nearest)) if nearest else {}
    candidates = (Candidate(cases[each.id], each.metres) for each in nearest if each.id in cases)
    return Found(tuple(candidates), found.recurrence_of)


def _sought(city: City, opening: Opening, *, asking: bool) -> nearby.Sought:
    category = city.directory.category_by_code[opening.category]
    return nearby.Sought(
        itself=opening.id,
        category=opening.category,
        point=opening.point,
        spot=spot(opening.location),
        reach=near_metres(category),
        closed_since=opening.opened_at - recurs_within(category),
        open_too=asking,
    )


async def offer(services: Services, actor: Actor, found: Found) -> Conflict:
    """The refusal that names them. What the caller may not see of them he is not told either."""
    zone = await zone_of(services)
    shown = [candidate_view(case, apart, actor, zone) for case, apart in found.candidates]
    listed = [each.model_dump(mode="json", exclude_unset=True) for each in shown]
    return Conflict("possible_duplicate", candidates=listed, count=len(listed))


def is_here(city: City, case: CaseFacts, location: Location | None, point: str | None) -> bool:
    """Whether somebody who has found a thing of that category there would be offered the case."""
    if point is not None and point == case.point:
        return True
    category = city.directory.category_by_code.get(case.category)
    here, there = spot(location), spot(case.location)
    if category is None or here is None or there is None:
        return False
    reach = near_metres(category)
    return reach > 0 and metres(here, there) <= reach


def spot(location: Location | None) -> Spot | None:
    return Spot(location.wgs84_lon, location.wgs84_lat) if location else None
