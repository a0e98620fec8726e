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

    def test_gather_every_exponent(self) -> None:
        assert page.growth(MEASURED) == {
            "seconds for lives, ours": 1.01,
            "seconds to drain a herd, floor": 1.0,
            "seconds to drain a herd, ours": 1.05,
            "p99 of the slowest read, postgres, by cases": pytest.approx(0.688, abs=0.001),
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
