"""`rectify notify` as it runs: it sends, shows its figures, survives being killed, and is ready for an outage."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.stack import free_port
from directory.demo_city import demo_directory
from domain.policy import Severity
from notices.deliverer import Deliverer
from store import directory
from store.recorder import Recorder
from tests.notices.office import Office
from tests.notices.receiver import Receiver
from tests.support.engine import ROUND_THE_CLOCK
from tests.support.records import RULES


@pytest.fixture
async def engine(file_engine: AsyncEngine) -> AsyncEngine:
    """What is meant here is the process, not the database."""
    await directory.save(file_engine, demo_directory(), ROUND_THE_CLOCK, RULES.policy, RULES.ladder)
    return file_engine


@pytest.fixture
async def today(engine: AsyncEngine) -> Office:
    return Office(engine, Recorder(engine), datetime.now(UTC))


async def launched(folder: Path, **settings: str) -> Process:
    environment = {**os.environ, "RECTIFY_DATA": str(folder), **settings}
    command = (sys.executable, "-P", "-m", "cli", "notify")
    return await asyncio.create_subprocess_exec(*command, env=environment, stdout=PIPE, stderr=PIPE)


def figure(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0


class TestTheProcess:
    async def test_killed_in_the_middle_has_its_message_sent_again(
        self, today: Office, receiver: Receiver, tmp_path: Path
    ) -> None:
        receiver.hangs = True
        await today.channel("roads", receiver, url=receiver.url(password="s3cret"))
        await today.dispatch(severity=Severity.URGENT)
        where = f"127.0.0.1:{free_port()}"
        process = await launched(tmp_path, RECTIFY_NOTICES_METRICS_ADDRESS=where, RECTIFY_LOG_LEVEL="debug")
        assert await asyncio.to_thread(receiver.arrived.acquire, timeout=20)
        figures = await _get(where)
        process.send_signal(signal.SIGKILL)
        _, log = await process.communicate()
        assert (b"rectify_notice_age_seconds" in figures, b"s3cret" in figures + log) == (True, False)
        receiver.hangs = False
        today.now = datetime.now(UTC)
        await today.deliver()
        assert (len(receiver.messages), await today.statuses()) == (1, ["pending"])
        today.now = datetime.now(UTC) + Deliverer(today.engine)._patience.lease
        await today.deliver()
        assert (len(receiver.messages), await today.statuses()) == (2, ["delivered"])

    async def test_without_a_channel_never_loads_what_sends_and_ends_when_asked(
        self, today: Office, tmp_path: Path
    ) -> None:
        program = (
            "import asyncio, sys; from store.database import open_engine; from notices.deliverer import Deliverer\n"
            f"asyncio.run(Deliverer(open_engine('sqlite:///{tmp_path}/rectify.db')).look())\n"
            "sys.exit(bool({'apprise', 'temporalio', 'fastapi'} & set(sys.modules)))"
        )
        looking = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
        process = await launched(tmp_path)
        assert process.stderr is not None
        async with asyncio.timeout(20):
            assert b"notifier_ready" in await process.stderr.readline()
        process.terminate()
        await process.communicate()
        assert (process.returncode, await looking.wait()) == (0, 0)

    async def test_on_a_database_of_another_release_refuses(self, tmp_path: Path) -> None:
        process = await launched(tmp_path / "empty")
        _, said = await process.communicate()
        assert (process.returncode, len(said.splitlines())) == (2, 1)


async def _get(address: str) -> bytes:
    host, port = address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /metrics HTTP/1.0\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return answer


class TestTheFigures:
    async def test_tell_of_a_receiver_that_refuses(self, today: Office, receiver: Receiver) -> None:
        """What deploy/alerts watches: the count of refusals and the age both move."""
        receiver.status = 500
        await today.channel("figures", receiver)
        await today.dispatch(2, severity=Severity.URGENT)
        refused, sent = (figure(f"rectify_notices_{each}_total", channel="figures") for each in ("failed", "sent"))
        begun = today.now
        for seconds in (0, 60, 600):
            today.now = begun + timedelta(seconds=seconds)
            await today.deliver()
        assert figure("rectify_notices_failed_total", channel="figures") == refused + 3
        assert (figure("rectify_notices_pending"), figure("rectify_notice_age_seconds")) == (2, 600)
        receiver.status = 200
        today.now += timedelta(minutes=30)
        await today.deliver()
        await today.deliver()
        assert figure("rectify_notices_sent_total", channel="figures") == sent + 2
        assert (figure("rectify_notices_pending"), figure("rectify_notice_age_seconds")) == (0, 0)


class TestAnOutage:
    async def test_of_the_database_is_waited_for(self, today: Office, receiver: Receiver) -> None:
        stop, failures = asyncio.Event(), 0

        def fail(_connection: object) -> None:
            nonlocal failures
            failures += 1
            raise OperationalError("BEGIN", {}, ConnectionError("the database is away"))

        await today.channel("roads", receiver)
        await today.dispatch(severity=Severity.URGENT)
        event.listen(today.engine.sync_engine, "begin", fail, insert=True)
        running = asyncio.create_task(today.deliverer().run(stop))
        while not failures:  # noqa: ASYNC110 - nothing says when
            await asyncio.sleep(0.01)
        event.remove(today.engine.sync_engine, "begin", fail)
        assert await asyncio.to_thread(receiver.arrived.acquire, timeout=10)
        stop.set()
        await running
        assert await today.statuses() == ["delivered"]
