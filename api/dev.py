"""Time travel, for demonstrations, training and acceptance tests. The route exists only when the stack has it on."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.auth import Caller
from api.problems import RESPONSES
from api.reading import visible_case, zone_of
from api.services import Injected
from api.views import CaseView, case_view
from domain.text import Name
from store import cases
from workflows.client import NotRunning

router = APIRouter(prefix="/dev", tags=["dev"], responses=RESPONSES)

_FURTHEST = timedelta(days=1000)


class Advance(BaseModel):
    """`by`: an ISO 8601 duration such as `P2DT4H`."""

    model_config = ConfigDict(extra="forbid")

    case: Name
    by: Annotated[timedelta, Field(gt=timedelta(0), le=_FURTHEST)]


@router.post("/advance", name="advance_case")
async def advance(services: Injected, actor: Caller, body: Advance) -> CaseView:
    """Moves one case's clock forward on the real engine. What falls due on the way happens in order."""
    case = await visible_case(services, actor, body.case)
    if services.travel is not None:
        await services.travel(services.cases.handle(case.id), body.by)
    try:
        moved = await services.cases.snapshot(case.id)
    except NotRunning:
        moved = await cases.get(services.database, case.id) or case
    return case_view(moved, actor, await zone_of(services))
