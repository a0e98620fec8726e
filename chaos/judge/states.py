"""The lawful lives of a case, written down a second time from docs/states.md: who may do what in which stage.

Small on purpose. It walks through the events of one case and says at which it left the path.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from chaos.judge.evidence import Json

OPEN = frozenset({"intake", "assignment", "rectification", "reinspection"})
RUNNING = OPEN | {"closure"}
ENDED = frozenset({"archived", "dismissed", "withdrawn", "force_closed"})
_STAYS = ""
_MANAGERS = frozenset({"dispatcher", "supervisor"})
_UNIT = frozenset({"unit"})
_OFFICER = frozenset({"officer"})
_WITNESS = frozenset({"resident", "officer", "dispatcher", "supervisor"})
_ANYBODY = frozenset({"resident", "officer", "unit", "dispatcher", "supervisor", "admin"})
_NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Step:
    """`roles` empty: the clock's own doing, or what follows by itself. `to` empty: the stage stays."""

    stages: frozenset[str]
    to: str
    roles: frozenset[str]


def _step(stages: Iterable[str], to: str, roles: frozenset[str]) -> Step:
    return Step(frozenset(stages), to, roles)


STEPS: dict[str, Step] = {
    "CaseSelfHandled": _step(["assignment"], "closure", _OFFICER),
    "CaseVerified": _step(["intake"], "assignment", _OFFICER | _MANAGERS),
    "CaseDismissed": _step(["intake"], "dismissed", _MANAGERS),
    "CaseDispatched": _step(["assignment"], "assignment", _ANYBODY),
    "CaseAccepted": _step(["assignment"], "rectification", _UNIT),
    "CaseReturned": _step(["assignment", "rectification"], "assignment", _UNIT),
    "MilestoneReported": _step(["rectification"], _STAYS, _UNIT),
    "MilestoneMissed": _step(["assignment", "rectification"], _STAYS, _NOBODY),
    "CoUnitSubmitted": _step(["rectification"], _STAYS, _UNIT),
    "CoUnitLate": _step(["assignment", "rectification"], _STAYS, _NOBODY),
    "PlanSubmitted": _step(["rectification"], _STAYS, _UNIT),
    "PlanApproved": _step(["rectification"], _STAYS, _MANAGERS),
    "PlanRefused": _step(["rectification"], _STAYS, _MANAGERS),
    "ReportJoined": _step(OPEN, _STAYS, _WITNESS),
    "RectificationSubmitted": _step(["rectification"], "reinspection", _UNIT),
    "ExtensionRequested": _step(["rectification"], _STAYS, _UNIT),
    "ExtensionGranted": _step(["rectification"], _STAYS, _MANAGERS),
    "ExtensionRefused": _step(["rectification"], _STAYS, _MANAGERS),
    "CaseSuspended": _step(["rectification"], _STAYS, _MANAGERS),
    "SuspensionEnded": _step(["rectification"], _STAYS, _MANAGERS),
    "InspectionPassed": _step(["reinspection"], "closure", _OFFICER),
    "InspectionFailed": _step(["reinspection"], "rectification", _OFFICER),
    "InspectionImpossible": _step(["reinspection"], _STAYS, _OFFICER),
    "CaseUrged": _step(OPEN, _STAYS, _MANAGERS),
    "CaseSupervised": _step(OPEN, _STAYS, frozenset({"supervisor"})),
    "SupervisionExpired": _step(OPEN, _STAYS, _NOBODY),
    "CaseWithdrawn": _step(OPEN - {"reinspection"}, "withdrawn", _ANYBODY - _UNIT),
    "CaseForceClosed": _step(OPEN, "force_closed", frozenset({"supervisor"})),
    "CaseRated": _step(["closure"], _STAYS, frozenset({"resident"})),
    "AppealFiled": _step(["closure"], _STAYS, _UNIT),
    "AppealSupported": _step(["closure"], _STAYS, _MANAGERS),
    "AppealGranted": _step(["closure"], _STAYS, _MANAGERS),
    "AppealRefused": _step(["closure"], _STAYS, _MANAGERS),
    "CaseReopened": _step(["closure"], "rectification", _MANAGERS),
    "CommentAdded": _step(RUNNING, _STAYS, _ANYBODY),
    "DeadlinePassed": _step(OPEN, _STAYS, _NOBODY),
    "RungFired": _step(OPEN, _STAYS, _NOBODY),
    "CalendarChanged": _step(RUNNING, _STAYS, _NOBODY),
    "RulesChanged": _step(RUNNING, _STAYS, _NOBODY),
    "CaseArchived": _step(["closure"], "archived", _NOBODY),
}
#: May also come about without a hand: an acceptance by silence, a suspension that runs out.
_ALSO_BY_ITSELF = frozenset({"CaseAccepted", "SuspensionEnded"})


