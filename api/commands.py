"""One route for each command of the lifecycle table. No rule here: the case decides, and its answer is passed on."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import ConfigDict

from api.auth import Caller
from api.idempotency import Key, digest, update_id
from api.problems import RESPONSES
from api.reading import after_the_end, need_known_photos, zone_of
from api.services import Injected, Services
from api.views import CaseView, case_view
from domain import commands as c
from domain.actors import Actor
from domain.case import Snapshot
from domain.case_id import parse
from domain.errors import Conflict, Invalid
from domain.lifecycle import TABLE, Rule
from domain.policy import UnitCalendar
from workflows.client import NotRunning
from workflows.interface import Order

router = APIRouter(prefix="/cases/{case_id}", tags=["commands"], responses=RESPONSES)

Endpoint = Callable[..., Awaitable[CaseView]]


async def carry_out(services: Services, actor: Actor, case_id: str, command: c.Command, key: str | None) -> Snapshot:
    """Gives the command to the case, exactly once per key. Raises what the case raises."""
    await _check_references(services, command)
    asked = digest(command.name, command)
    calendars = await _calendars(services, command)
    order = Order(actor=actor, body=command.model_dump(mode="json"), digest=asked, calendars=calendars)
    given_as = update_id(actor, case_id, key)
    try:
        receipt = await services.cases.give(case_id, command.name, order, given_as)
    except NotRunning:
        return await after_the_end(services, actor, case_id, command.name, given_as)
    if receipt.digest != asked:
        raise Conflict("idempotency_key_reused", stage=receipt.case.stage.value)
    return receipt.case


async def _calendars(services: Services, command: c.Command) -> tuple[UnitCalendar, ...]:
    """Of those that the case is sent to, where they keep hours of their own."""
    if not isinstance(command, c.Assign):
        return ()
    hours = (await services.cities.get(services.now())).hours
    return hours.of((command.unit, *command.co_units)) if hours else ()


async def _check_references(services: Services, command: c.Command) -> None:
    """What only the directory and the photo store can tell."""
    photos: tuple[str, ...] = getattr(command, "evidence", None) or ()
    if photos:
        await need_known_photos(services, photos)
    if isinstance(command, c.Assign):
        units = (await services.cities.get(services.now())).directory.unit_by_id
        for unit in (command.unit, *command.co_units):
            if unit not in units or units[unit].retired:
                raise Invalid("unknown_unit", unit=unit)


def _endpoint(rule: Rule) -> Endpoint:
    body_type: Any = type(
        f"{rule.command.__name__}Body",
        (rule.command,),
        {"model_config": ConfigDict(extra="forbid"), "__module__": __name__, "__doc__": rule.command.__doc__},
    )
    optional = not any(field.is_required() for field in rule.command.model_fields.values())
    default = Body(default_factory=body_type) if optional else Body()

    async def command(services: Injected, actor: Caller, case_id: str, key: Key, body: c.Command) -> CaseView:
        case = await carry_out(services, actor, parse(case_id), body, key)
        return case_view(case, actor, await zone_of(services))

    command.__annotations__["body"] = Annotated[body_type, default]
    return command


def _describe(rule: Rule) -> str:
    hands = "; ".join(rule.hands)
    stages = ", ".join(sorted(rule.stages))
    return f"By: {hands}. In: {stages}. Leads to: {rule.leads_to}."


for _rule in TABLE:
    if _rule.command is c.Join:  # who may not see the case has more to say: `api/joining.py`
        continue
    router.add_api_route(
        f"/{_rule.command.name}",
        _endpoint(_rule),
        methods=["POST"],
        name=f"{_rule.command.name.replace('-', '_')}_case",
        description=_describe(_rule),
    )
