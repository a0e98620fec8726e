"""Ours over HTTP against bare Temporal: lives a second, how long a command takes, and who uses the CPU for it.

Measured in turn, pair by pair, on the same Temporal server. A life is four calls: open, accept, submit, inspect.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from statistics import median

import psutil
from temporalio.client import Client

from bench.bare import COMMANDS
from bench.figures import Json, median_ratio, percentile, spread
from bench.load import Bare, Hands, Log, People, at_once, run
from bench.progress import say
from bench.results import Outcome, part
from bench.stack import Stack, cpu_seconds, embedded
from bench.workers import floor_worker

#: Lives of each run, by how many are lived at once.
LIVES = {1: 60, 8: 200, 30: 300, 100: 400}
QUICK = {1: 10, 8: 24, 30: 60, 100: 100}
#: The one that `floor_ratio` is of.
MAIN = 30

Meter = Callable[[], dict[str, float]]


@dataclass
class Side:
    """One of the two, and what it needed."""

    hands: Hands
    meter: Meter
    rates: list[float] = field(default_factory=list)
    log: Log = field(default_factory=Log)
    cpu: dict[str, float] = field(default_factory=dict)
    lives: int = 0

    async def turn(self, lives: int, width: int) -> float:
        """Lives a second."""
        before = self.meter()
        seconds = await at_once(lives, width, lambda: self.hands.live(self.log))
        for name, used in self.meter().items():
            self.cpu[name] = self.cpu.get(name, 0.0) + used - before[name]
        self.lives += lives
        self.rates.append(lives / seconds)
        return self.rates[-1]

    def summary(self) -> Json:
        return {
            "lives_per_second": round(median(self.rates), 2),
            "command": spread(self.log.commands),
            "opening": spread(self.log.openings),
            "cpu_ms_per_life": {name: round(used / self.lives * 1000, 2) for name, used in self.cpu.items()},
        }


def measure(*, quick: bool) -> Outcome:
    lives, pairs = (QUICK, 1) if quick else (LIVES, 3)
    with ExitStack() as running:
        stack = running.enter_context(embedded())
        worker = running.enter_context(floor_worker(stack.temporal))
        widths = run(_measure(stack, psutil.Process(worker.process.pid), lives, pairs))
    figures: Json = {
        "floor_ratio": part(widths, str(MAIN))["ratio"],
        "command_p50_ratio_at_1": part(widths, "1")["command_p50_ratio"],
    }
    size: Json = {"lives": lives[MAIN], "at_once": MAIN, "pairs": pairs, "calls_per_life": 1 + COMMANDS}
    alone: Json = {"lives": lives[1], "at_once": 1, "pairs": pairs}
    details: Json = {"by_width": widths, "lives_by_width": {str(width): count for width, count in lives.items()}}
    return Outcome(size, figures, details, {"command_p50_ratio_at_1": alone})


async def _measure(stack: Stack, worker: psutil.Process, lives: dict[int, int], pairs: int) -> Json:
    people, bare = People(stack), Bare(await Client.connect(stack.temporal))
    await people.prepare()
    for hands in (people, bare):  # whoever comes first pays for connections and caches
        await at_once(MAIN, MAIN, partial(hands.live, Log()))
    found: Json = {}
    for width, count in lives.items():
        theirs, ours = Side(bare, _meter_of_floor(stack, worker)), Side(people, _meter_of_ours(stack))
        for _ in range(pairs):
            rates = await theirs.turn(count, width), await ours.turn(count, width)
            say(f"floor, {width} at once: bare {rates[0]:.1f} lives/s, ours over HTTP {rates[1]:.1f}")
        found[str(width)] = {**_compared(theirs, ours), "repeated_so_far": people.repeated}
    people.close()
    return found


def _compared(theirs: Side, ours: Side) -> Json:
    return {
        "ratio": median_ratio(list(zip(theirs.rates, ours.rates, strict=True))),
        "command_p50_ratio": round(percentile(ours.log.commands, 0.5) / percentile(theirs.log.commands, 0.5), 3),
        "floor": theirs.summary(),
        "ours": ours.summary(),
    }


def _meter_of_ours(stack: Stack) -> Meter:
    return lambda: {**stack.cpu_seconds(), "load": time.process_time()}


def _meter_of_floor(stack: Stack, worker: psutil.Process) -> Meter:
    """The floor has no API; its client is part of the load."""

    def meter() -> dict[str, float]:
        server = stack.cpu_seconds()["server"]
        return {"worker": cpu_seconds(worker), "server": server, "load": time.process_time()}

    return meter
