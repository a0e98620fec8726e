"""The directory as one immutable value: areas, units, people, categories and who answers for what.

It knows neither how it is stored nor how it is changed: whoever builds one has read it from somewhere, and
whoever wants another builds another. What is derived (indexes, paths) is computed once, on first use.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from domain.actors import Role
from domain.case import Milestone
from domain.limits import Limit
from domain.policy import Severity

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,64}$")]


class Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class AreaLevel(StrEnum):
    CITY = "city"
    DISTRICT = "district"
    STREET = "street"
    COMMUNITY = "community"
    GRID = "grid"


class GridKind(StrEnum):
    """A community's block 块状, a street 条形, or the compound of a unit 单位型. A place may lie in several at once."""

    BLOCK = "block"
    LINE = "line"
    COMPOUND = "compound"


class Area(Record):
    """A node of the tree of areas. `kind` is of grids only. `fallback` is the unit that answers for what nobody owns.

    `shape`: WKB of a polygon or multipolygon, WGS-84 (lon, lat), see `directory.shapes`; None: it is not known.
    """

    id: Slug
    parent: str | None
    level: AreaLevel
    name_zh: str
    name_en: str
    kind: GridKind | None = None
    fallback: str | None = None
    retired: bool = False
    shape: bytes | None = Field(default=None, repr=False)


class Contact(Record):
    """Somebody at a unit. Personal data: shown to administrators and dispatchers only, never logged."""

    name: str
    post: str | None = None
    phone: str | None = None
    email: str | None = None


class Unit(Record):
    """A responsible unit; `area` is the root of the subtree it works in. `calendar`: its own working time, by id."""

    id: Slug
    name_zh: str
    name_en: str
    area: str
    parent: str | None = None
    calendar: str | None = None
    contacts: tuple[Contact, ...] = ()
    retired: bool = False


class User(Record):
    """A person who signs in; `id` is the login. An officer's `area` is all he may see."""

    id: Slug
    role: Role
    unit: str | None = None
    area: str | None = None
    name: str
    retired: bool = False


class Point(Record):
    """A registered place that is checked again and again 点位: a market, a school gate. WGS-84 degrees.

    `area` is the grid (or the smallest area known) it lies in; `keeper` the unit that keeps it. There may be a hundred
    thousand: they are looked up in the store and are no part of a `Directory`.
    """

    id: Slug
    name_zh: str
    name_en: str = ""
    place_type: str
    area: str
    lon: float
    lat: float
    keeper: str | None = None
    retired: bool = False


class Condition(Record):
    """What exactly is wrong; the limit hangs on it. `source` and `trust` say where the facts come from.

    `photos`: so many at a submission, where the city's policy asks for fewer. `needs_plan`: works whose plan 方案
    has to be approved first.
    """

    id: str
    category: str
    text_zh: str
    text_en: str
    limit: Limit
    milestones: tuple[Milestone, ...] = ()
    closure_zh: str
    closure_en: str
    photos: int | None = Field(default=None, ge=0, le=20)
    severity: Severity | None = None
    needs_plan: bool = False
    source: str
    trust: str


class Category(Record):
    """What kind of problem. The first condition stands in when the reporter names none.

    Open cases of the category within `near_metres` may be the same problem; one closed there at most `recurs_days` ago
    has come back. None: by the defaults of `directory.nearby`.
    """

    code: str
    kind: Literal["component", "event", "checkpoint"]
    big_zh: str
    big_en: str
    name_zh: str
    name_en: str
    place_types: tuple[str, ...] = ()
    severity: Severity | None = None
    near_metres: int | None = Field(default=None, ge=0, le=5_000)
    recurs_days: int | None = Field(default=None, ge=0, le=3_660)
    conditions: tuple[Condition, ...] = Field(min_length=1)

    @property
    def default_condition(self) -> Condition:
        return self.conditions[0]


class Catalogue(Record):
    """Which list of categories: `scheme` names the numbering, `version` counts its editions."""

    scheme: Slug = "rectify"
    version: int = Field(default=1, ge=1)
    valid_from: datetime = datetime(2026, 1, 1, tzinfo=UTC)


class RoutingRow(Record):
    """Who answers. None matches everything; `big_category` is a prefix of the code, `area` a subtree.

    `owner`: the unit that owns the thing, where that is known. `dispatcher`: the user who decides in doubt.
    """

    id: str
    category: str | None = None
    big_category: str | None = None
    condition: str | None = None
    area: str | None = None
    place_type: str | None = None
    owner: str | None = None
    unit: str
    co_units: tuple[str, ...] = ()
    dispatcher: str | None = None
    retired: bool = False

    @property
    def subject(self) -> tuple[int, str]:
        """The most specific that it names: (3, condition), (2, category), (1, class) or (0, nothing)."""
        named = (self.condition, self.category, self.big_category)
        return next(((3 - nth, each) for nth, each in enumerate(named) if each), (0, ""))


#: Routing rows by (area, owner).
Shelf = Mapping[tuple[str | None, str | None], list[RoutingRow]]


