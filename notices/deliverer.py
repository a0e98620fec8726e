"""Sends what is due. Each channel is served apart, in a thread of its own, so that a dead one delays no other.

At least once: who dies between the receiver's yes and our mark sends again when the lease has ended. Any number may
run: a channel's lease lets one of them send at a time.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Thread
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.calendar import Calendar
from notices import metrics, services, texts
from notices.timing import rest, timing
from store import directory
from store import notices as stored
from store.notices import Claim

_log = structlog.get_logger()

#: What a database that does not answer raises.
_OUTAGES = (SQLAlchemyError, OSError, TimeoutError)
#: Seconds between two looks at the tables, and between two tries to write down what came of a message.
LOOK_EVERY, _WRITE_AGAIN = 1.0, 0.5
#: Seconds a stop waits for messages on their way; afterwards they are sent again when their lease ends.
GRACE = 1.0
_NO_CITY = ZoneInfo("UTC")

#: Takes address, title and body; None is a yes, text a no.
Send = Callable[[str, str, str], str | None]


@dataclass(frozen=True, slots=True)
class Patience:
    """`answer`: a receiver that has not answered so long has failed. `lease` must outlast it by far."""

    answer: timedelta = timedelta(seconds=20)
    lease: timedelta = timedelta(seconds=60)


def utc_now() -> datetime:
    return datetime.now(UTC)


class Deliverer:
    def __init__(  # noqa: PLR0913 - what a test wants to choose
        self,
        engine: AsyncEngine,
        *,
        public_url: str | None = None,
        now: Callable[[], datetime] = utc_now,
        send: Send = services.send,
        chance: Callable[[], float] = random.random,  # noqa: S311 - spreads retries, guards nothing
        patience: Patience = Patience(),
    ) -> None:
        self._engine = engine
        self._public_url = public_url
        self._now = now
        self._send = send
        self._chance = chance
        self._patience = patience
        self._serving: dict[str, asyncio.Task[None]] = {}
        self._stuck: dict[str, Future[str | None]] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. An outage of the database is waited for."""
        while not stop.is_set():
            try:
                await self.look()
            except _OUTAGES as error:
                _log.warning("store_unavailable", error=type(error).__name__)
            await _either(stop.wait(), LOOK_EVERY)
        if self._serving:
            await asyncio.wait(self._serving.values(), timeout=GRACE)
        for task in self._serving.values():
            task.cancel()

    async def look(self) -> None:
        """Plans what is new, begins to send what is due, counts what waits. Waits for no receiver."""
        await self._plan()
        for channel in await stored.ready(self._engine, self._now()):
            if channel not in self._serving and not self._is_stuck(channel):
                task = asyncio.create_task(self._serve(channel), name=f"channel {channel}")
                self._serving[channel] = task
                task.add_done_callback(partial(self._served, channel))
        metrics.show(await stored.waiting(self._engine, self._now()), self._now())

    async def settle(self) -> None:
        """Until nothing is being sent."""
        while self._serving:
            await asyncio.wait(self._serving.values())
            await asyncio.sleep(0)  # their last words come after them

    async def _plan(self) -> None:
        channels = await stored.behind(self._engine)
        if not channels:
            return
        calendar = await self._calendar()
        for channel in channels:
            metrics.know(channel)
            now = self._now()
            while await stored.plan(self._engine, channel, now, partial(timing, calendar=calendar, now=now)):
                pass

    async def _calendar(self) -> Calendar | None:
        try:
            return (await directory.current_rules(self._engine))[2]
        except LookupError:
            return None

    def _is_stuck(self, channel: str) -> bool:
        """Whether a thread of ours still hangs at its receiver, long after we gave up on it."""
        if channel in self._stuck and self._stuck[channel].done():
            del self._stuck[channel]
        return channel in self._stuck

    def _served(self, channel: str, task: asyncio.Task[None]) -> None:
        del self._serving[channel]
        if not task.cancelled() and (error := task.exception()):
            _log.error("channel_not_served", channel=channel, error=type(error).__name__)

    async def _serve(self, channel: str) -> None:
        """Message after message while there is one to send."""
        while claim := await stored.claim(self._engine, channel, self._now(), self._patience.lease):
            if not await self._deliver(claim):
                return

    async def _deliver(self, claim: Claim) -> bool:
        message = await self._message(claim)
        told = [item.delivery for item in claim.items[: message.tells]]
        refusal = await self._attempt(claim, message)
        channel = claim.channel.id
        if refusal is None:
            metrics.SENT.labels(channel).inc(len(told))
            await self._write_down(lambda: stored.delivered(self._engine, claim, told, self._now()))
            _log.info("notices_sent", channel=channel, count=len(told))
            return True
        metrics.FAILED.labels(channel).inc(len(told))
        wait = rest(claim.failures + 1, self._chance())
        _log.warning("notices_refused", channel=channel, count=len(told), why=refusal, again_in=wait.total_seconds())
        write = partial(stored.failed, self._engine, claim, told)
        await self._write_down(lambda: write(self._now(), refusal, self._now() + wait))
        return False

    async def _message(self, claim: Claim) -> texts.Message:
        names = await stored.names(self._engine, claim.items)
        calendar = await self._calendar()
        style = texts.Style(calendar.tz if calendar else _NO_CITY, self._public_url)
        return texts.compose(claim.items, names, style, services.longest(claim.channel.service))

    async def _attempt(self, claim: Claim, message: texts.Message) -> str | None:
        """The refusal, if it is one. A receiver that does not answer in time is left to its thread."""
        sending = in_thread(partial(self._send, claim.channel.url, message.title, message.body))
        try:
            async with asyncio.timeout(self._patience.answer.total_seconds()):
                return await asyncio.shield(asyncio.wrap_future(sending))
        except TimeoutError:
            self._stuck[claim.channel.id] = sending
            return "no answer in time"

    async def _write_down(self, write: Callable[[], Awaitable[None]]) -> None:
        """However long the database is away: forgotten, a delivered message would be sent again."""
        while True:
            try:
                await write()
            except _OUTAGES as error:
                _log.warning("store_unavailable", error=type(error).__name__)
                await asyncio.sleep(_WRITE_AGAIN)
            else:
                return


def in_thread(work: Callable[[], str | None]) -> "Future[str | None]":
    """A daemon's: nobody has to wait for one that hangs, not even at the end of the process."""
    result: Future[str | None] = Future()

    def run() -> None:
        try:
            result.set_result(work())
        except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to who waits
            result.set_exception(error)

    Thread(target=run, name="notice", daemon=True).start()
    return result


async def _either(wished: Awaitable[object], seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await wished
    except TimeoutError:
        pass
