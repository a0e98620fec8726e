"""From what somebody reports to what a case starts from: the directory fills in grid, area, unit and limit.

Pure: the directory, the rules and the instant come in. The API, the importer and the demonstration open through here.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from pydantic import AwareDatetime, Field

from directory.hours import Hours
from directory.model import AreaLevel, Category, Condition, Directory, Point
from directory.nearby import Spot, metres
from directory.places import Places
from directory.positions import Datum, parse_datum, to_wgs84
from directory.routing import Question, route
from domain.actors import Actor, Role
from domain.base import Value
from domain.case import Location
from domain.commands import CLOCK_SKEW, Opening, Photos, SelfHandling
from domain.errors import Forbidden, Invalid
from domain.policy import Rules, Severity, Source
from domain.text import Address, Name, Note

#: What each role may report as; the first is what it means by saying nothing.
SOURCES: dict[Role, tuple[Source, ...]] = {
    Role.OFFICER: (Source.OFFICER,),
    Role.RESIDENT: (Source.RESIDENT,),
    Role.DISPATCHER: (Source.HOTLINE, Source.RESIDENT, Source.SYSTEM),
    Role.SUPERVISOR: (Source.SUPERVISION, Source.SYSTEM),
}
#: From a registered place to a position that is still meant to be at it: across a large market, or half a park.
POINT_METRES = 500


class Position(Value):
    """Degrees in the datum of the device: `wgs84` (GPS), `gcj02` (Amap, Tencent), `bd09` (Baidu), `cgcs2000`."""

    lon: float
    lat: float
    datum: Name = Datum.WGS84.value


class Report(Value):
    """The body of `POST /cases`. Wants a position or an address; everything else the directory can fill in."""

    category: Name
    condition: Name | None = None
    description: Note
    location: Position | None = None
    address: Address | None = None
    grid: Name | None = None
    place_type: Name | None = None
    point: Name | None = Field(default=None, description="A registered place 点位, by its id.")
    owner: Name | None = Field(default=None, description="The unit that owns the thing, if a plate or mark says so.")
    source: Source | None = None
    severity: Severity | None = Field(default=None, description="Default: the condition's, the category's, normal.")
    evidence: Photos = ()
    external_ref: Name | None = None
    discovered_at: AwareDatetime | None = Field(default=None, description="When it was seen; default: now.")
    self_handled: SelfHandling | None = Field(default=None, description="Put right on the spot 自行处置.")


@dataclass(frozen=True, slots=True)
class City:
    """The directory with its geometry, and the rules new cases start with; `hours`: of units that have their own."""

    directory: Directory
    places: Places
    rules: Rules
    hours: Hours | None = None

    def rules_for(self, *units: str | None) -> Rules:
        """Those of a case that is sent to these units."""
        return self.hours.rules(units) if self.hours else self.rules


@dataclass(frozen=True, slots=True)
class Where:
    """`area` is a path; `others` are further grids that hold the place."""

    location: Location | None
    area: str
    grid: str | None
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the ledger of another system adds to a report; only the importer may say so, never a client.

    `area` is where it lies if no shape tells; `unit` has it already, whatever the routing table says.
    """

    area: str | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Receiving:
    """Who reports, when it is received, and the names the case and its first command get.

    `point`: the registered place that the report names, if there is one of that id.
    """

    actor: Actor
    at: datetime
    case_id: str
    command_id: str | None = None
    ledger: Ledger | None = None
    point: Point | None = None


class Asked(NamedTuple):
    """What of a report routing goes by, with all that it was made from."""

    category: Category
    condition: Condition
    where: Where
    question: Question


def asked(city: City, report: Report, received: Receiving) -> Asked:
    """Raises Invalid; whoever reports, the same place is routed the same."""
    directory = city.directory
    category = _category(directory, report.category)
    condition = _condition(category, report.condition)
    point = _point(report, received)
    where = _where(city, report, received.ledger, point)
    question = Question(
        directory=directory,
        category=category.code,
        area=_area_id(where.area),
        condition=condition.id,
        place_type=_place_type(directory, report.place_type) or (point.place_type if point else None),
        owner=_in_use(directory, _unit(directory, report.owner)),
        others=where.others,
        keeper=point.keeper if point else None,
    )
    return Asked(category, condition, where, question)


