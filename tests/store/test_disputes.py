"""A worker recorded what its workflow task had found, and the task was lost: the case did it again, otherwise."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from domain import commands as c
from domain.life import next_alarm
from domain.record import Record
from store import cases, feed
from store.database import reading
from store.recorder import Recorder
from store.tables import CaseUnitRow, EventRow, NoticeRow
from tests.support.records import ADMIN, SUPERVISOR, UNIT, Life

SOON, LATER = timedelta(minutes=5), timedelta(minutes=6)


@pytest.fixture
def recorder(engine: AsyncEngine) -> Recorder:
    return Recorder(engine)


def lost() -> Record:
    """The unit gives it back and somebody comments: two events that never were."""
    life = Life().give(c.Return(reason="不归我管"), UNIT, SOON)
    return life.give(c.Comment(text="知道了"), SUPERVISOR, timedelta(0)).record(2)


def happened() -> Life:
    """What came instead, a minute later: an urge."""
    return Life().give(c.Urge(note="请尽快"), SUPERVISOR, LATER)


async def rows(engine: AsyncEngine, *columns: Any) -> Sequence[Any]:  # noqa: ANN401 - columns of any type
    async with reading(engine) as connection:
        return (await connection.execute(select(*columns).order_by(*columns))).all()


async def told(engine: AsyncEngine) -> list[tuple[int, str]]:
    return [tuple(row) for row in await rows(engine, col(NoticeRow.seq), col(NoticeRow.kind))]


class TestWhatDidNotHappen:
    async def test_gives_way_to_what_did(self, engine: AsyncEngine, recorder: Recorder) -> None:
        for record in (Life().record(), lost(), happened().record(2)):
            await recorder.record(record)
        assert [event for _, event in await cases.events(engine, "RC-0001")] == list(happened().events)
        assert await cases.get(engine, "RC-0001") == happened().snapshot
        assert [row.unit for row in await rows(engine, col(CaseUnitRow.unit))] == ["roads"]
        assert await told(engine) == [(2, "CaseDispatched"), (3, "CaseUrged")]

    @pytest.mark.parametrize("order", list(permutations(range(3))))
    async def test_is_not_brought_back_by_whoever_comes_late(
        self, engine: AsyncEngine, recorder: Recorder, order: tuple[int, ...]
    ) -> None:
        """A worker that was frozen wakes up and writes what it had in its hands."""
        await recorder.record(Life().record())
        records = (lost(), happened().record(2), lost())
        for number in order:
            await recorder.record(records[number])
        assert [event for _, event in await cases.events(engine, "RC-0001")] == list(happened().events)
        assert await cases.get(engine, "RC-0001") == happened().snapshot

    async def test_may_come_in_one_batch_with_what_did(self, engine: AsyncEngine, recorder: Recorder) -> None:
        await asyncio.gather(
            *(recorder.record(each) for each in (Life().record(), lost(), happened().record(2), lost()))
        )
        assert [event for _, event in await cases.events(engine, "RC-0001")] == list(happened().events)

    async def test_is_followed_in_the_feed_by_what_did(self, engine: AsyncEngine, recorder: Recorder) -> None:
        await recorder.record(Life().record())
        await recorder.record(lost())
        seen = await feed.after(engine, 0, ADMIN)
        await recorder.record(happened().record(2))
        page = await feed.after(engine, seen.position, ADMIN)
        assert [(item.event.seq, item.event.fact.type) for item in page.items] == [(3, "CaseUrged")]

    async def test_leaves_alone_what_a_late_copy_of_the_truth_repeats(
        self, engine: AsyncEngine, recorder: Recorder
    ) -> None:
        life = happened()
        await recorder.record(life.record())
        early = life.record(2)
        await recorder.record(life.give(c.Comment(text="好"), UNIT).record(3))
        await recorder.record(early)
        assert [event for _, event in await cases.events(engine, "RC-0001")] == list(life.events)
        assert await cases.get(engine, "RC-0001") == life.snapshot


def ring() -> tuple[Record, Record]:
    """A command comes ten seconds after a deadline, is recorded with what fell due before it, and lost with its task.

    Then the timer rings for the deadline: the same event, dated when it fell due, and no command.
    """
    due = next_alarm(Life().case)
    assert due is not None
    wait = due.at - Life().at
    command = Life().give(c.Urge(note="请尽快"), SUPERVISOR, wait + timedelta(seconds=10)).record(2)
    rung = Life().wait(wait).record(2)
    return command, rung.model_copy(update={"begun": due.at + timedelta(seconds=20)})


class TestWhatTheTimerDidInItsStead:
    async def test_is_right_though_dated_before_it(self, engine: AsyncEngine, recorder: Recorder) -> None:
        command, rung = ring()
        for record in (Life().record(), command, rung, command):
            await recorder.record(record)
        assert [event for _, event in await cases.events(engine, "RC-0001")][2:] == list(rung.events)
        assert await cases.get(engine, "RC-0001") == rung.case

    async def test_leaves_what_both_found_where_it_was(self, engine: AsyncEngine, recorder: Recorder) -> None:
        command, rung = ring()
        await recorder.record(Life().record())
        await recorder.record(command)
        before = [row for row in await rows(engine, col(EventRow.position), col(EventRow.seq)) if row.seq <= 3]
        await recorder.record(rung)
        assert await rows(engine, col(EventRow.position), col(EventRow.seq)) == before


class TestARowOfAnEarlierRelease:
    """It does not tell when its record began."""

    async def test_gives_way_to_every_later_attempt(self, engine: AsyncEngine, recorder: Recorder) -> None:
        await recorder.record(Life().record())
        await recorder.record(lost().model_copy(update={"begun": None}))
        await recorder.record(happened().record(2))
        assert [event for _, event in await cases.events(engine, "RC-0001")] == list(happened().events)
