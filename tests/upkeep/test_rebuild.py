"""Whatever happens to the read model of a running case, the audit finds it and a rebuild mends it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.testing import WorkflowEnvironment

from domain.life import open_case, snapshot
from domain.record import Record
from store.recorder import Recorder
from tests.support.cases import DISPATCHER, OFFICER, SUPERVISOR, UNIT
from tests.support.engine import report
from tests.support.office import Office, emptied, opened
from upkeep.rebuild import Doubtful, Rebuild

#: What was done to the case `:id`, and the line of the audit that tells of it.
LOST = {
    "the case": ("DELETE FROM cases WHERE id = :id", "cases"),
    "all cases": ("DELETE FROM cases", "cases"),
    "its unit": ("DELETE FROM case_units WHERE case_id = :id", "case_units"),
    "all events": ("DELETE FROM events", "events[1..4]"),
    "an event": ("DELETE FROM events WHERE case_id = :id AND seq = 2", "events[2]"),
    "the last event": ("DELETE FROM events WHERE case_id = :id AND seq = 4", "events[4]"),
    "notices": ("DELETE FROM notices WHERE case_id = :id", "notices[2 unit]"),
    "a photo": ("DELETE FROM case_evidence WHERE case_id = :id", "case_evidence[aaaaaaaaaaaa]"),
    "its rules": ("DELETE FROM rulebooks", "rulebooks"),
}
CHANGED = {
    "the stage": ("UPDATE cases SET stage = 'closure' WHERE id = :id", "cases.stage"),
    "a version too high": ("UPDATE cases SET version = 99 WHERE id = :id", "cases.version"),
    "a version too low": ("UPDATE cases SET version = 1 WHERE id = :id", "cases.version"),
    "the mark of those that run": ("UPDATE cases SET running = NOT running WHERE id = :id", "cases.running"),
    "the deadline": ("UPDATE cases SET due_at = opened_at WHERE id = :id", "cases.due_at"),
    "the description": ("UPDATE cases SET words = 'secret' WHERE id = :id", "cases.words"),
    "the snapshot": ("UPDATE cases SET snapshot = '{\"round\": 7}' WHERE id = :id", "cases.snapshot.round"),
    "a co-unit": (
        "INSERT INTO case_units SELECT id, 'water', :no, opened_at, category, due_at, :no FROM cases WHERE id = :id",
        "case_units",
    ),
    "an event's words": ("UPDATE events SET data = '{}' WHERE case_id = :id AND seq = 3", "events[3].data"),
    "an event's kind": ("UPDATE events SET type = 'X' WHERE case_id = :id AND seq = 3", "events[3].type"),
    "an event too many": (
        "INSERT INTO events (case_id, seq, at, type, data) SELECT id, 5, opened_at, 'X', '{}' FROM cases",
        "events[5]",
    ),
    "an event before the first": (
        "INSERT INTO events (case_id, seq, at, type, data) SELECT id, 0, opened_at, 'X', '{}' FROM cases",
        "events[0]",
    ),
    "whom a notice tells": ("UPDATE notices SET recipient = 'x' WHERE case_id = :id", "notices[2 unit]"),
    "a notice to nobody's concern": (
        "INSERT INTO notices SELECT 99, id, 1, 'city', '/', opened_at, 'X' FROM cases",
        "notices[1 city]",
    ),
    "a photo of another case": ("INSERT INTO case_evidence VALUES ('ffff', :id)", "case_evidence[ffff]"),
}
DAMAGE = {**{f"lost: {name}": each for name, each in LOST.items()}, **CHANGED}


@pytest.fixture(scope="class")
async def settled(temporal: WorkflowEnvironment, module_engine: AsyncEngine) -> AsyncIterator[tuple[Office, str]]:
    """An office and the one case in it: every rebuild leaves them as they were."""
    await emptied(module_engine)
    async with opened(temporal, module_engine) as office:
        handle = await office.open()
        await office.desk.give(handle, "comment", UNIT, text="在路上")
        await office.written(handle)
        yield office, handle.id


@pytest.mark.parametrize(("statement", "line"), DAMAGE.values(), ids=DAMAGE)
class TestDamage:
    async def test_is_found_and_mended(self, settled: tuple[Office, str], statement: str, line: str) -> None:
        office, case = settled
        before, positions = await office.without_positions(), (await office.rows())["events"]
        await office.tamper(statement, **{name: {"id": case, "no": False}[name] for name in _names(statement)})
        found = (await office.audit(looks=(0.01,))).differences
        assert line in {difference.what for difference in found}
        assert not any("secret" in str(difference) for difference in found)
        assert (await office.rebuild()).rebuilt == 1
        assert await office.without_positions() == before
        if "DELETE FROM events" not in statement:
            assert (await office.rows())["events"] == positions


def _names(statement: str) -> list[str]:
    return [name for name in ("id", "no") if f":{name}" in statement]


class TestARebuildOfWhatIsRight:
    async def test_changes_nothing(self, office: Office) -> None:
        for _ in range(3):
            await office.open()
        before = await office.rows()
        assert (await office.rebuild()).rebuilt == 3
        assert await office.rows() == before

    async def test_loses_nothing_of_what_happens_meanwhile(self, office: Office) -> None:
        handles = [await office.open() for _ in range(4)]
        await office.tamper("DELETE FROM events")

        async def busy() -> None:
            for number in range(8):
                await asyncio.gather(
                    *(office.desk.give(each, "comment", UNIT, text=f"第 {number} 次") for each in handles)
                )

        await asyncio.gather(busy(), Rebuild(office.cases, office.database).run(), busy())
        await office.rebuild()
        for handle in handles:
            assert (await office.desk.case(handle)).version == 3 + 16

    async def test_shows_how_far_it_is(self, office: Office) -> None:
        await office.open()
        await office.open()
        seen: list[tuple[int, int]] = []
        await office.rebuild(progress=lambda done, goal: seen.append((done, goal)))
        assert seen == [(1, 2), (2, 2)]


class TestARowWithoutACase:
    async def ghost(self, office: Office) -> str:
        case, events = open_case(report())
        await Recorder(office.database).record(Record(case=snapshot(case), events=events, rules=case.rules))
        return case.id

    async def test_is_found_and_removed(self, office: Office) -> None:
        await office.open()
        before = await office.without_positions()
        ghost = await self.ghost(office)
        assert [(each.case, each.what) for each in (await office.audit()).differences] == [(ghost, "workflow")]
        assert (await office.rebuild()).removed == 1
        assert await office.without_positions() == before

    async def test_is_left_alone_where_it_may_be_the_wrong_temporal(self, office: Office) -> None:
        await self.ghost(office)
        before = await office.rows()
        with pytest.raises(Doubtful):
            await Rebuild(office.cases, office.database).run()
        assert await office.rows() == before
        assert (await office.rebuild(remove_ghosts=True)).removed == 1

    async def test_is_never_removed_if_it_has_ended(self, office: Office) -> None:
        case = open_case(report())[0].model_copy(update={"stage": "withdrawn", "version": 2})
        await Recorder(office.database).record(Record(case=snapshot(case), events=()))
        before = await office.rows()
        await office.tamper("UPDATE cases SET running = NOT running")
        assert [each.what for each in (await office.audit()).differences] == ["cases.running"]
        await office.rebuild(remove_ghosts=True)
        assert await office.rows() == before


class TestAnEndThatWasNotWrittenDown:
    async def test_is_written_down_from_the_workflow_that_has_completed(self, office: Office) -> None:
        handle = await office.open()
        await office.written(handle)
        as_it_ran = await office.rows()
        await office.desk.give(handle, "force-close", SUPERVISOR, reason="拆迁")
        await handle.result()
        as_it_ended = await office.without_positions()
        (stage,) = (row[3] for row in as_it_ran["cases"])
        await office.tamper("UPDATE cases SET running = NOT running, stage = :stage, closed_at = NULL", stage=stage)
        await office.tamper("DELETE FROM events WHERE seq > 3")
        assert {"cases.running", "events[4]"} <= {each.what for each in (await office.audit()).differences}
        assert (await office.rebuild()).restored == 1
        assert await office.without_positions() == as_it_ended


class TestACaseStoppedFromOutside:
    async def test_is_left_to_people(self, office: Office) -> None:
        handle = await office.open()
        await handle.terminate()
        before = await office.rows()
        assert (await Rebuild(office.cases, office.database).run()).stopped == [handle.id]
        (difference,) = (await office.audit()).differences
        assert (difference.what, difference.found) == ("workflow", "terminated")
        assert await office.rows() == before


class TestACaseOfManyRuns:
    async def test_gets_the_events_of_all_of_them_back(self, impatient_office: Office) -> None:
        office = impatient_office
        handle = await office.open()
        for number in range(30):
            await office.desk.give(handle, "comment", UNIT, text=f"第 {number} 次")
        await office.written(handle)
        runs = [run async for run in office.cases.earlier_runs(handle.id)]
        before, positions = await office.without_positions(), await office.rows()
        assert len(runs) >= 1
        assert (await office.cases.log(handle.id))[0].seq > 2
        await office.tamper("UPDATE events SET data = '{}', type = 'X' WHERE seq = 2")
        await office.rebuild()
        assert (await office.rows())["events"] == positions["events"]
        await office.tamper("DELETE FROM events")
        await office.tamper("DELETE FROM cases")
        await office.tamper("DELETE FROM notices")
        await office.rebuild()
        assert await office.without_positions() == before


class TestANotice:
    async def test_goes_again_to_the_unit_that_held_the_case_then(self, office: Office) -> None:
        handle = await office.desk.open()
        await office.written(handle)
        await office.desk.give(handle, "return", UNIT, reason="不属我单位")
        await office.written(handle)
        await office.desk.give(handle, "assign", DISPATCHER, unit="water")
        await office.desk.give(handle, "comment", OFFICER, text="请尽快")
        await office.written(handle)
        before = await office.without_positions()
        await office.tamper("DELETE FROM notices")
        await office.rebuild()
        assert await office.without_positions() == before
