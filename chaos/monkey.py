"""What goes wrong and when. The plan follows from the seed alone; carrying it out meets the machine as it is."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from random import Random

import psutil

from chaos.databases import Database, kill_whole
from chaos.disk import Disk
from chaos.proxy import Proxy
from chaos.stack import Stack, each, send

#: Kinds of trouble, and for how many seconds at least and at most. Freezes outlast the timeouts of those who wait for
#: the frozen: 10 s for a workflow task and for an attempt to record, 4 s for a client, 2 s for the first record.
KINDS: dict[str, tuple[float, float]] = {
    "kill-worker": (0.0, 0.0),
    "kill-api": (0.0, 0.0),
    "kill-temporal": (0.0, 0.0),
    "kill-database": (0.5, 2.0),
    "kill-everything": (0.0, 0.0),
    "freeze-worker": (11.0, 14.0),
    "freeze-api": (5.0, 7.0),
    "freeze-temporal": (11.0, 14.0),
    "freeze-database": (4.0, 6.0),
    "database-refuses": (3.0, 6.0),
    "database-hangs": (4.0, 7.0),
    "disk-full": (3.0, 6.0),
    "answers-cut": (1.5, 3.0),
    "answers-silent": (4.5, 6.0),
}
#: These need a database with a process of its own.
_SERVER_ONLY = frozenset({"kill-database", "freeze-database"})
#: Seconds of peace between two: sometimes too few to recover in. Less where time is short, but never less than this.
_PEACE = (0.5, 3.0)
_LEAST_PEACE = 0.2
#: These do nothing to a worker that is not there.
_ON_WORKER = frozenset({"database-refuses", "disk-full"})
#: How often, and in which seconds, a victim is looked for: everything may just be starting.
_LOOKS, _LOOK_AGAIN = 80, 0.25
#: Before the first and after the last.
CALM = 2.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """`at`: seconds after the beginning; `seconds`: how long it lasts."""

    at: float
    kind: str
    seconds: float


def kinds_for(*, server: bool, only: frozenset[str] = frozenset()) -> list[str]:
    """`server`: see `_SERVER_ONLY`."""
    return [kind for kind in KINDS if (server or kind not in _SERVER_ONLY) and (not only or kind in only)]


def plan(seed: int, seconds: float, *, server: bool, only: frozenset[str] = frozenset()) -> list[Trouble]:
    """All kinds in random order, then all again in another, until the time is up; what does not fit is left out."""
    dice = Random(seed)  # noqa: S311 - it has to be repeatable, not secret
    kinds = kinds_for(server=server, only=only)
    if not kinds:
        return []
    hurry = _hurry(kinds, seconds - 2 * CALM)
    troubles: list[Trouble] = []
    at = CALM
    for nth, kind in enumerate(_shuffled(dice, kinds)):
        lasts = _lasts(dice, kind, hurry)
        if at + lasts <= seconds - CALM:
            troubles.append(Trouble(round(at, 2), kind, lasts))
            at += lasts + max(_LEAST_PEACE, dice.uniform(*_PEACE) * hurry)
        elif nth >= len(kinds):
            break
    return troubles


def _hurry(kinds: list[str], seconds: float) -> float:
    """1 where every kind fits at its longest with peace between; less and less, down to 0, where time is short."""
    least = sum(KINDS[kind][0] + _LEAST_PEACE for kind in kinds)
    most = sum(KINDS[kind][1] + _PEACE[1] for kind in kinds)
    return min(1.0, max(0.0, (seconds - least) / (most - least)))


def _lasts(dice: Random, kind: str, hurry: float) -> float:
    least, most = KINDS[kind]
    return round(dice.uniform(least, least + (most - least) * hurry), 2)


def _shuffled(dice: Random, kinds: list[str]) -> Iterator[str]:
    while True:
        yield from dice.sample(kinds, len(kinds))


@dataclass
class Monkey:
    """`did` is what it really did: where there was no victim, nothing was done."""

    stack: Stack
    database: Database
    disk: Disk
    proxy: Proxy
    say: Callable[[str], None]
    did: list[str] = field(default_factory=list)

    async def work(self, troubles: list[Trouble]) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for trouble in troubles:
            await asyncio.sleep(max(0.0, began + trouble.at - loop.time()))
            how = await self._cause(trouble)
            if how is not None:
                self.did.append(trouble.kind)
            happened = how or "was not there"
            self.say(f"{loop.time() - began:7.1f} s  {trouble.kind:<17} {trouble.seconds:4.1f} s  {happened}")

    async def _cause(self, trouble: Trouble) -> str | None:
        """How it was done; None if it was not."""
        what, _, whom = trouble.kind.partition("-")
        match what:
            case "kill":
                return await self._kill(whom, trouble.seconds)
            case "freeze":
                return await self._freeze(whom, trouble.seconds)
            case _:
                return await self._disturb(trouble)

    async def _kill(self, whom: str, seconds: float) -> str | None:
        victim = await self._victim(whom)
        if whom == "database":
            if victim is None:
                return None
            kill_whole(victim)
            await asyncio.sleep(seconds)
            await self.database.restart()
            return "and started again"
        return "SIGKILL" if send(victim, signal.SIGKILL) else None

    async def _victim(self, whom: str) -> psutil.Process | None:
        """One that is just being started is waited for a little: there is no sport in killing the dead."""
        find = {"everything": self.stack.supervisor, "database": self.database.server}.get(
            whom, lambda: self.stack.child(whom)
        )
        for _ in range(_LOOKS):
            if victim := find():
                return victim
            await asyncio.sleep(_LOOK_AGAIN)
        return None

    async def _freeze(self, whom: str, seconds: float) -> str | None:
        victim = await self._victim(whom)
        if victim is None or not send(victim, signal.SIGSTOP):
            return None
        each(victim, lambda one: one.send_signal(signal.SIGSTOP))
        try:
            await asyncio.sleep(seconds)
        finally:
            each(victim, lambda one: one.send_signal(signal.SIGCONT))
        return "SIGSTOP"

    async def _disturb(self, trouble: Trouble) -> str | None:
        if trouble.kind in _ON_WORKER and await self._victim("worker") is None:
            return None
        disturbed = {
            "database-refuses": lambda: self.database.refusing(self.stack),
            "database-hangs": self.database.hanging,
            "disk-full": lambda: self.disk.full(self.stack),
            "answers-cut": self._cut,
            "answers-silent": self._silent,
        }[trouble.kind]
        async with disturbed() as how:
            await asyncio.sleep(trouble.seconds)
        return how

    @contextlib.asynccontextmanager
    async def _cut(self) -> AsyncIterator[str]:
        self.proxy.spoil("cut")
        yield "requests arrive, lines break before their answers"
        self.proxy.heal()

    @contextlib.asynccontextmanager
    async def _silent(self) -> AsyncIterator[str]:
        self.proxy.spoil("silent")
        yield "requests arrive, nothing comes back"
        self.proxy.heal()
