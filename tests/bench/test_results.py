import json
from pathlib import Path

import pytest

from bench import report, results
from bench.__main__ import BENCHMARKS
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


@pytest.mark.skipif(not (results.FOLDER / results.LATEST).exists(), reason="nothing has been measured yet")
class TestTheLatestRun:
    def test_has_every_promised_figure_with_its_size_and_origin(self) -> None:
        assert list(missing(results.load(results.FOLDER / results.LATEST))) == []

    def test_names_both_stores_of_the_peer(self) -> None:
        latest = results.load(results.FOLDER / results.LATEST)
        assert {"postgres", "sqlite"} <= results.part(latest, "peer_ratio").keys()

    def test_is_what_the_page_tells(self) -> None:
        latest = results.load(results.FOLDER / results.LATEST)
        assert (report.DOCS / report.PAGE).read_text("utf-8") == report.written(latest)
