"""The cheapest benchmark for real: the others use the same clients and the same stack."""

import pytest

from bench import cost


@pytest.mark.timeout(300)
class TestMeasuring:
    def test_a_life_brings_the_figures_that_the_page_has_places_for(self) -> None:
        outcome = cost.measure(quick=True)
        assert outcome.figures.keys() == {"events_per_life", "bytes_per_life", "actions_per_life", "sql_bytes_per_case"}
        assert outcome.size == {"story": cost.MAIN, "lives": cost.QUICK[cost.MAIN]}
        assert outcome.details["by_story"].keys() == cost.LIVES.keys()  # type: ignore[attr-defined]  # JSON
