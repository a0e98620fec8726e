"""When each rung of the ladder must have fired: a second reckoning, for limits that run day and night.

From docs/adr/0005: a rung fires once for each start of its clock; those that count events once in a life. The unit's
clock starts with a dispatch or a new round, stands still while suspended, and stops at submission, return or the end.
"""

import math
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from chaos.judge.evidence import Json

#: Seconds within which two reckonings count as the same instant.
TOLERANCE = 0.01
_SECONDS = {"urgent_hour": 3600.0, "urgent_day": 86_400.0, "natural_day": 86_400.0}
#: At which no clock with rungs runs any more.
ENDS = frozenset(
    {"CaseSelfHandled", "InspectionPassed", "CaseDismissed", "CaseWithdrawn", "CaseForceClosed", "CaseArchived"}
)


def instant(text: str) -> float:
    """Seconds since 1970."""
    return datetime.fromisoformat(text).timestamp()


def seconds(limit: Json) -> float:
    """KeyError for a limit in working time, which is not reckoned here."""
    return float(limit["value"]) * _SECONDS[limit["unit"]]


def _written(text: str) -> float:
    value, unit = text.split()
    return float(value) * _SECONDS[unit]


@dataclass(frozen=True, slots=True)
class Rung:
    """`share` of the limit plus `more` seconds; or so many events of the kind `counts`."""

    id: str
    clock: str
    share: float = 1.0
    more: float = 0.0
    counts: str | None = None
    needed: int = 0

    def needs(self, limit: float) -> float:
        return self.share * limit + self.more


@dataclass(frozen=True, slots=True)
class Rules:
    """The ladder, and the seconds that the stages may take."""

    rungs: tuple[Rung, ...]
    stages: dict[str, float]

    @classmethod
    def read(cls, text: str) -> "Rules":
        """From the policy and ladder that the city of the run was given, as TOML."""
        table = tomllib.loads(text)
        limits = {
            name: _written(limit["urgent"]) for name, limit in table["policy"]["limits"].items() if name != "window"
        }
        return cls(tuple(_rung(each) for each in table["rung"]), limits)


def _rung(table: Json) -> Rung:
    when, clock = table["when"], table.get("clock", "unit")
    if "used" in when:
        return Rung(table["id"], clock, share=float(when["used"]))
    if "overdue" in when:
        return Rung(table["id"], clock, more=_written(when["overdue"]))
    counts, needed = next(iter(when.items()))
    kind = {"returns": "CaseReturned", "failed_inspections": "InspectionFailed"}[counts]
    return Rung(table["id"], clock, counts=kind, needed=needed)


@dataclass
class Period:
    """One start of one clock. `changes`: a new limit, a pause, its end, a new start, the stop, in order."""

    clock: str
    first_seq: int
    start: float
    limit: float
    changes: list[tuple[float, str, float]] = field(default_factory=list)
    stopped: bool = False

    def reached(self, needed: Callable[[float], float]) -> float | None:
        """The instant at which as much has run as `needed` of the limit then in force; None if it stops before."""
        run, since, limit, running = 0.0, self.start, self.limit, True
        last = [] if self.stopped else [(math.inf, "stop", 0.0)]
        for at, what, value in [*self.changes, *last]:
            if running:
                left = needed(limit) - run
                if left <= at - since + TOLERANCE / 10:
                    return since + left
                run += at - since
            since = at
            run = 0.0 if what == "restart" else run
            limit = value if what == "limit" else limit
            running = what != "pause" if what in {"pause", "resume"} else running
        return None

    def stop(self, at: float) -> None:
        self.changes.append((at, "stop", 0.0))
        self.stopped = True

    @property
    def end(self) -> float | None:
        return self.changes[-1][0] if self.stopped else None


