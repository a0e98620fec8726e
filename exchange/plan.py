"""What an import would do: the directory afterwards, record by record what changes, and everything that is wrong."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import ValidationError

from directory.changes import Action, Ground, Item, Kind, check, references
from directory.map_check import DOUBTS, Doubt, Finding
from directory.map_check import check as check_map
from directory.model import Area, AreaLevel, Catalogue, Category, Directory
from directory.places import Places
from domain.errors import RectifyError
from domain.sentences import sentence
from exchange import columns as c
from exchange import whole
from exchange.faults import Findings, Place
from exchange.merging import Before, Merger, Mode, Records
from exchange.reading import Given, Reading

#: Which sheet a kind of record stands on.
SHEETS: Mapping[Kind, str] = {
    Kind.AREA: "areas",
    Kind.UNIT: "units",
    Kind.USER: "users",
    Kind.POINT: "points",
    Kind.ROUTING: "routing",
}


class Change(NamedTuple):
    kind: Kind
    action: Action
    id: str
    before: Item | None
    after: Item


@dataclass(frozen=True, slots=True)
class Plan:
    """`categories`: those of the next edition; None: the one in force stays. `after` is None where there are faults."""

    before: Before
    after: Directory | None
    changes: Sequence[Change]
    categories: tuple[Category, ...] | None
    retired: Mapping[Kind, Sequence[str]]
    moved: Sequence[str]
    records: Records
    reading: Reading

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """By sheet: how many of which action. Nothing for what stays as it is."""
        counted: dict[str, Counter[str]] = {}
        for change in self.changes:
            counted.setdefault(SHEETS[change.kind], Counter())[change.action.value] += 1
        if self.categories is not None:
            old = self.before.directory.category_by_code if self.before.directory else {}
            differing = sum(old.get(each.code) != each for each in self.categories)
            gone = len(old.keys() - {each.code for each in self.categories})
            counted["categories"] = Counter({"change": differing, "retire": gone})
        if self.city_changed:
            counted["city"] = Counter({"change": 1})
        return {name: dict(counter) for name, counter in counted.items()}

    @property
    def city_changed(self) -> bool:
        old, new = self.before.directory, self.after
        return new is not None and (old is None or (old.city_zh, old.city_en) != (new.city_zh, new.city_en))

    @property
    def changes_nothing(self) -> bool:
        return not self.changes and self.categories is None and not self.city_changed


def plan(reading: Reading, before: Before, mode: Mode) -> Plan:
    """Never fails: what is wrong is in `reading.report`."""
    records = Merger(reading, before, mode).records()
    if any(not point.area for point in records.points.values()):
        whole.locate(records, _places(records), reading.report)
    checker = whole.Checker(records, before, reading)
    checker.check()
    changes = list(_changes(records, before))
    if reading.report.sound:
        _check_rules(changes, records, before, reading)
    after = _after(records, before, reading) if reading.report.sound else None
    old = before.directory
    categories = tuple(records.categories.values())
    return Plan(
        before=before,
        after=after,
        changes=changes,
        categories=None if old is not None and old.categories == categories else categories,
        retired={kind: checker.newly_retired(sheet) for kind, sheet in SHEETS.items()},
        moved=checker.moved(),
        records=records,
        reading=reading,
    )


def second_look(planned: Plan) -> None:
    """Warnings, which take a while: of the map where areas change, of points where points do."""
    reading, records = planned.reading, planned.records
    if planned.after is None:
        return
    if reading.lines(c.POINTS):
        whole.doubts(records, Places(planned.after), planned.after.place_types, reading)
    shaped = [each for each in planned.changes if isinstance(each.after, Area) and _moves_border(each)]
    if shaped:
        touched = {each.id for each in shaped}
        for finding in check_map(planned.after.areas).findings:
            if touched & {*finding.areas} and finding.doubt is not Doubt.NO_SHAPE:
                _tell(finding, planned)


def _moves_border(change: Change) -> bool:
    before = change.before
    return not isinstance(before, Area) or before.shape != getattr(change.after, "shape", None)


def _tell(finding: Finding, planned: Plan) -> None:
    zh, en = DOUBTS[finding.doubt]
    size = "" if finding.square_metres is None else f" {finding.square_metres:.0f} m²"
    at = "" if finding.place is None else f" ({finding.place[0]:.6f}, {finding.place[1]:.6f})"
    told = {"zh": f"{zh}{size}{at}。请核对边界。", "en": f"{en}{size}{at}. Look at the borders."}
    place = planned.records.place("areas", finding.areas[0])
    planned.reading.report.warnings.add("map", place, " / ".join(finding.areas), **told)


def _places(records: Records) -> Places:
    """For looking up points before the whole is known to be sound: areas that hang together."""
    sound = [area for area in records.areas.values() if area.parent is None or area.parent in records.areas]
    try:
        known = Directory(
            city_zh="",
            city_en="",
            zone="",
            areas=tuple(a.model_copy(update={"fallback": None}) for a in sound),
            units=(),
            users=(),
            categories=(),
            routing=(),
        )
    except ValidationError:
        known = Directory(city_zh="", city_en="", zone="", areas=(), units=(), users=(), categories=(), routing=())
    return Places(known)


def _changes(records: Records, before: Before) -> Iterator[Change]:
    old = before.directory
    pairs: tuple[tuple[Kind, Mapping[str, Any], Mapping[str, Any]], ...] = (
        (Kind.AREA, old.area_by_id if old else {}, records.areas),
        (Kind.UNIT, old.unit_by_id if old else {}, records.units),
        (Kind.USER, old.user_by_id if old else {}, records.users),
        (Kind.POINT, before.points, records.points),
        (Kind.ROUTING, {row.id: row for row in old.routing} if old else {}, records.routing),
    )
    for kind, was, now in pairs:
        for key, after in now.items():
            if after != was.get(key):
                yield Change(kind, _action(was.get(key), after), key, was.get(key), after)


def _action(before: Item | None, after: Item) -> Action:
    if before is None:
        return Action.CREATE
    if before.retired == after.retired:
        return Action.CHANGE
    return Action.RETIRE if after.retired else Action.RESTORE


def _check_rules(changes: Sequence[Change], records: Records, before: Before, reading: Reading) -> None:
    """The rules for single records. A city that is founded is let in as it is, and told of."""
    findings = reading.report.faults if before.directory else reading.report.warnings
    below: dict[str, set[AreaLevel]] = {}
    for area in records.areas.values():
        below.setdefault(area.parent or "", set()).add(area.level)
    for change in changes:
        if change.kind is Kind.POINT or change.after.retired:
            continue
        try:
            check(change.before, change.after, _ground(change.after, records, below))
        except RectifyError as error:
            place = records.place(SHEETS[change.kind], change.id, str(error.params.get("field") or "id"))
            told = {lang: sentence(error.code, error.params, lang) for lang in ("zh", "en")}
            findings.add("rule", place, change.id, **told)


def _ground(item: Item, records: Records, below: Mapping[str, set[AreaLevel]]) -> Ground:
    """References have been looked at already."""
    used = dict.fromkeys(references(item), True)
    if not isinstance(item, Area):
        return Ground(used)
    parent = records.areas.get(item.parent or "")
    level = None if parent is None else parent.level
    return Ground(used, level=level, below=frozenset(below.get(item.id, ())))


def _after(records: Records, before: Before, reading: Reading) -> Directory | None:
    city = _city(before, reading)
    if city is None:
        return None
    try:
        return Directory.model_validate(
            {
                **city,
                "areas": tuple(records.areas.values()),
                "units": tuple(records.units.values()),
                "users": tuple(records.users.values()),
                "categories": tuple(records.categories.values()),
                "routing": tuple(records.routing.values()),
            }
        )
    except ValidationError as error:
        why = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        reading.report.faults.add("unsound", Place(), why=why)
        return None


def _city(before: Before, reading: Reading) -> dict[str, Any] | None:
    """Names may be changed; zone and catalogue are only for a city that is founded."""
    old, lines = before.directory, reading.lines(c.CITY)
    faults = reading.report.faults
    for given in lines[1:]:
        faults.add("double", given.place("city_zh"), str(given.values["city_zh"]), where=str(lines[0].place()))
    said = lines[0].values if lines else {}
    names = {"city_zh": said["city_zh"], "city_en": said.get("city_en") or said["city_zh"]} if said else {}
    if old is not None:
        kept = {"city_zh": old.city_zh, "city_en": old.city_en, **names}
        return {**kept, "zone": old.zone, "catalogue": old.catalogue, "version": old.version}
    if not said:
        faults.add("city_missing", Place(c.CITY.title))
        return None
    edition = _edition(lines[0], faults)
    return None if edition is None else {**names, "zone": said["zone"], "catalogue": edition}


def _edition(given: Given, faults: Findings) -> Catalogue | None:
    said = {name: given.values[name] for name in Catalogue.model_fields if given.values.get(name) is not None}
    try:
        return Catalogue.model_validate(said)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0])
        faults.add("bad_value", given.place(name), str(said.get(name, "")), why=first["msg"])
        return None
