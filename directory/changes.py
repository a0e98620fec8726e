"""What may not be done to the directory, one record at a time. Pure: the store gathers what a change stands on.

Two laws hold before and after every change: whatever a record refers to is there, and nothing that is in use refers to
what is retired. So a new reference leads to something in use, and what is still referred to cannot be retired. Records
are never deleted: closed cases name them for ever.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from directory.model import Area, AreaLevel, Point, RoutingRow, Unit, User
from domain.actors import Actor, Role, within
from domain.errors import Conflict, Forbidden, Invalid

Item = Area | Unit | User | Point | RoutingRow


class Kind(StrEnum):
    AREA = "area"
    UNIT = "unit"
    USER = "user"
    POINT = "point"
    ROUTING = "routing"
    #: Beyond the directory: referred to, never changed here.
    CALENDAR = "calendar"
    CATEGORY = "category"
    CONDITION = "condition"
    PLACE_TYPE = "place_type"
    CASE = "case"


class Action(StrEnum):
    CREATE = "create"
    CHANGE = "change"
    RETIRE = "retire"
    RESTORE = "restore"


MODELS: Mapping[Kind, type[Item]] = {
    Kind.AREA: Area,
    Kind.UNIT: Unit,
    Kind.USER: User,
    Kind.POINT: Point,
    Kind.ROUTING: RoutingRow,
}
#: Fields that hold an id, or several, and of what.
REFERENCES: Mapping[type[Item], Mapping[str, Kind]] = {
    Area: {"parent": Kind.AREA, "fallback": Kind.UNIT},
    Unit: {"area": Kind.AREA, "parent": Kind.UNIT, "calendar": Kind.CALENDAR},
    User: {"unit": Kind.UNIT, "area": Kind.AREA},
    Point: {"area": Kind.AREA, "keeper": Kind.UNIT, "place_type": Kind.PLACE_TYPE},
    RoutingRow: {
        "area": Kind.AREA,
        "unit": Kind.UNIT,
        "co_units": Kind.UNIT,
        "owner": Kind.UNIT,
        "dispatcher": Kind.USER,
        "category": Kind.CATEGORY,
        "condition": Kind.CONDITION,
        "place_type": Kind.PLACE_TYPE,
    },
}
_LEVELS = tuple(AreaLevel)
#: See nothing without an area.
_OF_AN_AREA = frozenset({Role.OFFICER, Role.DISPATCHER, Role.SUPERVISOR})


class Reference(NamedTuple):
    field: str
    kind: Kind
    id: str


class Obstacle(NamedTuple):
    """So many of a kind still refer to it; `ids` are the first of them."""

    kind: Kind
    number: int
    ids: tuple[str, ...]


@dataclass(frozen=True)
class Ground:
    """What a change stands on, as it is now.

    `in_use`: of the things newly referred to, whether each is in use; those that are not there are missing. `above`:
    the ids on the way up from the new parent, which is the first. `level` is the new parent's, `below` those of the
    areas right below. `root` is the city's area.
    """

    in_use: Mapping[Reference, bool]
    above: tuple[str, ...] = ()
    level: AreaLevel | None = None
    below: frozenset[AreaLevel] = frozenset()
    root: str | None = None


def references(item: Item) -> Iterator[Reference]:
    for field, kind in REFERENCES[type(item)].items():
        held = getattr(item, field)
        for each in held if isinstance(held, tuple) else (held,):
            if each is not None:
                yield Reference(field, kind, each)


def new_references(before: Item | None, after: Item) -> tuple[Reference, ...]:
    """Those that have to lead to something in use. Of what comes into use again: all."""
    kept = set() if before is None or before.retired else set(references(before))
    return tuple(each for each in references(after) if each not in kept)


def check(before: Item | None, after: Item, ground: Ground) -> None:
    """Raises Invalid or Conflict, naming the field."""
    for each in new_references(before, after):
        if each not in ground.in_use:
            raise Invalid("reference_unknown", field=each.field, given=each.id)
        if not ground.in_use[each]:
            raise Conflict("reference_retired", field=each.field, given=each.id)
    if isinstance(after, Area | Unit) and after.id in ground.above:
        raise Conflict("inside_itself", field="parent", given=after.parent)
    if isinstance(after, Area):
        _check_area(after, ground)
    elif isinstance(after, User):
        _check_user(after)


def _check_area(area: Area, ground: Ground) -> None:
    if area.parent is None and ground.root not in {None, area.id}:
        raise Invalid("area_needs_parent", field="parent", given=area.id)
    if area.kind is not None and area.level is not AreaLevel.GRID:
        raise Invalid("only_grids_have_a_kind", field="kind", given=area.kind.value)
    rank = _LEVELS.index(area.level)
    lower = ground.level is None or _LEVELS.index(ground.level) < rank
    if not lower or any(_LEVELS.index(each) <= rank for each in ground.below):
        raise Invalid("level_out_of_order", field="level", given=area.level.value)


def _check_user(user: User) -> None:
    if user.role is Role.UNIT and user.unit is None:
        raise Invalid("user_needs", field="unit", role=user.role.value)
    if user.role in _OF_AN_AREA and user.area is None:
        raise Invalid("user_needs", field="area", role=user.role.value)


def check_retiring(item: Item, obstacles: Iterable[Obstacle]) -> None:
    standing = [each for each in obstacles if each.number]
    if standing:
        raise Conflict(
            "still_in_use",
            given=item.id,
            standing=[each.kind.value for each in standing],
            obstacles=[{"kind": each.kind.value, "count": each.number, "ids": list(each.ids)} for each in standing],
        )


# --- who may ---


def scope(actor: Actor) -> str | None:
    """The path that an administrator is bound to; None: the whole city's."""
    if actor.area is None or actor.area.count("/") == 1:
        return None
    return actor.area


def seats(item: Item) -> tuple[Reference | None, ...]:
    """By where it belongs to an administrator's part of the city; None: to the whole of it.

    An area by its parent: nobody moves or retires what he is bound to. A user by all that he is given: one who sees
    more than his administrator would be a way round that border.
    """
    if isinstance(item, User):
        return tuple(_seats_of_user(item))
    field = "parent" if isinstance(item, Area) else "area"
    held: str | None = getattr(item, field)
    return (None if held is None else Reference(field, Kind.AREA, held),)


def _seats_of_user(user: User) -> Iterator[Reference | None]:
    if user.unit is not None:
        yield Reference("unit", Kind.UNIT, user.unit)
    if user.area is not None:
        yield Reference("area", Kind.AREA, user.area)
    elif user.role is not Role.UNIT or user.unit is None:
        yield None


def check_hand(actor: Actor, before: Item | None, after: Item, paths: Iterable[str | None]) -> None:
    """`paths`: of the seats before and after. Raises Forbidden or Conflict."""
    bound = scope(actor)
    if bound is not None and not all(path is not None and within(path, bound) for path in paths):
        raise Forbidden("not_in_your_area", given=after.id)
    if not (isinstance(before, User) and isinstance(after, User) and after.id == actor.user):
        return
    if after.retired or after.role is not before.role:
        raise Conflict("not_yourself", given=after.id)
