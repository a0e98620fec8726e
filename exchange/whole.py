"""What is wrong with a directory only as a whole: references that lead nowhere, cycles, what is retired and still used.

What was wrong before the import is not the import's fault and is let pass.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from directory.places import Places
from exchange import columns as c
from exchange.faults import Report
from exchange.merging import Before, Records, unknown_categories
from exchange.reading import Reading

_CHECKED = (c.AREAS, c.UNITS, c.USERS, c.POINTS, c.ROUTING)
#: Told of one that is to be retired: so many that refer to it.
_MOST_NEEDS = 3


class Checker:
    def __init__(self, records: Records, before: Before, reading: Reading) -> None:
        self._records, self._report, self._reading = records, reading.report, reading
        self._founding = before.directory is None
        self._old = _by_table(_old_records(before))
        self._new = _by_table(records)

    def check(self) -> Report:
        for table in _CHECKED:
            self._references(table)
        for given in unknown_categories(self._records, self._reading):
            wanted = given.values["category"]
            self._report.faults.add("not_known", given.place("category"), wanted, target=c.CATEGORIES.zh, wanted=wanted)
        self._roots()
        for table in (c.AREAS, c.UNITS):
            self._cycles(table)
        return self._report

    def newly_retired(self, table: str) -> list[str]:
        """Of those that were there and in use."""
        return [key for key in self._new[table] if self._was_retired(table, key)]

    def moved(self) -> list[str]:
        """Areas that were there and get another parent."""
        old = self._old["areas"]
        return [key for key, area in self._new["areas"].items() if key in old and old[key].parent != area.parent]

    def _was_retired(self, table: str, key: str) -> bool:
        old = self._old[table].get(key)
        return old is not None and not _retired(old) and _retired(self._new[table][key])

    def _references(self, table: c.Table) -> None:
        columns = [column for column in table.columns if column.refers]
        needs: dict[tuple[str, str], list[tuple[str, c.Column]]] = defaultdict(list)
        for key, record in self._new[table.name].items():
            for column in columns:
                for wanted in _wanted(record, column.field):
                    self._reference(table, key, record, column, wanted, needs)
        for (target, wanted), users in needs.items():
            for key, column in users[:_MOST_NEEDS]:
                place = self._records.place(target, wanted, "retired")
                by = f"{table.title} {key}"
                self._report.faults.add("still_needed", place, wanted, record=wanted, by=by, column=column.header)

    def _reference(  # noqa: PLR0913, PLR0917 - one reference is that many things
        self,
        table: c.Table,
        key: str,
        record: Any,  # noqa: ANN401 - of any table
        column: c.Column,
        wanted: str,
        needs: dict[tuple[str, str], list[tuple[str, c.Column]]],
    ) -> None:
        name = column.refers or ""
        target = self._new[name].get(wanted)
        given = (table.name, key) in self._records.origin
        told = {"target": c.TABLES[name].zh, "wanted": wanted}
        if target is None and given:
            self._report.faults.add("not_known", self._records.place(table.name, key, column.field), wanted, **told)
        elif target is None or (self._retires(name, wanted, target) and not _retired(record)):
            if given and self._is_new(table.name, key, column.field, wanted):
                place = self._records.place(table.name, key, column.field)
                self._report.faults.add("retired_target", place, wanted, **told)
            else:
                needs[name, wanted].append((key, column))
        elif _retired(target) and not _retired(record) and self._is_new(table.name, key, column.field, wanted):
            findings = self._report.warnings if self._founding else self._report.faults
            findings.add("retired_target", self._records.place(table.name, key, column.field), wanted, **told)

    def _retires(self, table: str, key: str, target: object) -> bool:
        return _retired(target) and self._was_retired(table, key)

    def _is_new(self, table: str, key: str, field: str, wanted: str) -> bool:
        old = self._old[table].get(key)
        return old is None or _retired(old) or wanted not in set(_wanted(old, field))

    def _roots(self) -> None:
        roots = [area for area in self._records.areas.values() if area.parent is None]
        if not roots and self._records.areas:
            self._report.faults.add("no_root", self._records.place("areas", next(iter(self._records.areas)), "parent"))
        for area in roots[1:]:
            place = self._records.place("areas", area.id, "parent")
            self._report.faults.add("two_roots", place, area.id, root=roots[0].id)

    def _cycles(self, table: c.Table) -> None:
        """Each cycle once, at the first of its lines."""
        parents = {key: record.parent for key, record in self._new[table.name].items()}
        done: set[str] = set()
        for start in parents:
            chain: dict[str, None] = {}
            here: str | None = start
            while here in parents and here not in done and here not in chain:
                chain[here] = None
                here = parents[here]
            if here in chain:
                ring = [*chain][[*chain].index(here) :]
                told = " → ".join((*ring[:10], ring[0]))
                self._report.faults.add(
                    "cycle", self._records.place(table.name, ring[0], "parent"), ring[0], chain=told
                )
            done |= chain.keys()


def locate(records: Records, places: Places, report: Report) -> None:
    """Areas for the points that name none, before they are checked."""
    homeless = [point for point in records.points.values() if not point.area]
    found = places.locate_many([point.lon for point in homeless], [point.lat for point in homeless])
    for point, located in zip(homeless, found, strict=True):
        if located is None:
            report.faults.add("needs_area", records.place("points", point.id, "area"), f"{point.lon}, {point.lat}")
        else:
            records.points[point.id] = point.model_copy(update={"area": located.area})


def doubts(records: Records, places: Places, place_types: frozenset[str], reading: Reading) -> None:
    """What is worth a second look in the points of the file."""
    warnings = reading.report.warnings
    given = [each for each in reading.lines(c.POINTS) if each.values["id"] in records.points]
    points = [records.points[each.values["id"]] for each in given]
    if places.known:
        found = places.locate_many([point.lon for point in points], [point.lat for point in points])
        for each, point, located in zip(given, points, found, strict=True):
            if located is None:
                warnings.add("outside_city", each.place("lon"), f"{point.lon}, {point.lat}")
    for each, point in zip(given, points, strict=True):
        if place_types and point.place_type not in place_types:
            warnings.add("place_type_unknown", each.place("place_type"), point.place_type)


def _wanted(record: Any, field: str) -> Iterable[str]:  # noqa: ANN401 - of any table
    value = getattr(record, field)
    if value is None or value == "":
        return ()
    return (value,) if isinstance(value, str) else value


def _retired(record: object) -> bool:
    return bool(getattr(record, "retired", False))


def _old_records(before: Before) -> Records:
    old = before.directory
    return Records(
        areas=dict(old.area_by_id) if old else {},
        units=dict(old.unit_by_id) if old else {},
        users=dict(old.user_by_id) if old else {},
        points=dict(before.points),
        categories=dict(old.category_by_code) if old else {},
        routing={row.id: row for row in old.routing} if old else {},
        origin={},
    )


def _by_table(records: Records) -> Mapping[str, Mapping[str, Any]]:
    return {
        "areas": records.areas,
        "units": records.units,
        "users": records.users,
        "points": records.points,
        "categories": records.categories,
        "conditions": {each.id: each for category in records.categories.values() for each in category.conditions},
        "routing": records.routing,
    }
