"""Each record once: repeated, late, out of order, all at once, or with a bad one among them."""

import asyncio
import random
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import Mapped
from sqlalchemy.util import await_only
from sqlmodel import SQLModel, col

from domain import commands as c
from domain.events import CommentAdded
from domain.record import Record
from store import cases, feed
from store.database import open_engine, reading, writing
from store.recorder import Recorder, _Statements
from store.rows import Rows
from store.tables import CaseEvidenceRow, CaseRow, CaseUnitRow, EventRow, NoticeRow
from tests.support.records import (
    ADMIN,
    OTHER_PHOTO,
    PHOTO,
    RULES,
    UNIT,
    Life,
    records_of_a_whole_life,
)


async def count(engine: AsyncEngine, table: type[SQLModel]) -> int:
    async with reading(engine) as connection:
        return await connection.scalar(select(func.count()).select_from(table)) or 0


async def values(engine: AsyncEngine, column: Mapped[Any], case_id: str = "RC-0001") -> list[Any]:
    table = column.class_  # type: ignore[attr-defined]  # an InstrumentedAttribute
    async with reading(engine) as connection:
        found = await connection.scalars(select(column).where(col(table.case_id) == case_id).order_by(column))
        return list(found)


async def everything(engine: AsyncEngine) -> dict[str, Any]:
    """What is in the projection, positions apart."""
    found: dict[str, Any] = {}
    async with reading(engine) as connection:
        for table in (CaseRow, CaseUnitRow, EventRow, NoticeRow, CaseEvidenceRow):
            names = [name for name in table.model_fields if name not in {"position", "id"}]
            rows = await connection.execute(select(*(col(getattr(table, name)) for name in names)))
            found[table.__name__] = sorted(map(str, rows.all()))
    return found


@pytest.fixture
def recorder(engine: AsyncEngine) -> Recorder:
    return Recorder(engine, timeout=10)


class TestOneRecord:
    async def test_is_read_back_as_it_was(self, engine: AsyncEngine, recorder: Recorder) -> None:
        life = Life()
        await recorder.record(life.record())
        assert await cases.get(engine, life.case.id) == life.snapshot
        assert tuple(event for _, event in await cases.events(engine, life.case.id)) == life.events
        assert await cases.rules(engine, RULES.digest) == RULES

    async def test_names_the_units_and_the_photos(self, engine: AsyncEngine, recorder: Recorder) -> None:
        for record in records_of_a_whole_life():
            await recorder.record(record)
        assert await values(engine, col(CaseUnitRow.unit)) == ["roads", "water"]
        assert await values(engine, col(CaseEvidenceRow.sha256)) == [PHOTO, OTHER_PHOTO]

    async def test_tells_whom_it_concerns(self, engine: AsyncEngine, recorder: Recorder) -> None:
        life = Life().wait(timedelta(days=4))
        await recorder.record(life.record())
        recipients = await values(engine, col(NoticeRow.recipient))
        assert recipients == ["/city", "/city/east/river", "roads", "roads"]

    async def test_is_found_by_its_command(self, engine: AsyncEngine, recorder: Recorder) -> None:
        life = Life().give(c.Accept(), UNIT)
        await recorder.record(life.record())
        assert await cases.by_command(engine, "RC-0001-2") == ("RC-0001", 3)
        assert await cases.by_command(engine, "RC-0001-9") is None


class TestEachOnce:
    async def test_a_repeated_record_changes_nothing(self, engine: AsyncEngine, recorder: Recorder) -> None:
        records = list(records_of_a_whole_life())
        for record in records:
            await recorder.record(record)
        once, positions = await everything(engine), await values(engine, col(EventRow.position))
        for record in records:
            await recorder.record(record)
        assert await everything(engine) == once
        assert await values(engine, col(EventRow.position)) == positions

    @pytest.mark.parametrize("seed", range(3))
    async def test_any_order_and_any_repetition_leads_to_the_same(
        self, engine: AsyncEngine, recorder: Recorder, seed: int
    ) -> None:
        records = list(records_of_a_whole_life())
        for record in records:
            await recorder.record(record)
        expected = await everything(engine)
        async with writing(engine) as connection:
            for table in reversed(SQLModel.metadata.sorted_tables):
                await connection.execute(table.delete())
        mixed = records * 2
        random.Random(seed).shuffle(mixed)  # noqa: S311 - no secret
        await asyncio.gather(*map(recorder.record, mixed[:6]))
        for record in mixed[6:]:
            await recorder.record(record)
        assert await everything(engine) == expected

    async def test_a_late_record_does_not_bring_back_the_unit(self, engine: AsyncEngine, recorder: Recorder) -> None:
        life = Life()
        before = life.record()
        after = life.give(c.Return(reason="不归我管"), UNIT).record(2)
        await recorder.record(after)
        await recorder.record(before)
        assert await values(engine, col(CaseUnitRow.unit)) == []
        assert await cases.get(engine, "RC-0001") == life.snapshot
        assert [event.seq for _, event in await cases.events(engine, "RC-0001")] == [1, 2, 3]


