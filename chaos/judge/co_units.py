"""When each co-unit must have been found late: once for each limit that it was given and let run out.

Its clock goes like the lead's: it starts with a dispatch or a new round, stands still while suspended, takes every
extension; and it stops when the co-unit has submitted, or when the lead's stops.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from chaos.judge.evidence import Json
from chaos.judge.ladder import ENDS, TOLERANCE, Period, instant, seconds

_STOPS = ENDS | {"RectificationSubmitted", "CaseReturned", "CaseDispatched"}
_ROUNDS = frozenset({"InspectionFailed", "CaseReopened"})


class Parts:
    """The periods of all co-units of a case. A period's `clock` is the unit."""

    def __init__(self) -> None:
        self._limit = 0.0
        self._units: Sequence[str] = ()
        self._going: dict[str, Period] = {}
        self.periods: list[Period] = []

    def walk(self, log: Iterable[Json]) -> "Parts":
        for event in log:
            kind, fact, at = event["fact"]["type"], event["fact"], instant(event["at"])
            if kind in _STOPS:
                self._stop(at, *self._going)
            self._begin(kind, event, at)
            self._change(kind, fact, at)
        return self

    def _begin(self, kind: str, event: Json, at: float) -> None:
        fact = event["fact"]
        if kind == "CaseOpened":
            self._limit = seconds(fact["limit"])
        elif kind == "CaseDispatched":
            self._units = fact["co_units"] if fact.get("tasks") else ()
            self._start(event["seq"], at, self._limit)
        elif kind == "CaseReturned":
            self._units = ()
        elif kind in _ROUNDS:
            self._start(event["seq"], at, seconds(fact["limit"]))

    def _start(self, seq: int, at: float, limit: float) -> None:
        self._going = {unit: Period(unit, seq, at, limit) for unit in self._units}
        self.periods += self._going.values()

    def _change(self, kind: str, fact: Json, at: float) -> None:
        match kind:
            case "CoUnitSubmitted":
                self._stop(at, fact["unit"])
            case "ExtensionGranted":
                self._all(at, "limit", seconds(fact["limit"]))
            case "CaseSuspended":
                self._all(at, "pause")
            case "SuspensionEnded":
                self._all(instant(fact["resumed_at"]), "resume")

    def _all(self, at: float, what: str, value: float = 0.0) -> None:
        for period in self._going.values():
            period.changes.append((at, what, value))

    def _stop(self, at: float, *units: str) -> None:
        for unit in list(units):
            period = self._going.pop(unit, None)
            if period is not None:
                period.stop(at)


def _due(period: Period) -> Iterator[tuple[float, float]]:
    """Where each limit that was in force ran out, and when it ceased to be in force."""
    limits = [(at, value) for at, what, value in period.changes if what == "limit"]
    ends = [at for at, _ in limits] + [period.end or math.inf]
    others = [change for change in period.changes if change[1] != "limit"]
    for limit, end in zip([period.limit, *(value for _, value in limits)], ends, strict=True):
        due = replace(period, limit=limit, changes=others).reached(lambda whole: whole)
        if due is not None and due <= end + TOLERANCE:
            yield due, end


def wrong_lateness(log: Sequence[Json], now: float) -> Iterator[tuple[str, str]]:
    """(`rungs_twice` or `rungs_wrong`, what): everything about late co-units that should be otherwise by `now`."""
    late = [event for event in log if event["fact"]["type"] == "CoUnitLate"]
    periods = Parts().walk(log).periods
    for unit in {event["fact"]["unit"] for event in late} | {period.clock for period in periods}:
        due = [line for period in periods if period.clock == unit for line in _due(period)]
        told = [instant(event["fact"]["due_at"]) for event in late if event["fact"]["unit"] == unit]
        yield from _compared(unit, due, told, now)


def _compared(
    unit: str, due: Sequence[tuple[float, float]], told: Sequence[float], now: float
) -> Iterator[tuple[str, str]]:
    for at in set(told):
        times = sum(abs(at - other) <= TOLERANCE for other in told)
        if not any(abs(at - wanted) <= TOLERANCE for wanted, _ in due):
            yield "rungs_wrong", f"{unit} was found late for {at:.3f}, when nothing was due"
        elif times > 1:
            yield "rungs_twice", f"{unit} was found late for {at:.3f} {times} times"
    for wanted, end in due:
        missing = not any(abs(at - wanted) <= TOLERANCE for at in told)
        if missing and wanted <= now and abs(wanted - end) > TOLERANCE:
            yield "rungs_wrong", f"{unit} was due {wanted:.3f} and was not found late"
