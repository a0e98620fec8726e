"""What a row says, in our words: a report, where the ledger puts it, and how it ended if it did.

Pure. Ids of areas, units and categories that only the ledger names are made here, by one rule, so that whoever founds
them and whoever looks them up agree.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from directory.model import Directory
from directory.reporting import Ledger, Report
from domain.case import Outcome
from domain.policy import Severity
from ledger.mapping import Level, Map, filled
from ledger.refusals import Refused, Row
from ledger.slugs import slug
from ledger.times import instant

Cells = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ended:
    at: datetime
    status: str | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Entry:
    """`ended` is None for what the ledger has open."""

    reference: str
    report: Report
    ledger: Ledger
    ended: Ended | None


@dataclass(frozen=True, slots=True)
class Step:
    """One area on the way down from the city. `cell` names it if it is not there yet."""

    id: str
    level: Level
    cell: str


def entry(plan: Map, directory: Directory, row: Row) -> Entry:
    """Raises Refused."""
    if row.flaw is not None:
        raise Refused(row.flaw)
    cells = row.cells
    reference = cells[plan.reference]
    if not reference:
        raise Refused("reference_missing")
    ended = _ended(plan, cells)
    return Entry(reference, _report(plan, directory, cells, reference), _ledger(plan, directory, cells), ended)


def _report(plan: Map, directory: Directory, cells: Cells, reference: str) -> Report:
    if not cells[plan.time.discovered]:
        raise Refused("time_missing")
    category, condition = _category(plan, directory, cells)
    said: dict[str, Any] = {
        "category": category,
        "condition": condition,
        "description": filled(plan.description, cells),
        "address": (plan.address and filled(plan.address, cells)) or None,
        "location": _location(plan, cells),
        "place_type": plan.place_type and plan.place_type.find(cells),
        "severity": (plan.severity and plan.severity.find(cells)) or Severity.NORMAL,
        "external_ref": reference,
        "discovered_at": instant(cells[plan.time.discovered], plan.time),
    }
    try:
        return Report.model_validate(said)
    except ValidationError as error:
        raise _text_refused(error) from None


def _text_refused(error: ValidationError) -> Refused:
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(map(str, first["loc"]))
    message = first["msg"].removeprefix("Value error, ")
    match first["type"]:
        case "string_too_long":
            return Refused("text_too_long", f"{field}: {message}")
        case "string_too_short":
            return Refused("text_missing", field)
        case _:
            return Refused("text_invalid", f"{field}: {message}")


def _location(plan: Map, cells: Cells) -> dict[str, Any] | None:
    if plan.position is None:
        return None
    lon, lat = cells[plan.position.lon], cells[plan.position.lat]
    if not lon and not lat:
        return None
    try:
        return {"lon": float(lon), "lat": float(lat), "datum": plan.position.datum.value}
    except ValueError:
        raise Refused("coordinates_unreadable", f"{lon} {lat}") from None


def _ended(plan: Map, cells: Cells) -> Ended | None:
    if plan.closed is None or not cells[plan.closed.column]:
        return None
    status = cells[plan.closed.status] if plan.closed.status else None
    outcome = plan.closed.outcomes.get(status or "", Outcome.RECTIFIED)
    at = instant(cells[plan.closed.column], plan.time, latest=True)
    return Ended(at, status or None, outcome)


# --- ids ---


def category_code(cell: str) -> str:
    """Of a category made from a ledger's value. No code of the catalogue begins like that."""
    return f"X-{slug(cell)}"


def _category(plan: Map, directory: Directory, cells: Cells) -> tuple[str, str | None]:
    """The category and, where the map names one, the condition."""
    cell = cells[plan.category.column]
    wanted = plan.category.find(cells)
    if wanted is not None and wanted in directory.condition_by_id:
        return directory.condition_by_id[wanted].category, wanted
    code = wanted or (category_code(cell) if cell else "")
    if code not in directory.category_by_code:
        raise Refused("category_unmapped", cell or wanted or "")
    return code, None


def unit_id(plan: Map, cells: Cells) -> str | None:
    if plan.unit is None:
        return None
    cell = cells[plan.unit.column]
    return plan.unit.find(cells) or slug(cell) or None


def area_steps(plan: Map, cells: Cells) -> tuple[Step, ...]:
    """From below the city downwards; a level whose cell is empty is left out."""
    steps: list[Step] = []
    for level in plan.area:
        cell = cells[level.column]
        area = level.find(cells)
        if area is None and cell:
            area = slug(steps[-1].id if steps else "", level.prefix + slug(cell))
        if area is not None:
            steps.append(Step(area, level, cell))
    return tuple(steps)


def _ledger(plan: Map, directory: Directory, cells: Cells) -> Ledger:
    steps = area_steps(plan, cells)
    for step in steps:
        if step.id not in directory.area_by_id:
            raise Refused("area_unmapped", step.cell)
    unit = unit_id(plan, cells)
    if plan.unit and unit is not None and unit not in directory.unit_by_id:
        raise Refused("unit_unmapped", cells[plan.unit.column])
    return Ledger(area=steps[-1].id if steps else None, unit=unit)