class Clocks:
    """All the periods of a case, from its events."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._limit = 0.0
        self._lead: str | None = None
        self._going: dict[str, Period] = {}
        self.periods: list[Period] = []

    def walk(self, log: Iterable[Json]) -> "Clocks":
        for event in log:
            kind, at = event["fact"]["type"], instant(event["at"])
            self._begin(kind, event, at)
            self._change_or_end(kind, event["fact"], at)
        return self

    def _begin(self, kind: str, event: Json, at: float) -> None:
        fact = event["fact"]
        match kind:
            case "CaseOpened":
                self._limit = seconds(fact["limit"])
                self._stage("dispatch" if fact.get("trusted") else "intake", event, at)
            case "CaseVerified":
                self._stage("dispatch", event, at)
            case "CaseDispatched":
                self._lead = fact["unit"]
                self._stage("acceptance", event, at)
                self._start("unit", event, at, self._limit)
            case "CaseReturned":
                self._lead = None
                self._stop(at, "unit")
                self._stage("dispatch", event, at)
            case "RectificationSubmitted":
                self._stop(at, "unit")
                self._stage("inspection", event, at)
            case "InspectionFailed" | "CaseReopened":
                self._next_round(event, at)

    def _change_or_end(self, kind: str, fact: Json, at: float) -> None:
        match kind:
            case "CaseAccepted":
                self._stop(instant(fact["accepted_at"]), "acceptance")
            case "InspectionImpossible":
                self._change("inspection", at, "restart")
            case "ExtensionGranted":
                self._change("unit", at, "limit", seconds(fact["limit"]))
            case "CaseSuspended":
                self._change("unit", at, "pause")
            case "SuspensionEnded":
                self._change("unit", instant(fact["resumed_at"]), "resume")
            case _ if kind in ENDS:
                self._stop(at, *self._going)

    def _next_round(self, event: Json, at: float) -> None:
        self._stop(at, *self._going)
        if self._lead is None:
            self._stage("dispatch", event, at)
        else:
            self._start("unit", event, at, seconds(event["fact"]["limit"]))

    def _start(self, clock: str, event: Json, at: float, limit: float) -> None:
        self._stop(at, clock)
        self._going[clock] = Period(clock, event["seq"], at, limit)
        self.periods.append(self._going[clock])

    def _stage(self, clock: str, event: Json, at: float) -> None:
        self._stop(at, *(self._going.keys() - {"unit"}))
        self._start(clock, event, at, self._rules.stages[clock])

    def _change(self, clock: str, at: float, what: str, value: float = 0.0) -> None:
        if clock in self._going:
            self._going[clock].changes.append((at, what, value))

    def _stop(self, at: float, *clocks: str) -> None:
        for clock in list(clocks):
            period = self._going.pop(clock, None)
            if period is not None:
                period.stop(at)


def dues(log: Sequence[Json], rules: Rules) -> Iterator[tuple[str, float, float]]:
    """Each rung that time sets off, when it was due, and the last instant before at which its clock changed."""
    for period in Clocks(rules).walk(log).periods:
        for rung in rules.rungs:
            due = period.reached(rung.needs) if rung.counts is None and rung.clock == period.clock else None
            if due is not None:
                yield rung.id, due, max([period.start, *(at for at, _, _ in period.changes if at < due)])


def wrong_rungs(log: Sequence[Json], rules: Rules, now: float) -> Iterator[tuple[str, str]]:
    """(`rungs_twice` or `rungs_wrong`, what): everything the ladder should have done otherwise by `now`."""
    fired = [event for event in log if event["fact"]["type"] == "RungFired"]
    periods = Clocks(rules).walk(log).periods
    for rung in rules.rungs:
        ours = [event for event in fired if event["fact"]["rung"] == rung.id]
        if rung.counts is None:
            yield from _timed(rung, ours, [each for each in periods if each.clock == rung.clock], now)
        else:
            yield from _counted(rung, ours, [event for event in log if event["fact"]["type"] == rung.counts])


def _counted(rung: Rung, fired: Sequence[Json], counted: Sequence[Json]) -> Iterator[tuple[str, str]]:
    wanted = int(len(counted) >= rung.needed)
    if len(fired) > wanted:
        yield ("rungs_twice" if wanted else "rungs_wrong"), f"{rung.id} fired {len(fired)} times, wanted {wanted}"
    elif len(fired) < wanted:
        yield "rungs_wrong", f"{rung.id} did not fire"


def _timed(rung: Rung, fired: Sequence[Json], periods: Sequence[Period], now: float) -> Iterator[tuple[str, str]]:
    if fired and (not periods or fired[0]["seq"] < periods[0].first_seq):
        yield "rungs_wrong", f"{rung.id} fired before its clock ran"
    following = [each.first_seq for each in periods[1:]]
    for period, before in zip(periods, [*following, math.inf], strict=False):
        ours = [instant(event["fact"]["due_at"]) for event in fired if period.first_seq < event["seq"] < before]
        due = period.reached(rung.needs)
        name = f"{rung.id} (clock from event {period.first_seq})"
        if len(ours) > 1:
            yield "rungs_twice", f"{name} fired {len(ours)} times"
        elif ours and (due is None or abs(ours[0] - due) > TOLERANCE):
            yield "rungs_wrong", f"{name} fired for {ours[0]:.3f}, was due {due}"
        elif not ours and due is not None and due <= now and not _at_the_edge(due, period):
            yield "rungs_wrong", f"{name} was due {due:.3f} and did not fire"


def _at_the_edge(due: float, period: Period) -> bool:
    """So near to the end of the period that two reckonings may differ about it."""
    return period.end is not None and abs(due - period.end) <= TOLERANCE
