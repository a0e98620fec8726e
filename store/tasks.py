"""What waits for a caller, most pressing first. SQL finds the candidates, the state machine has the last word."""

from sqlalchemy import ColumnElement, and_, case, false, or_, true
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from domain.actors import Actor, Role
from domain.case import AppealState, Snapshot, Stage
from domain.lifecycle import allowed
from store.database import reading
from store.pages import Order, Page, page
from store.scope import answers, visible
from store.tables import CaseRow

#: Commands that a case waits for from this role; what a role merely may do (urge, comment, …) is no task.
_AWAITED: dict[Role, frozenset[str]] = {
    Role.UNIT: frozenset({"accept", "submit"}),
    Role.OFFICER: frozenset({"verify", "inspect"}),
    Role.DISPATCHER: frozenset({"verify", "assign", "decide-extension", "decide-appeal"}),
    Role.SUPERVISOR: frozenset({"decide-extension", "decide-appeal"}),
    Role.RESIDENT: frozenset({"rate"}),
    Role.ADMIN: frozenset(),
}
_UNDECIDED = (AppealState.PENDING, AppealState.SECOND_REVIEW)


async def tasks(engine: AsyncEngine, viewer: Actor, cursor: str | None = None, limit: int = 50) -> Page:
    """By deadline; what is suspended comes last. ValueError for a cursor of another list."""
    suspended = case((col(CaseRow.suspended_until).is_(None), 0), else_=1)
    order = Order((suspended, col(CaseRow.due_at), col(CaseRow.id)), f"tasks {viewer.role}")
    seen = true() if viewer.role is Role.UNIT else visible(viewer)  # a unit sees what it answers for
    where = and_(col(CaseRow.running), seen, _candidates(viewer))
    found: list[Snapshot] = []
    async with reading(engine) as connection:
        while True:
            candidates = await page(connection, order, where, cursor, limit - len(found))
            found += (each for each in candidates.items if waits_for(viewer, each))
            cursor = candidates.next_cursor
            if cursor is None or len(found) == limit:
                return Page(tuple(found), cursor)


def waits_for(viewer: Actor, snapshot: Snapshot) -> bool:
    awaited = _AWAITED[viewer.role].intersection(allowed(snapshot.commands, viewer, snapshot))
    if viewer.role is Role.OFFICER:
        return bool(awaited) and viewer.user not in {snapshot.reporter, *snapshot.fixers, *snapshot.unable_by}
    if snapshot.lead_unit is not None:
        awaited -= {"assign"}  # it may be changed, but it waits for the unit
    return bool(awaited)


def _candidates(viewer: Actor) -> ColumnElement[bool]:
    """Everything that might wait for him, and not much more. Indexes serve each part."""
    stage = col(CaseRow.stage)
    undecided = or_(
        and_(stage == Stage.RECTIFICATION, col(CaseRow.extension_pending)),
        and_(stage == Stage.CLOSURE, col(CaseRow.appeal_state).in_(_UNDECIDED)),
    )
    match viewer.role:
        case Role.UNIT:
            return and_(stage.in_((Stage.ASSIGNMENT, Stage.RECTIFICATION)), answers(viewer.unit or ""))
        case Role.OFFICER:
            return stage.in_((Stage.INTAKE, Stage.REINSPECTION))
        case Role.DISPATCHER:
            unplaced = and_(stage == Stage.ASSIGNMENT, col(CaseRow.lead_unit).is_(None))
            return or_(stage == Stage.INTAKE, unplaced, undecided)
        case Role.SUPERVISOR:
            return undecided
        case Role.RESIDENT:
            return and_(stage == Stage.CLOSURE, col(CaseRow.reporter) == viewer.user)
        case Role.ADMIN:
            return false()
