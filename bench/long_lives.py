"""Long lives: a worker killed while thousands of cases are open, and a case of thousands of commands.

Killed with SIGKILL, the supervisor starts it again; then a client repeats one command, with its key, until it is
answered. The long case is given one command after the other, over several continue-as-new.
"""

import random
import signal
import time
from collections.abc import Sequence
from itertools import accumulate
from statistics import median

from bench.figures import Json, exponent, milliseconds, slope, spread
from bench.load import People, at_once, run, timed
from bench.openings import TWO_DAYS, connect, opening
from bench.progress import say
from bench.results import Outcome
from bench.stack import Stack, embedded, memory_mb
from bench.watch import Watch, watching
from workflows.client import CaseEngine

OPEN, OPEN_QUICK = (2_000, 6_000, 20_000), (40, 80, 160)
COMMANDS, COMMANDS_QUICK = 5_000, 150
_AT_ONCE = 40
#: Commands after the restart, each to a case picked at random: most of them have to be replayed.
_AFTERWARDS = 100


def measure(*, quick: bool) -> Outcome:
    sizes, commands = (OPEN_QUICK, COMMANDS_QUICK) if quick else (OPEN, COMMANDS)
    with embedded() as stack:
        restarts = run(_restarts(stack, sizes))
    with embedded() as stack:
        life = run(_long_case(stack, commands))
    main = restarts[str(sizes[-1])]
    assert isinstance(main, dict)
    figures: Json = {
        "first_command_after_restart_s": main["first_command_s"],
        "long_case_last_to_first": life["last_to_first"],
    }
    growth = {
        name: exponent(sizes, [_number(restarts, size, name) for size in sizes])
        for name in ("first_command_s", "worker_mb")
    }
    details: Json = {"restart_by_open_cases": restarts, "restart_exponent": growth, "long_case": life}
    return Outcome({"open_cases": sizes[-1]}, figures, details, {"long_case_last_to_first": {"commands": commands}})


def _number(found: Json, size: int, name: str) -> float:
    each = found[str(size)]
    assert isinstance(each, dict)
    return float(each[name])


async def _restarts(stack: Stack, sizes: Sequence[int]) -> Json:
    people = People(stack)
    _, engine = await connect(stack)
    cases: list[str] = []
    found: Json = {}
    with watching(stack) as watch:
        for size in sizes:
            seconds = await _open(stack, engine, watch, cases, size)
            say(f"long lives: {size} open, {seconds:.0f} s for the last {len(cases)}")
            found[str(size)] = await _restart(stack, people, cases)
            say(f"long lives, worker killed with {size} open: {found[str(size)]}")
    people.close()
    return found


async def _open(stack: Stack, engine: CaseEngine, watch: Watch, cases: list[str], size: int) -> float:
    """Until so many are open, and can be read."""

    async def one() -> None:
        cases.append((await engine.open(opening(stack, TWO_DAYS), "bench")).case.id)

    began = time.perf_counter()
    await at_once(size - len(cases), _AT_ONCE, one)
    await watch.until_opened(size)
    return time.perf_counter() - began


async def _restart(stack: Stack, people: People, cases: Sequence[str]) -> Json:
    worker = stack.part("worker")
    if worker is None:
        raise RuntimeError("no worker runs")
    before, pid = memory_mb(worker), worker.pid
    chosen = random.Random(len(cases)).sample(cases, min(_AFTERWARDS, len(cases)))  # noqa: S311 - a sample
    worker.send_signal(signal.SIGKILL)
    first = await _first_answer(people, chosen[0])
    seconds: list[float] = []
    for case in chosen[1:]:
        with timed(seconds):
            await _answered(people, case)
    reborn = stack.part("worker", other_than=pid)
    memory = stack.memory_mb()
    return {
        "first_command_s": round(first, 3),
        "following_commands": spread(seconds),
        "worker_mb_before": before,
        "worker_mb": memory_mb(reborn) if reborn else 0.0,
        "server_mb": memory["server"],
        "api_mb": memory["api"],
    }


async def _first_answer(people: People, case: str) -> float:
    """Seconds from the kill to the answer."""
    began = time.perf_counter()
    await _answered(people, case)
    return time.perf_counter() - began


async def _answered(people: People, case: str) -> None:
    await people["supervisor"].insist(f"/cases/{case}/urge", {"note": "请尽快处理"})


async def _long_case(stack: Stack, commands: int) -> Json:
    people = People(stack)
    _, engine = await connect(stack)
    case = (await engine.open(opening(stack, TWO_DAYS), "bench")).case.id
    seconds: list[float] = []
    for number in range(1, commands + 1):
        with timed(seconds):
            await _answered(people, case)
        if number % max(1, commands // 5) == 0:
            say(f"long lives: {number} commands given to one case")
    people.close()
    runs = 1 + len([run async for run in engine.earlier_runs(case)])
    return {**_flatness(seconds), "runs": runs, "commands": commands}


def _flatness(seconds: Sequence[float]) -> Json:
    """The slope leaves out what is an outlier by five times: it is about what grows, not about what stumbles."""
    tenth = max(1, len(seconds) // 10)
    first, last = median(seconds[:tenth]), median(seconds[-tenth:])
    sizes = [len(seconds) // 10, len(seconds) * 3 // 10, len(seconds)]
    sums = list(accumulate(seconds))
    return {
        "first_p50_ms": milliseconds(first),
        "last_p50_ms": milliseconds(last),
        "last_to_first": round(last / first, 3),
        "slope_ms_per_1000": round(slope([min(each, 5 * first) for each in seconds]) * 1e6, 3),
        "total_exponent": exponent(sizes, [sums[size - 1] for size in sizes]),
        "p50_ms_by_tenth": [
            milliseconds(median(seconds[begin : begin + tenth])) for begin in range(0, tenth * 10, tenth)
        ],
        "all": spread(seconds),
    }
