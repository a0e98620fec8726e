"""Arithmetic on what was measured. Knows neither clocks nor processes."""

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, median

Json = dict[str, object]


def percentile(values: Sequence[float], share: float) -> float:
    """By nearest rank: a value that was really measured. ValueError if nothing was."""
    if not values:
        raise ValueError("nothing was measured")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def spread(seconds: Sequence[float]) -> Json:
    """How long something took, in milliseconds."""
    shares = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99, "max_ms": 1.0}
    return {"count": len(seconds), **{name: milliseconds(percentile(seconds, s)) for name, s in shares.items()}}


def milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 2)


def median_ratio(pairs: Sequence[tuple[float, float]]) -> float:
    """Median of ours by theirs, pair by pair: a machine whose speed drifts favours neither."""
    return round(median(ours / theirs for theirs, ours in pairs), 3)


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The k of cost = c * size^k that fits best: 0 flat, 1 linear, 2 quadratic. ValueError for fewer than two sizes."""
    xs, ys = [math.log(size) for size in sizes], [math.log(cost) for cost in costs]
    if len(set(xs)) < 2:  # noqa: PLR2004 - a line needs two points
        raise ValueError("growth needs at least two sizes")
    x, y = fmean(xs), fmean(ys)
    return round(sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs), 3)


def growth(by_size: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """The exponents of the most costly of many and of the one in the middle. ValueError as above."""
    sizes = sorted(by_size, key=int)
    kinds: dict[str, Callable[[list[float]], float]] = {"worst": max, "median": median}
    return {
        name: exponent([int(size) for size in sizes], [kind(list(by_size[size].values())) for size in sizes])
        for name, kind in kinds.items()
    }


def slope(values: Sequence[float]) -> float:
    """By how much a value rises from each measurement to the next, by least squares."""
    x, y = (len(values) - 1) / 2, fmean(values)
    above = sum((index - x) * (value - y) for index, value in enumerate(values))
    return above / sum((index - x) ** 2 for index in range(len(values)))
