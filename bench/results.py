"""What a run leaves behind: `<date>-<commit>.json`, and `latest.json` with the newest figure of every kind.

The promised figures stand at the top as plain numbers; `sizes` says of each how large the run was, `runs` when and of
which commit it is, `details` everything else that was measured, by benchmark.
"""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

from bench.figures import Json

FOLDER = Path(__file__).parent / "results"
LATEST = "latest.json"
#: Which benchmark brings each promised figure.
PROMISED = {
    "floor_ratio": "floor",
    "peer_ratio": "peer",
    "events_per_life": "cost",
    "bytes_per_life": "cost",
    "herd_drain_ratio": "herd",
    "herd_duplicates": "herd",
    "read_p99_ms": "reads",
}


@dataclass(frozen=True)
class Outcome:
    """What a benchmark found. `figures` go to the top of the file; `size` is what they were measured with.

    `sizes` are of those figures that were measured with something else.
    """

    size: Json
    figures: Json = field(default_factory=dict)
    details: Json = field(default_factory=dict)
    sizes: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """When, of which commit, on what machine. `commit` ends in `+` if there was more in the tree than committed."""

    date: str
    commit: str
    machine: Json

    @property
    def origin(self) -> Json:
        return {"date": self.date, "commit": self.commit}

    @property
    def file(self) -> str:
        return f"{self.date[:10]}-{self.commit.rstrip('+')}.json"


def merged(before: Mapping[str, object], run: Run, outcomes: Mapping[str, Outcome]) -> Json:
    """What there was, with the new figures in their places; the others keep their own date and commit."""
    document: Json = {"sizes": {}, "runs": {}, "details": {}, **deepcopy(dict(before))}
    document |= {**run.origin, "machine": run.machine}
    for name, outcome in outcomes.items():
        document |= outcome.figures
        for figure in outcome.figures:
            part(document, "sizes")[figure] = outcome.sizes.get(figure, outcome.size)
            part(document, "runs")[figure] = {"benchmark": name, **run.origin}
        part(document, "details")[name] = {
            **run.origin,
            "machine": run.machine,
            "size": outcome.size,
            **outcome.details,
        }
    return document


def part(document: Json, name: str) -> Json:
    found = document[name]
    if not isinstance(found, dict):
        raise TypeError(f"{name} should be an object")
    return found


def missing(document: Mapping[str, object]) -> Iterator[str]:
    """Promised figures that are not there, or of which nobody knows how they came about."""
    for name in PROMISED:
        known = [document, document.get("sizes", {}), document.get("runs", {})]
        if not all(isinstance(each, Mapping) and name in each for each in known):
            yield name


def load(path: Path) -> Json:
    document: Json = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return document


def save(folder: Path, run: Run, outcomes: Mapping[str, Outcome]) -> tuple[Path, ...]:
    """A second run of a day and commit is added to the first one's file."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / run.file, folder / LATEST
    for path in paths:
        text = json.dumps(merged(load(path), run, outcomes), ensure_ascii=False, indent=1, sort_keys=True)
        path.write_text(text + "\n", "utf-8")
    return paths
