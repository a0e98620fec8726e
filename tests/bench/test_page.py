import json
import re
from pathlib import Path
from typing import Any

import pytest

from bench import page, plots, report

MEASURED: dict[str, Any] = json.loads(Path(__file__).with_name("measured.json").read_text("utf-8"))


def rendered(place: str, results: page.Results = MEASURED) -> str:
    return page.render(f"{{{{{place}}}}}", results)


class TestThePage:
    def test_is_the_prose_with_tables_in_its_places(self) -> None:
        said = page.render("Before.\n\n{{machine}}\n\nAfter.\n", MEASURED)
        assert said.startswith("Before.\n\n|  |  |\n|---|---|\n| cores | 2 |\n")
        assert said.endswith("\n\nAfter.\n")

    def test_has_a_place_for_every_table_and_plot(self) -> None:
        places = set(re.findall(r"\{\{(\w+)\}\}", report.TEMPLATE.read_text("utf-8")))
        assert places == page.TABLES.keys() | page.IMAGES.keys()

    def test_refuses_a_place_that_nothing_is_for(self) -> None:
        with pytest.raises(KeyError):
            rendered("weather")

    def test_can_be_written_before_anything_is_measured(self) -> None:
        said = report.written({})
        assert said.count(page.NOT_YET) == len(page.TABLES)
        assert "![" not in said


class TestTheSummary:
    def test_says_what_was_reached_and_with_what(self) -> None:
        said = rendered("summary")
        assert "| 0.87 | ≥ 0.85 | yes | lives 300, at once 30 | 2026-11-22 `abc1234` |" in said
        assert "| 1.4 | ≤ 1.3 | **no** | cases 10,000 |" in said
        assert "`peer_ratio.postgres`" in said

    def test_judges_reads_by_the_slowest_question_at_the_largest_size(self) -> None:
        assert "the slowest of 2 questions, postgres: /overdue | 61 | < 50 | **no** | cases 100,000 to 1,000,000 |" in (
            rendered("summary")
        )

    def test_judges_whether_reads_are_flat(self) -> None:
        assert "exponent of its growth, postgres: the slowest read | 0.688 | ≤ 0.15 | **no** |" in rendered("summary")

    def test_names_the_processor_where_it_is_another(self) -> None:
        elsewhere = {**MEASURED, "machine": {"model": "Another"}}
        elsewhere["details"] = {**MEASURED["details"], "floor": {"machine": {"model": "Some Processor"}}}
        assert "2026-11-22 `abc1234`, Some Processor |" in rendered("summary", elsewhere)
        assert "Some Processor" not in rendered("summary")

    def test_leaves_out_what_was_not_measured(self) -> None:
        assert "events_per_life" not in rendered("summary")


class TestTables:
    def test_show_both_sides_by_width(self) -> None:
        assert rendered("floor").splitlines()[2:] == [
            "| 30, floor | 51.2 | 120 | 200 | 260 |  |",
            "| 30, ours | 44.5 | 140 | 220 | 1,300 | 0.87 |",
        ]

    def test_add_up_the_cpu(self) -> None:
        assert "| 30, ours | 8 | 14 | 23 | 1 | 46 |" in rendered("cpu")

    def test_show_reads_by_store_and_size(self) -> None:
        assert "| /overdue | 12.5 | 61 |" in rendered("reads")

    def test_show_the_slowest_reads_and_leave_the_others_to_the_results(self) -> None:
        many = {str(number): float(number) for number in range(1, 30)}
        said = rendered("reads", {"read_p99_ms": {"sqlite": {"1000": many}}}).splitlines()
        assert said[2:4] == ["| *the slowest* | 29 |", "| *the one in the middle* | 15 |"]
        assert said[4:] == [f"| {number} | {number} |" for number in range(20, 30)]

    def test_tell_of_ours_when_the_herd_could_be_read(self) -> None:
        late = {side: {"p50_s": side, "p99_s": 2, "max_s": 3} for side in (1, 7)}
        both = {
            "drain_seconds": 4,
            "commands_meanwhile": {"p50_ms": 5, "p99_ms": 6, "failed": 0},
            "decided_late": late[1],
        }
        ours = {**both, "recorded_late": late[7], "duplicates": 0, "missing": 0}
        sizes = {"500": {"floor": both, "ours": ours, "drain_ratio": 1.0}}
        floor, cases = rendered("herd", {"details": {"herd": {"by_size": sizes}}}).splitlines()[2:]
        assert floor.startswith("| 500, floor | 1 / 2 / 3 |")
        assert cases.startswith("| 500, ours | 7 / 2 / 3 |")

    def test_tell_of_the_map(self) -> None:
        names = ("build_s", "index_mb_after_lookups", "lookups_per_s_warm", "bulk_per_s")
        found = {**dict.fromkeys(names, 1), "resolve_ms_p50": 0.1, "resolve_ms_p99": 0.2, "check_s": 3}
        said = rendered("places", {"details": {"places": {"by_grids": {"2000": found}}}})
        assert said.endswith("| 2,000 | 1 | 1 | 1 | 1 | 0.1 / 0.2 | 3 |")

    def test_gather_every_exponent(self) -> None:
        assert page.growth(MEASURED) == {
            "seconds for lives, ours": 1.01,
            "seconds to drain a herd, floor": 1.0,
            "seconds to drain a herd, ours": 1.05,
            "p99 of the slowest read, postgres, by cases": pytest.approx(0.688, abs=0.001),
            "p99 of the read in the middle, postgres, by cases": pytest.approx(0.489, abs=0.001),
        }


class TestPlots:
    def test_are_drawn_of_what_was_measured_and_the_same_each_time(self, tmp_path: Path) -> None:
        first, again = plots.draw(MEASURED, tmp_path / "first"), plots.draw(MEASURED, tmp_path / "again")
        assert [path.name for path in first] == ["floor.svg", "reads.svg"]
        assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]

    def test_stand_beside_the_table_they_belong_to(self) -> None:
        assert rendered("floor_plot").endswith("](plots/floor.svg)")
        assert rendered("peer_plot") == ""

    def test_are_as_many_as_the_page_has_places_for(self) -> None:
        assert {f"{name}_plot" for name in plots.PLOTS} == page.IMAGES.keys()