@dataclass
class Life:
    """Where a case is after the events walked through so far."""

    stage: str = ""
    round: int = 1
    dispatches: int = 0
    lead: str | None = None
    co_units: tuple[str, ...] = ()
    helped: set[str] = field(default_factory=set)  # the co-units that have submitted in this round
    plan: str | None = ""  # None: none is needed; otherwise the last thing that happened to it
    reporters: set[str] = field(default_factory=set)
    fixers: set[str] = field(default_factory=set)

    @property
    def helpers(self) -> list[str] | None:
        return list(self.co_units) or None

    def walk(self, log: Iterable[Json]) -> Iterator[str]:
        """What is unlawful, in words."""
        for event in log:
            complaint = self._begin(event) if not self.stage else self._go(event)
            if complaint:
                yield f"event {event['seq']} {event['fact']['type']}: {complaint}"

    def _begin(self, event: Json) -> str | None:
        fact = event["fact"]
        if fact["type"] != "CaseOpened":
            return "a case begins by being opened"
        self.stage = "assignment" if fact.get("trusted") else "intake"
        self.plan = "" if fact.get("needs_plan") else None
        self.reporters.add(event["by"]["user"])
        return None

    def _go(self, event: Json) -> str | None:
        kind = event["fact"]["type"]
        step = STEPS.get(kind)
        if step is None:
            return "happens to no running case"
        complaint = self._wrong_stage(step) or self._wrong_hand(step, event) or self._wrong_time(kind, event)
        self.stage = step.to or self.stage
        self._remember(kind, event)
        return complaint

    def _wrong_stage(self, step: Step) -> str | None:
        return None if self.stage in step.stages else f"not lawful in {self.stage}"

    def _wrong_hand(self, step: Step, event: Json) -> str | None:
        by, kind = event.get("by"), event["fact"]["type"]
        if by is None:
            return None if kind in _ALSO_BY_ITSELF or not step.roles else "nobody did it"
        if by["role"] not in step.roles and step.roles:
            return f"done by a {by['role']}"
        if kind in {"CaseAccepted", "CaseReturned", "RectificationSubmitted"} and by.get("unit") != self.lead:
            return f"done by {by.get('unit')}, which does not lead"
        if kind == "CoUnitSubmitted" and by.get("unit") not in self.co_units:
            return f"done by {by.get('unit')}, which does not help"
        if kind.startswith("Inspection") and by["user"] in self.fixers | self.reporters:
            return f"{by['user']} had a hand in it before"
        return None

    def _wrong_time(self, kind: str, event: Json) -> str | None:
        """What the stage allows, and something else about the case does not."""
        fact = event["fact"]
        if kind == "RectificationSubmitted":
            return self._wrong_submission(fact)
        if kind == "CoUnitSubmitted" and fact["unit"] in self.helped:
            return f"{fact['unit']} had submitted before"
        if kind == "PlanSubmitted" and self.plan in {None, "PlanApproved"}:
            return "no plan was wanted"
        if kind in {"PlanApproved", "PlanRefused"} and self.plan != "PlanSubmitted":
            return "no plan was there to decide on"
        if kind == "ReportJoined":
            return self._wrong_reporters(fact["reporters"], event["by"])
        return None

    def _wrong_submission(self, fact: Json) -> str | None:
        pending, without = set(self.co_units) - self.helped, set(fact.get("without", ()))
        if self.plan not in {None, "PlanApproved"}:
            return "its plan was not approved"
        if without != pending:
            return f"says it is without {sorted(without)}, it is without {sorted(pending)}"
        return "went ahead for no reason" if pending and not fact.get("ahead_because") else None

    def _wrong_reporters(self, reporters: list[str], by: Json) -> str | None:
        if self.reporters & set(reporters):
            return "somebody had reported it before"
        return None if by["role"] in _MANAGERS or reporters == [by["user"]] else "for others"

    def _remember(self, kind: str, event: Json) -> None:
        fact, by = event["fact"], event.get("by") or {}
        if kind == "CaseDispatched":
            self.dispatches += 1
            self.lead, self.co_units = fact["unit"], tuple(fact.get("co_units", ()))
            self.helped, self.plan = set(), None if self.plan is None else ""
        elif kind == "CaseReturned":
            self.lead, self.co_units = None, ()
        elif kind in {"InspectionFailed", "CaseReopened"}:
            self.round, self.helped = self.round + 1, set()
            self.stage = "rectification" if self.lead else "assignment"
        elif kind in {"RectificationSubmitted", "CoUnitSubmitted", "MilestoneReported", "CaseSelfHandled"}:
            self.fixers.add(by.get("user", ""))
            self.helped |= {fact["unit"]} if kind == "CoUnitSubmitted" else set()
        elif kind in {"PlanSubmitted", "PlanApproved", "PlanRefused"}:
            self.plan = kind
        elif kind == "ReportJoined":
            self.reporters.update(fact["reporters"])
