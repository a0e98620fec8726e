"""Ours against the same life on DBOS (`bench/peer`), on PostgreSQL and on SQLite, in alternating pairs.

Compared is HTTP with HTTP: our whole stack with sign-in, rules, clocks and recording against DBOS with a FastAPI front
that records each event and the case's row. Our read model is in the same kind of database; Temporal keeps its own in
SQLite both times. DBOS without HTTP, its load generator inside its process, is measured beside.
"""

import sqlite3
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.figures import Json, median_ratio, spread
from bench.load import Hands, Log, People, at_once, run, timed
from bench.progress import say
from bench.results import Outcome
from bench.stack import ROOT, embedded, free_port, new_database, postgres, program, wait_for
from bench.wire import Caller

LIVES, QUICK = 200, 24
AT_ONCE = 30
_PATIENCE = 600


class Store(NamedTuple):
    """Where the peer keeps its cases, where DBOS keeps its own, how often it looks there (seconds), and where we."""

    cases: str
    system: str
    polling: float = 1.0
    ours: str | None = None


@dataclass
class Pair:
    """Lives a second and commands of one arrangement, pair by pair."""

    theirs: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    their_log: Log = field(default_factory=Log)
    our_log: Log = field(default_factory=Log)


class Peer:
    """The peer's hands: the same four calls."""

    def __init__(self, port: int) -> None:
        self._caller = Caller(f"http://127.0.0.1:{port}")

    async def live(self, log: Log) -> None:
        report: Json = {"category": "E0110", "description": "巷口生活垃圾", "location": {"lon": 120.15, "lat": 30.28}}
        with timed(log.openings):
            case = f"/cases/{(await self._caller.post('/cases', report, uuid.uuid4().hex))['id']}"
        with timed(log.commands):
            await self._caller.post(f"{case}/accept", {})
        with timed(log.commands):
            await self._caller.post(f"{case}/submit", {"note": "已清运", "evidence": ["0" * 64]})
        with timed(log.commands):
            closed = await self._caller.post(f"{case}/inspect", {"result": "pass", "note": "合格"})
        assert closed["stage"] == "closure", closed

    def close(self) -> None:
        self._caller.close()


def measure(*, quick: bool) -> Outcome:
    lives, pairs = (QUICK, 1) if quick else (LIVES, 3)
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="rectify-peer-")))
        server = running.enter_context(postgres())
        database = new_database(server)
        arrangements = {
            "postgres": Store(database, database, ours=new_database(server)),
            "sqlite": _files(folder / "as_shipped"),
            "sqlite_tuned": _tuned(_files(folder / "tuned")),
        }
        found = {name: _compared(name, store, lives, pairs) for name, store in arrangements.items()}
    size: Json = {"lives": lives, "at_once": AT_ONCE, "pairs": pairs, "calls_per_life": 4}
    ratios = {name: each["ratio"] for name, each in found.items()}
    return Outcome(size, {"peer_ratio": ratios}, {"by_store": found})


def _files(folder: Path) -> Store:
    """DBOS as it comes: rollback journal, a look each second. In a file of its own, or the two lock each other out."""
    folder.mkdir()
    return Store(f"sqlite:///{folder}/cases.db", f"sqlite:///{folder}/dbos.db")


def _tuned(store: Store) -> Store:
    """With a write-ahead log, as our own files have, and twenty looks a second."""
    for url in (store.cases, store.system):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
            database.execute("PRAGMA journal_mode = WAL")
    return store._replace(polling=0.05)


def _compared(name: str, store: Store, lives: int, pairs: int) -> Json:
    pair = Pair()
    with embedded(store.ours) as stack, peer_running(store, stack.folder / "peer.log") as port:
        run(_alternating(name, (Peer(port), People(stack)), pair, lives, pairs))
    bare = _bare(store, lives, pairs)
    say(f"peer, {name}: without HTTP {median(bare):.1f} lives/s")
    return {
        "ratio": median_ratio(list(zip(pair.theirs, pair.ours, strict=True))),
        "ratio_to_dbos_without_http": round(median(pair.ours) / median(bare), 3),
        "ours": {"lives_per_second": round(median(pair.ours), 2), "command": spread(pair.our_log.commands)},
        "dbos": {"lives_per_second": round(median(pair.theirs), 2), "command": spread(pair.their_log.commands)},
        "dbos_without_http": {"lives_per_second": round(median(bare), 2)},
        "polling_seconds": store.polling,
    }


async def _alternating(name: str, sides: tuple[Peer, People], pair: Pair, lives: int, pairs: int) -> Json:
    peer, people = sides
    await people.prepare()
    for hands in (peer, people):
        await _lives(hands, Log(), AT_ONCE)
    for _ in range(pairs):
        pair.theirs.append(await _lives(peer, pair.their_log, lives))
        pair.ours.append(await _lives(people, pair.our_log, lives))
        say(f"peer, {name}: DBOS {pair.theirs[-1]:.1f} lives/s, ours {pair.ours[-1]:.1f}, both over HTTP")
    peer.close()
    people.close()
    return {}


async def _lives(hands: Hands, log: Log, lives: int) -> float:
    return lives / await at_once(lives, AT_ONCE, lambda: hands.live(log))


@contextmanager
def peer_running(store: Store, log: Path) -> Iterator[int]:
    """Its port."""
    port = free_port()
    with program([*_command(store), "http", str(port)], {"PYTHONPATH": str(ROOT)}, log=log) as process:
        wait_for(f"http://127.0.0.1:{port}/readyz", process, log)
        yield port


def _bare(store: Store, lives: int, repetitions: int) -> list[float]:
    command = [*_command(store), "bare", *map(str, (lives, AT_ONCE, repetitions))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_PATIENCE, check=False)  # noqa: S603 - our own
    if done.returncode:
        raise RuntimeError(f"the peer without HTTP failed:\n{done.stderr[-2000:]}")
    return [float(line) for line in done.stdout.split()]


def _command(store: Store) -> list[str]:
    return [sys.executable, "-m", "bench.peer.app", store.cases, store.system, str(store.polling)]
