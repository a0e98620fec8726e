"""Two live workers of different builds, as in production: who goes on where, and when a case moves."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import RoutingConfigUpdateState
from temporalio.api.workflowservice.v1 import (
    DescribeWorkerDeploymentRequest,
    SetWorkerDeploymentCurrentVersionRequest,
)
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

import worker
from settings import Settings
from tests.support.cases import UNIT
from tests.support.engine import Desk, Handle
from tests.support.lives import told

_NOT_YET = {RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION}
_PROPAGATED = RoutingConfigUpdateState.ROUTING_CONFIG_UPDATE_STATE_COMPLETED
UNVERSIONED = ""


@dataclass
class Rollout:
    """A desk whose workers belong to one deployment, and may be of several builds."""

    desk: Desk
    name: str = field(default_factory=lambda: f"rectify-{uuid4()}")

    def worker(self, build: str, versioning: str = "pinned") -> Worker:
        settings = Settings.model_validate({"deployment": self.name, "build_id": build, "versioning": versioning})
        return self.desk.worker(deployment=worker.deployment(settings))

    async def make_current(self, build: str) -> None:
        """What `temporal worker deployment set-current-version` does. Waits for the worker, and till all know of it."""
        wanted = SetWorkerDeploymentCurrentVersionRequest(
            namespace=self.desk.client.namespace, deployment_name=self.name, build_id=build
        )
        async with asyncio.timeout(20):
            while not await self._is_accepted(wanted):  # noqa: ASYNC110 - the server does not tell when
                await asyncio.sleep(0.05)
            while not await self._is_known():  # noqa: ASYNC110 - likewise
                await asyncio.sleep(0.05)

    async def _is_accepted(self, wanted: SetWorkerDeploymentCurrentVersionRequest) -> bool:
        try:
            await self.desk.client.workflow_service.set_worker_deployment_current_version(wanted)
        except RPCError as error:
            if error.status in _NOT_YET:
                return False
            raise
        return True

    async def _is_known(self) -> bool:
        asked = DescribeWorkerDeploymentRequest(namespace=self.desk.client.namespace, deployment_name=self.name)
        found = await self.desk.client.workflow_service.describe_worker_deployment(asked)
        return found.worker_deployment_info.routing_config_update_state == _PROPAGATED

    async def wake(self, handle: Handle) -> None:
        """By a command; another is answered by the run that may have come of it."""
        for text in ("已到现场", "正在清理"):
            await self.desk.give(handle, "comment", UNIT, text=text)


@dataclass(frozen=True)
class Place:
    build: str
    run: str | None


async def place(handle: Handle) -> Place:
    found = await handle.describe()
    info = found.raw_description.workflow_execution_info.versioning_info
    return Place(info.deployment_version.build_id, found.run_id)


@pytest.fixture
def rollout(temporal: WorkflowEnvironment) -> Rollout:
    return Rollout(Desk(temporal))


async def every_event_once(rollout: Rollout, handle: Handle) -> bool:
    """Nothing lost on the way, nothing twice."""
    version = (await rollout.desk.case(handle)).version
    fakes = rollout.desk.fakes
    await fakes.until(lambda: len(fakes.events(handle.id)) == version)
    events = fakes.events(handle.id)
    written = {told(event) for event in fakes.written(handle.id)}
    in_order = [event.seq for event in events] == list(range(1, version + 1))
    return in_order and written == {told(event) for event in events}


class TestPinned:
    async def test_a_case_stays_with_its_build_until_it_wakes(self, rollout: Rollout) -> None:
        desk = rollout.desk
        async with rollout.worker("A"):
            await rollout.make_current("A")
            asleep, woken = await desk.open(), await desk.open()
            await desk.give(woken, "accept", UNIT, key="k", digest="first")
            await desk.case(asleep)  # a worker has had it
            began = await place(asleep), await place(woken)
            assert {each.build for each in began} == {"A"}
            async with rollout.worker("B"):
                await rollout.make_current("B")
                new = await desk.open()
                await rollout.wake(new)
                assert ((await place(new)).build, await place(asleep), await place(woken)) == ("B", *began)
                await rollout.wake(woken)
                await desk.advance(asleep, timedelta(hours=13))
                await desk.case(asleep)  # answered by the run that came of its timer
                moved = await place(asleep), await place(woken)
                assert {each.build for each in moved} == {"B"}
                assert all(before.run != after.run for before, after in zip(began, moved, strict=True))
        async with rollout.worker("B"):  # nobody needs A any more
            again = await desk.give(woken, "accept", UNIT, key="k", digest="other")
            assert again.digest == "first"
            for case in (asleep, woken, new):
                assert await every_event_once(rollout, case)

    async def test_a_rollback_brings_back_whoever_wakes(self, rollout: Rollout) -> None:
        async with rollout.worker("A"), rollout.worker("B"):
            await rollout.make_current("B")
            case = await rollout.desk.open()
            await rollout.wake(case)
            assert (await place(case)).build == "B"
            await rollout.make_current("A")
            await rollout.wake(case)
            assert (await place(case)).build == "A"
            assert await every_event_once(rollout, case)


class TestAutoUpgrade:
    async def test_a_case_goes_on_as_it_is_under_the_new_build(self, rollout: Rollout) -> None:
        async with rollout.worker("A", "auto-upgrade"):
            await rollout.make_current("A")
            case = await rollout.desk.open()
            await rollout.wake(case)
            began = await place(case)
            async with rollout.worker("B", "auto-upgrade"):
                await rollout.make_current("B")
                await rollout.wake(case)
                assert await place(case) == Place("B", began.run)
                assert await every_event_once(rollout, case)


class TestWithoutADeployment:
    async def test_a_case_joins_one_when_it_is_introduced_and_leaves_it_when_it_is_given_up(
        self, rollout: Rollout
    ) -> None:
        async with rollout.desk.worker():
            case = await rollout.desk.open()
            await rollout.wake(case)
            began = await place(case)
            assert began.build == UNVERSIONED
            async with rollout.worker("A"):
                await rollout.make_current("A")
                await rollout.wake(case)
                assert await place(case) == Place("A", began.run)
                await rollout.make_current(UNVERSIONED)
                await rollout.wake(case)
                assert (await place(case)).build == UNVERSIONED
            assert await every_event_once(rollout, case)
