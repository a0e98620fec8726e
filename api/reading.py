"""Finding a case for a caller: the recorded copy first, the running case itself where that is missing."""

from zoneinfo import ZoneInfo

from api.services import OUTAGES, Services
from domain.actors import Actor
from domain.case import Snapshot
from domain.case_id import parse
from domain.errors import Conflict, Invalid, NotVisible, Unavailable
from domain.lifecycle import RULES, authorise
from domain.permissions import may_see
from domain.policy import Rules
from store import cases


async def visible_case(services: Services, actor: Actor, text: str) -> Snapshot:
    """Raises Invalid for a mistyped id, NotVisible for what is not there or not the caller's."""
    case = await find(services, parse(text))
    if not may_see(actor, case):
        raise NotVisible("case_not_found")
    return case


async def find(services: Services, case_id: str) -> Snapshot:
    """A case opened a moment ago, or while the database is down, is asked for itself; with no worker, how it began."""
    try:
        recorded = await cases.get(services.database, case_id)
    except OUTAGES:
        recorded = None
    if recorded is not None:
        return recorded
    try:
        return await services.cases.snapshot(case_id)
    except Unavailable:
        return await services.cases.beginning(case_id)


async def rules_of(services: Services, case: Snapshot) -> Rules:
    found = await cases.rules(services.database, case.rules)
    if found is None:
        raise Unavailable("store_unavailable")
    return found


async def after_the_end(services: Services, actor: Actor, case_id: str, name: str, update_id: str) -> Snapshot:
    """What a command to a case that no longer runs comes to.

    The case, if this very command (`update_id`) had been carried out before; else the error that its state calls for.
    """
    case = await cases.get(services.database, case_id)
    if case is None:
        raise NotVisible("case_not_found")
    if await cases.by_command(services.database, update_id) is not None:
        return case
    authorise(RULES[name], actor, case)
    raise Conflict("stage_forbids", command=name, stage=case.stage.value, actions=[])


async def need_known_photos(services: Services, sha256s: tuple[str, ...]) -> None:
    missing = set(sha256s) - services.photos.has(sha256s)
    if missing:
        raise Invalid("evidence_unknown", sha256=min(missing))


async def zone_of(services: Services) -> ZoneInfo:
    return ZoneInfo((await services.cities.get(services.now())).directory.zone)
