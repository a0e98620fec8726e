"""Who may see a case, and whose hand may give a command: the one place where role, unit and area are judged.

Works on the facts alone, so that the workflow (which decides) and the API (which shows what is possible) agree.
"""

from collections.abc import Callable
from enum import StrEnum

from domain.actors import Actor, Role, above, within
from domain.case import CaseFacts


class Hand(StrEnum):
    """A caller's relation to a case. A command names the hands that may give it; one is enough."""

    LEAD_UNIT = "the lead unit"
    CO_UNIT = "a co-unit"
    OFFICER = "an officer of the area"
    INSPECTOR = "an officer of the area who neither reported nor rectified it"
    DISPATCHER = "the area's dispatcher"
    SUPERVISOR = "the area's supervisor"
    REPORTER = "whoever reported it"
    RESIDENT_REPORTER = "the resident who reported it"
    WITNESS = "anybody who may report and has found the same"
    ANYBODY = "anybody who may see it"


def may_see(actor: Actor, case: CaseFacts) -> bool:
    """Admins see all; reporters what they found; a unit what it leads or helps with; others their area's subtree.

    Officers also see what is known no more closely than by an area that theirs lies in.
    """
    if actor.role is Role.ADMIN or actor.user in {case.reporter, *case.joined}:
        return True
    if actor.role is Role.UNIT:
        return actor.unit is not None and actor.unit in {case.lead_unit, *case.co_units}
    return _in_area(actor, case)


def holds(actor: Actor, hand: Hand, case: CaseFacts) -> bool:
    return _HANDS[hand](actor, case)


def role_could(actor: Actor, hand: Hand) -> bool:
    """Whether this role could ever be that hand, whatever the case."""
    return actor.role in roles_of(hand)


def roles_of(hand: Hand) -> frozenset[Role]:
    return _ROLES[hand]


def _in_area(actor: Actor, case: CaseFacts) -> bool:
    """A case known only by its address lies somewhere in the city: any officer below may be the one who goes there."""
    if actor.role is Role.RESIDENT or actor.area is None:
        return False
    nearby = actor.role is Role.OFFICER and case.area in above(actor.area)
    return nearby or within(case.area, actor.area)


def _role_in_area(role: Role) -> Callable[[Actor, CaseFacts], bool]:
    return lambda actor, case: actor.role is role and _in_area(actor, case)


def _is_reporter(actor: Actor, case: CaseFacts) -> bool:
    return actor.user == case.reporter


def _is_inspector(actor: Actor, case: CaseFacts) -> bool:
    """Three different hands: the reporter, the fixer and the closer; digital city management parts them throughout."""
    partial = actor.unit is not None and actor.unit in {case.lead_unit, *case.co_units}
    apart = actor.user not in {case.reporter, *case.joined, *case.fixers}
    return actor.role is Role.OFFICER and apart and not partial and _in_area(actor, case)


def _is_lead(actor: Actor, case: CaseFacts) -> bool:
    return actor.role is Role.UNIT and actor.unit is not None and actor.unit == case.lead_unit


def _is_co_unit(actor: Actor, case: CaseFacts) -> bool:
    return actor.role is Role.UNIT and actor.unit is not None and actor.unit in case.co_units


_REPORTING_ROLES = frozenset({Role.RESIDENT, Role.OFFICER, Role.DISPATCHER, Role.SUPERVISOR})
_HANDS: dict[Hand, Callable[[Actor, CaseFacts], bool]] = {
    Hand.LEAD_UNIT: _is_lead,
    Hand.CO_UNIT: _is_co_unit,
    Hand.OFFICER: _role_in_area(Role.OFFICER),
    Hand.INSPECTOR: _is_inspector,
    Hand.DISPATCHER: _role_in_area(Role.DISPATCHER),
    Hand.SUPERVISOR: _role_in_area(Role.SUPERVISOR),
    Hand.REPORTER: _is_reporter,
    Hand.RESIDENT_REPORTER: lambda actor, case: actor.role is Role.RESIDENT and _is_reporter(actor, case),
    Hand.WITNESS: lambda actor, _: actor.role in _REPORTING_ROLES,
    Hand.ANYBODY: may_see,
}
_ROLES: dict[Hand, frozenset[Role]] = {
    Hand.LEAD_UNIT: frozenset({Role.UNIT}),
    Hand.CO_UNIT: frozenset({Role.UNIT}),
    Hand.OFFICER: frozenset({Role.OFFICER}),
    Hand.INSPECTOR: frozenset({Role.OFFICER}),
    Hand.DISPATCHER: frozenset({Role.DISPATCHER}),
    Hand.SUPERVISOR: frozenset({Role.SUPERVISOR}),
    Hand.REPORTER: _REPORTING_ROLES,
    Hand.RESIDENT_REPORTER: frozenset({Role.RESIDENT}),
    Hand.WITNESS: _REPORTING_ROLES,
    Hand.ANYBODY: frozenset(Role),
}