class TestManyAtOnce:
    async def test_all_are_written(self, engine: AsyncEngine, recorder: Recorder) -> None:
        lives = [Life(number) for number in range(100)]
        await asyncio.gather(*(recorder.record(life.record()) for life in lives))
        assert await count(engine, CaseRow) == 100
        assert await count(engine, EventRow) == 200

    async def test_a_bad_record_fails_alone(self, engine: AsyncEngine, recorder: Recorder) -> None:
        good = [Life(number).record() for number in range(5)]
        bad = good[0].model_copy(update={"case": good[0].case.model_copy(update={"id": "RC-9999", "category": None})})
        results = await asyncio.gather(*map(recorder.record, [*good, bad]), return_exceptions=True)
        assert results[:-1] == [None] * 5
        assert isinstance(results[-1], IntegrityError)
        assert await count(engine, CaseRow) == 5

    async def test_nothing_of_a_bad_record_is_kept(self, engine: AsyncEngine, recorder: Recorder) -> None:
        good = Life().record()
        bad = good.model_copy(update={"case": good.case.model_copy(update={"category": None})})
        with pytest.raises(IntegrityError):
            await recorder.record(bad)
        assert await count(engine, EventRow) == 0
        await recorder.record(good)
        assert await count(engine, EventRow) == 2

    async def test_two_processes_may_write_the_same(self, engine: AsyncEngine, recorder: Recorder) -> None:
        other = open_engine(engine.url.render_as_string(hide_password=False))
        records = [Life(number).record() for number in range(20)]
        theirs = Recorder(other, timeout=10)
        await asyncio.gather(*map(recorder.record, records), *map(theirs.record, records))
        await other.dispose()
        assert await count(engine, EventRow) == 40


class TestFeedOrder:
    async def test_no_event_appears_behind_a_reader(self, engine: AsyncEngine, recorder: Recorder) -> None:
        other = open_engine(engine.url.render_as_string(hide_password=False))
        writers = [recorder, Recorder(other, timeout=10)]
        lives = [Life(number) for number in range(60)]
        work = asyncio.gather(*(writers[n % 2].record(life.record()) for n, life in enumerate(lives)))
        seen: list[int] = []
        position = 0
        while len(seen) < 120:
            page = await feed.after(engine, position, ADMIN, limit=7)
            seen += [item.position for item in page.items]
            position = page.position
        await work
        await other.dispose()
        assert all(first < second for first, second in pairwise(seen))
        assert len(seen) == await count(engine, EventRow)

    async def test_who_comes_later_waits_for_who_has_positions_but_no_commit(self, engine: AsyncEngine) -> None:
        slow, quick = Recorder(engine, timeout=10), Recorder(engine, timeout=10)
        slow._statements = held = HeldStatements(engine)
        # without the rules: two who insert the same rulebook wait for each other in any case
        one, other = (Life(number).record().model_copy(update={"rules": None}) for number in (1, 2))
        first = asyncio.create_task(slow.record(one))
        await held.written.wait()
        second = asyncio.create_task(quick.record(other))
        await asyncio.wait({second}, timeout=0.1)
        before = await feed.after(engine, 0, ADMIN)
        held.release.set()
        await asyncio.gather(first, second)
        after = await feed.after(engine, before.position, ADMIN)
        assert [item.case_id for item in (*before.items, *after.items)] == ["RC-0001"] * 2 + ["RC-0002"] * 2


