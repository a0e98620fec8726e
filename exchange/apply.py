"""An import from files to the database: looked at, and then done as a whole or not at all."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.ext.asyncio import AsyncEngine

from directory.calendars import default_calendar
from directory.changes import Kind
from directory.model import Catalogue, Directory, RoutingRow
from directory.positions import Datum
from directory.rules import default_ladder, default_policy
from domain.calendar import Calendar
from domain.sentences import sentence
from exchange import columns as c
from exchange.faults import Report
from exchange.files import Source, read
from exchange.merging import Before, Mode
from exchange.plan import Plan, plan, second_look
from exchange.reading import Reading
from store import catalogues, directory
from store import directory_bulk as bulk
from store.database import reading
from store.directory_bulk import Bulk, Change

_NEVER = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Result:
    """`version`: of the directory afterwards; None where nothing was written."""

    report: Report
    counts: dict[str, dict[str, int]]
    rows: dict[str, int]
    version: int | None


async def bring_in(  # noqa: PLR0913 - what, where, how, by whom and when
    engine: AsyncEngine,
    sources: Sequence[Source],
    *,
    mode: Mode,
    dry_run: bool,
    by: str,
    now: datetime,
    datum: Datum | None = None,
) -> Result:
    """Raises store.directory_bulk.Outdated if somebody changes the directory meanwhile: nothing is written then."""
    before = Before(*await bulk.everything(engine))
    reading = await asyncio.to_thread(read, sources, datum or Datum.WGS84)
    planned = await asyncio.to_thread(_looked_at, reading, before, mode, by)
    report = planned.reading.report
    await _check_cases(engine, planned)
    await _check_calendars(engine, planned)
    await _check_editions(engine, planned, now)
    version = None
    if report.sound and not dry_run and not planned.changes_nothing:
        version = await bulk.write(engine, _bulk(planned, now), by, now)
    rows = {name: len(lines) for name, lines in planned.reading.given.items()}
    return Result(report, planned.counts if report.sound else {}, rows, version)


def _looked_at(reading: Reading, before: Before, mode: Mode, by: str) -> Plan:
    planned = plan(reading, before, mode)
    _check_yourself(planned, by)
    _check_zone(planned)
    second_look(planned)
    return planned


def _check_yourself(planned: Plan, by: str) -> None:
    """Nobody shuts himself out."""
    old = planned.before.directory
    was = None if old is None else old.user_by_id.get(by)
    now = planned.records.users.get(by)
    if was and now and not was.retired and (now.retired or now.role is not was.role):
        told = {lang: sentence("not_yourself", {"given": by}, lang) for lang in ("zh", "en")}
        planned.reading.report.faults.add("rule", planned.records.place("users", by, "role"), by, **told)


def _check_zone(planned: Plan) -> None:
    for given in planned.reading.lines(c.CITY):
        try:
            ZoneInfo(given.values["zone"])
        except (ZoneInfoNotFoundError, ValueError, OSError):
            planned.reading.report.faults.add("zone_unknown", given.place("zone"), given.values["zone"])


async def _check_cases(engine: AsyncEngine, planned: Plan) -> None:
    """What is retired has no open cases; what moves has none at all: a case keeps the way to its area."""
    old = planned.before.directory
    if old is None:
        return
    faults, records = planned.reading.report.faults, planned.records
    gone = {*planned.retired[Kind.UNIT], *planned.retired[Kind.AREA]}
    running = await bulk.running_cases(engine) if gone else []
    by_unit = Counter(unit for _, units in running for unit in units)
    by_area = Counter(area for path, _ in running for area in path.split("/"))
    for sheet, ids, counted in (
        ("units", planned.retired[Kind.UNIT], by_unit),
        ("areas", planned.retired[Kind.AREA], by_area),
    ):
        for each in filter(counted.get, ids):
            faults.add("open_cases", records.place(sheet, each, "retired"), each, record=each, count=counted[each])
    for area in planned.moved:
        if count := await bulk.cases_in(engine, old.path(area)):
            faults.add("moved_with_cases", records.place("areas", area, "parent"), area, record=area, count=count)


async def _check_calendars(engine: AsyncEngine, planned: Plan) -> None:
    """A unit's own; a city that is founded gets them later."""
    known = await bulk.calendars(engine)
    report = planned.reading.report
    findings = report.warnings if planned.before.directory is None else report.faults
    for change in planned.changes:
        name = getattr(change.after, "calendar", None)
        if name is not None and name not in known and name != getattr(change.before, "calendar", None):
            place = planned.records.place("units", change.id, "calendar")
            findings.add("not_known", place, name, target="工作日历 calendar", wanted=name)


async def _check_editions(engine: AsyncEngine, planned: Plan, now: datetime) -> None:
    if planned.before.directory is None:
        return
    faults = planned.reading.report.faults
    waits = await catalogues.next_change(engine, now)
    if waits is None:
        return
    if planned.categories is not None:
        place = planned.records.place("categories", planned.categories[0].code if planned.categories else "")
        faults.add("edition_waits", place, at=waits.isoformat())
    rows = [each.after for each in planned.changes if isinstance(each.after, RoutingRow)]
    async with reading(engine) as connection:
        staying = await directory.categories_that_stay(connection, now)
    for missing in catalogues.lacking(staying, rows):
        faults.add("dropped_later", planned.records.place("routing", missing.row), missing.row, wanted=missing.subject)


def _bulk(planned: Plan, now: datetime) -> Bulk:
    after, old = planned.after, planned.before.directory
    if after is None:
        raise ValueError("there is nothing to write")
    changes = [Change(*each) for each in planned.changes]
    if old is None:
        return Bulk(0, after, changes, rules=(_calendar(after), default_policy(), default_ladder()))
    edition = None
    if planned.categories is not None:
        edition = Catalogue(scheme=old.catalogue.scheme, version=old.catalogue.version + 1, valid_from=now)
    kept = (area for area in after.areas if area.id in old.area_by_id)
    moved = {old.path(area.id): area for area in kept if after.path(area.id) != old.path(area.id)}
    return Bulk(old.version, after, changes, edition=edition, moved=moved)


def _calendar(city: Directory) -> Calendar:
    """The official Chinese one; elsewhere the same week without its holidays."""
    official = default_calendar()
    if city.zone == official.zone:
        return official
    return Calendar(id="city", zone=city.zone, seasons=official.seasons, official_through=_NEVER)


async def everything(engine: AsyncEngine) -> Before:
    return Before(*await bulk.everything(engine))
