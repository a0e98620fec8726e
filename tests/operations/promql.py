"""So much of PromQL as deploy/alerts.yaml uses, to ask a rule whether it would fire.

`increase` is the difference between two readings: Prometheus stretches it to the whole window, which neither makes a
rise out of nothing nor nothing of a rise.
"""

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from math import inf, isnan

from tests.operations.watched import Sample

Labels = frozenset[tuple[str, str]]
Vector = dict[Labels, float]

_TOKEN = re.compile(r'[a-z_]\w*|[0-9.]+|"[^"]*"|\S', re.IGNORECASE)
_SECONDS = {"s": 1, "m": 60, "h": 3600}


def fires(expression: str, before: list[Sample], now: list[Sample]) -> bool:
    """Whether it has any value at all: that is what an alert goes by. `before` lies within every window."""
    query = Query(_TOKEN.findall(expression), before, now)
    found = query.both()
    assert not query.tokens, f"not understood: {query.tokens}"
    return bool(found)


@dataclass
class Query:
    """Read from left to right; each method takes its tokens away."""

    tokens: list[str]
    before: list[Sample]
    now: list[Sample]

    def both(self) -> Vector:
        found = self.compared()
        while self.tokens[:1] == ["and"]:
            self.take("and")
            other = self.compared()
            found = {labels: value for labels, value in found.items() if labels in other}
        return found

    def compared(self) -> Vector:
        found = self.term()
        if self.tokens[:1] != [">"]:
            return found
        _, limit = self.take(">"), float(self.take())
        return {labels: value for labels, value in found.items() if value > limit}

    def term(self) -> Vector:
        functions: dict[str, Callable[[], Vector]] = {
            "absent": lambda: {} if self.inner() else {frozenset(): 1.0},
            "sum": lambda: self.grouped(sum),
            "max": lambda: self.grouped(max),
            "increase": lambda: self.risen()[0],
            "rate": self.rate,
            "histogram_quantile": self.quantile,
        }
        name = self.take()
        return functions[name]() if name in functions else selected(name, self.chosen(), self.now)

    def grouped(self, together: Callable[[list[float]], float]) -> Vector:
        by: list[str] = []
        if self.tokens[0] == "by":
            end = self.tokens.index(")")
            by, self.tokens = self.tokens[2:end:2], self.tokens[end + 1 :]
        groups: dict[Labels, list[float]] = defaultdict(list)
        for labels, value in self.inner().items():
            groups[frozenset(each for each in labels if each[0] in by)].append(value)
        return {labels: together(values) for labels, values in groups.items()}

    def rate(self) -> Vector:
        risen, seconds = self.risen()
        return {labels: value / seconds for labels, value in risen.items()}

    def risen(self) -> tuple[Vector, float]:
        """By how much, of what was there before; and the window in seconds."""
        self.take("(")
        name, chosen = self.take(), self.chosen()
        _, number, unit, *_ = (self.take() for _ in ("[", "5", "m", "]", ")"))
        first, last = (selected(name, chosen, samples) for samples in (self.before, self.now))
        risen = {labels: value - first[labels] for labels, value in last.items() if labels in first}
        return risen, float(number) * _SECONDS[unit]

    def quantile(self) -> Vector:
        """In a straight line between the two bounds, as Prometheus has it."""
        _, share, _ = self.take("("), float(self.take()), self.take(",")
        counts = sorted((float(dict(labels)["le"]), count) for labels, count in self.both().items())
        self.take(")")
        if not counts or not counts[-1][1]:
            return {}
        wanted = share * counts[-1][1]
        nth = next(nth for nth, (_, count) in enumerate(counts) if count >= wanted)
        (low, under), (high, upto) = counts[nth - 1] if nth else (0.0, 0.0), counts[nth]
        return {frozenset(): low if high == inf else low + (high - low) * (wanted - under) / (upto - under)}

    def chosen(self) -> Labels:
        if self.tokens[:1] != ["{"]:
            return frozenset()
        _, name, _, value, _ = (self.take() for _ in ("{", "name", "=", "value", "}"))
        return frozenset({(name, value.strip('"'))})

    def inner(self) -> Vector:
        _, found, _ = self.take("("), self.both(), self.take(")")
        return found

    def take(self, expected: str | None = None) -> str:
        found = self.tokens.pop(0)
        assert expected in {None, found}, f"{found} where {expected} should be"
        return found


def selected(name: str, chosen: Labels, samples: list[Sample]) -> Vector:
    fitting = (each for each in samples if each.name == name and chosen <= each.labels.items())
    return {frozenset(each.labels.items()): each.value for each in fitting if not isnan(each.value)}