def resolve(city: City, report: Report, received: Receiving) -> Opening:
    """Raises Invalid or Forbidden; the codes say which field and what to do about it."""
    actor, now = received.actor, received.at
    ledger = received.ledger or Ledger()
    source = _source(report, actor) if received.ledger is None else Source.IMPORT
    discovered_at = report.discovered_at or now
    if discovered_at > now + CLOCK_SKEW:
        raise Invalid("discovered_in_future", discovered_at=discovered_at.isoformat())
    category, condition, where, question = asked(city, report, received)
    unit = _unit(city.directory, ledger.unit)
    routed = route(question)
    lead = unit or (routed.unit if routed else None)
    co_units = routed.co_units if routed and unit is None else ()
    return Opening(
        id=received.case_id,
        actor=actor,
        opened_at=now,
        discovered_at=min(discovered_at, now),
        category=category.code,
        condition=condition.id,
        description=report.description,
        location=where.location,
        address=report.address,
        area=where.area,
        grid=where.grid,
        place_type=question.place_type,
        source=source,
        severity=report.severity or condition.severity or category.severity or Severity.NORMAL,
        evidence=report.evidence,
        external_ref=report.external_ref,
        limit=condition.limit,
        milestones=condition.milestones,
        proposed_unit=lead,
        proposed_co_units=co_units,
        routing_row=routed.row_id if routed and unit is None else None,
        point=report.point,
        owner=question.owner,
        photos=condition.photos,
        needs_plan=condition.needs_plan,
        self_handled=report.self_handled,
        rules=city.rules_for(lead, *co_units),
        command_id=received.command_id,
    )


def _source(report: Report, actor: Actor) -> Source:
    allowed = SOURCES.get(actor.role)
    if allowed is None:
        raise Forbidden("role_forbidden", command="open", role=actor.role.value)
    if report.self_handled is not None and actor.role is not Role.OFFICER:
        raise Forbidden("self_handling_not_yours")
    source = report.source or allowed[0]
    if source not in allowed:
        raise Invalid("source_not_yours", source=source.value, allowed=", ".join(allowed))
    return source


def _category(directory: Directory, code: str) -> Category:
    category = directory.category_by_code.get(code)
    if category is None:
        edition = directory.catalogue
        raise Invalid("unknown_category", category=code, catalogue=edition.scheme, version=edition.version)
    return category


def _condition(category: Category, wanted: str | None) -> Condition:
    if wanted is None:
        return category.default_condition
    found = next((condition for condition in category.conditions if condition.id == wanted), None)
    if found is None:
        known = ", ".join(condition.id for condition in category.conditions)
        raise Invalid("unknown_condition", condition=wanted, category=category.code, known=known)
    return found


def _place_type(directory: Directory, wanted: str | None) -> str | None:
    if wanted is not None and wanted not in directory.place_types:
        raise Invalid("unknown_place_type", place_type=wanted, known=", ".join(sorted(directory.place_types)))
    return wanted


def _unit(directory: Directory, wanted: str | None) -> str | None:
    if wanted is not None and wanted not in directory.unit_by_id:
        raise Invalid("unknown_unit", unit=wanted)
    return wanted


def _in_use(directory: Directory, unit: str | None) -> str | None:
    if unit is not None and directory.unit_by_id[unit].retired:
        raise Invalid("unknown_unit", unit=unit)
    return unit


def _point(report: Report, received: Receiving) -> Point | None:
    if report.point is None:
        return None
    point = received.point
    if point is None or point.id != report.point or point.retired:
        raise Invalid("unknown_point", point=report.point)
    return point


