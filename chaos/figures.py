"""The newest result in docs/reliability.md, between two marks: from the result alone."""

import textwrap
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "reliability.md"
_BEGIN, _END = "<!-- figures of chaos: begin -->", "<!-- figures of chaos: end -->"
_WIDTH = 120
_ASIDE = ("acknowledged", "refused", "repeated", "cases", "ended", "events", "rungs", "taken_back")


def renewed(text: str, result: dict[str, Any]) -> str:
    """ValueError if the marks are not there."""
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"no {_BEGIN} … {_END}")
    return f"{before}{begin}\n{block(result)}\n{end}{after}"


def block(result: dict[str, Any]) -> str:
    total, machine = result["total"], result["machine"]
    broken = " ".join(f"{name}={number}" for name, number in total.items() if name not in _ASIDE)
    said = (
        f"{result['date'][:10]}, rectify {machine['rectify']} ({result['commit']}), {result['seconds']:g} s, "
        f"seed {result['seed']}, {machine['cores']} cores, load {machine['load_average_before']:g} before; "
        f"{_troubles(result['runs'])}. **acknowledged={total['acknowledged']} {broken}**, "
        f"with {total['cases']:,} cases, {total['events']:,} events, {total['rungs']:,} rungs, "
        f"{total['repeated']:,} requests that had to be repeated, "
        f"and {total['taken_back']:,} events that were told too early and taken back."
    )
    return textwrap.fill(said, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _troubles(runs: list[dict[str, Any]]) -> str:
    times = sum(sum(run["troubles"].values()) for run in runs)
    kinds = {kind for run in runs for kind in run["troubles"]}
    return f"{' and '.join(run['store'] for run in runs)}: {times} troubles of {len(kinds)} kinds"
