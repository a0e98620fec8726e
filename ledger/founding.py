"""`--create-missing`: the directory that a ledger needs, from what stands in its columns.

One pass over the file, before the first case is opened: only what differs is kept, so the length of the ledger does
not matter. What is there already stays as it is; a category that nobody answers for is routed to the unit that the
ledger gives it to most often, in the whole city and where a part of it differs.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

from directory.calendars import default_calendar
from directory.catalogue import load_catalogue
from directory.model import Area, AreaLevel, Category, Condition, Directory, RoutingRow, Unit
from directory.routing import Question, route
from domain.calendar import Calendar
from domain.limits import Limit
from ledger.entries import area_steps, category_code, unit_id
from ledger.mapping import Founded, Map
from ledger.refusals import Row

_NEVER = date(1970, 1, 1)


@dataclass
class Found:
    """What is to be added to a directory."""

    areas: dict[str, Area] = field(default_factory=dict)
    units: dict[str, Unit] = field(default_factory=dict)
    categories: dict[str, Category] = field(default_factory=dict)
    #: How often each unit has a category: in the city (None) and in each area of the first level.
    answers: defaultdict[tuple[str, str | None], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


def founded(city: Founded) -> Directory:
    """The city with nothing in it but the shipped catalogue."""
    root = Area(id=city.id, parent=None, level=AreaLevel.CITY, name_zh=city.name_zh, name_en=city.name_en)
    return Directory(
        city_zh=city.name_zh,
        city_en=city.name_en,
        zone=city.zone,
        areas=(root,),
        units=(),
        users=(),
        categories=load_catalogue(),
        routing=(),
    )


def calendar_for(city: Founded) -> Calendar:
    """The official Chinese one in its zone. Elsewhere the same week, and no holiday, official for no day at all."""
    official = default_calendar()
    if city.zone == official.zone:
        return official
    return Calendar(id=city.id, zone=city.zone, seasons=official.seasons, official_through=_NEVER)


def enlarged(directory: Directory, plan: Map, rows: Iterable[Row]) -> Directory:
    """With the areas, units and categories of the rows; the very same directory if it has them all."""
    found = _survey(directory, plan, rows)
    grown = Directory(
        **{
            **dict(directory),
            "areas": (*directory.areas, *found.areas.values()),
            "units": (*directory.units, *found.units.values()),
            "categories": (*directory.categories, *found.categories.values()),
        }
    )
    routing = tuple(_routing(grown, found))
    if not (found.areas or found.units or found.categories or routing):
        return directory
    return Directory(**{**dict(grown), "routing": (*grown.routing, *routing)})


def _survey(directory: Directory, plan: Map, rows: Iterable[Row]) -> Found:
    found = Found()
    for row in rows:
        if row.flaw is None:
            _note(directory, plan, row, found)
    return found


def _note(directory: Directory, plan: Map, row: Row, found: Found) -> None:
    area = _note_areas(directory, plan, row, found)
    category = _note_category(directory, plan, row, found)
    unit = unit_id(plan, row.cells)
    if unit is None or plan.unit is None:
        return
    if unit not in directory.unit_by_id and unit not in found.units:
        cell = row.cells[plan.unit.column]
        name = plan.unit.names.get(cell, cell or unit)
        found.units[unit] = Unit(id=unit, name_zh=name, name_en=name, area=directory.root)
    if category:
        found.answers[category, None][unit] += 1
        found.answers[category, area][unit] += 1


def _note_areas(directory: Directory, plan: Map, row: Row, found: Found) -> str | None:
    """The area of the first level."""
    parent = directory.root
    steps = area_steps(plan, row.cells)
    for step in steps:
        if step.id not in directory.area_by_id and step.id not in found.areas:
            zh, en = (name.replace("{value}", step.cell) for name in (step.level.name_zh, step.level.name_en))
            found.areas[step.id] = Area(id=step.id, parent=parent, level=step.level.level, name_zh=zh, name_en=en)
        parent = step.id
    return steps[0].id if steps else None


def _note_category(directory: Directory, plan: Map, row: Row, found: Found) -> str | None:
    cell = row.cells[plan.category.column]
    wanted = plan.category.find(row.cells)
    if wanted is not None and wanted in directory.condition_by_id:
        return directory.condition_by_id[wanted].category
    if wanted is not None:
        return wanted if wanted in directory.category_by_code else None
    code = category_code(cell)
    if not cell or code in directory.category_by_code:
        return code if cell else None
    if not plan.category.create or plan.category.limit is None:
        return None
    if code not in found.categories:
        found.categories[code] = _category(code, cell, plan.system, plan.category.limit)
    return code


def _category(code: str, name: str, system: str, limit: Limit) -> Category:
    condition = Condition(
        id=f"{code}-1",
        category=code,
        text_zh=name,
        text_en=name,
        limit=limit,
        closure_zh="按原系统的要求处置完毕",
        closure_en="Put right as the other system asks",
        source=system,
        trust="CHK",
    )
    big = {"big_zh": "外来台账", "big_en": "Imported"}
    return Category(code=code, kind="event", **big, name_zh=name, name_en=name, conditions=(condition,))


def _routing(directory: Directory, found: Found) -> Iterator[RoutingRow]:
    cities = {category: _most(votes) for (category, area), votes in found.answers.items() if area is None}
    unanswered = {category for category in cities if route(Question(directory, category, directory.root)) is None}
    for (category, area), votes in found.answers.items():
        unit = _most(votes)
        if category in unanswered and (area is None or unit != cities[category]):
            name = "-".join(filter(None, ("import", category.lower(), area)))
            yield RoutingRow(id=name, category=category, area=area, unit=unit)


def _most(votes: Counter[str]) -> str:
    """Of several with as many votes, the first by name: the same ledger must always give the same table."""
    return min(votes, key=lambda unit: (-votes[unit], unit))
