"""`make chaos`: see docs/reliability.md.

Exit 0: every promise was kept; 1: at least one was not, or a kind of trouble that was planned never really happened.
"""

import argparse
import asyncio
import dataclasses
import json
import random
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import machine
from chaos import campaign, disk, figures
from chaos.campaign import Order, Outcome
from chaos.judge.verdict import worst
from chaos.monkey import KINDS
from chaos.planted import PLANTS

RESULTS = Path(__file__).resolve().parents[1] / "bench" / "results" / "chaos.json"


def _arguments(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0, help="of load and trouble in all; 3600 for an hour")
    parser.add_argument("--seed", type=int, help="of the plan; without it: any, and it is printed")
    parser.add_argument(
        "--store", choices=("both", "sqlite", "postgres"), default="both", help="half the time for each"
    )
    parser.add_argument("--only", nargs="*", default=[], choices=list(KINDS), help="these kinds of trouble alone")
    parser.add_argument(
        "--plant",
        nargs="*",
        default=[],
        choices=list(PLANTS),
        help="put this fault into the worker: it has to be found",
    )
    parser.add_argument("--keep", action="store_true", help="leave the folder with logs, journal and databases")
    parser.add_argument(
        "--json",
        action="store_true",
        help=f"write the result to bench/results/{RESULTS.name} and into docs/reliability.md",
    )
    return parser.parse_args(given)


def main() -> None:
    asked = _arguments(sys.argv[1:])
    if asked.seed is None:
        asked.seed = random.randrange(1_000_000)  # noqa: S311 - it is printed
    disk.enter([sys.executable, "-m", "chaos", *sys.argv[1:], "--seed", str(asked.seed)])
    outcomes = [asyncio.run(campaign.run(order, _say, keep=asked.keep)) for order in _orders(asked)]
    for outcome in outcomes:
        _show(outcome)
    total = _total(outcomes)
    print(" ".join(f"{name}={number}" for name, number in total.items()))
    if asked.json:
        _write(_result(asked, outcomes, total))
    sys.exit(0 if all(outcome.good for outcome in outcomes) else 1)


def _write(result: dict[str, Any]) -> None:
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n")
    figures.DOCUMENT.write_text(figures.renewed(figures.DOCUMENT.read_text("utf-8"), result), "utf-8")


def _orders(asked: argparse.Namespace) -> list[Order]:
    stores = ("sqlite", "postgres") if asked.store == "both" else (asked.store,)
    print(
        f"seed={asked.seed} seconds={asked.seconds:g} store={asked.store} plant={','.join(asked.plant) or 'none'}",
        flush=True,
    )
    return [
        Order(store, asked.seconds / len(stores), asked.seed + nth, tuple(asked.plant), frozenset(asked.only))
        for nth, store in enumerate(stores)
    ]


def _say(line: str) -> None:
    print(line, flush=True)


def _show(outcome: Outcome) -> None:
    for line in worst(outcome.verdict.findings):
        print(f"  {line}")
    if not outcome.good:
        print(f"  证据留在 evidence is in {outcome.folder}")
    if outcome.missed:
        print(f"  {outcome.order.store}: planned, and never really happened: {', '.join(outcome.missed)}")
    if outcome.left_out:
        print(f"  {outcome.order.store}: no time was left for {', '.join(outcome.left_out)}")
    did = " ".join(f"{kind}×{times}" for kind, times in sorted(outcome.did.items()))
    print(
        f"{outcome.order.store}: monkey: {did or 'nothing'}; disk: {outcome.disk}; rectify up started {outcome.starts}×"
    )
    print(f"{outcome.order.store}: settled in {outcome.settled_after} s: {outcome.verdict.line()}")


def _total(outcomes: Sequence[Outcome]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for outcome in outcomes:
        total.update(outcome.verdict.figures | outcome.verdict.counts)
    return dict(total)


def _result(asked: argparse.Namespace, outcomes: Sequence[Outcome], total: dict[str, int]) -> dict[str, Any]:
    return {
        **dataclasses.asdict(machine.this_run()),
        "seed": asked.seed,
        "seconds": asked.seconds,
        "total": total,
        "runs": [
            {
                **{
                    name: value
                    for name, value in dataclasses.asdict(outcome.order).items()
                    if name in {"store", "seconds", "seed", "plants"}
                },
                "troubles": dict(outcome.did),
                "left_out": list(outcome.left_out),
                "missed": list(outcome.missed),
                "disk": outcome.disk,
                "starts": outcome.starts,
                "settled_after_seconds": outcome.settled_after,
                **outcome.verdict.figures,
                **outcome.verdict.counts,
            }
            for outcome in outcomes
        ],
    }


if __name__ == "__main__":
    main()
