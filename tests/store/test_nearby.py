"""What else there is about a place, on both databases."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from directory.nearby import Spot, around, metres
from domain.case import Location, Outcome, Snapshot, Stage
from domain.record import Record
from store import nearby
from store.nearby import Recurrences, Sought, Surroundings
from store.recorder import Recorder
from tests.support.databases import listening
from tests.support.records import NOON, Life

DAY = timedelta(days=1)
HERE = Spot(109.49, 36.6)
BASE = Life().snapshot
SOUGHT = Sought(
    itself="RC-0000", category="C0101", point=None, spot=HERE, reach=50, closed_since=NOON - timedelta(days=30)
)


def placed(spot: Spot) -> Location:
    return Location(lon=0, lat=0, datum="gcj02", wgs84_lon=spot.lon, wgs84_lat=spot.lat)


def case(number: int, spot: Spot | None = HERE, **changes: object) -> Snapshot:
    location = spot and placed(spot)
    return BASE.model_copy(update={"id": f"RC-{number:04}", "location": location, **changes})


def put_right(number: int, days: float = 1, **changes: Any) -> Snapshot:  # noqa: ANN401 - any field
    ended = {"stage": Stage.ARCHIVED, "outcome": Outcome.RECTIFIED, "closed_at": NOON - days * DAY}
    return case(number, **{**ended, **changes})


def north_of(spot: Spot, reach: float) -> Spot:
    """So many metres, as nearly as degrees go."""
    low, high = spot.lat, spot.lat + 1
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if metres(spot, Spot(spot.lon, middle)) <= reach else (low, middle)
    return Spot(spot.lon, low)


async def looked(engine: AsyncEngine, *cases: Snapshot, **changes: Any) -> Surroundings:  # noqa: ANN401 - of SOUGHT
    recorder = Recorder(engine, timeout=10)
    await asyncio.gather(*(recorder.record(Record(case=each, events=())) for each in cases))
    return await nearby.surroundings(engine, replace(SOUGHT, **changes))


def ids(found: Surroundings) -> list[str]:
    return [each.id for each in found.open]


class TestOpenCases:
    async def test_of_the_category_are_found_the_nearest_first(self, engine: AsyncEngine) -> None:
        near, nearer = north_of(HERE, 40), north_of(HERE, 10)
        found = await looked(engine, case(1, near), case(2, nearer), case(3, category="C0102"), case(4, spot=None))
        assert ids(found) == ["RC-0002", "RC-0001"]
        assert [round(each.metres or 0) for each in found.open] == [10, 40]

    async def test_are_near_up_to_the_distance_and_no_further(self, engine: AsyncEngine) -> None:
        border = north_of(HERE, 50)
        beyond = Spot(border.lon, border.lat + 1e-7)  # a centimetre
        assert ids(await looked(engine, case(1, border), case(2, beyond))) == ["RC-0001"]

    async def test_in_the_corner_of_the_box_are_not_near(self, engine: AsyncEngine) -> None:
        box = around(HERE, 50)
        assert ids(await looked(engine, case(1, Spot(box.east, box.north)))) == []

    @pytest.mark.parametrize("stage", list(Stage))
    async def test_are_those_that_somebody_still_has_to_do_something_about(
        self, engine: AsyncEngine, stage: Stage
    ) -> None:
        wanted = stage in {Stage.INTAKE, Stage.ASSIGNMENT, Stage.RECTIFICATION, Stage.REINSPECTION}
        assert ids(await looked(engine, case(1, stage=stage))) == (["RC-0001"] if wanted else [])

    async def test_at_the_same_point_are_found_however_far(self, engine: AsyncEngine) -> None:
        far = north_of(HERE, 3_000)
        at_market = (case(1, far, point="market"), case(2, spot=None, point="market"), case(3, far, point="school"))
        found = await looked(engine, *at_market, point="market")
        assert ids(found) == ["RC-0002", "RC-0001"]
        assert found.open[0].metres is None
        assert ids(await looked(engine, point="market", spot=None)) == ["RC-0001", "RC-0002"]

    async def test_next_to_another_point_are_near_too(self, engine: AsyncEngine) -> None:
        assert ids(await looked(engine, case(1, point="school"), point="market")) == ["RC-0001"]

    async def test_are_sought_at_the_point_alone_where_nothing_else_is_near_enough(self, engine: AsyncEngine) -> None:
        found = await looked(engine, case(1), case(2, point="market"), reach=0, point="market")
        assert ids(found) == ["RC-0002"]

    async def test_are_not_the_one_that_asks(self, engine: AsyncEngine) -> None:
        assert ids(await looked(engine, case(0), case(1))) == ["RC-0001"]

    async def test_are_left_alone_where_nobody_is_asked(self, engine: AsyncEngine) -> None:
        found = await looked(engine, case(1), put_right(2), open_too=False)
        assert found == Surroundings(recurrence_of="RC-0002")

    async def test_come_before_any_number_of_closed_ones(
        self, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        nearby._about.cache_clear()
        monkeypatch.setattr(nearby, "_MOST", 2)
        found = await looked(engine, case(1, opened_at=NOON - 9 * DAY), *(put_right(n) for n in range(2, 6)))
        nearby._about.cache_clear()
        assert ids(found) == ["RC-0001"]
        assert found.recurrence_of is not None

    async def test_take_one_question_at_most(self, engine: AsyncEngine) -> None:
        with listening(engine) as asked:
            await looked(engine, point="market")
            assert len([statement for statement, _ in asked if "FROM cases" in statement]) == 1
            asked.clear()
            assert await looked(engine, spot=None) == Surroundings()
            assert asked == []


class TestWhatHasComeBack:
    async def test_is_the_one_closed_last(self, engine: AsyncEngine) -> None:
        found = await looked(engine, put_right(1, 3), put_right(2, 2), put_right(3, 5), case(4))
        assert found.recurrence_of == "RC-0002"
        assert ids(found) == ["RC-0004"]

    async def test_was_closed_within_the_days(self, engine: AsyncEngine) -> None:
        assert (await looked(engine, put_right(1, 30.01))).recurrence_of is None
        assert (await looked(engine, put_right(2, 30))).recurrence_of == "RC-0002"

    @pytest.mark.parametrize("outcome", list(Outcome))
    async def test_had_been_put_right(self, engine: AsyncEngine, outcome: Outcome) -> None:
        found = await looked(engine, put_right(1, outcome=outcome, stage=Stage.CLOSURE))
        right = outcome in {Outcome.RECTIFIED, Outcome.SELF_HANDLED}
        assert found.recurrence_of == ("RC-0001" if right else None)

    async def test_lay_at_the_same_point_where_both_name_one(self, engine: AsyncEngine) -> None:
        far = north_of(HERE, 3_000)
        cases = (put_right(1, 3, spot=far, point="market"), put_right(2, 1, point="school"))
        assert (await looked(engine, *cases, point="market")).recurrence_of == "RC-0001"
        assert (await looked(engine)).recurrence_of == "RC-0002"
        assert (await looked(engine, put_right(3, 0.5), point="market")).recurrence_of == "RC-0003"

    async def test_may_lie_nowhere_near(self, engine: AsyncEngine) -> None:
        other = (put_right(1, category="C0102"), put_right(2, spot=north_of(HERE, 51)))
        assert await looked(engine, *other) == Surroundings()

    async def test_is_counted_both_ways(self, engine: AsyncEngine) -> None:
        chain = (put_right(1), put_right(2, recurrence_of="RC-0001"), case(3, recurrence_of="RC-0002"))
        await looked(engine, *chain, case(4, recurrence_of="RC-0002"))
        assert await nearby.recurrences(engine, "RC-0001", None) == Recurrences(after=1, before=0)
        assert await nearby.recurrences(engine, "RC-0002", "RC-0001") == Recurrences(after=2, before=1)
        assert await nearby.recurrences(engine, "RC-0003", "RC-0002") == Recurrences(after=0, before=2)
        assert await nearby.recurrences(engine, "RC-0099", "RC-0003") == Recurrences(after=0, before=3)

    async def test_ends_a_chain_that_would_not_end(self, engine: AsyncEngine) -> None:
        await looked(engine, case(1, recurrence_of="RC-0001"))
        assert (await nearby.recurrences(engine, "RC-0001", "RC-0001")).before == 100


class TestTheBox:
    @settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    @given(
        spot=st.builds(Spot, st.floats(100, 120), st.floats(20, 45)),
        reach=st.integers(1, 5_000),
        aside=st.tuples(st.floats(-1.2, 1.2), st.floats(-1.2, 1.2)),
    )
    async def test_in_the_database_gives_what_distance_says(
        self, engine: AsyncEngine, spot: Spot, reach: int, aside: tuple[float, float]
    ) -> None:
        box = around(spot, reach)
        other = Spot(spot.lon + aside[0] * (box.east - box.west) / 2, spot.lat + aside[1] * (box.north - box.south) / 2)
        number = abs(hash((spot, reach, other))) % 10**9
        recorded = case(number, other, category=f"E{number}")
        found = await looked(engine, recorded, category=f"E{number}", spot=spot, reach=reach)
        assert ids(found) == ([recorded.id] if metres(spot, other) <= reach else [])
