"""Search attributes: what an operator can filter by in Temporal's own UI.

No personal data: the codec does not encrypt them. Lists for users come from SQL.
"""

from typing import Any

from temporalio.common import SearchAttributeKey, SearchAttributePair, SearchAttributeUpdate, TypedSearchAttributes

from domain.case import Snapshot

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


def at_opening(case: Snapshot) -> TypedSearchAttributes:
    return TypedSearchAttributes([SearchAttributePair(key, value) for key, value in _values(case) if value is not None])


def changes(before: Snapshot, after: Snapshot) -> list[SearchAttributeUpdate[Any]]:
    """What has to be upserted; each upsert costs one history event, so unchanged values stay out."""
    pairs = zip(_values(before), _values(after), strict=True)
    return [
        key.value_unset() if value is None else key.value_set(value) for (key, old), (_, value) in pairs if old != value
    ]


def _values(case: Snapshot) -> tuple[tuple[SearchAttributeKey[Any], Any], ...]:
    return (
        (STAGE, case.stage.value),
        (UNIT, case.lead_unit),
        (AREA, case.area),
        (DUE, case.due_at),
        (LEVEL, case.escalation_level),
    )