class HeldStatements(_Statements):
    """Writes, and does not commit before it is told to."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine)
        self.written, self.release = asyncio.Event(), asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def append(self, connection: Connection, batch: Sequence[Rows]) -> None:
        super().append(connection, batch)
        if connection.dialect.name == "sqlite":  # in its own thread
            asyncio.run_coroutine_threadsafe(self._held(), self._loop).result()
        else:
            await_only(self._held())

    async def _held(self) -> None:
        self.written.set()
        await self.release.wait()


class TestRewrite:
    async def _written(self, recorder: Recorder) -> Life:
        life = Life().give(c.Comment(text="一"), UNIT).give(c.Comment(text="二"), UNIT)
        await recorder.record(life.record())
        return life

    async def test_restores_what_was_changed_and_what_was_lost(self, engine: AsyncEngine, recorder: Recorder) -> None:
        life = await self._written(recorder)
        expected, positions = await everything(engine), await values(engine, col(EventRow.position))
        async with writing(engine) as connection:
            events = SQLModel.metadata.tables["events"]
            changed = events.update().where(events.c.seq == 2).values(data='{"seq": 2}', type="Changed")
            await connection.execute(changed)
            await connection.execute(events.delete().where(events.c.seq == 3))
            await connection.execute(SQLModel.metadata.tables["cases"].update().values(version=99))
        await recorder.record(life.record(rewrite=True))
        assert await everything(engine) == expected
        kept = set(positions) & set(await values(engine, col(EventRow.position)))
        assert kept == set(positions) - {positions[2]}

    async def test_puts_the_units_right(self, engine: AsyncEngine, recorder: Recorder) -> None:
        life = await self._written(recorder)
        expected = await everything(engine)
        units = SQLModel.metadata.tables["case_units"]
        for wrong in (units.delete(), units.update().values(lead=False), units.update().values(unit="water")):
            async with writing(engine) as connection:
                await connection.execute(wrong)
            await recorder.record(life.record(rewrite=True))
            assert await everything(engine) == expected

    async def test_takes_away_what_never_happened(self, engine: AsyncEngine, recorder: Recorder) -> None:
        life = await self._written(recorder)
        surplus = life.events[-1].model_copy(update={"seq": 5, "fact": CommentAdded(text="假", evidence=())})
        later = life.snapshot.model_copy(update={"version": 5})
        await recorder.record(Record(case=later, events=(surplus,)))
        await recorder.record(life.record(rewrite=True))
        assert [event.seq for _, event in await cases.events(engine, "RC-0001")] == [1, 2, 3, 4]
        assert await cases.get(engine, "RC-0001") == life.snapshot

    async def test_leaves_older_events_than_its_first_alone(self, engine: AsyncEngine, recorder: Recorder) -> None:
        life = await self._written(recorder)
        before = await values(engine, col(EventRow.position))
        await recorder.record(life.record(since=2, rewrite=True))
        assert await values(engine, col(EventRow.position)) == before
        assert await values(engine, col(CaseEvidenceRow.sha256)) == [PHOTO]

    async def test_may_be_repeated(self, engine: AsyncEngine, recorder: Recorder) -> None:
        life = await self._written(recorder)
        once, positions = await everything(engine), await values(engine, col(EventRow.position))
        await recorder.record(life.record(rewrite=True))
        await recorder.record(life.record(rewrite=True))
        assert await everything(engine) == once
        assert await values(engine, col(EventRow.position)) == positions


def patient(engine: AsyncEngine) -> Recorder:
    """For what has nothing in its way, however busy the machine is."""
    return Recorder(engine, timeout=30)


class TestOutage:
    async def test_a_database_that_does_not_answer_is_given_up_in_time(self, engine: AsyncEngine) -> None:
        hasty = Recorder(engine, timeout=0.2)
        other = open_engine(engine.url.render_as_string(hide_password=False))
        record = Life().record()
        await patient(engine).record(record)
        async with writing(other) as connection:
            await connection.execute(SQLModel.metadata.tables["cases"].update().values(version=1))
            with pytest.raises(TimeoutError):
                await hasty.record(Life().give(c.Accept(), UNIT).record())
        await other.dispose()

    async def test_afterwards_the_same_record_is_taken(self, engine: AsyncEngine) -> None:
        hasty = Recorder(engine, timeout=0.2)
        other = open_engine(engine.url.render_as_string(hide_password=False))
        life = Life()
        await patient(engine).record(life.record())
        async with writing(other) as connection:
            await connection.execute(SQLModel.metadata.tables["cases"].update().values(version=1))
            with pytest.raises(TimeoutError):
                await hasty.record(life.give(c.Accept(), UNIT).record(2))
        await other.dispose()
        await patient(engine).record(life.record(2))
        assert await cases.get(engine, "RC-0001") == life.snapshot

    async def test_whoever_comes_while_it_lasts_is_given_up_in_time_too(self, engine: AsyncEngine) -> None:
        hasty = Recorder(engine, timeout=0.2)
        other = open_engine(engine.url.render_as_string(hide_password=False))
        lives = [Life(number) for number in range(3)]
        for life in lives:
            await patient(engine).record(life.record())
            life.give(c.Accept(), UNIT)
        async with writing(other) as connection:
            await connection.execute(SQLModel.metadata.tables["cases"].update().values(version=1))
            for life in lives:
                with pytest.raises(TimeoutError):
                    await hasty.record(life.record(2))
        await other.dispose()
        again = patient(engine)
        await asyncio.gather(*(again.record(life.record(2)) for life in lives))
        assert [await cases.get(engine, life.case.id) for life in lives] == [life.snapshot for life in lives]

    async def test_a_database_that_is_not_there_is_said_so(self) -> None:
        nowhere = open_engine("postgresql://nobody@127.0.0.1:1/none")
        with pytest.raises(OperationalError):
            await Recorder(nowhere).record(Life().record())
        await nowhere.dispose()
