"""`make fuzz ARGS="--minutes 60"`: tries the parsers and the API for as long as it is told, and says what it found.

Rounds: every target gets its examples in turn, with a seed of its own that the finding names. Exit 1 for findings.
"""

import argparse
import random
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from hypothesis.errors import Flaky

from fuzz import imports, parsers  # noqa: F401 - to import them is to note their properties
from fuzz.properties import targets
from fuzz.targets import Tally, Target


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=None, help="chosen and printed if not given")
    parser.add_argument("--examples", type=int, default=100, help="a target and round; calls of the API get fewer")
    parser.add_argument("--only", default="", help="targets whose name begins like that; `api` or `parser` for a kind")
    parser.add_argument("--report", type=Path, default=None, help="a file for the whole texts of the findings")
    return parser.parse_args()


def _targets(only: str, tally: Tally, stack: ExitStack) -> list[Target]:
    chosen = [each for each in targets(tally) if only in {"", "parser"} or each.name.startswith(only)]
    if not only or only.startswith("api"):
        from fuzz import calls
        from fuzz.stack import running

        chosen += calls.targets(stack.enter_context(running()), tally, only)
    return chosen


def _rounds(targets: list[Target], until: float, seed: int) -> Iterator[tuple[Target, int]]:
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    while time.monotonic() < until:
        for each in targets:
            if time.monotonic() < until:
                yield each, chance.getrandbits(32)


def _run(options: argparse.Namespace, seed: int) -> Tally:
    tally = Tally()
    with ExitStack() as stack:
        targets = _targets(options.only, tally, stack)
        until = time.monotonic() + options.minutes * 60
        for each, at in _rounds(targets, until, seed):
            try:
                each.attempt(at, max(1, options.examples * each.examples // 100))
            except Flaky:  # of the API's answers, some depend on the hour: hypothesis cannot draw the same again
                tally.answers["not drawn twice"] += 1
            except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - whatever it is, it is what is looked for
                tally.found(each.name, error, at=f"seed {at}")
    return tally


def main() -> None:
    options = _options()
    seed = options.seed if options.seed is not None else random.SystemRandom().getrandbits(32)
    print(f"seed={seed} minutes={options.minutes:g}", flush=True)
    warnings.simplefilter("ignore")
    began = time.monotonic()
    tally = _run(options, seed)
    print(f"ran={(time.monotonic() - began) / 60:.1f} min tries={sum(tally.tries.values())}")
    for name, count in sorted(tally.tries.items()):
        print(f"  {name:32} {count}")
    if tally.answers:
        print("answers:", " ".join(f"{status}={count}" for status, count in sorted(tally.answers.items())))
    for kind, text in tally.findings.items():
        print(f"\n--- {kind}, {tally.again[kind]} times\n{text}")
    if options.report:
        options.report.write_text("\n".join(f"--- {k}\n{t}" for k, t in tally.findings.items()), encoding="utf-8")
    print(f"findings={len(tally.findings)}")
    sys.exit(1 if tally.findings else 0)


if __name__ == "__main__":
    main()