def _where(city: City, report: Report, ledger: Ledger | None, point: Point | None) -> Where:
    """In a city without a single shape every position is taken, and the area is the one that was told."""
    directory = city.directory
    if report.grid is not None and not _takes_cases(directory, report.grid, old=ledger is not None):
        raise Invalid("unknown_grid", grid=report.grid)
    told = ledger.area if ledger else None
    if told is not None and told not in directory.area_by_id:
        raise Invalid("unknown_area", area=told)
    if report.location is None and report.address is None and point is None:
        raise Invalid("location_missing")
    location = _location(city, report.location, point)
    if location is not None and city.places.known:
        return _placed(city, location, report.grid)
    area = report.grid or told or (point.area if point else directory.root)
    return Where(location, directory.path(area), report.grid)


def _takes_cases(directory: Directory, area_id: str, *, old: bool) -> bool:
    """Whether a report may name it as its grid. In `old` ledgers there are grids that are retired by now."""
    area = directory.area_by_id.get(area_id)
    return area is not None and (old or (area.level is AreaLevel.GRID and not area.retired))


def _location(city: City, given: Position | None, point: Point | None) -> Location | None:
    """That of the point, where the report has none of its own."""
    if given is None:
        return None if point is None else locate_in_wgs84(Position(lon=point.lon, lat=point.lat))
    try:
        location = locate_in_wgs84(given)
    except Invalid as error:
        if error.code == "coordinates_invalid":
            _need_unswapped(city, given)
        raise
    if point is not None:
        _need_near(point, location)
    return location


def _need_near(point: Point, location: Location) -> None:
    away = metres(Spot(point.lon, point.lat), Spot(location.wgs84_lon, location.wgs84_lat))
    if away > POINT_METRES:
        raise Invalid("point_elsewhere", point=point.id, metres=round(away), most=POINT_METRES)


def _placed(city: City, location: Location, claimed: str | None) -> Where:
    """`claimed` is the grid, if it holds the position: whoever stands there may mean the street and not the block."""
    lon, lat = location.wgs84_lon, location.wgs84_lat
    located = city.places.locate(lon, lat)
    if located is None:
        raise _outside(city, location)
    if claimed is not None and not city.places.contains(claimed, lon, lat):
        raise Invalid("grid_mismatch", given=claimed, actual=located.grid or located.area)
    grid = claimed or located.grid
    holding = (located.grid, *located.others)
    others = tuple(each for each in holding if each is not None and each != grid)
    return Where(location, city.directory.path(grid or located.area), grid, others)


def _outside(city: City, location: Location) -> Invalid:
    """Names the nearest grid, and the datums by which the place would be inside."""
    given = Position(lon=location.lon, lat=location.lat, datum=location.datum)
    _need_unswapped(city, given)
    nearest = city.places.nearest(location.wgs84_lon, location.wgs84_lat)
    area = city.directory.area_by_id[nearest.area]
    fitting = tuple(datum.value for datum in Datum if _inside(city, given.model_copy(update={"datum": datum.value})))
    return Invalid(
        "outside_city",
        nearest=area.id,
        nearest_zh=area.name_zh,
        nearest_en=area.name_en or area.name_zh,
        metres=round(nearest.metres),
        direction=nearest.direction and nearest.direction.value,
        fitting=fitting or None,
    )


def _need_unswapped(city: City, given: Position) -> None:
    swapped = given.model_copy(update={"lon": given.lat, "lat": given.lon})
    if _inside(city, swapped):
        raise Invalid("coordinates_swapped", lon=swapped.lon, lat=swapped.lat)


def _inside(city: City, given: Position) -> bool:
    try:
        location = locate_in_wgs84(given)
    except Invalid:
        return False
    return city.places.locate(location.wgs84_lon, location.wgs84_lat) is not None


def locate_in_wgs84(given: Position) -> Location:
    """Raises Invalid for a datum nobody knows and for degrees that are none."""
    try:
        datum = parse_datum(given.datum)
    except ValueError:
        raise Invalid("datum_unknown", datum=given.datum, known=", ".join(Datum)) from None
    try:
        lon, lat = to_wgs84(given.lon, given.lat, datum)
    except ValueError as error:
        raise Invalid("coordinates_invalid", reason=str(error)) from None
    return Location(lon=given.lon, lat=given.lat, datum=datum.value, wgs84_lon=round(lon, 7), wgs84_lat=round(lat, 7))


def _area_id(path: str) -> str:
    return path.rsplit("/", 1)[-1]
