"""From what a file says and what is there to the records that would be there afterwards.

Merged: what the file does not name stays. Replaced: it is retired, in the tables that the file has; what cannot be
retired (categories, conditions, contacts, shapes) is left out. A column that the file lacks changes nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from pydantic import ValidationError

from directory.model import Area, Category, Condition, Contact, Directory, Point, Record, RoutingRow, Unit, User
from exchange import columns as c
from exchange.columns import TRANSLATED, Table
from exchange.faults import Place
from exchange.geometry import converted, shape_of
from exchange.reading import Given, Reading

R = TypeVar("R", bound=Record)


class Mode(StrEnum):
    MERGE = "merge"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True)
class Before:
    """What is there. `directory` is None while there is no city."""

    directory: Directory | None = None
    points: Mapping[str, Point] = field(default_factory=dict)


@dataclass(slots=True)
class Records:
    """Everything as it would be, by table and id; and the line that says so, where one does."""

    areas: dict[str, Area]
    units: dict[str, Unit]
    users: dict[str, User]
    points: dict[str, Point]
    categories: dict[str, Category]
    routing: dict[str, RoutingRow]
    origin: dict[tuple[str, str], Given]

    def place(self, table: str, key: str, column: str | None = None) -> Place:
        given = self.origin.get((table, key))
        return Place(c.TABLES[table].title) if given is None else given.place(column)


class Merger:
    def __init__(self, reading: Reading, before: Before, mode: Mode) -> None:
        self._reading, self._mode = reading, mode
        self._before = before
        self._faults = reading.report.faults
        self._origin: dict[tuple[str, str], Given] = {}

    def records(self) -> Records:
        old = self._before.directory
        areas = self._flat(c.AREAS, Area, old.area_by_id if old else {})
        units = self._flat(c.UNITS, Unit, old.unit_by_id if old else {})
        self._add_shapes(areas)
        self._add_contacts(units)
        converted(self._reading.lines(c.POINTS), self._reading.datum, self._faults)
        return Records(
            areas=areas,
            units=units,
            users=self._flat(c.USERS, User, old.user_by_id if old else {}),
            points=self._flat(c.POINTS, Point, self._before.points),
            categories=self._categories(old),
            routing=self._flat(c.ROUTING, RoutingRow, {row.id: row for row in old.routing} if old else {}),
            origin=self._origin,
        )

    # --- tables whose lines are records ---

    def _flat(self, table: Table, model: type[R], old: Mapping[str, R]) -> dict[str, R]:
        found = dict(old)
        for key, given in self._once(table):
            if made := self._made(model, given, self._values(table, given, old.get(key))):
                found[key] = made
        if self._mode is Mode.REPLACE and table.name in self._reading.tables:
            for key in old.keys() - {key for name, key in self._origin if name == table.name}:
                found[key] = old[key].model_copy(update={"retired": True})
        return found

    def _once(self, table: Table) -> Iterable[tuple[str, Given]]:
        for given in self._reading.lines(table):
            key = given.values[table.key or ""]
            first = self._origin.setdefault((table.name, key), given)
            if first is given:
                yield key, given
            else:
                self._faults.add("double", given.place(table.key), key, where=str(first.place(table.key)))

    def _values(self, table: Table, given: Given, old: Record | None) -> dict[str, Any]:
        """Of every field: from the line, from what is there, or its default."""
        values = {} if old is None else {name: getattr(old, name) for name in type(old).model_fields}
        for column in table.columns:
            name = column.field
            if name in given.values and not column.only_in:
                value = given.values[name]
                values[name] = column.default if value is None else value
            elif old is None and not column.only_in:
                values[name] = column.default
        for english, chinese in TRANSLATED.items():
            if english in values and values[english] is None:
                values[english] = values[chinese]
        return values

    def _made(self, model: type[R], given: Given, values: Mapping[str, Any]) -> R | None:
        try:
            return model.model_validate(values)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name = str(first["loc"][0]) if first["loc"] else None
            why = first["msg"].removeprefix("Value error, ")
            self._faults.add("bad_value", given.place(name), str(values.get(name or "", "")), why=why)
            return None

    # --- lines that belong to a record ---

    def _of(self, table: Table) -> dict[str, list[Given]]:
        found: dict[str, list[Given]] = defaultdict(list)
        for given in self._reading.lines(table):
            found[given.values[table.of or ""]].append(given)
        return found

    def _left_out(self, table: Table) -> bool:
        """Whether what the file does not say of a record is to go."""
        return self._mode is Mode.REPLACE and table.name in self._reading.tables

    def _add_shapes(self, areas: dict[str, Area]) -> None:
        given = self._of(c.SHAPES)
        for key, lines in given.items():
            if key not in areas:
                self._unknown(lines[0], "area", key, c.AREAS)
            elif shape := shape_of(lines, self._reading.datum, self._faults):
                areas[key] = areas[key].model_copy(update={"shape": shape})
        if self._left_out(c.SHAPES):
            for key in areas.keys() - given.keys():
                areas[key] = areas[key].model_copy(update={"shape": None})

    def _add_contacts(self, units: dict[str, Unit]) -> None:
        given = self._of(c.CONTACTS)
        for key, lines in given.items():
            made = [self._made(Contact, each, self._values(c.CONTACTS, each, None)) for each in lines]
            if key not in units:
                self._unknown(lines[0], "unit", key, c.UNITS)
            else:
                units[key] = units[key].model_copy(update={"contacts": tuple(filter(None, made))})
        if self._left_out(c.CONTACTS):
            for key in units.keys() - given.keys():
                units[key] = units[key].model_copy(update={"contacts": ()})

    def _unknown(self, given: Given, column: str, key: str, target: Table) -> None:
        self._faults.add("not_known", given.place(column), key, target=target.zh, wanted=key)

    # --- categories with their conditions ---

    def _categories(self, old: Directory | None) -> dict[str, Category]:
        before = dict(old.category_by_code) if old else {}
        conditions = self._conditions(before)
        codes = dict.fromkeys(() if self._left_out(c.CATEGORIES) else before)
        found: dict[str, Category] = {}
        lines = dict(self._once(c.CATEGORIES))
        for code in [*dict.fromkeys((*codes, *lines))]:
            given, kept = lines.get(code), tuple(conditions.get(code, ()))
            if given is None:
                found[code] = before[code].model_copy(update={"conditions": kept})
                if before[code].conditions and not kept:
                    self._faults.add("no_conditions", Place(c.CATEGORIES.title), code)
            elif kept:
                values = self._values(c.CATEGORIES, given, before.get(code)) | {"conditions": kept}
                if made := self._made(Category, given, values):
                    found[code] = made
            else:
                self._faults.add("no_conditions", given.place("code"), code)
        return found

    def _conditions(self, before: Mapping[str, Category]) -> dict[str, list[Condition]]:
        """By category. The order is the file's if it names all that were there; else new ones stand behind."""
        old = {each.id: each for category in before.values() for each in category.conditions}
        made: dict[str, Condition] = {}
        for key, given in self._once(c.CONDITIONS):
            values = self._values(c.CONDITIONS, given, old.get(key))
            values["limit"] = {"value": values["limit"], "unit": values.pop("unit")}
            if condition := self._made(Condition, given, values):
                self._check_milestones(condition, given)
                made[key] = condition
        found: dict[str, list[Condition]] = defaultdict(list)
        for category in before.values():
            here = [] if self._left_out(c.CONDITIONS) else [each.id for each in category.conditions]
            if not {*here} <= made.keys():
                for key in here:
                    each = made.pop(key, old[key])
                    found[each.category].append(each)
        for each in made.values():
            found[each.category].append(each)
        return found

    def _check_milestones(self, condition: Condition, given: Given) -> None:
        if condition.milestones and condition.milestones[-1].limit != condition.limit:
            self._faults.add("last_milestone", given.place("milestones"), condition.id)


def unknown_categories(records: Records, reading: Reading) -> Sequence[Given]:
    """Conditions of a category that is neither there nor in the file."""
    return [each for each in reading.lines(c.CONDITIONS) if each.values["category"] not in records.categories]
