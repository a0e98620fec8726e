"""Another reporter for a case that is there already, and two cases that turn out to be one.

A case that somebody may not see he may join all the same if he says where he has found it, and it lies there: the same
that he would be offered at opening. To everybody else it does not exist.
"""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.auth import Caller
from api.cases import PositionBody
from api.commands import carry_out
from api.idempotency import Key
from api.nearby import is_here
from api.problems import RESPONSES
from api.reading import find, visible_case, zone_of
from api.services import Injected, Services
from api.views import CaseView, case_view
from directory.reporting import SOURCES, City, locate_in_wgs84
from domain.actors import Actor, Role
from domain.case import ENDED, Snapshot, Stage
from domain.case_id import parse
from domain.commands import Command, Dismiss, Join, Photos, Withdraw
from domain.errors import Conflict, Forbidden, Invalid, NotVisible
from domain.lifecycle import allowed
from domain.permissions import may_see
from domain.text import Name, Note
from workflows.client import NotRunning

router = APIRouter(prefix="/cases/{case_id}", tags=["commands"], responses=RESPONSES)

#: How a case ends that should not have been one.
_ENDS = frozenset({Dismiss.name, Withdraw.name})


class JoinBody(BaseModel):
    """The same has been found again. Where: by `location` or `point`, unless the caller sees the case anyway."""

    model_config = ConfigDict(extra="forbid")

    description: Note
    evidence: Photos = ()
    location: PositionBody | None = None
    point: Name | None = Field(default=None, description="A registered place 点位, by its id.")
    on_behalf_of: Annotated[tuple[Name, ...], Field(max_length=200)] = Field(
        default=(), description="Logins of those who found it; for dispatchers and supervisors."
    )


@router.post("/join", name="join_case")
async def join_case(services: Injected, actor: Caller, case_id: str, key: Key, body: JoinBody) -> CaseView:
    """By: whoever may report. In: the open stages. The case goes on as it was; its new reporter hears of it."""
    case_id = parse(case_id)
    location = locate_in_wgs84(body.location) if body.location else None
    city = await services.cities.get(services.now())
    case = await find(services, case_id)
    if not (may_see(actor, case) or (actor.role in SOURCES and is_here(city, case, location, body.point))):
        raise NotVisible("case_not_found")
    _need_reporters(city, body.on_behalf_of)
    command = Join(
        description=body.description, evidence=body.evidence, location=location, on_behalf_of=body.on_behalf_of
    )
    return case_view(await carry_out(services, actor, case_id, command, key), actor, await zone_of(services))


def _need_reporters(city: City, users: tuple[str, ...]) -> None:
    for user in users:
        known = city.directory.user_by_id.get(user)
        if known is None or known.role not in SOURCES:
            raise Invalid("unknown_reporter", user=user)


class MergeBody(BaseModel):
    """`into` is the case that stays."""

    model_config = ConfigDict(extra="forbid")

    into: Name


@router.post("/merge", name="merge_case")
async def merge_case(services: Injected, actor: Caller, case_id: str, body: MergeBody) -> CaseView:
    """By: the area's dispatcher or supervisor. Answers with the case that stays.

    Everybody who reported this case joins that one; then this one is dismissed or withdrawn, with that one's number as
    the reason. To be repeated if it was interrupted: what has been done is not done again.
    """
    duplicate = await visible_case(services, actor, case_id)
    master = await visible_case(services, actor, body.into)
    if actor.role not in {Role.DISPATCHER, Role.SUPERVISOR}:
        raise Forbidden("role_forbidden", command="merge", role=actor.role.value)
    if duplicate.id == master.id:
        raise Invalid("merge_into_itself")
    duplicate, master = await _present(services, duplicate), await _present(services, master)
    if duplicate.stage not in ENDED:
        _need_mergeable(actor, duplicate, master)
        master = await _take_reporters(services, actor, master, duplicate)
    await carry_out(services, actor, duplicate.id, _end(duplicate, master), f"merged-into-{master.id}")
    return case_view(master, actor, await zone_of(services))


async def _present(services: Services, case: Snapshot) -> Snapshot:
    """As it is now, not as it was written down."""
    try:
        return await services.cases.snapshot(case.id)
    except NotRunning:
        return case


def _need_mergeable(actor: Actor, duplicate: Snapshot, master: Snapshot) -> None:
    """Before anything is done, so that nothing is done by half."""
    actions = list(allowed(duplicate.commands, actor, duplicate))
    if not _ENDS.intersection(duplicate.commands):
        raise Conflict("merge_too_late", stage=duplicate.stage.value, actions=actions)
    if not _ENDS.intersection(actions):
        raise Forbidden("role_forbidden", command="merge", role=actor.role.value)
    if Join.name not in master.commands:
        raise Conflict("merge_into_ended", stage=master.stage.value, actions=actions)


async def _take_reporters(services: Services, actor: Actor, master: Snapshot, duplicate: Snapshot) -> Snapshot:
    reporters = (duplicate.reporter, *duplicate.joined)
    command = Join(
        description=duplicate.description,
        evidence=duplicate.evidence,
        location=duplicate.location,
        on_behalf_of=reporters,
    )
    try:
        return await carry_out(services, actor, master.id, command, f"merged-from-{duplicate.id}-{len(reporters)}")
    except Conflict as conflict:
        if conflict.code != "already_joined":
            raise
        return master


def _end(duplicate: Snapshot, master: Snapshot) -> Command:
    """A report that nobody has verified yet is not withdrawn but dismissed."""
    end = Dismiss if duplicate.stage in {Stage.INTAKE, Stage.DISMISSED} else Withdraw
    return end(reason=f"重复案卷，已并入 {master.id}。 A duplicate, merged into {master.id}.")
