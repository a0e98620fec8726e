"""What may happen to metrics that were read: a counter rises, a gauge stands somewhere, a histogram takes something."""

from collections.abc import Callable

from tests.operations.watched import Sample

Move = Callable[[list[Sample]], list[Sample]]


def _changed(name: str, labels: dict[str, str], change: Callable[[Sample], float]) -> Move:
    def move(samples: list[Sample]) -> list[Sample]:
        fits = [each.name == name and labels.items() <= each.labels.items() for each in samples]
        assert any(fits), f"no {name} with {labels}"
        moved = zip(samples, fits, strict=True)
        return [each._replace(value=change(each)) if fit else each for each, fit in moved]

    return move


def rises(name: str, by: float, **labels: str) -> Move:
    return _changed(name, labels, lambda each: each.value + by)


def stands(name: str, at: float) -> Move:
    return _changed(name, {}, lambda _: at)


def takes(name: str, seen: float, times: int = 20) -> Move:
    return _changed(f"{name}_bucket", {}, lambda each: each.value + times * (seen <= float(each.labels["le"])))


def vanishes(name: str) -> Move:
    return lambda samples: [each for each in samples if each.name != name]
