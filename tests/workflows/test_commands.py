"""Commands as updates of a real server: carried out once, or refused without a trace."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner

from domain import life
from domain.case import Stage
from domain.errors import Conflict, RectifyError
from domain.lifecycle import RULES
from tests.support.cases import INSPECTOR, OTHER_PHOTO, OTHER_UNIT, SUPERVISOR, UNIT, UNIT_COLLEAGUE
from tests.support.engine import Desk, Handle, report
from workflows import interface as i


async def submitted(desk: Desk, handle: Handle) -> i.Receipt:
    return await desk.give(handle, "submit", UNIT, note="清理完毕", evidence=[OTHER_PHOTO])


async def event_count(handle: Handle) -> int:
    return len((await handle.fetch_history()).events)


class TestALife:
    async def test_goes_from_the_street_to_closure(self, desk: Desk) -> None:
        handle = await desk.open()
        await desk.give(handle, "accept", UNIT)
        await desk.give(handle, "request-extension", UNIT, reason="下雨")
        await desk.give(handle, "decide-extension", SUPERVISOR, grant=True, reason="可以")
        await submitted(desk, handle)
        failed = await desk.give(handle, "inspect", INSPECTOR, result="fail", note="仍有积水")
        assert (failed.case.stage, failed.case.round) == (Stage.RECTIFICATION, 2)
        await submitted(desk, handle)
        passed = await desk.give(handle, "inspect", INSPECTOR, result="pass", note="已整改")
        assert passed.case.stage is Stage.CLOSURE
        assert passed.case.closed_at is not None
        assert await desk.case(handle) == passed.case

    async def test_is_recorded_by_the_time_the_caller_hears_of_it(self, desk: Desk) -> None:
        handle = await desk.open()
        receipt = await desk.give(handle, "accept", UNIT)
        assert desk.fakes.facts(handle.id) == ["CaseOpened", "CaseDispatched", "CaseAccepted"]
        assert desk.fakes.records[-1].case == receipt.case

    async def test_sends_its_rules_along_once(self, quick_desk: Desk) -> None:
        handle = await quick_desk.open()
        await quick_desk.fakes.until(lambda: bool(quick_desk.fakes.records))
        await quick_desk.give(handle, "accept", UNIT)
        assert [record.rules is not None for record in quick_desk.fakes.records] == [True, False]


class TestARefusal:
    async def test_says_what_the_core_says(self, desk: Desk) -> None:
        handle = await desk.open()
        with pytest.raises(Conflict) as refusal:
            await submitted(desk, handle)
        assert refusal.value.code == "stage_forbids"
        assert refusal.value.params["stage"] == "assignment"
        assert refusal.value.params["actions"] == ["accept", "return", "comment"]

    async def test_leaves_no_event_in_history(self, quick_desk: Desk) -> None:
        handle = await quick_desk.open()
        await quick_desk.give(handle, "accept", UNIT)
        before = await event_count(handle)
        with pytest.raises(Conflict):
            await quick_desk.give(handle, "accept", UNIT)
        assert await event_count(handle) == before

    async def test_does_not_use_up_the_key(self, desk: Desk) -> None:
        handle = await desk.open()
        with pytest.raises(Conflict):
            await desk.give(handle, "submit", UNIT, key="same", note="完", evidence=[OTHER_PHOTO])
        receipt = await desk.give(handle, "accept", UNIT, key="same")
        assert receipt.case.stage is Stage.RECTIFICATION


@pytest.fixture(scope="module")
async def shared(temporal: WorkflowEnvironment) -> AsyncIterator[tuple[Desk, Handle]]:
    desk = Desk(temporal)
    async with desk.worker():
        yield desk, await desk.open()


class TestEveryCommand:
    @pytest.mark.parametrize("name", sorted(RULES))
    async def test_reaches_the_core_by_its_own_name(self, name: str, shared: tuple[Desk, Handle]) -> None:
        """A body that lacks what it needs, or a refusal by the core: either way the name was understood."""
        desk, handle = shared
        with pytest.raises((RectifyError, WorkflowUpdateFailedError)) as refusal:
            await desk.give(handle, name, OTHER_UNIT)
        assert not _is_unknown(refusal.value)


def _is_unknown(error: BaseException) -> bool:
    cause = getattr(error, "cause", None)
    return isinstance(cause, ApplicationError) and cause.type == "unknown_command"


class TestNonsense:
    async def test_an_unknown_command_is_refused_and_the_case_goes_on(self, desk: Desk) -> None:
        handle = await desk.open()
        with pytest.raises(WorkflowUpdateFailedError) as refusal:
            await desk.give(handle, "abolish", UNIT)
        assert _is_unknown(refusal.value)
        assert (await desk.give(handle, "accept", UNIT)).case.stage is Stage.RECTIFICATION

    @pytest.mark.parametrize("arguments", [(), ("text",), ({"actor": 7},), (None,)], ids=str)
    async def test_an_order_that_cannot_be_read_is_refused_and_the_case_goes_on(
        self, arguments: tuple[object, ...], quick_desk: Desk
    ) -> None:
        handle = await quick_desk.open()
        with pytest.raises(WorkflowUpdateFailedError):
            await quick_desk.update(handle, "accept", *arguments)
        assert (await quick_desk.give(handle, "accept", UNIT)).case.stage is Stage.RECTIFICATION

    async def test_a_body_that_does_not_fit_is_refused_and_the_case_goes_on(self, desk: Desk) -> None:
        handle = await desk.open()
        with pytest.raises(WorkflowUpdateFailedError):
            await desk.give(handle, "return", UNIT, reason=7)
        assert (await desk.give(handle, "accept", UNIT)).case.stage is Stage.RECTIFICATION

    async def test_a_publication_that_cannot_be_read_is_refused_and_the_case_goes_on(self, quick_desk: Desk) -> None:
        handle = await quick_desk.open()
        with pytest.raises(WorkflowUpdateFailedError):
            await quick_desk.update(handle, i.RECALENDAR, {"calendar": "nonsense"})
        assert (await quick_desk.give(handle, "accept", UNIT)).case.stage is Stage.RECTIFICATION


class TestAFaultInTheCore:
    @pytest.mark.parametrize("place", ["give", "snapshot"])
    async def test_is_an_internal_error_and_the_case_goes_on(
        self, place: str, lonely_desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with lonely_desk.worker(runner=UnsandboxedWorkflowRunner()):
            handle = await lonely_desk.open()
            await lonely_desk.fakes.until(lambda: bool(lonely_desk.fakes.records))
            with monkeypatch.context() as broken:
                broken.setattr(life, place, _broken)
                with pytest.raises(WorkflowUpdateFailedError) as failure:
                    await lonely_desk.give(handle, "accept", UNIT)
            assert isinstance(failure.value.cause, ApplicationError)
            assert failure.value.cause.type == "internal_error"
            receipt = await lonely_desk.give(handle, "accept", UNIT)
            assert (receipt.case.stage, receipt.case.version) == (Stage.RECTIFICATION, 3)


def _broken(*_: object) -> None:
    raise ZeroDivisionError("a fault in the core")


class TestTheSameKey:
    async def test_has_one_effect_and_one_receipt(self, desk: Desk) -> None:
        handle = await desk.open()
        first = await desk.give(handle, "accept", UNIT, key="k", digest="d")
        again = await desk.give(handle, "accept", UNIT, key="k", digest="d")
        assert again == first
        assert desk.fakes.facts(handle.id).count("CaseAccepted") == 1

    async def test_with_another_order_shows_which_order_was_carried_out(self, desk: Desk) -> None:
        handle = await desk.open()
        await desk.give(handle, "accept", UNIT, key="k", digest="first")
        other = await desk.give(handle, "comment", UNIT, key="k", digest="other", text="另一件事")
        assert other.digest == "first"

    async def test_at_the_same_instant_has_one_effect(self, desk: Desk) -> None:
        handle = await desk.open()
        both = await asyncio.gather(*(desk.give(handle, "comment", UNIT, key="k", text="一次") for _ in range(5)))
        assert len({receipt.case.version for receipt in both}) == 1


class TestTwoAtTheSameInstant:
    async def test_one_wins_and_the_other_hears_how_the_case_stands_now(self, desk: Desk) -> None:
        handle = await desk.open()
        both = await asyncio.gather(
            desk.give(handle, "accept", UNIT),
            desk.give(handle, "accept", UNIT_COLLEAGUE),
            return_exceptions=True,
        )
        (won,) = [one for one in both if isinstance(one, i.Receipt)]
        (lost,) = [one for one in both if isinstance(one, Conflict)]
        assert (lost.code, lost.params["stage"]) == ("stage_forbids", "rectification")
        assert lost.params["actions"] == ["submit", "request-extension", "comment"]
        assert (await desk.case(handle)).version == won.case.version


class TestWithoutAWorker:
    async def test_a_case_opens_and_takes_commands_once_a_worker_comes(self, lonely_desk: Desk) -> None:
        handle = await lonely_desk.open()
        waiting = asyncio.create_task(lonely_desk.give(handle, "accept", UNIT))
        async with lonely_desk.worker():
            assert (await waiting).case.stage is Stage.RECTIFICATION

    async def test_the_answer_to_an_opening_is_the_case_that_then_exists(self, lonely_desk: Desk) -> None:
        opening = report()
        promised = life.snapshot(life.open_case(opening)[0])
        handle = await lonely_desk.open(opening)
        async with lonely_desk.worker():
            assert await lonely_desk.case(handle) == promised
