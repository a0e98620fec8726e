"""The records of the directory as they are sent and shown. Contacts are for administrators and dispatchers only."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from directory import shapes
from directory.changes import MODELS, Item, Kind
from directory.model import Area, AreaLevel, GridKind, Slug
from directory.shapes import FLAWS, Flaw
from domain.actors import Actor, Role
from domain.errors import Invalid
from domain.text import Name
from store.directory_records import Filter, Kept

#: Sees people's names and numbers at the units.
_SEES_CONTACTS = frozenset({Role.ADMIN, Role.DISPATCHER})
#: Gets names to choose from, and nothing else.
CHOOSERS = frozenset({Role.OFFICER, Role.UNIT})
_CHOICE = frozenset({"id", "parent", "level", "kind", "name_zh", "name_en", "area", "place_type", "lon", "lat"})

OtherName = Name | Literal[""]
Geometry = Annotated[
    dict[str, Any] | None,
    Field(description="GeoJSON: a Polygon or MultiPolygon in WGS-84. Left out: as it is. Null: not known."),
]


class _Body(BaseModel):
    """The whole record: what is left out is empty, but for an area's geometry."""

    model_config = ConfigDict(extra="forbid")


class ContactBody(_Body):
    name: Name
    post: Name | None = None
    phone: Name | None = None
    email: Name | None = None


class _NamedBody(_Body):
    name_zh: Name
    name_en: OtherName = Field(default="", description="Empty: the Chinese one.")


class AreaBody(_NamedBody):
    parent: Slug | None = None
    level: AreaLevel
    kind: GridKind | None = None
    fallback: Slug | None = Field(default=None, description="The unit that answers for what nobody owns 兜底单位.")
    geometry: Geometry = None


class UnitBody(_NamedBody):
    area: Slug
    parent: Slug | None = None
    calendar: Name | None = Field(default=None, description="Its own working time; a published calendar.")
    contacts: Annotated[list[ContactBody], Field(max_length=20)] = []


class UserBody(_Body):
    role: Role
    unit: Slug | None = None
    area: Slug | None = None
    name: Name


class PointBody(_Body):
    name_zh: Name
    name_en: OtherName = ""
    place_type: Name
    area: Slug
    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)
    keeper: Slug | None = None


class RoutingBody(_Body):
    category: Name | None = None
    big_category: Name | None = None
    condition: Name | None = None
    area: Slug | None = None
    place_type: Name | None = None
    owner: Slug | None = None
    unit: Slug
    co_units: Annotated[list[Slug], Field(max_length=20)] = []
    dispatcher: Slug | None = None


class _View(BaseModel):
    """`revision` is null where the caller gets no more than names to choose from, as is the rest."""

    id: str
    retired: bool
    revision: int | None = None


class AreaView(_View):
    """`geometry` is told of one area, not in lists."""

    parent: str | None
    level: AreaLevel
    name_zh: str
    name_en: str
    kind: GridKind | None
    fallback: str | None = None
    has_shape: bool | None = None
    geometry: dict[str, Any] | None = None


class ContactView(BaseModel):
    name: str
    post: str | None
    phone: str | None
    email: str | None


class UnitView(_View):
    """`contacts` is null for whom they are not meant."""

    name_zh: str
    name_en: str
    area: str
    parent: str | None = None
    calendar: str | None = None
    contacts: list[ContactView] | None = None


class UserView(_View):
    role: Role
    unit: str | None
    area: str | None
    name: str


class PointView(_View):
    name_zh: str
    name_en: str
    place_type: str
    area: str
    lon: float
    lat: float
    keeper: str | None = None


class RoutingView(_View):
    category: str | None
    big_category: str | None
    condition: str | None
    area: str | None
    place_type: str | None
    owner: str | None
    unit: str
    co_units: list[str]
    dispatcher: str | None


