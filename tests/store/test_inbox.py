"""What somebody has been told, over all cases, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from domain import commands as c
from domain.actors import Actor, Role
from store import inbox
from store.recorder import Recorder
from tests.support.records import DISPATCHER, INSPECTOR, OFFICER, OTHER_PHOTO, RESIDENT, UNIT, Life


@pytest.fixture
async def told(engine: AsyncEngine) -> AsyncEngine:
    """Of two cases: one found by the officer and the resident, urged and put right; one by the officer alone."""
    found_twice = Life(1).give(c.Join(description="我也看到了"), RESIDENT).give(c.Accept(), UNIT)
    found_twice.give(c.Urge(note="请尽快"), DISPATCHER)
    found_twice.give(c.SubmitRectification(note="已更换", evidence=(OTHER_PHOTO,)), UNIT)
    found_twice.give(c.Inspect(result="pass", note="合格"), INSPECTOR)
    recorder = Recorder(engine, timeout=10)
    await recorder.record(found_twice.record())
    await recorder.record(Life(2).record())
    return engine


async def kinds(engine: AsyncEngine, viewer: Actor) -> list[tuple[str, str]]:
    return [(each.case_id[-1], each.kind) for each in (await inbox.told(engine, viewer)).items]


class TestTheInbox:
    async def test_of_a_reporter_has_what_became_of_what_he_found(self, told: AsyncEngine) -> None:
        assert await kinds(told, OFFICER) == [("1", "InspectionPassed")]
        assert await kinds(told, RESIDENT) == [("1", "InspectionPassed"), ("1", "ReportJoined")]

    async def test_of_a_unit_is_everybodys_there(self, told: AsyncEngine) -> None:
        heard = [("2", "CaseDispatched"), ("1", "InspectionPassed"), ("1", "CaseUrged"), ("1", "CaseDispatched")]
        assert await kinds(told, UNIT) == heard
        assert await kinds(told, UNIT.model_copy(update={"user": "colleague"})) == heard

    async def test_of_who_has_nothing_to_do_with_it_is_empty(self, told: AsyncEngine) -> None:
        for viewer in (INSPECTOR, DISPATCHER, Actor(user="x", role=Role.UNIT), Actor(user="roads", role=Role.OFFICER)):
            assert await kinds(told, viewer) == []

    async def test_says_what_a_rung_did(self, engine: AsyncEngine) -> None:
        await Recorder(engine, timeout=10).record(Life(3).give(c.Accept(), UNIT).wait(timedelta(days=3)).record())
        found = (await inbox.told(engine, UNIT)).items
        assert [(each.kind, each.action) for each in found] == [("RungFired", "warn"), ("CaseDispatched", None)]

    async def test_is_walked_without_a_gap(self, told: AsyncEngine) -> None:
        seen: list[int] = []
        cursor = None
        while True:
            page = await inbox.told(told, UNIT, cursor, limit=1)
            seen += [each.seq for each in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert seen == [each.seq for each in (await inbox.told(told, UNIT)).items]

    async def test_knows_its_own_cursors_only(self, told: AsyncEngine) -> None:
        cursor = (await inbox.told(told, UNIT, limit=1)).next_cursor
        for viewer, wrong in ((RESIDENT, cursor), (UNIT, "abc")):
            with pytest.raises(ValueError, match="cursor"):
                await inbox.told(told, viewer, wrong)
