"""The herd: thousands of open cases whose deadline falls into the same second, against as many bare timers.

At that instant a case notes that it is overdue, fires the first rung of the ladder, arms its timer for the next rung
and has all of it recorded; a bare workflow's timer fires and it arms another. Both are drained once the last one has
done so: ours when it can be read in SQL, theirs when the worker has taken it up. Meanwhile commands are given to other
cases at a steady rate, on both sides. Each has a stack of its own: a herd leaves thousands of timers that nobody needs.
"""

import asyncio
import itertools
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from bench import bare
from bench.figures import Json, exponent, percentile, spread
from bench.load import People, Steady, at_once, run
from bench.openings import TWO_DAYS, connect, opening
from bench.progress import say
from bench.results import Outcome, part
from bench.stack import Stack, embedded
from bench.watch import Watch, until, watching
from bench.workers import FloorWorker, Ring, floor_worker
from domain.case import Snapshot
from workflows.client import CaseEngine

SIZES, QUICK = (1_000, 3_000, 10_000), (50, 100, 200)
PER_SECOND = 10.0
#: Cases that get the commands meanwhile; the least of openings that tell how quick this machine is.
_OTHERS, _LEAST_TRIAL = 20, 60
#: What it may be slower afterwards. A trial of bare timers does not wait for their worker, which then falls behind.
_CAUTION, _CAUTION_OF_BARE = 1.7, 4.0
#: A case opened for the trial is due this long after it: its earlier rungs have fired, as those of the herd have.
_AFTER_THE_TRIAL = timedelta(hours=8)
_AT_ONCE = 40
#: Seconds of quiet between the last opening and the instant; after the last firing, for one that comes twice.
_MARGIN, _AFTERMATH = 10.0, 5.0
#: How many are asked themselves whether SQL tells the truth.
_SAMPLE = 50
#: The rung that the deadline brings, and the one before it: a case that has this behind it waits for nothing else.
_RUNG, _BEFORE = "urge", "warn"

Command = Callable[[int], Awaitable[object]]


def measure(*, quick: bool) -> Outcome:
    sizes = QUICK if quick else SIZES
    found: Json = {}
    for size in sizes:
        with embedded() as stack, floor_worker(stack.temporal) as worker:
            theirs = run(_floor(stack, worker, size))
        with embedded() as stack:
            ours = run(_ours(stack, size))
        found[str(size)] = _compared(size, theirs, ours)
    main = part(found, str(sizes[-1]))
    figures: Json = {"herd_drain_ratio": main["drain_ratio"], "herd_duplicates": main["duplicates"]}
    growth = {side: exponent(sizes, [_seconds(found, size, side) for size in sizes]) for side in ("floor", "ours")}
    size_of_run: Json = {"cases": sizes[-1], "commands_per_second": PER_SECOND}
    return Outcome(size_of_run, figures, {"by_size": found, "drain_exponent": growth})


def _seconds(found: Json, size: int, side: str) -> float:
    drained = part(part(found, str(size)), side)["drain_seconds"]
    assert isinstance(drained, float)
    return drained


def _compared(size: int, theirs: Json, ours: Json) -> Json:
    say(f"herd of {size} bare timers: {theirs}")
    say(f"herd of {size} cases: {ours}")
    ratio = round(float(str(ours["drain_seconds"])) / float(str(theirs["drain_seconds"])), 3)
    return {"floor": theirs, "ours": ours, "drain_ratio": ratio, "duplicates": ours["duplicates"]}


# --- the floor ---


async def _floor(stack: Stack, worker: FloorWorker, size: int) -> Json:
    client, _ = await connect(stack)
    mark = secrets.token_hex(4)
    names = (f"bell-{mark}-{number}" for number in itertools.count())
    others = [await bare.open_floor(client, f"other-{mark}-{n}", commands=1_000_000) for n in range(_OTHERS)]
    far = datetime.now(UTC) + timedelta(days=1)

    async def trial(count: int) -> None:
        await at_once(count, _AT_ONCE, lambda: bare.open_bell(client, next(names), far))

    at = await _instant(size, trial, _CAUTION_OF_BARE)
    begun = len(worker.rings)
    await at_once(size, _AT_ONCE, lambda: bare.open_bell(client, next(names), at))
    _check_time(at)

    async def drained() -> None:
        await until(lambda: len(worker.rings) - begun >= size)

    async def command(number: int) -> object:
        return await others[number % _OTHERS].execute_update(bare.Floor.give, str(number))

    steady = await _drained(at, drained, command)
    rings = worker.rings[begun:]
    if len(rings) != size:
        raise RuntimeError(f"{len(rings)} of {size} bells rang")
    return _told_of_floor(rings, at, steady)


