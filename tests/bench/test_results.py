import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bench import report, results
from bench.__main__ import BENCHMARKS
from bench.figures import Json
from bench.questions import FILTERS
from bench.results import Outcome, Run, merged, missing, save

FIRST = Run("2026-11-20T08:00:00+00:00", "aaaaaaa", {"cores": 2})
SECOND = Run("2026-11-22T09:00:00+00:00", "bbbbbbb+", {"cores": 8})
FLOOR = Outcome({"lives": 300}, {"floor_ratio": 0.8}, {"by_width": {}})
HERD = Outcome({"cases": 10_000}, {"herd_drain_ratio": 1.2, "herd_duplicates": 0})


class TestAPartialRun:
    def test_keeps_the_figures_of_the_others_with_their_own_origin(self) -> None:
        document = merged(merged({}, FIRST, {"floor": FLOOR}), SECOND, {"herd": HERD})
        assert (document["floor_ratio"], document["herd_drain_ratio"]) == (0.8, 1.2)
        assert results.part(document, "runs")["floor_ratio"] == {"benchmark": "floor", **FIRST.origin}
        assert results.part(document, "runs")["herd_duplicates"] == {"benchmark": "herd", **SECOND.origin}

    def test_replaces_its_own(self) -> None:
        better = Outcome({"lives": 30}, {"floor_ratio": 0.9})
        document = merged(merged({}, FIRST, {"floor": FLOOR}), SECOND, {"floor": better})
        assert (document["floor_ratio"], document["sizes"]) == (0.9, {"floor_ratio": {"lives": 30}})
        assert results.part(document, "details")["floor"] == {
            **SECOND.origin,
            "machine": {"cores": 8},
            "size": {"lives": 30},
        }

    def test_leaves_what_it_was_given_alone(self) -> None:
        before = merged({}, FIRST, {"floor": FLOOR})
        text = json.dumps(before)
        merged(before, SECOND, {"floor": HERD})
        assert json.dumps(before) == text


class TestSizes:
    def test_stand_beside_each_figure(self) -> None:
        apart = Outcome({"lives": 300}, {"floor_ratio": 0.8, "other": 1}, sizes={"other": {"lives": 60}})
        assert merged({}, FIRST, {"floor": apart})["sizes"] == {"floor_ratio": {"lives": 300}, "other": {"lives": 60}}


class TestFiles:
    def test_are_named_by_day_and_commit_and_the_newest_is_latest(self, tmp_path: Path) -> None:
        save(tmp_path, FIRST, {"floor": FLOOR})
        save(tmp_path, SECOND, {"herd": HERD})
        names = sorted(path.name for path in tmp_path.iterdir())
        assert names == ["2026-11-20-aaaaaaa.json", "2026-11-22-bbbbbbb.json", "latest.json"]
        assert "floor_ratio" in results.load(tmp_path / "latest.json")
        assert "floor_ratio" not in results.load(tmp_path / "2026-11-22-bbbbbbb.json")

    def test_of_one_day_and_commit_are_one(self, tmp_path: Path) -> None:
        save(tmp_path, FIRST, {"floor": FLOOR})
        save(tmp_path, FIRST, {"herd": HERD})
        assert {"floor_ratio", "herd_drain_ratio"} <= results.load(tmp_path / FIRST.file).keys()


class TestPromises:
    def test_are_kept_only_with_size_and_origin(self) -> None:
        document = merged({}, FIRST, {"floor": FLOOR, "herd": HERD})
        document["peer_ratio"] = {"postgres": 3, "sqlite": 9}
        assert set(missing(document)) == set(results.PROMISED) - {"floor_ratio", "herd_drain_ratio", "herd_duplicates"}

    def test_are_each_some_benchmarks(self) -> None:
        assert set(results.PROMISED.values()) <= BENCHMARKS.keys()


class Demand(NamedTuple):
    """Of what was measured by size: how many sizes, and how large the largest."""

    path: tuple[str, ...]
    largest: int
    sizes: int = 3


#: How large the newest measurements must have been at least.
DEMANDED = (
    Demand(("details", "herd", "by_size"), 10_000),
    Demand(("details", "long", "restart_by_open_cases"), 20_000),
    Demand(("details", "growth", "lives"), 1_000),
    Demand(("details", "growth", "history"), 100),
    Demand(("read_p99_ms", "postgres"), 1_000_000),
    Demand(("read_p99_ms", "sqlite"), 1_000_000),
)
DEMANDED_EVENTS = 12_000_000


def at(path: Sequence[str], document: object) -> Mapping[str, Any]:
    for name in path:
        document = document.get(name, {}) if isinstance(document, Mapping) else {}
    return document if isinstance(document, Mapping) else {}


@pytest.fixture(scope="module")
def latest() -> Json:
    return results.load(results.FOLDER / results.LATEST)


class TestTheLatestRun:
    def test_has_every_promised_figure_with_its_size_and_origin(self, latest: Json) -> None:
        assert list(missing(latest)) == []
        assert all(at(("sizes", figure), latest) for figure in results.PROMISED)

    def test_names_both_stores_of_the_peer(self, latest: Json) -> None:
        assert {"postgres", "sqlite"} <= at(("peer_ratio",), latest).keys()

    @pytest.mark.parametrize("demand", DEMANDED, ids=lambda each: each.path[-1])
    def test_was_measured_at_as_many_sizes_as_demanded(self, latest: Json, demand: Demand) -> None:
        sizes = sorted(map(int, at(demand.path, latest)))
        assert len(sizes) >= demand.sizes
        assert sizes[-1] >= demand.largest

    @pytest.mark.parametrize("store", ["postgres", "sqlite"])
    def test_asked_the_same_of_a_table_of_any_size(self, latest: Json, store: str) -> None:
        by_size = at(("read_p99_ms", store), latest)
        assert {f"cases {name}" for name in FILTERS} <= set.union(*map(set, by_size.values()))
        assert all(size.keys() == by_size[max(by_size, key=int)].keys() for size in by_size.values())
        assert at(("details", "reads", "exponent", store), latest).keys() == {"worst", "median"}

    @pytest.mark.parametrize("store", ["postgres", "sqlite"])
    def test_had_as_many_events_as_demanded(self, latest: Json, store: str) -> None:
        loads = at(("details", "reads", "loading", store), latest)
        assert loads[max(loads, key=int)]["events"] >= DEMANDED_EVENTS

    def test_is_what_the_page_tells(self, latest: Json) -> None:
        assert (report.DOCS / report.PAGE).read_text("utf-8") == report.written(latest)
