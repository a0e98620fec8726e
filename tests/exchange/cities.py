"""Directories nobody has drawn up: every field of every record, with what is awkward in a cell."""

from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from directory.model import (
    Area,
    AreaLevel,
    Category,
    Condition,
    Contact,
    Directory,
    GridKind,
    Point,
    RoutingRow,
    Unit,
    User,
)
from directory.shapes import polygon
from domain.actors import Role
from domain.case import Milestone
from domain.limits import Limit, LimitUnit
from domain.policy import Severity

#: What Excel would run, split, round or take for something else.
AWKWARD = (
    "=1+1",
    "+86",
    "-1",
    "@x",
    "'=a",
    "''",
    "a;b；c",
    "d/e:f",
    "\\",
    '"q", r',
    "1E5",
    "_x000D_",
    "第一\n第二",
    "001",
)
_text = st.one_of(
    st.sampled_from(AWKWARD),
    st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12),
)
_maybe = st.none() | _text
_flag = st.booleans()
_limits = st.builds(
    Limit,
    value=st.decimals("0.000001", 10_000, places=6, allow_nan=False).filter(lambda value: value > 0),
    unit=st.sampled_from(LimitUnit),
)


@st.composite
def cities(draw: DrawFn) -> tuple[Directory, tuple[Point, ...]]:
    units = tuple(
        Unit(
            id=f"u-{n}",
            name_zh=draw(_text),
            name_en=draw(_text),
            area="city",
            parent=draw(st.sampled_from([None, *(f"u-{m}" for m in range(n))])),
            contacts=tuple(draw(st.lists(_contacts, max_size=2))),
        )
        for n in range(draw(st.integers(1, 3)))
    )
    areas = _areas(draw, len(units))
    categories = tuple(_category(draw, n) for n in range(draw(st.integers(1, 3))))
    directory = Directory(
        city_zh=draw(_text),
        city_en=draw(_text),
        zone="Asia/Shanghai",
        areas=areas,
        units=units,
        users=tuple(
            User(
                id=f"p-{n}",
                role=Role.OFFICER,
                area="city",
                unit=draw(_unit(units)),
                name=draw(_text),
                retired=draw(_flag),
            )
            for n in range(draw(st.integers(0, 3)))
        ),
        categories=categories,
        routing=tuple(_row(draw, n, units, categories) for n in range(draw(st.integers(0, 3)))),
    )
    return directory, tuple(_point(draw, n, units) for n in range(draw(st.integers(0, 4))))


_contacts = st.builds(Contact, name=_text, post=_maybe, phone=_maybe, email=_maybe)


def _unit(units: tuple[Unit, ...]) -> st.SearchStrategy[str | None]:
    return st.sampled_from([None, *(unit.id for unit in units)])


def _areas(draw: DrawFn, units: int) -> tuple[Area, ...]:
    root = Area(id="city", parent=None, level=AreaLevel.CITY, name_zh=draw(_text), name_en=draw(_text))
    grids = (
        Area(
            id=f"g-{n}",
            parent="city",
            level=AreaLevel.GRID,
            kind=draw(st.sampled_from([None, *GridKind])),
            name_zh=draw(_text),
            name_en=draw(_text),
            fallback=draw(st.sampled_from([None, *(f"u-{m}" for m in range(units))])),
            retired=draw(_flag),
            shape=_shape(draw, n) if draw(_flag) else None,
        )
        for n in range(draw(st.integers(0, 3)))
    )
    return root, *grids


def _shape(draw: DrawFn, n: int) -> bytes:
    """A square somewhere inside a cell of its own, to the last digit of its coordinates."""
    west, south = 110 + n + draw(st.floats(0, 0.4)), 38 + draw(st.floats(0, 0.4))
    east, north = west + draw(st.floats(0.1, 0.4)), south + draw(st.floats(0.1, 0.4))
    return polygon(((west, south), (east, south), (east, north), (west, north), (west, south)))


def _category(draw: DrawFn, n: int) -> Category:
    return Category(
        code=f"E{n}",
        kind=draw(st.sampled_from(["component", "event", "checkpoint"])),
        big_zh=draw(_text),
        big_en=draw(_text),
        name_zh=draw(_text),
        name_en=draw(_text),
        place_types=tuple(draw(st.lists(_text, max_size=2))),
        severity=draw(st.none() | st.sampled_from(Severity)),
        near_metres=draw(st.none() | st.integers(0, 5_000)),
        recurs_days=draw(st.none() | st.integers(0, 3_660)),
        conditions=tuple(_condition(draw, n, m) for m in range(draw(st.integers(1, 2)))),
    )


def _condition(draw: DrawFn, category: int, n: int) -> Condition:
    limit = draw(_limits)
    first = Milestone(
        name_zh=draw(_text), name_en=draw(_text), limit=Limit(value=Decimal(1), unit=LimitUnit.URGENT_HOUR)
    )
    last = Milestone(name_zh=draw(_text), name_en=draw(_text), limit=limit)
    return Condition(
        id=f"E{category}-{n}",
        category=f"E{category}",
        text_zh=draw(_text),
        text_en=draw(_text),
        limit=limit,
        milestones=draw(st.sampled_from([(), (first, last)])),
        closure_zh=draw(_text),
        closure_en=draw(_text),
        photos=draw(st.none() | st.integers(0, 20)),
        severity=draw(st.none() | st.sampled_from(Severity)),
        needs_plan=draw(_flag),
        source=draw(_text),
        trust=draw(_text),
    )


def _row(draw: DrawFn, n: int, units: tuple[Unit, ...], categories: tuple[Category, ...]) -> RoutingRow:
    return RoutingRow(
        id=f"r-{n}",
        category=draw(st.sampled_from([None, *(each.code for each in categories)])),
        big_category=draw(st.sampled_from([None, "E"])),
        area=draw(st.sampled_from([None, "city"])),
        place_type=draw(_maybe),
        owner=draw(_unit(units)),
        unit="u-0",
        co_units=tuple(draw(st.lists(st.sampled_from([unit.id for unit in units]), max_size=2))),
        retired=draw(_flag),
    )


def _point(draw: DrawFn, n: int, units: tuple[Unit, ...]) -> Point:
    return Point(
        id=f"pt-{n}",
        name_zh=draw(_text),
        name_en=draw(st.just("") | _text),
        place_type=draw(_text),
        area="city",
        lon=draw(st.floats(110, 120)),
        lat=draw(st.floats(20, 40)),
        keeper=draw(_unit(units)),
        retired=draw(_flag),
    )
