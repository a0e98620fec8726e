"""Who would have to answer for a problem at a place, and why: the lookup that opening a case makes, explained."""

from typing import Annotated, Literal, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel

from api.auth import Caller
from api.problems import RESPONSES
from api.services import Injected, Services
from directory.model import Area, AreaLevel, Directory, GridKind, RoutingRow
from directory.reporting import Asked, Ledger, Position, Receiving, Report, asked
from directory.routing import MEANING, ORDER, Criterion, Explanation, Weighed, explain
from domain.actors import Actor, Role
from domain.case import Milestone
from domain.errors import Forbidden, Invalid
from domain.limits import Limit
from domain.text import Name
from store import points

router = APIRouter(tags=["routing"], responses=RESPONSES)


class AreaView(BaseModel):
    """`kind` is of grids only: block 块状, line 条形, compound 单位型."""

    id: str
    level: AreaLevel
    kind: GridKind | None
    name_zh: str
    name_en: str

    @classmethod
    def of(cls, area: Area) -> Self:
        return cls(id=area.id, level=area.level, kind=area.kind, name_zh=area.name_zh, name_en=area.name_en)


class RowView(BaseModel):
    """A row that matched. `reason`: why it won, or the first criterion in which another was before it."""

    id: str
    condition: str | None
    category: str | None
    big_category: str | None
    area: str | None
    place_type: str | None
    owner: str | None
    unit: str
    co_units: tuple[str, ...]
    dispatcher: str | None
    wins: bool
    reason: Criterion | None
    reason_zh: str
    reason_en: str


class RoutingView(BaseModel):
    """`areas` leads from the city down to where the case is counted; `grids` are all that hold the place.

    `decided_by`: a row, the fallback 兜底单位 of `fallback_area`, the keeper of the point, or, where nobody is named,
    a dispatcher. `rows` in their order, by the criteria of `order`.
    """

    category: str
    condition: str
    limit: Limit
    milestones: tuple[Milestone, ...]
    area: str
    areas: list[AreaView]
    grids: list[AreaView]
    place_type: str | None
    owner: str | None
    decided_by: Literal["row", "fallback", "keeper", "dispatcher"]
    unit: str | None
    co_units: tuple[str, ...]
    dispatcher: str | None
    row: str | None
    fallback_area: str | None
    order: tuple[Criterion, ...]
    rows: list[RowView]


@router.get("/routing", name="explain_routing")
async def explain_routing(  # noqa: PLR0913, PLR0917 - one parameter for each thing that routing goes by
    services: Injected,
    actor: Caller,
    category: Name,
    lon: Annotated[float | None, Query(description="Degrees, with `lat`.")] = None,
    lat: float | None = None,
    datum: Annotated[Name, Query(description="Of `lon` and `lat`: wgs84, gcj02, bd09, cgcs2000.")] = "wgs84",
    area: Annotated[Name | None, Query(description="Id of a grid or area, instead of a position.")] = None,
    point: Annotated[Name | None, Query(description="A registered place 点位, instead of a position.")] = None,
    condition: Annotated[Name | None, Query(description="Default: the category's first.")] = None,
    place_type: Name | None = None,
    owner: Annotated[Name | None, Query(description="The unit that owns the thing.")] = None,
) -> RoutingView:
    """Who would answer for such a report, which rows matched, and why this one won. Not for residents."""
    if actor.role is Role.RESIDENT:
        raise Forbidden("routing_not_yours")
    position = None if lon is None or lat is None else Position(lon=lon, lat=lat, datum=datum)
    if position is None and area is None and point is None:
        raise Invalid("location_missing")
    report = Report(
        category=category,
        condition=condition,
        description="?",
        location=position,
        address="?",
        place_type=place_type,
        point=point,
        owner=owner,
    )
    found = await _asked(services, actor, report, area)
    return _view(found, explain(found.question))


async def _asked(services: Services, actor: Actor, report: Report, area: str | None) -> Asked:
    """`area` counts where there is no position, as in the ledger of another system."""
    city = await services.cities.get(services.now())
    point = None if report.point is None else await points.get(services.database, report.point)
    ledger = None if area is None else Ledger(area=area)
    return asked(city, report, Receiving(actor, services.now(), case_id="", ledger=ledger, point=point))


def _view(found: Asked, explained: Explanation) -> RoutingView:
    question, routed = found.question, explained.routed
    directory = question.directory
    won_by = next((each.lost_by for each in explained.rows if each.lost_by is not None), None)
    return RoutingView(
        category=question.category,
        condition=found.condition.id,
        limit=found.condition.limit,
        milestones=found.condition.milestones,
        area=found.where.area,
        areas=[AreaView.of(directory.area_by_id[each]) for each in reversed(question.own)],
        grids=list(_grids(directory, (question.area, *question.others))),
        place_type=question.place_type,
        owner=question.owner,
        decided_by=_decided_by(explained),
        unit=routed.unit if routed else None,
        co_units=routed.co_units if routed else (),
        dispatcher=routed.dispatcher if routed else None,
        row=routed.row_id if routed else None,
        fallback_area=routed.fallback_area if routed else None,
        order=ORDER[question.kind],
        rows=[_row(each, won_by) for each in explained.rows],
    )


def _decided_by(explained: Explanation) -> Literal["row", "fallback", "keeper", "dispatcher"]:
    routed = explained.routed
    if routed is None:
        return "dispatcher"
    if routed.row_id is not None:
        return "row"
    return "fallback" if routed.fallback_area is not None else "keeper"


def _grids(directory: Directory, areas: tuple[str, ...]) -> list[AreaView]:
    found = (directory.area_by_id[each] for each in areas)
    return [AreaView.of(area) for area in found if area.level is AreaLevel.GRID]


def _row(weighed: Weighed, won_by: Criterion | None) -> RowView:
    """The winner's reason is what put it before the next."""
    wins = weighed.lost_by is None
    reason = won_by if wins else weighed.lost_by
    if wins and won_by in {None, Criterion.RETIRED}:
        chinese, english = ("没有别的规则相符", "no other row matches")
        reason = None
    else:
        chinese, english = MEANING[reason or Criterion.ROW_ID]
    told = weighed.row.model_dump(include=set(RoutingRow.model_fields) & set(RowView.model_fields))
    return RowView(**told, wins=wins, reason=reason, reason_zh=chinese, reason_en=english)
