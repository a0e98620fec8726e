"""The plots of docs/performance.md, as SVG that is the same whenever the results are: no date, no chance in its ids."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from bench.page import READ_GOALS, Results, details

mpl.rcParams.update({"svg.hashsalt": "rectify", "font.size": 9, "axes.grid": True, "grid.alpha": 0.3})
_COLOURS = {"floor": "#8a8f98", "ours": "#1565c0", "dbos": "#ef6c00", "postgres": "#1565c0", "sqlite": "#2e7d32"}
_NAMES = {"floor": "bare Temporal", "ours": "ours over HTTP", "dbos": "DBOS over HTTP"}


def draw(results: Results, folder: Path) -> list[Path]:
    """Those for which there is something to show; one that has nothing is not touched."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for name, plot in PLOTS.items():
        figure = Figure(figsize=(6.4, 3.4), layout="constrained")
        if plot(results, figure):
            drawn.append(folder / f"{name}.svg")
            figure.savefig(drawn[-1], metadata={"Date": None, "Creator": None})
    return drawn


def _floor(results: Results, figure: Figure) -> bool:
    widths = sorted(details(results, "floor").get("by_width", {}).items(), key=lambda each: int(each[0]))
    left, right = figure.subplots(1, 2)
    for side in ("floor", "ours"):
        names = [width for width, _ in widths]
        left.plot(names, [each[side]["lives_per_second"] for _, each in widths], "o-", **_style(side))
        for share, line in (("p50_ms", "o-"), ("p99_ms", "o:")):
            values = [each[side]["command"][share] for _, each in widths]
            right.plot(names, values, line, color=_COLOURS[side], label=f"{_NAMES[side]}, {share[:3]}")
    left.set(xlabel="at once", ylabel="lives a second", ylim=(0, None))
    right.set(xlabel="at once", ylabel="a command, ms", yscale="log")
    left.legend()
    right.legend(fontsize=7)
    return bool(widths)


def _peer(results: Results, figure: Figure) -> bool:
    stores = details(results, "peer").get("by_store", {})
    axes = figure.subplots()
    for offset, side in ((-0.2, "dbos"), (0.2, "ours")):
        places = [index + offset for index in range(len(stores))]
        axes.bar(places, [each[side]["lives_per_second"] for each in stores.values()], width=0.4, **_style(side))
    axes.set_xticks(range(len(stores)), [name.replace("_", ", ") for name in stores])
    axes.set(ylabel="lives a second")
    axes.legend()
    return bool(stores)


def _herd(results: Results, figure: Figure) -> bool:
    sizes = sorted(details(results, "herd").get("by_size", {}).items(), key=lambda each: int(each[0]))
    axes = figure.subplots()
    for side in ("floor", "ours"):
        seconds = [each[side]["drain_seconds"] for _, each in sizes]
        axes.plot([int(size) for size, _ in sizes], seconds, "o-", **_style(side))
    axes.set(xlabel="due in the same second", ylabel="drained after, s")
    _logarithmic(axes, sizes)
    axes.legend()
    return bool(sizes)


def _long_case(results: Results, figure: Figure) -> bool:
    life = details(results, "long").get("long_case", {})
    values = life.get("p50_ms_by_tenth", [])
    axes = figure.subplots()
    each = life.get("commands", 0) / max(1, len(values))
    axes.plot([each * (number + 0.5) for number in range(len(values))], values, "o-", **_style("ours"))
    axes.set(xlabel="commands given to one case", ylabel="a command, p50, ms", ylim=(0, None))
    return bool(values)


def _reads(results: Results, figure: Figure) -> bool:
    stores = results.get("read_p99_ms", {})
    axes = figure.subplots()
    for store, by_size in stores.items():
        sizes = sorted(by_size, key=int)
        worst = [max(by_size[size].values()) for size in sizes]
        axes.plot([int(size) for size in sizes], worst, "o-", color=_COLOURS[store], label=f"{store}, the slowest")
        axes.axhline(READ_GOALS[store], color=_COLOURS[store], linestyle=":")
        _logarithmic(axes, sizes)
    axes.set(xlabel="cases in the table", ylabel="p99, ms")
    axes.legend(*axes.get_legend_handles_labels())
    return bool(stores)


def _logarithmic(axes: Any, sizes: Any) -> None:  # noqa: ANN401 - matplotlib's own
    """Nothing that is empty can be drawn on such a scale."""
    if sizes:
        axes.set_xscale("log")
        axes.set_yscale("log")


def _style(side: str) -> dict[str, Any]:
    return {"color": _COLOURS[side], "label": _NAMES[side]}


PLOTS: dict[str, Callable[[Results, Figure], bool]] = {
    "floor": _floor,
    "peer": _peer,
    "herd": _herd,
    "long_case": _long_case,
    "reads": _reads,
}
