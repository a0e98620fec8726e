"""Opening a case and looking at one: the case, its log, its deadline with reasons."""

from dataclasses import dataclass

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from api import nearby
from api.auth import Caller
from api.idempotency import Key, digest, new_case_id
from api.problems import RESPONSES
from api.reading import find, need_known_photos, visible_case, zone_of
from api.services import OUTAGES, Injected, Services
from api.views import CaseInFull, CaseView, EventView, case_in_full, case_view, event_view
from directory.reporting import Position, Receiving, Report, resolve
from domain.actors import Actor
from domain.case import Snapshot
from domain.commands import SelfHandling
from domain.errors import Conflict
from domain.events import Event
from store import cases, points
from store.nearby import recurrences

router = APIRouter(prefix="/cases", tags=["cases"], responses=RESPONSES)


_STRICT = ConfigDict(extra="forbid")


class PositionBody(Position):
    model_config = _STRICT


class SelfHandlingBody(SelfHandling):
    model_config = _STRICT


class ReportBody(Report):
    """A report. Unknown members are refused, so that a typing error is not taken for silence."""

    model_config = _STRICT

    location: PositionBody | None = None
    self_handled: SelfHandlingBody | None = Field(default=None, description="Put right on the spot 自行处置.")
    confirm_new: bool = Field(
        default=False,
        exclude=True,  # no part of what is reported: the same key may be used again with it
        description="It is none of the cases that were offered, or nobody needs to be asked 确认为新问题.",
    )


@router.post("", status_code=201, name="open_case")
async def open_case(services: Injected, actor: Caller, body: ReportBody, key: Key, response: Response) -> CaseView:
    """Opens a case. Durable when answered, even while no worker runs; routed to a unit if the city's rows name one.

    Where open cases of the same category lie near, they are offered instead: 409 `possible_duplicate`, unless
    `confirm_new` says that it is none of them.
    """
    asked = digest("open", body)
    case = await _opened_before(services, new_case_id(actor, key), asked) if key else None
    replayed = case is not None
    if case is None:
        case, replayed = await _open(services, body, _Received(actor, new_case_id(actor, key), asked, key))
    response.headers["Location"] = f"/api/v1/cases/{case.id}"
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return case_view(case, actor, await zone_of(services))


@dataclass(frozen=True, slots=True)
class _Received:
    actor: Actor
    case_id: str
    asked: str
    key: str | None


async def _open(services: Services, body: ReportBody, by: _Received) -> tuple[Snapshot, bool]:
    photos = body.evidence + (body.self_handled.evidence if body.self_handled else ())
    await need_known_photos(services, photos)
    city = await services.cities.get(services.now())
    received = Receiving(
        actor=by.actor,
        at=services.now(),
        case_id=by.case_id,
        command_id=_command_id(by.asked),
        point=await points.get(services.database, body.point) if body.point else None,
    )
    opening = resolve(city, body, received)
    found = await nearby.look(services, city, opening, asking=not body.confirm_new)
    if found.candidates and not (by.key and await services.cases.fate(by.case_id)):
        raise await nearby.offer(services, by.actor, found)
    opened = await services.cases.open(opening.model_copy(update={"recurrence_of": found.recurrence_of}), by.asked)
    return (opened.case, False) if opened.created else (await find(services, by.case_id), True)


async def _opened_before(services: Services, case_id: str, asked: str) -> Snapshot | None:
    """The case that this key opened, however long ago: the archive remembers longer than the engine."""
    try:
        case = await cases.get(services.database, case_id)
    except OUTAGES:
        return None
    if case is None:
        return None
    first = (await cases.events(services.database, case_id))[0][1]
    if first.command_id != _command_id(asked):
        raise Conflict("idempotency_key_reused", stage=case.stage.value)
    return case


def _command_id(asked: str) -> str:
    return f"open-{asked}"


@router.get("/{case_id}", name="get_case")
async def get_case(services: Injected, actor: Caller, case_id: str) -> CaseInFull:
    case = await visible_case(services, actor, case_id)
    view = case_view(case, actor, await zone_of(services))
    try:
        counted = await recurrences(services.database, case.id, case.recurrence_of)
    except OUTAGES:
        return case_in_full(view, None, None)
    return case_in_full(view, counted.after, counted.before)


class EventList(BaseModel):
    items: list[EventView]


@router.get("/{case_id}/events", name="get_case_events")
async def get_events(services: Injected, actor: Caller, case_id: str) -> EventList:
    """Everything that happened to the case, oldest first."""
    case = await visible_case(services, actor, case_id)
    events: list[tuple[int | None, Event]] = [*await cases.events(services.database, case.id)]
    if not events:
        events = [(None, event) for event in await services.cases.log(case.id)]
    zone = await zone_of(services)
    return EventList(items=[event_view(case.id, position, event, actor, zone) for position, event in events])
