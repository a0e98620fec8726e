"""`make bench`: runs all benchmarks or the ones that are named, writes bench/results/, then docs/performance.md.

make bench                          everything, some 25 minutes on a quiet machine, the reads apart
make bench ARGS="reads"             another half an hour, half of it to fill six databases (35 GB in /tmp);
                                    RECTIFY_READS=DIR keeps them, `python -m bench.reads --fill --keep DIR` fills them
make bench ARGS="floor peer"        these; the other figures of latest.json stay, each with its own date
make bench ARGS="herd --quick"      small sizes, to try whether it runs; writes to build/bench/ instead
"""

import argparse
import json
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from bench import machine, results
from bench.progress import say
from bench.results import Outcome

#: In this order: what the goals are about comes first.
BENCHMARKS = {
    "floor": "bench.floor",
    "peer": "bench.peer.compare",
    "cost": "bench.cost",
    "herd": "bench.herd",
    "long": "bench.long_lives",
    "growth": "bench.growth",
    "reads": "bench.reads",
    "places": "bench.places",
}
_TRIED = results.FOLDER.parents[1] / "build" / "bench"


def main() -> int:
    asked = _arguments()
    signal.signal(signal.SIGTERM, _stop)
    run = machine.this_run()
    folder: Path = asked.out or (_TRIED if asked.quick else results.FOLDER)
    failed = []
    for name in asked.benchmarks or BENCHMARKS:
        say(f"{name} begins")
        try:
            outcome = _benchmark(name)(quick=asked.quick)
        except Exception as error:  # noqa: BLE001 - the others' figures are worth having all the same
            say(f"{name} failed: {error!r}")
            failed.append(name)
            continue
        written = results.save(folder, run, {name: outcome})
        print(json.dumps({name: outcome.figures, "size": outcome.size}, ensure_ascii=False))
        say(f"{name} done, see {written[-1]}")
    if folder == results.FOLDER:
        from bench import report  # matplotlib takes a second that a trial need not pay

        say(f"written: {', '.join(path.name for path in report.write())}")
    return 1 if failed else 0


def _benchmark(name: str) -> Callable[..., Outcome]:
    measure: Callable[..., Outcome] = import_module(BENCHMARKS[name]).measure
    return measure


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("benchmarks", nargs="*", metavar="BENCHMARK", help=f"any of {', '.join(BENCHMARKS)}")
    parser.add_argument("--quick", action="store_true", help="small sizes, whose figures say nothing")
    parser.add_argument("--out", type=Path, help="another folder for the results")
    asked = parser.parse_args()
    unknown = set(asked.benchmarks) - BENCHMARKS.keys()
    if unknown:
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}")
    return asked


def _stop(number: int, _frame: object) -> None:
    """As Ctrl-C: what has been started is ended on the way out."""
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
