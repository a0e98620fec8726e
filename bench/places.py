"""The map: building its index, look-ups, opening, checking, by the number of grids of 200 corners.

Every number of grids has a process of its own, so that its memory is its own. One thread; what is told is processor
time, so that others on the machine do not count.

python -m bench.places                  2,000 and 20,000 grids
python -m bench.places 5000             so many, in this process
"""

import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from resource import getpagesize

import numpy as np
import shapely
from shapely import affinity

from bench import lattice
from bench.figures import Json, percentile
from bench.progress import say
from bench.results import Outcome
from directory.calendars import default_calendar, snapshot
from directory.catalogue import load_catalogue
from directory.map_check import check
from directory.model import Directory, RoutingRow, Unit
from directory.places import Places
from directory.reporting import City, Position, Receiving, Report, resolve
from directory.rules import default_rules
from domain.actors import Actor, Role
from domain.case_id import make
from domain.policy import Rules

GRIDS, GRIDS_QUICK = (2_000, 20_000), (500,)
CORNERS = 200
LOOKUPS = 100_000
OPENINGS = 10_000
NEAREST = 1_000
_CATEGORIES = ("E0110", "E0401", "C0101")

_ROOT = Path(__file__).parents[1]

Points = tuple[list[float], list[float]]


def measure(*, quick: bool) -> Outcome:
    sizes = GRIDS_QUICK if quick else GRIDS
    found: Json = {}
    for grids in sizes:
        command = [sys.executable, "-m", "bench.places", str(grids)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=_ROOT)  # noqa: S603 - ourselves
        found[str(grids)] = json.loads(done.stdout)
        say(f"{grids} grids: {done.stdout.strip()}")
    main = found[str(sizes[-1])]
    assert isinstance(main, dict)
    figures: Json = {"lookups_per_cpu_second": main["lookups_per_s_warm"], "routing_p99_ms": main["resolve_ms_p99"]}
    return Outcome({"grids": sizes[-1], "corners": CORNERS, "lookups": LOOKUPS}, figures, {"by_grids": found})


def measure_here(grids: int) -> Json:
    """In this process. Times in processor seconds, memory in megabytes, the rest as it is called."""
    directory = _staffed(lattice.city(grids, CORNERS))
    before = _megabytes()
    found: Json = {"areas": len(directory.areas)}
    with _timed(found, "build_s"):
        places = Places(directory)
    with _timed(found, "rebuild_of_nothing_new_s"):
        Places(directory, places)
    found["index_mb"] = round(_megabytes() - before)
    points = _inside(places, LOOKUPS)
    found["lookups_per_s"] = _rate(lambda: [places.locate(*point) for point in zip(*points, strict=True)], LOOKUPS)
    found["lookups_per_s_warm"] = _rate(lambda: [places.locate(*point) for point in zip(*points, strict=True)], LOOKUPS)
    found["bulk_per_s"] = _rate(lambda: places.locate_many(*points), LOOKUPS)
    found["index_mb_after_lookups"] = round(_megabytes() - before)
    around = _around(places, NEAREST)
    found["nearest_ms_p99"] = _worst([_seconds(places.nearest, *point) for point in zip(*around, strict=True)])
    found["resolve_ms_p50"], found["resolve_ms_p99"] = _openings(City(directory, places, _rules()), points)
    with _timed(found, "check_s"):
        findings = check(directory.areas).findings
    found["check_findings"] = len(findings)
    moved = _shaken(directory)
    with _timed(found, "check_of_a_loose_map_s"):
        found["loose_findings"] = len(check(moved.areas).findings)
    return found


@contextmanager
def _timed(found: Json, name: str) -> Iterator[None]:
    began = time.process_time()
    yield
    found[name] = round(time.process_time() - began, 3)


def _rate(work: Callable[[], object], count: int) -> int:
    began = time.process_time()
    work()
    return round(count / (time.process_time() - began))


def _seconds(work: Callable[..., object], *given: object) -> float:
    began = time.process_time()
    work(*given)
    return time.process_time() - began


def _worst(seconds: Sequence[float]) -> float:
    return round(percentile(seconds, 0.99) * 1000, 3)


def _megabytes() -> float:
    """Of this process, as it lies in memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * getpagesize() / 1e6


def _inside(places: Places, count: int) -> Points:
    west, south, east, north = shapely.total_bounds([shape for _, shape in places.geometries.values()])
    chance = np.random.default_rng(2)
    return chance.uniform(west, east, count).tolist(), chance.uniform(south, north, count).tolist()


def _around(places: Places, count: int) -> Points:
    """From some metres to some kilometres west of the city."""
    west, south, _, north = shapely.total_bounds([shape for _, shape in places.geometries.values()])
    chance = np.random.default_rng(3)
    return (west - 0.0002 - chance.exponential(0.01, count)).tolist(), chance.uniform(south, north, count).tolist()


def _staffed(directory: Directory) -> Directory:
    """With the shipped catalogue, and a unit and a row for each class and district."""
    districts = [area.id for area in directory.areas if area.id.startswith("d")]
    units = tuple(Unit(id=f"u-{each}", name_zh=each, name_en=each, area=each) for each in districts)
    rows = (
        RoutingRow(id=f"{big.lower()}-{each}", big_category=big, area=each, unit=f"u-{each}")
        for each in districts
        for big in ("E01", "E04", "C01")
    )
    fields = {name: getattr(directory, name) for name in Directory.model_fields}
    return Directory(**fields | {"units": units, "routing": tuple(rows), "categories": load_catalogue()})


def _rules() -> Rules:
    return default_rules(snapshot(default_calendar(), datetime.now(UTC)))


def _openings(city: City, points: Points) -> tuple[float, float]:
    actor = Actor(user="officer-1", role=Role.OFFICER)
    received = Receiving(actor=actor, at=datetime.now(UTC), case_id=make(1))
    seconds = []
    for number, (lon, lat) in enumerate(zip(*points, strict=True)):
        if number == OPENINGS:
            break
        if city.places.locate(lon, lat) is None:
            continue
        category = _CATEGORIES[number % len(_CATEGORIES)]
        report = Report(category=category, description="巷口垃圾", location=Position(lon=lon, lat=lat))
        seconds.append(_seconds(resolve, city, report, received))
    return round(percentile(seconds, 0.5) * 1000, 3), _worst(seconds)


def _shaken(directory: Directory) -> Directory:
    """Every shape moved by up to two metres, as if each had been drawn by itself."""
    chance = np.random.default_rng(4)
    areas = []
    for area in directory.areas:
        shape = area.shape
        if shape is not None:
            shift = chance.uniform(-2, 2, 2) / 111_195
            shape = shapely.to_wkb(affinity.translate(shapely.from_wkb(shape), *shift))
        areas.append(area.model_copy(update={"shape": shape}))
    fields = {name: getattr(directory, name) for name in Directory.model_fields}
    return Directory(**fields | {"areas": tuple(areas)})


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure_here(int(sys.argv[1]))))
    else:
        print(json.dumps(measure(quick=False).details, indent=1))