class Directory(Record):
    """Everything a city has told us about itself, at one `version`.

    Ids are unique, areas form a tree without cycles, and every reference leads somewhere: a directory that
    breaks one of these cannot be built (ValidationError). `zone` is an IANA time zone.
    """

    city_zh: str
    city_en: str
    zone: str
    areas: tuple[Area, ...]
    units: tuple[Unit, ...]
    users: tuple[User, ...]
    catalogue: Catalogue = Catalogue()
    categories: tuple[Category, ...]
    routing: tuple[RoutingRow, ...]
    version: int = 1

    @cached_property
    def area_by_id(self) -> Mapping[str, Area]:
        return {area.id: area for area in self.areas}

    @cached_property
    def unit_by_id(self) -> Mapping[str, Unit]:
        return {unit.id: unit for unit in self.units}

    @cached_property
    def user_by_id(self) -> Mapping[str, User]:
        return {user.id: user for user in self.users}

    @cached_property
    def category_by_code(self) -> Mapping[str, Category]:
        return {category.code: category for category in self.categories}

    @cached_property
    def condition_by_id(self) -> Mapping[str, Condition]:
        return {condition.id: condition for category in self.categories for condition in category.conditions}

    @cached_property
    def routing_in_force(self) -> tuple[RoutingRow, ...]:
        """Those that are not retired."""
        return tuple(row for row in self.routing if not row.retired)

    @cached_property
    def routing_shelves(self) -> Mapping[tuple[int, str], Shelf]:
        """Rows in force by their subject, then by (area, owner): what does not fit is never looked at."""
        shelves: dict[tuple[int, str], dict[tuple[str | None, str | None], list[RoutingRow]]] = {}
        for row in self.routing_in_force:
            shelves.setdefault(row.subject, {}).setdefault((row.area, row.owner), []).append(row)
        return shelves

    @cached_property
    def place_types(self) -> frozenset[str]:
        return frozenset(place for category in self.categories for place in category.place_types)

    @cached_property
    def root(self) -> str:
        """The city itself: the one area without a parent. Only to be asked of a directory that has areas."""
        return next(area.id for area in self.areas if area.parent is None)

    def ancestors(self, area_id: str) -> tuple[str, ...]:
        """The area itself, then its parent, up to the root. KeyError for an unknown area."""
        return tuple(reversed(self.path(area_id).strip("/").split("/")))

    def path(self, area_id: str) -> str:
        """The way from the root, such as ``/city/d1/s1``. KeyError for an unknown area."""
        return self._paths[area_id]

    def within(self, area_id: str, ancestor_id: str) -> bool:
        """Whether the one lies in the subtree of the other (an area lies in its own). False if unknown."""
        path, ancestor = self._paths.get(area_id), self._paths.get(ancestor_id)
        if path is None or ancestor is None:
            return False
        return path == ancestor or path.startswith(f"{ancestor}/")

    @cached_property
    def _paths(self) -> Mapping[str, str]:
        paths: dict[str, str] = {}
        for area in self.areas:
            self._add_path(area, paths)
        return paths

    def _add_path(self, area: Area, paths: dict[str, str]) -> None:
        chain: dict[str, None] = {}
        here: str | None = area.id
        while here is not None and here not in paths:
            if here in chain:
                raise ValueError(f"area {here} lies inside itself")
            chain[here] = None
            here = self.area_by_id[here].parent
        path = "" if here is None else paths[here]
        for area_id in reversed(chain):
            path = f"{path}/{area_id}"
            paths[area_id] = path

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        for what, ids in self._identities():
            if doubles := [each for each, count in Counter(ids).items() if count > 1]:
                raise ValueError(f"{what} given twice: {', '.join(sorted(doubles))}")
        for what, wanted, known in self._references():
            if missing := {each for each in wanted if each is not None} - set(known):
                raise ValueError(f"{what} not known: {', '.join(sorted(missing))}")
        _ = self._paths  # raises on a cycle
        return self

    def _identities(self) -> Iterator[tuple[str, Iterable[str]]]:
        yield "area", (area.id for area in self.areas)
        yield "unit", (unit.id for unit in self.units)
        yield "user", (user.id for user in self.users)
        yield "category", (category.code for category in self.categories)
        yield "condition", (each.id for category in self.categories for each in category.conditions)
        yield "routing row", (row.id for row in self.routing)

    def _references(self) -> Iterator[tuple[str, Iterable[str | None], Iterable[str]]]:
        areas, units = self.area_by_id, self.unit_by_id
        yield "parent of an area", (area.parent for area in self.areas), areas
        yield "fallback of an area", (area.fallback for area in self.areas), units
        yield "parent of a unit", (unit.parent for unit in self.units), units
        yield "area of a unit", (unit.area for unit in self.units), areas
        yield "area of a user", (user.area for user in self.users), areas
        yield "unit of a user", (user.unit for user in self.users), units
        yield "area of a routing row", (row.area for row in self.routing), areas
        yield "unit of a routing row", (row.unit for row in self.routing), units
        yield "co-unit of a routing row", (each for row in self.routing for each in row.co_units), units
        yield "owner of a routing row", (row.owner for row in self.routing), units
        yield "category of a routing row", (row.category for row in self.routing_in_force), self.category_by_code
        yield "condition of a routing row", (row.condition for row in self.routing_in_force), self.condition_by_id
        yield "dispatcher of a routing row", (row.dispatcher for row in self.routing), self.user_by_id
