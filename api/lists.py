"""Lists from SQL: cases by filter, what waits for the caller, and the supervisor's board of what is late."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel

from api.auth import Caller
from api.problems import RESPONSES
from api.reading import zone_of
from api.services import Injected, Services
from api.views import CaseView, case_view
from domain.actors import Actor
from domain.case import Stage
from domain.errors import Invalid
from domain.text import Name
from store import cases, overdue, tasks
from store.cases import CaseFilter, Sort
from store.pages import Page

router = APIRouter(tags=["lists"], responses=RESPONSES)

Limit = Annotated[int, Query(ge=1, le=200, description="Rows a page.")]
Cursor = Annotated[str | None, Query(max_length=600, description="`next_cursor` of the page before.")]


class CaseList(BaseModel):
    """`next_cursor` is null on the last page."""

    items: list[CaseView]
    next_cursor: str | None


async def area_path(services: Services, area: str | None) -> str | None:
    """An area as people name it, its id or its path, as a path."""
    if area is None or area.startswith("/"):
        return area
    directory = (await services.cities.get(services.now())).directory
    if area not in directory.area_by_id:
        raise Invalid("unknown_area", area=area)
    return directory.path(area)


async def _shown(services: Services, actor: Actor, page: Page) -> CaseList:
    zone = await zone_of(services)
    return CaseList(items=[case_view(case, actor, zone) for case in page.items], next_cursor=page.next_cursor)


@router.get("/cases", name="list_cases")
async def list_cases(  # noqa: PLR0913, PLR0917 - one parameter for each filter of the address
    services: Injected,
    actor: Caller,
    stage: Annotated[list[Stage] | None, Query(description="One or several.")] = None,
    unit: Annotated[Name | None, Query(description="Lead or co-unit.")] = None,
    area: Annotated[Name | None, Query(description="Id or path; with all below it.")] = None,
    category: Name | None = None,
    overdue: Annotated[bool | None, Query(description="The overdue mark, which stays after closure.")] = None,
    recurrent: Annotated[bool | None, Query(description="Whether the same had been put right there before.")] = None,
    provisional: Annotated[
        bool | None, Query(description="Whether the deadline rests on a year whose holidays are not official yet.")
    ] = None,
    level: Annotated[int | None, Query(ge=0, le=9, description="At least this escalation level.")] = None,
    q: Annotated[Name | None, Query(description="Part of the number, reference, description or address.")] = None,
    opened_from: AwareDatetime | None = None,
    opened_to: AwareDatetime | None = None,
    sort: Sort = "-opened_at",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> CaseList:
    """Cases that the caller may see."""
    wanted = CaseFilter(
        stages=tuple(stage or ()),
        unit=unit,
        area=await area_path(services, area),
        category=category,
        overdue=overdue,
        recurrent=recurrent,
        provisional=provisional,
        level=level,
        q=q,
        opened_from=opened_from,
        opened_to=opened_to,
        sort=sort,
    )
    try:
        page = await cases.search(services.database, wanted, actor, cursor, limit)
    except ValueError:
        raise Invalid("cursor_invalid") from None
    return await _shown(services, actor, page)


@router.get("/tasks", name="list_tasks")
async def list_tasks(services: Injected, actor: Caller, cursor: Cursor = None, limit: Limit = 50) -> CaseList:
    """What waits for the caller, most pressing first."""
    try:
        page = await tasks.tasks(services.database, actor, cursor, limit)
    except ValueError:
        raise Invalid("cursor_invalid") from None
    return await _shown(services, actor, page)


class TotalView(BaseModel):
    """`key` is null for cases without a unit."""

    key: str | int | None
    count: int
    longest_since: datetime


class BoardView(BaseModel):
    """`items` is a page of rows, longest late first; `totals` and `total` count everything asked for."""

    items: list[CaseView]
    totals: list[TotalView]
    total: int
    next_cursor: str | None


@router.get("/overdue", name="list_overdue")
async def list_overdue(  # noqa: PLR0913, PLR0917 - one parameter for each part of the address
    services: Injected,
    actor: Caller,
    area: Annotated[Name | None, Query(description="Id or path; with all below it.")] = None,
    unit: Annotated[Name | None, Query(description="The lead unit.")] = None,
    group_by: Literal["unit", "area", "category", "level"] = "unit",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> BoardView:
    """The supervisor's board: cases whose present deadline has passed, and how many by group."""
    path = await area_path(services, area)
    try:
        board = await overdue.overdue(
            services.database, actor, area=path, unit=unit, group_by=group_by, cursor=cursor, limit=limit
        )
    except ValueError:
        raise Invalid("cursor_invalid") from None
    zone = await zone_of(services)
    totals = [
        TotalView(key=total.key, count=total.count, longest_since=total.longest_since.astimezone(zone))
        for total in board.totals
    ]
    items = [case_view(case, actor, zone) for case in board.items]
    return BoardView(items=items, totals=totals, total=board.total, next_cursor=board.next_cursor)
