"""One run against one kind of read model: found a city, let people work while the monkey does, settle, judge."""

import asyncio
import contextlib
import shutil
import signal
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import httpx
import psycopg
from temporalio.exceptions import TemporalError

from chaos import city
from chaos.databases import Database, Postgresql, Sqlite
from chaos.desk import Desk, Journal, client
from chaos.disk import Disk
from chaos.follower import Follower
from chaos.judge import tables, truth
from chaos.judge.evidence import Evidence, Lists, Truth
from chaos.judge.ladder import Rules
from chaos.judge.verdict import Verdict, judge
from chaos.monkey import Monkey, Trouble, kinds_for, plan
from chaos.people import STAFF, Person, Town
from chaos.proxy import Proxy
from chaos.stack import HOST, Stack, send

#: Seconds: to come up; to answer what was begun; to write down what is known. A recording is tried every 30 s at least.
_TO_START, TO_ANSWER, TO_SETTLE = 60.0, 60.0, 75.0
_LOOK_AGAIN = 2.0
#: How often in a row what no waiting mends has to be seen: a case that moves while it is read looks odd for once.
_SURE = 2
_TROUBLES = (OSError, TemporalError, RuntimeError, sqlite3.Error, psycopg.Error, httpx.HTTPError)


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted. `only`: no other kinds of trouble. `patience`: seconds to settle in, at most."""

    store: str
    seconds: float
    seed: int
    plants: tuple[str, ...] = ()
    only: frozenset[str] = frozenset()
    patience: float = TO_SETTLE


@dataclass(frozen=True, slots=True)
class Outcome:
    """`left_out`: kinds for which there was no time. `missed`: planned, and never really done."""

    order: Order
    verdict: Verdict
    did: Counter[str]
    left_out: tuple[str, ...]
    missed: tuple[str, ...]
    disk: str
    starts: int
    settled_after: float
    folder: Path

    @property
    def good(self) -> bool:
        """Every promise was kept, and tried by all that was planned."""
        return self.verdict.clean and not self.missed


@dataclass
class Campaign:
    order: Order
    folder: Path
    say: Callable[[str], None]
    database: Database = field(init=False)
    disk: Disk = field(init=False)
    stack: Stack = field(init=False)
    proxy: Proxy = field(init=False)
    journal: Journal = field(init=False)
    follower: Follower = field(init=False)
    tokens: dict[str, str] = field(init=False)
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    given_up: asyncio.Event = field(default_factory=asyncio.Event)
    truths: dict[str, Truth] = field(default_factory=dict)

    async def run(self) -> Outcome:
        self.say(f"{self.order.store}:")
        async with self._open() as url:
            monkey = Monkey(self.stack, self.database, self.disk, self.proxy, self.say)
            await self._days_work(url, monkey)
            send(self.stack.child("worker"), signal.SIGKILL)  # so that every case has to be found in its history again
            verdict = None
            try:
                verdict, seconds = await self._settle()
            finally:
                if verdict is None or not verdict.clean:
                    self._keep_evidence()
        return self._outcome(verdict, monkey, round(seconds, 1))

    def _outcome(self, verdict: Verdict, monkey: Monkey, seconds: float) -> Outcome:
        planned = {trouble.kind for trouble in self._plan()}
        return Outcome(
            order=self.order,
            verdict=verdict,
            did=Counter(monkey.did),
            left_out=tuple(kind for kind in self._kinds() if kind not in planned),
            missed=tuple(sorted(planned - set(monkey.did))),
            disk=self.disk.way,
            starts=self.stack.starts,
            settled_after=seconds,
            folder=self.folder,
        )

    def _plan(self) -> list[Trouble]:
        order = self.order
        return plan(order.seed, order.seconds, server=order.store != "sqlite", only=order.only)

    def _kinds(self) -> list[str]:
        return kinds_for(server=self.order.store != "sqlite", only=self.order.only)

    def _keep_evidence(self) -> None:
        """The disk of the run is gone with it."""
        shutil.copytree(self.folder / "data", self.folder / "evidence", ignore=shutil.ignore_patterns("lock"))

    @contextlib.asynccontextmanager
    async def _open(self) -> AsyncIterator[str]:
        """Everything is up and the proxy listens at the address."""
        data = self.folder / "data"
        async with contextlib.AsyncExitStack() as stack:
            self.disk = Disk(data)
            stack.callback(self.disk.close)
            self.database = Sqlite(data / "rectify.db") if self.order.store == "sqlite" else Postgresql(self.folder)
            await self.database.open()
            stack.push_async_callback(self.database.close)
            self.tokens = await city.found(self.database.url)
            self.stack = Stack(data, self.database.url, self.folder / "stack.log", self.order.plants)
            await self.stack.start()
            stack.push_async_callback(self.stack.stop)
            await self.stack.ready(_TO_START)
            self.proxy = Proxy(HOST, self.stack.port)
            port = await stack.enter_async_context(self.proxy.listening(HOST))
            self.journal = Journal(stack.enter_context((self.folder / "journal.jsonl").open("wb")))
            yield f"http://{HOST}:{port}"

    async def _days_work(self, url: str, monkey: Monkey) -> None:
        async with contextlib.AsyncExitStack() as stack:
            clients = {user: client(url, token) for user, token in self.tokens.items()}
            for each in clients.values():
                await stack.enter_async_context(each)
            self.follower = Follower(clients["admin"])
            following = asyncio.create_task(self.follower.follow(), name="follower")
            people = [asyncio.create_task(person.work()) for person in self.people(clients)]
            await asyncio.gather(monkey.work(self._plan()), asyncio.sleep(self.order.seconds))
            self.proxy.heal()
            await self._finish(people)
            following.cancel()
            await asyncio.wait([following])

    def people(self, clients: dict[str, httpx.AsyncClient]) -> list[Person]:
        town = Town()
        people = []
        for user, role, hands, opens in STAFF:
            for nth in range(hands):
                name = f"{user}-{nth}"
                desk = Desk(user, name, clients[user], self.journal, self.closing, self.given_up)
                people.append(Person(role, desk, town, Random(f"{self.order.seed}:{name}"), opens=opens))  # noqa: S311 - repeatable
        return people

    async def _finish(self, people: Sequence[asyncio.Task[None]]) -> None:
        """What was begun is repeated until it is answered."""
        self.closing.set()
        _, late = await asyncio.wait(people, timeout=TO_ANSWER)
        self.given_up.set()
        if late:
            await asyncio.wait(late)
        for each in people:
            each.result()

    async def _settle(self) -> tuple[Verdict, float]:
        """Judges until there is nothing to find any more, or it has had long enough to put itself right."""
        began, verdict, hopeless = time.monotonic(), None, 0
        rules = Rules.read(city.RULES.read_text("utf-8"))
        while True:
            try:
                verdict = judge(await self._evidence(verdict), rules)
                hopeless = hopeless + 1 if verdict.hopeless else 0
            except _TROUBLES as trouble:
                self.say(f"证据还拿不到。 no evidence yet: {type(trouble).__name__}: {str(trouble)[:120]}")
                if verdict is None and time.monotonic() - began > self.order.patience:
                    raise
            seconds = time.monotonic() - began
            if verdict is not None and (verdict.clean or hopeless == _SURE or seconds > self.order.patience):
                return verdict, seconds
            await asyncio.sleep(_LOOK_AGAIN)

    async def _evidence(self, before: Verdict | None) -> Evidence:
        """Cases that were found in order are not asked again, unless the lists have moved on since."""
        await self._listen()
        lists = await asyncio.to_thread(tables.read, self.database.url)
        told = {each.case for each in self.journal.told if each.acknowledged and each.case}
        wanted = told | lists.cases.keys() | await truth.known_cases(self.stack.temporal)
        suspects = before.suspects if before else frozenset()
        stale = [case for case in wanted if case in suspects or self._is_behind(case, lists)]
        self.truths |= await truth.read(self.stack.temporal, stale)
        return Evidence(self.journal.told, self.truths, lists, self.follower.heard())

    def _is_behind(self, case: str, lists: Lists) -> bool:
        known, listed = self.truths.get(case), lists.cases.get(case)
        return known is None or (listed is not None and listed.version != known.snapshot.get("version"))

    async def _listen(self) -> None:
        """To the end of the feed."""
        direct = client(f"http://{HOST}:{self.stack.port}", self.tokens["admin"])
        async with direct:
            self.follower.through(direct)
            while await self.follower.listen():
                pass


async def run(
    order: Order, say: Callable[[str], None], *, keep: bool = False, kind: type[Campaign] = Campaign
) -> Outcome:
    """In a fresh folder, which is left only if `keep` or if something was found."""
    folder = Path(tempfile.mkdtemp(prefix="rectify-chaos-", dir="/tmp"))
    outcome = await kind(order, folder, say).run()
    if outcome.good and not keep:
        shutil.rmtree(folder, ignore_errors=True)
    return outcome
