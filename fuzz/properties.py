"""How a property of a parser is noted, and becomes a target."""

from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fuzz.targets import Tally, Target, run_property

Check = Callable[..., None]
#: What is tried with what.
PROPERTIES: dict[str, tuple[Check, tuple[st.SearchStrategy[Any], ...]]] = {}


def target(*strategies: st.SearchStrategy[Any]) -> Callable[[Check], Check]:
    def noted(check: Check) -> Check:
        PROPERTIES[check.__name__] = (check, strategies)
        return check

    return noted


def targets(tally: Tally) -> Iterator[Target]:
    for name, (check, strategies) in PROPERTIES.items():
        yield Target(name, attempt(check, strategies, tally))


def attempt(check: Check, strategies: tuple[st.SearchStrategy[Any], ...], tally: Tally) -> Callable[[int, int], None]:
    def tried(at: int, examples: int) -> None:
        @given(st.tuples(*strategies))
        def test(drawn: tuple[Any, ...]) -> None:
            tally.tries[check.__name__] += 1
            check(*drawn)

        run_property(test, at, examples)

    return tried
