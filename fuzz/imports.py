"""What an import of a directory reads, and what it would do: nothing is written anywhere.

A file is taken or told of, line by line; reading and planning raise nothing. What is taken can be written and read
as the same.
"""

from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import shapely
from hypothesis import strategies as st

from directory import shapes as kept
from directory.catalogue import dump_catalogue, load_catalogue, read_catalogue
from directory.catalogue_lines import BadCatalogue
from directory.demo_city import demo_directory
from directory.places import Places
from directory.positions import Datum
from directory.routing_check import check as check_routing
from exchange import writing
from exchange.columns import TABLES, Table
from exchange.files import Source, read
from exchange.merging import Before, Mode
from exchange.plan import Plan, plan, second_look
from fuzz import samples, tables
from fuzz.properties import target

_MODES = st.sampled_from((Mode.MERGE, Mode.MERGE, Mode.MERGE, Mode.REPLACE))
_DATUMS = st.sampled_from(Datum)
_FOUNDED = st.integers(0, 4).map(bool)
_SAID = st.sampled_from((*[None] * 40, *TABLES.values()))


@cache
def _there(founded: bool) -> Before:  # noqa: FBT001 - drawn
    return Before(demo_directory(), {each.id: each for each in tables.points()}) if founded else Before()


@target(tables.csv_files(), _MODES, _DATUMS, _FOUNDED, _SAID)
def imported_csv(file: tuple[str, bytes], mode: Mode, datum: Datum, founded: bool, said: Table | None) -> None:  # noqa: FBT001 - drawn
    _taken(file, mode, datum, _there(founded), said)


@target(tables.workbooks(), _MODES, _DATUMS, _FOUNDED, _SAID)
def imported_workbooks(file: tuple[str, bytes], mode: Mode, datum: Datum, founded: bool, said: Table | None) -> None:  # noqa: FBT001 - drawn
    _taken(file, mode, datum, _there(founded), said)


@target(tables.geojsons(), _MODES, _DATUMS, _FOUNDED, _SAID)
def imported_geojson(file: tuple[str, bytes], mode: Mode, datum: Datum, founded: bool, said: Table | None) -> None:  # noqa: FBT001 - drawn
    _taken(file, mode, datum, _there(founded), said)


@target(tables.archives(), _MODES, _FOUNDED)
def imported_archives(file: tuple[str, bytes], mode: Mode, founded: bool) -> None:  # noqa: FBT001 - drawn
    _taken(file, mode, Datum.WGS84, _there(founded), None)


def _taken(file: tuple[str, bytes], mode: Mode, datum: Datum, before: Before, said: Table | None) -> None:
    name, data = file
    with TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(data)
        planned = plan(read([Source(path, name, said)], datum), before, mode)
        second_look(planned)
        _tells(planned)
        if planned.after is not None and not planned.changes_nothing:
            _is_kept(planned, Path(folder, "again.zip"))


def _tells(planned: Plan) -> None:
    report = planned.reading.report
    for each in (*report.faults.listed, *report.warnings.listed):
        assert str(each).encode()
        assert each.zh
        assert each.en
    assert planned.after is not None or not report.sound
    assert sum(sum(each.values()) for each in planned.counts.values()) >= 0


def _is_kept(planned: Plan, path: Path) -> None:
    """Written, it is read as the same, and changes nothing. Its map and its routing can be looked at."""
    assert planned.after is not None
    points = list(planned.records.points.values())
    writing.write(path, list(TABLES.values()), planned.after, points)
    again = plan(read([Source(path, path.name)]), Before(planned.after, planned.records.points), Mode.REPLACE)
    told = [str(each) for each in again.reading.report.faults.listed]
    assert not told, told
    assert again.changes_nothing, again.changes
    Places(planned.after).locate(110.001, 38.26)
    check_routing(planned.after)


@cache
def _catalogue() -> tuple[str, ...]:
    some = dump_catalogue(load_catalogue()).splitlines(keepends=True)
    return "".join(some[:12]), "".join((some[0], *some[-9:]))


_TOML = """[[category]]
category = "E0110"
kind = "event"
big_zh = "市容环境"
name_zh = "暴露垃圾"
place_types = ["公厕", "广场"]
near_metres = 50
[[category.conditions]]
condition = "E0110-1"
text_zh = "一处"
limit = 2.5
unit = "work_hour"
milestones = ["围护/Fence:1 urgent_hour", "修好:2.5 work_hour"]
closure_zh = "清除"
photos = 1
needs_plan = true
"""


@target(samples.spoilt(*_catalogue()), st.booleans())
def catalogues_csv(text: str, old_order: bool) -> None:  # noqa: FBT001 - drawn
    _catalogue_read(text, toml=False, old_order=old_order)


@target(samples.spoilt(_TOML), st.booleans())
def catalogues_toml(text: str, old_order: bool) -> None:  # noqa: FBT001 - drawn
    _catalogue_read(text, toml=True, old_order=old_order)


def _catalogue_read(text: str, *, toml: bool, old_order: bool) -> None:
    with suppress(BadCatalogue):
        found = read_catalogue(text, toml=toml, old_order=old_order)
        try:
            again = read_catalogue(dump_catalogue(found))
        except BadCatalogue as bad:
            raise AssertionError(f"what was written cannot be read: {bad}") from bad
        assert again == found


_NUMBERS = st.floats() | st.floats(70, 140) | st.integers()
_RINGS = st.lists(st.lists(_NUMBERS, max_size=4), max_size=6).map(lambda ring: ring + ring[:1])
_GEOMETRIES: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {
        "type": st.sampled_from(("Polygon", "MultiPolygon", "Point", "GeometryCollection", "x", None)),
        "coordinates": st.lists(_RINGS, max_size=3) | st.lists(st.lists(_RINGS, max_size=2), max_size=2) | _NUMBERS,
    },
    optional={"geometries": st.just([])},
)


@target(_GEOMETRIES)
def shapes(geometry: Mapping[str, Any]) -> None:
    with suppress(ValueError):
        shape = kept.from_geojson(geometry)
        if kept.fault(kept.read(shape)) is None:
            assert shapely.equals(kept.read(kept.from_geojson(kept.to_geojson(shape))), kept.read(shape))
