"""Cases in several states of life: what leads to each, and what leads from there to the end.

For tests that exchange something under running cases. What must have happened in the end is written out by hand.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from domain.actors import Actor
from domain.commands import Opening
from domain.events import Event, RungFired
from tests.support.cases import (
    CO_UNIT,
    DISPATCHER,
    INSPECTOR,
    OTHER_PHOTO,
    PHOTO,
    RESIDENT,
    SUPERVISOR,
    UNIT,
    by_resident,
)
from tests.support.cases import rules as rules_of
from tests.support.engine import ROUND_THE_CLOCK, report


@dataclass(frozen=True)
class Given:
    """A command."""

    name: str
    actor: Actor
    body: dict[str, object] = field(default_factory=dict)


#: A time span: so long nobody does anything.
Step = Given | timedelta


def plain_report() -> Opening:
    """Under rules that every release knows."""
    return report(rules=rules_of(calendar=ROUND_THE_CLOCK, co_units=None))


@dataclass(frozen=True)
class Life:
    """`before` and `after` the exchange; `facts` is everything that has happened in the end, rungs by their names."""

    before: tuple[Step, ...]
    after: tuple[Step, ...]
    facts: str
    opening: Opening = field(default_factory=plain_report)
    recorded: bool = True


def residents_report() -> Opening:
    base = plain_report()
    return by_resident(id=base.id, opened_at=base.opened_at, discovered_at=base.discovered_at, rules=base.rules)


ACCEPT = Given("accept", UNIT)
SUBMIT = Given("submit", UNIT, {"note": "清理完毕", "evidence": [OTHER_PHOTO]})
FAIL = Given("inspect", INSPECTOR, {"result": "fail", "note": "仍有积水"})
PASS = Given("inspect", INSPECTOR, {"result": "pass", "note": "现场核查"})
COMMENT = Given("comment", UNIT, {"text": "已到现场"})
TILL_ARCHIVED = timedelta(days=8)
_OPENED = "CaseOpened CaseDispatched "
_DONE = "RectificationSubmitted InspectionPassed CaseArchived"


def opened() -> Life:
    return Life((), (ACCEPT, SUBMIT, PASS, TILL_ARCHIVED), _OPENED + "CaseAccepted " + _DONE)


def extension_pending() -> Life:
    return Life(
        (ACCEPT, Given("request-extension", UNIT, {"reason": "连日下雨"})),
        (
            Given("decide-extension", SUPERVISOR, {"grant": True, "reason": "情况属实"}),
            SUBMIT,
            PASS,
            TILL_ARCHIVED,
        ),
        _OPENED + "CaseAccepted ExtensionRequested ExtensionGranted " + _DONE,
    )


def returned() -> Life:
    return Life(
        (Given("verify", DISPATCHER, {"note": "属实"}), Given("return", UNIT, {"reason": "不归我管"})),
        (
            Given("assign", DISPATCHER, {"unit": "sanitation", "reason": "按职责"}),
            ACCEPT,
            SUBMIT,
            PASS,
            Given("rate", RESIDENT, {"score": 5}),
            TILL_ARCHIVED,
        ),
        "CaseOpened CaseVerified CaseDispatched CaseReturned CaseDispatched CaseAccepted "
        "RectificationSubmitted InspectionPassed CaseRated CaseArchived",
        opening=residents_report(),
    )


def suspended() -> Life:
    """Its timer is armed before, and rings after."""
    opening = plain_report()
    until = (opening.opened_at + timedelta(days=2)).isoformat()
    return Life(
        (ACCEPT, Given("suspend", SUPERVISOR, {"reason": "等设备", "until": until})),
        (timedelta(days=2, hours=1), SUBMIT, PASS, TILL_ARCHIVED),
        _OPENED + "CaseAccepted CaseSuspended SuspensionEnded " + _DONE,
        opening=opening,
    )


def submitted() -> Life:
    return Life(
        (ACCEPT, SUBMIT),
        (FAIL, SUBMIT, PASS, TILL_ARCHIVED),
        _OPENED + "CaseAccepted RectificationSubmitted InspectionFailed " + _DONE,
    )


def late() -> Life:
    """Some rungs have fired before; none may fire again."""
    return Life(
        (ACCEPT, timedelta(hours=13)),
        (timedelta(hours=4), SUBMIT, PASS, TILL_ARCHIVED),
        _OPENED + "CaseAccepted remind warn DeadlinePassed urge " + _DONE,
    )


def unrecorded() -> Life:
    """Nothing of it could be recorded before: an ordinary activity tries again and again."""
    return Life(
        (ACCEPT, COMMENT),
        (SUBMIT, PASS, TILL_ARCHIVED),
        _OPENED + "CaseAccepted CommentAdded " + _DONE,
        recorded=False,
    )


def helped() -> Life:
    """Under rules of a time when co-units had no clock of their own."""
    base = plain_report()
    return Life(
        (ACCEPT, Given("submit", CO_UNIT, {"note": "枯枝已清", "evidence": [PHOTO]})),
        (SUBMIT, PASS, TILL_ARCHIVED),
        _OPENED + "CaseAccepted CoUnitSubmitted " + _DONE,
        opening=base.model_copy(update={"proposed_co_units": ("greening",)}),
    )


def helped_later() -> Life:
    """Named before, and not heard of until after."""
    base = plain_report()
    return Life(
        (ACCEPT,),
        (Given("submit", CO_UNIT, {"note": "枯枝已清", "evidence": [PHOTO]}), SUBMIT, PASS, TILL_ARCHIVED),
        _OPENED + "CaseAccepted CoUnitSubmitted " + _DONE,
        opening=base.model_copy(update={"proposed_co_units": ("greening",)}),
    )


def all_of_them() -> tuple[Life, ...]:
    return tuple(
        make()
        for make in (opened, extension_pending, returned, suspended, submitted, late, helped, helped_later, unrecorded)
    )


def facts(events: list[Event]) -> str:
    return " ".join(each.fact.rung if isinstance(each.fact, RungFired) else each.fact.type for each in events)


def told(event: Event) -> tuple[object, ...]:
    """Of one number there is one thing, however often it was written down. On a busy machine a task may be done again,
    a moment later.
    """
    return event.seq, event.fact.type, event.by, event.command_id
