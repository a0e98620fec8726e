"""What a whole city asks of a running case: helpers with clocks, plans, witnesses, new rules, hours of a unit's own."""

from datetime import timedelta

import pytest

from domain.actors import Actor
from domain.calendar import Calendar
from domain.errors import Conflict, NotVisible
from domain.policy import Policy, UnitCalendar
from tests.support import cases
from tests.support.cases import CO_UNIT, DISPATCHER, NEIGHBOUR, OTHER_PHOTO, UNIT
from tests.support.engine import ROUND_THE_CLOCK, Desk, Handle, report
from workflows import interface as i

NIGHTS = Calendar.model_validate({**ROUND_THE_CLOCK.model_dump(), "id": "nights", "version": 3})


async def open_helped(desk: Desk) -> Handle:
    rules = cases.rules(calendar=ROUND_THE_CLOCK, co_units={"lead_may_go_ahead": True})
    return await desk.open(report(proposed_co_units=("greening",), rules=rules))


async def submit(desk: Desk, handle: Handle, actor: Actor) -> i.Receipt:
    return await desk.give(handle, "submit", actor, note="清理完毕", evidence=[OTHER_PHOTO])


def following(policy: Policy, **changes: object) -> Policy:
    return Policy.model_validate({**policy.model_dump(), "version": policy.version + 1, **changes})


class TestACoUnit:
    async def test_is_late_once_by_its_own_clock(self, desk: Desk) -> None:
        handle = await open_helped(desk)
        await desk.advance(handle, timedelta(days=4))
        case = await desk.case(handle)
        assert [task.overdue for task in case.co_tasks] == [True]
        assert [event.fact.type for event in await desk.log(handle)].count("CoUnitLate") == 1

    async def test_submits_before_the_lead(self, desk: Desk) -> None:
        handle = await open_helped(desk)
        await desk.give(handle, "accept", UNIT)
        with pytest.raises(Conflict, match="co_units_pending"):
            await submit(desk, handle, UNIT)
        await submit(desk, handle, CO_UNIT)
        await submit(desk, handle, UNIT)
        case = await desk.case(handle)
        assert (case.stage, case.co_due) == ("reinspection", {})


class TestAWitness:
    async def test_becomes_a_reporter(self, quick_desk: Desk) -> None:
        handle = await quick_desk.open()
        with pytest.raises(NotVisible):
            await quick_desk.give(handle, "comment", NEIGHBOUR, text="我也看到了")
        await quick_desk.give(handle, "join", NEIGHBOUR, description="我也看到了")
        await quick_desk.give(handle, "comment", NEIGHBOUR, text="还在那里")
        assert (await quick_desk.case(handle)).joined == (NEIGHBOUR.user,)


class TestWorks:
    async def test_wait_for_their_plan(self, quick_desk: Desk) -> None:
        handle = await quick_desk.open(report(needs_plan=True))
        await quick_desk.give(handle, "accept", UNIT)
        with pytest.raises(Conflict, match="plan_required"):
            await submit(quick_desk, handle, UNIT)
        await quick_desk.give(handle, "submit-plan", UNIT, text="分段开挖")
        await quick_desk.give(handle, "decide-plan", DISPATCHER, grant=True, reason="可行")
        assert (await submit(quick_desk, handle, UNIT)).case.stage == "reinspection"


class TestNewRules:
    async def test_reach_a_running_case_once(self, desk: Desk) -> None:
        opening = report()
        handle = await desk.open(opening)
        new = i.NewRules(policy=following(opening.rules.policy), ladder=opening.rules.ladder)
        assert await desk.update(handle, i.RERULE, new, result_type=bool)
        assert not await desk.update(handle, i.RERULE, new, result_type=bool)
        await desk.give(handle, "accept", UNIT)
        facts = [event.fact.type for event in await desk.log(handle)]
        assert facts.count("RulesChanged") == 1

    async def test_are_written_down_with_the_case(self, quick_desk: Desk) -> None:
        opening = report()
        handle = await quick_desk.open(opening)
        policy = following(opening.rules.policy)
        await quick_desk.update(handle, i.RERULE, i.NewRules(policy=policy, ladder=opening.rules.ladder))
        records = quick_desk.fakes.records
        await quick_desk.fakes.until(lambda: any(record.rules and record.rules.policy == policy for record in records))
        last = next(record for record in records if record.rules and record.rules.policy == policy)
        assert last.rules is not None
        assert last.case.rules == last.rules.digest


class TestHoursOfItsOwn:
    async def test_come_with_the_assignment_and_are_written_down(self, desk: Desk) -> None:
        handle = await desk.open(report(proposed_unit=None))
        own = UnitCalendar(unit="market", calendar=NIGHTS)
        order = i.Order(actor=DISPATCHER, body={"unit": "market", "reason": "按职责"}, digest="", calendars=(own,))
        await desk.update(handle, "assign", order, result_type=i.Receipt)
        await desk.fakes.until(lambda: any(record.rules and record.rules.units for record in desk.fakes.records))
        assert await desk.update(handle, i.RECALENDAR, i.Publication(calendar=cases.newer(NIGHTS)), result_type=bool)
        assert not await desk.update(handle, i.RECALENDAR, i.Publication(calendar=NIGHTS), result_type=bool)
