"""What is fuzzed, and what came of it. A target tries things until it has found a fault or had its share of tries."""

import hashlib
import re
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

#: Of a finding's text: the rest repeats it.
_LONGEST = 4000
#: Parts of a finding that differ though the fault is the same.
_CHANGING = re.compile(r"0x[0-9a-f]+|RC-[0-9A-Z-]{14}|[0-9a-f]{16,}|[0-9]+|'[^']*'|\"[^\"]*\"")


@dataclass(frozen=True)
class Target:
    """`attempt` takes a seed and a number of examples. It raises what it finds, and is deterministic but for time."""

    name: str
    attempt: Callable[[int, int], None]
    examples: int = 100


@dataclass
class Tally:
    """`tries` counts what was fed to each target; `findings` holds one text of each kind."""

    tries: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    findings: dict[str, str] = field(default_factory=dict)
    again: Counter[str] = field(default_factory=Counter)

    def found(self, name: str, error: BaseException, *, at: object) -> None:
        """`at`: what leads there again."""
        kind = f"{name}-{hashlib.sha256(_shape(error).encode()).hexdigest()[:8]}"
        self.again[kind] += 1
        if kind in self.findings:
            return
        text = "".join(traceback.format_exception(error))
        self.findings[kind] = f"{at}\n{text[: _LONGEST // 2]}\n…\n{text[-_LONGEST // 2 :]}"
        print(f"! {kind}: {(str(error).splitlines() or [type(error).__name__])[0][:200]}", flush=True)


def _shape(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    where = f"{last.filename}:{last.name}" if last else ""
    return f"{type(error).__name__} {where} {_CHANGING.sub('#', str(error)[:300])}"


def options(examples: int, steps: int = 30) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )


def run_property(test: Callable[[], None], at: int, examples: int) -> None:
    """`test` is made by hypothesis' `given`."""
    seed(at)(options(examples)(test))()


def run_machine(machine: type[RuleBasedStateMachine], at: int, examples: int) -> None:
    seed(at)(machine)
    run_state_machine_as_test(machine, settings=options(examples))