class _Wanted(BaseModel):
    """`area` means everything in it, too."""

    model_config = ConfigDict(extra="forbid")

    retired: bool = Field(default=False, description="The retired ones instead of those in use.")
    area: Name | None = Field(default=None, description="Id or path; with all in it.")
    cursor: Name | None = Field(default=None, description="`next_cursor` of the page before.")
    limit: int = Field(default=50, ge=1, le=200, description="Rows a page.")

    def filter(self) -> Filter:
        asked = self.model_dump(exclude={"cursor", "limit", "area"}, mode="json")
        return Filter(**asked, area=None if self.area is None else self.area.rsplit("/", 1)[-1])


class AreasWanted(_Wanted):
    parent: Name | None = None
    level: AreaLevel | None = None


class UnitsWanted(_Wanted):
    parent: Name | None = None


class UsersWanted(_Wanted):
    role: Role | None = None
    unit: Name | None = None


class PointsWanted(_Wanted):
    place_type: Name | None = None


class RoutingWanted(_Wanted):
    unit: Name | None = None


class CountView(BaseModel):
    in_use: int
    retired: int


class DirectoryView(BaseModel):
    """`version` counts every change. `zone` is an IANA time zone."""

    city_zh: str
    city_en: str
    zone: str
    version: int
    counts: dict[str, CountView]


class ChangeView(BaseModel):
    """`before` is null of what was created. An area's `geometry` is there where it was changed."""

    id: int
    at: datetime
    by: str
    action: Literal["create", "change", "retire", "restore"]
    kind: str
    record: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class ChangeList(BaseModel):
    """`next_after` is null on the last page."""

    items: list[ChangeView]
    next_after: int | None


def shown(kept: Kept, actor: Actor, *, alone: bool) -> dict[str, Any]:
    """The members of a view. `alone`: with an area's geometry."""
    item = kept.item
    said = item.model_dump(exclude={"shape"})
    if actor.role in CHOOSERS:
        return {**{name: value for name, value in said.items() if name in _CHOICE}, "retired": item.retired}
    if actor.role not in _SEES_CONTACTS:
        said.pop("contacts", None)
    if isinstance(item, Area):
        said["has_shape"] = item.shape is not None
        said["geometry"] = shapes.to_geojson(item.shape) if alone and item.shape is not None else None
    return {**said, "revision": kept.revision}


def told(record: dict[str, Any] | None, actor: Actor) -> dict[str, Any] | None:
    """A record of the log, for whom it is meant."""
    if record is None or actor.role in _SEES_CONTACTS:
        return record
    return {name: value for name, value in record.items() if name != "contacts"}


def item_of(kind: Kind, name: str, body: BaseModel, before: Item | None) -> Item:
    """Raises Invalid for a shape that is none or is not sound. `before`: whose shape stays where none is sent."""
    said = body.model_dump(exclude={"geometry"})
    if isinstance(body, _NamedBody):
        said["name_en"] = body.name_en or body.name_zh  # as in a file: `exchange.columns.TRANSLATED`
    if isinstance(body, AreaBody):
        kept = before.shape if isinstance(before, Area) else None
        said["shape"] = _shape(body.geometry) if "geometry" in body.model_fields_set else kept
    return MODELS[kind].model_validate({**said, "id": name})


def _shape(geometry: dict[str, Any] | None) -> bytes | None:
    if geometry is None:
        return None
    try:
        shape = shapes.from_geojson(geometry)
    except ValueError:
        raise _misshapen(Flaw.UNREADABLE, None) from None
    fault = shapes.fault(shapes.read(shape))
    if fault is not None:
        raise _misshapen(fault.flaw, fault.place)
    return shape


def _misshapen(flaw: Flaw, place: tuple[float, float] | None) -> Invalid:
    where = None if place is None else f"{place[0]:.7g} {place[1]:.7g}"
    return Invalid("shape_invalid", place=where, errors=[{"field": "geometry", "reason": " ".join(FLAWS[flaw])}])