def _told_of_floor(rings: Sequence[Ring], at: datetime, steady: Steady) -> Json:
    due = at.timestamp()
    return {
        "decided_late": _late([ring.late for ring in rings]),
        "drain_seconds": round(max(ring.at for ring in rings) - due, 3),
        "commands_meanwhile": {**spread(steady.seconds), "failed": steady.failed},
    }


# --- ours ---


async def _ours(stack: Stack, size: int) -> Json:
    _, engine = await connect(stack)
    people = People(stack)
    with watching(stack, _RUNG) as watch, watching(stack, _BEFORE) as ready:
        others = [(await engine.open(opening(stack, TWO_DAYS), "bench")).case for _ in range(_OTHERS)]

        async def trial(count: int) -> None:
            far = datetime.now(UTC) + _AFTER_THE_TRIAL
            await at_once(count, _AT_ONCE, lambda: _open(engine, stack, far))
            await ready.until_fired(len(ready.fired) + count)

        at = await _instant(size, trial, _CAUTION)
        await at_once(size, _AT_ONCE, lambda: _open(engine, stack, at))
        await ready.until_fired(len(ready.fired) + size)
        _check_time(at)

        drained = partial(watch.until_fired, size)
        steady = await _drained(at, drained, lambda number: _command(people, others[number % _OTHERS], number))
        await asyncio.sleep(_AFTERMATH)
        watch.look()  # for those that fire once more
        lies = await _lies(engine, watch)
        people.close()
        return _told_of_ours(watch, at, size, steady, lies)


async def _open(engine: CaseEngine, stack: Stack, at: datetime) -> None:
    await engine.open(opening(stack, TWO_DAYS, at - TWO_DAYS.amount), "bench")


async def _command(people: People, case: Snapshot, number: int) -> object:
    return await people["supervisor"].post(f"/cases/{case.id}/comment", {"text": f"第 {number} 次查看"})


async def _lies(engine: CaseEngine, watch: Watch) -> int:
    """Cases of a sample whose own log tells of another number of firings than one."""
    sample = [each.case for each in watch.fired[:: max(1, len(watch.fired) // _SAMPLE)]]
    logs = [await engine.log(case) for case in sample]
    fired = [[e for e in log if e.fact.type == "RungFired" and e.fact.rung == _RUNG] for log in logs]
    return sum(len(each) != 1 for each in fired)


def _told_of_ours(watch: Watch, at: datetime, size: int, steady: Steady, lies: int) -> Json:
    due = at.timestamp()
    return {
        "recorded_late": _late([each.seen - due for each in watch.fired]),
        "drain_seconds": round(max(each.seen for each in watch.fired) - due, 3),
        "missing": size - len({each.case for each in watch.fired}),
        "duplicates": watch.duplicates() + lies,
        "asked_themselves": _SAMPLE,
        "commands_meanwhile": {**spread(steady.seconds), "failed": steady.failed},
    }


# --- both ---


def _late(seconds: Sequence[float]) -> Json:
    shares = {"p50_s": 0.5, "p99_s": 0.99, "max_s": 1.0}
    return {name: round(percentile(seconds, share), 3) for name, share in shares.items()}


async def _instant(size: int, trial: Callable[[int], Awaitable[None]], caution: float) -> datetime:
    """Late enough for all of them to be open by then, judged by a few."""
    few, began = max(_LEAST_TRIAL, size // 20), time.perf_counter()
    await trial(few)
    wait = (time.perf_counter() - began) / few * size * caution + _MARGIN
    say(f"herd: {size} are to be open within {wait:.0f} s")
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=round(wait))


def _check_time(at: datetime) -> None:
    if datetime.now(UTC) >= at:
        raise RuntimeError("the instant came before all were open; the machine is busy with something else")


async def _drained(at: datetime, drained: Callable[[], Awaitable[None]], command: Command) -> Steady:
    """From the instant until it is done, commands all the while."""
    await asyncio.sleep((at - datetime.now(UTC)).total_seconds())
    steady, end = Steady(PER_SECOND, command), asyncio.Event()
    giving = asyncio.create_task(steady.until(end))
    try:
        await drained()
    finally:
        end.set()
        await giving
    return steady
