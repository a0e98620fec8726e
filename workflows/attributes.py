"""Search attributes: what an operator can filter by in Temporal's own UI.

No personal data: the codec does not encrypt them. Lists for users come from SQL; an upsert costs an event, a write to
Temporal's own index and a billed action, so only what seldom changes is kept here, and nothing
that changes in thousands of cases at the same instant.
"""

from collections.abc import Sequence
from typing import Any

from temporalio.common import SearchAttributeKey, SearchAttributePair, SearchAttributeUpdate, TypedSearchAttributes

from domain.case import Snapshot
from workflows.interface import QUIET

STAGE = SearchAttributeKey.for_keyword("CaseStage")
UNIT = SearchAttributeKey.for_keyword("CaseUnit")
AREA = SearchAttributeKey.for_keyword("CaseArea")
DUE = SearchAttributeKey.for_datetime("CaseDue")
LEVEL = SearchAttributeKey.for_int("CaseEscalationLevel")

#: Name and Temporal type of each, as the development server wants them registered.
REGISTERED = {
    STAGE.name: "Keyword",
    UNIT.name: "Keyword",
    AREA.name: "Keyword",
    DUE.name: "Datetime",
    LEVEL.name: "Int",
}


#: Those that a case keeps up to date: until 0.1, and by `QUIET` manners.
_AT_FIRST: tuple[SearchAttributeKey[Any], ...] = (STAGE, UNIT, AREA, DUE, LEVEL)
_SELDOM: tuple[SearchAttributeKey[Any], ...] = (UNIT, AREA)

Updates = Sequence[SearchAttributeUpdate[Any]]


def at_opening(case: Snapshot) -> TypedSearchAttributes:
    values = _values(case)
    return TypedSearchAttributes([SearchAttributePair(key, values[key]) for key in _SELDOM if values[key] is not None])


def changes(before: Snapshot, after: Snapshot, manners: int) -> Updates:
    """What has to be upserted."""
    old, new = _values(before), _values(after)
    return [_update(key, new[key]) for key in _kept(manners) if old[key] != new[key]]


def outgrown(shown: TypedSearchAttributes, manners: int) -> Updates:
    """Unsets what an earlier run kept up to date and this one will not."""
    return [pair.key.value_unset() for pair in shown if pair.key in _AT_FIRST and pair.key not in _kept(manners)]


def _kept(manners: int) -> tuple[SearchAttributeKey[Any], ...]:
    return _AT_FIRST if manners < QUIET else _SELDOM


def _update(key: SearchAttributeKey[Any], value: object) -> SearchAttributeUpdate[Any]:
    return key.value_unset() if value is None else key.value_set(value)


def _values(case: Snapshot) -> dict[SearchAttributeKey[Any], Any]:
    return {
        STAGE: case.stage.value,
        UNIT: case.lead_unit,
        AREA: case.area,
        DUE: case.due_at,
        LEVEL: case.escalation_level,
    }
