"""Faults put into a worker on purpose, to see whether the judge finds them. Started by chaos in place of the real one.

`python -m chaos.planted up …` is `rectify up` with another worker in its list; `python -m chaos.planted worker` is that
worker: everything of the real one, with one part wrapped. Production code has no switch for this.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from domain.actors import Actor
from domain.case import Case
from domain.commands import Command
from domain.events import Event, Fact
from domain.record import Record
from store.recorder import Recorder

_VARIABLE = "CHAOS_PLANT"
#: Which record is dropped: one of a case that is well under way, so that others follow.
_DROPPED_VERSION = 5


def drop_recording() -> None:
    """One recording, once in the life of the installation, says it is done and is not."""
    from commands import worker
    from settings import Settings

    real: Any = worker
    once = Settings().data / "dropped"

    class Forgetful(Recorder):
        async def record(self, record: Record) -> None:
            if record.case.version >= _DROPPED_VERSION and record.events and _first_time(once):
                return
            await super().record(record)

    real.Recorder = Forgetful


def _first_time(mark: Path) -> bool:
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def rung_twice() -> None:
    """Every rung of some cases fires twice."""
    from domain import alarms

    tick = alarms.tick

    def doubled(case: Case, now: datetime, *, noticed: bool = False) -> tuple[Event, ...]:
        events = tick(case, now, noticed=noticed)
        again = _chosen(case.id)
        twice = [each for event in events for each in ((event, event) if again and _is_rung(event.fact) else (event,))]
        return tuple(each.model_copy(update={"seq": case.version + nth}) for nth, each in enumerate(twice, start=1))

    alarms.tick = doubled


def _is_rung(fact: Fact) -> bool:
    return fact.type == "RungFired"


def lose_command() -> None:
    """Urges are answered well in some cases, and forgotten."""
    _decide(frozenset({"urge"}), lambda _: ())


def apply_twice() -> None:
    """Comments happen twice in some cases."""
    _decide(frozenset({"comment"}), lambda facts: facts + facts)


def _decide(commands: frozenset[str], change: Callable[[tuple[Fact, ...]], tuple[Fact, ...]]) -> None:
    from domain import life

    real: Any = life
    decide = real.decide

    def wrong(case: Case, command: Command, actor: Actor, now: datetime) -> tuple[Fact, ...]:
        facts: tuple[Fact, ...] = decide(case, command, actor, now)
        return change(facts) if command.name in commands and _chosen(case.id) else facts

    real.decide = wrong


def _chosen(case_id: str) -> bool:
    """A half of all cases, always the same ones: what is replayed must come out as it did."""
    return ord(case_id[-1]) % 2 == 0


PLANTS: dict[str, Callable[[], None]] = {
    "drop-recording": drop_recording,
    "rung-twice": rung_twice,
    "lose-command": lose_command,
    "apply-twice": apply_twice,
}


def _up(arguments: list[str]) -> None:
    import cli
    from embedded import supervisor

    programs = supervisor.programs

    def exchanged(*what: Any, **more: Any) -> Any:  # noqa: ANN401 - passed on as it is
        return tuple(
            replace(each, command=(sys.executable, "-P", "-m", "chaos.planted", "worker"))
            if each.name == "worker"
            else each
            for each in programs(*what, **more)
        )

    supervisor.programs = exchanged
    sys.argv = ["rectify", *arguments]
    cli.main()


def main() -> None:
    part, *arguments = sys.argv[1:]
    if part == "up":
        _up(arguments)
    else:
        from commands import worker

        for plant in os.environ[_VARIABLE].split(","):
            PLANTS[plant]()
        worker.run()


if __name__ == "__main__":
    main()
