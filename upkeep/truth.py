"""What Temporal says of a case. The SQL side is `upkeep/found.py`."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.case import Snapshot
from domain.errors import Unavailable
from domain.events import Event
from workflows.client import CaseEngine, NotRunning


@dataclass(frozen=True, slots=True)
class Truth:
    """`events` are those of the runs that were asked, in order; `running` is False once the workflow has completed."""

    case: Snapshot
    events: tuple[Event, ...]
    running: bool = True


@dataclass(frozen=True, slots=True)
class Gone:
    """Nothing runs that could answer. `fate`: None if Temporal does not know the case, else how its workflow ended."""

    fate: str | None


@dataclass(frozen=True, slots=True)
class Silent:
    """It runs, but no worker answers for it."""


Word = Truth | Gone | Silent


async def ask(engine: CaseEngine, case_id: str, *, listed: bool) -> Word:
    """`listed`: visibility has it among the running; then a question to the server is saved."""
    try:
        fate = "running" if listed else await engine.fate(case_id)
        if fate not in {"running", "completed"}:
            return Gone(fate)
        case = await engine.snapshot(case_id)
        return Truth(case, tuple(await engine.log(case_id)), running=fate == "running")
    except NotRunning:
        return Gone(None) if await engine.fate(case_id) is None else Silent()
    except Unavailable:
        return Silent()


async def earlier(engine: CaseEngine, case_id: str, before: int) -> tuple[Event, ...]:
    """Events before that number, from every earlier run that Temporal still keeps."""
    known: dict[int, Event] = {}
    async for run_id in engine.earlier_runs(case_id):
        events: Sequence[Event] = await engine.log(case_id, run_id)
        known |= {event.seq: event for event in events if event.seq < before}
        if known and min(known) == 1:
            break
    return tuple(known[seq] for seq in sorted(known))
