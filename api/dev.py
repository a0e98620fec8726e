"""Time travel, for demonstrations, training and acceptance tests. The route exists only when the stack has it on."""

import asyncio
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from temporalio.service import RPCError, RPCStatusCode

from api.auth import Caller
from api.problems import RESPONSES
from api.reading import visible_case, zone_of
from api.services import Injected, Services
from api.views import CaseView, case_view
from domain.case import RUNNING
from domain.errors import Unavailable
from domain.text import Name
from store import cases
from workflows.client import NotRunning

router = APIRouter(prefix="/dev", tags=["dev"], responses=RESPONSES)

_FURTHEST = timedelta(days=1000)
_PATIENCE_SECONDS = 60


class Advance(BaseModel):
    """`by`: an ISO 8601 duration such as `P2DT4H`."""

    model_config = ConfigDict(extra="forbid")

    case: Name
    by: Annotated[timedelta, Field(gt=timedelta(0), le=_FURTHEST)]


async def _travel(services: Services, case_id: str, by: timedelta) -> None:
    """Raises Unavailable if the case does not get there: no worker runs, or somebody else moves the same clock."""
    if services.travel is None:
        return
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await services.travel(services.cases.handle(case_id), by)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:  # that is: the case has ended meanwhile
            raise Unavailable("engine_unavailable") from error
    except (RuntimeError, TimeoutError):
        raise Unavailable("engine_unavailable") from None


@router.post("/advance", name="advance_case")
async def advance(services: Injected, actor: Caller, body: Advance) -> CaseView:
    """Moves one case's clock forward on the real engine. What falls due on the way happens in order."""
    case = await visible_case(services, actor, body.case)
    if case.stage in RUNNING:
        await _travel(services, case.id, body.by)
    try:
        moved = await services.cases.snapshot(case.id)
    except NotRunning:
        moved = await cases.get(services.database, case.id) or case
    return case_view(moved, actor, await zone_of(services))
