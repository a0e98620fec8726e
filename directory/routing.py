"""Which unit answers for a problem at a place: the most specific routing row wins, by the order below.

Rows of every area that holds the place may match: of its grids, there may be several, and of all areas above them.
`ORDER` is compared criterion by criterion; the first that differs decides. The end of each list is the row's id, so
that there is always one winner, whatever the order of the rows. A row whose unit is retired never wins. Where no row
answers, the `fallback` of the nearest area does; where there is none either, nobody is guessed: a dispatcher decides.
What the checkpoints 点位 of a registered place find is its keeper's, before any row.

`docs/routing.md` prints the same order for those who write the rows.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from directory.model import Area, AreaLevel, Directory, GridKind, Record, RoutingRow, Shelf
from domain.words import Words


class Criterion(StrEnum):
    """What two rows are compared by; see `MEANING`."""

    OWNER = "owner"
    SUBJECT = "subject"
    LEVEL = "level"
    GRID_KIND = "grid_kind"
    OWN_AREA = "own_area"
    PLACE_TYPE = "place_type"
    ROW_ID = "row_id"
    #: Not in the order: what goes before every row, and what none goes behind.
    KEEPER = "keeper"
    RETIRED = "retired"


_PLACE = (Criterion.LEVEL, Criterion.GRID_KIND, Criterion.OWN_AREA, Criterion.PLACE_TYPE)
#: By the category's kind. A thing 部件 is its owner's, wherever it stands; what happens 事件 and what is found at a
#: checkpoint is the place's, whoever owns what lies there.
ORDER: Mapping[str, tuple[Criterion, ...]] = {
    "component": (Criterion.OWNER, Criterion.SUBJECT, *_PLACE, Criterion.ROW_ID),
    "event": (Criterion.SUBJECT, *_PLACE, Criterion.OWNER, Criterion.ROW_ID),
    "checkpoint": (Criterion.SUBJECT, *_PLACE, Criterion.OWNER, Criterion.ROW_ID),
}
#: Why a row won against the next: in the words of both languages.
MEANING: Mapping[Criterion, Words] = {
    Criterion.OWNER: ("指明权属单位的规则优先", "a row for this owner goes first"),
    Criterion.SUBJECT: (
        "立案条件优先于小类，小类优先于大类，大类优先于不限类别",
        "a condition goes before a category, a category before a class, a class before any",
    ),
    Criterion.LEVEL: ("辖区层级低的优先", "the area of a lower level goes first"),
    Criterion.GRID_KIND: (
        "单位型网格优先于条形网格，条形网格优先于块状网格",
        "a compound goes before a line grid, a line grid before a block",
    ),
    Criterion.OWN_AREA: ("案卷所在网格优先", "the grid that the case is counted in goes first"),
    Criterion.PLACE_TYPE: ("指明点位类型的规则优先", "a row for this place type goes first"),
    Criterion.ROW_ID: ("其他都相同，编号小的优先", "all else being equal, the smaller id goes first"),
    Criterion.KEEPER: ("点位问题归点位的管理单位", "what checkpoints find is the keeper's"),
    Criterion.RETIRED: ("责任单位已停用", "its unit is retired"),
}
_LEVELS: Mapping[AreaLevel, int] = {level: depth for depth, level in enumerate(AreaLevel, start=1)}
_GRID_KINDS: Mapping[GridKind | None, int] = {None: 0, GridKind.BLOCK: 1, GridKind.LINE: 2, GridKind.COMPOUND: 3}
#: In the order of `_values`.
_VALUED = (Criterion.OWNER, Criterion.SUBJECT, *_PLACE)
_TURNS: Mapping[str, tuple[int, ...]] = {
    kind: tuple(_VALUED.index(each) for each in order[:-1]) for kind, order in ORDER.items()
}
Rank = tuple[tuple[int, ...], str]


class Routed(Record):
    """Who is to do it, and by which row; `row_id` is None where the `fallback_area` or a place's keeper answers."""

    unit: str
    co_units: tuple[str, ...] = ()
    dispatcher: str | None = None
    row_id: str | None = None
    fallback_area: str | None = None


class Weighed(Record):
    """A row that matched; `lost_by` is the first criterion in which the winner was before it, None of the winner."""

    row: RoutingRow
    lost_by: Criterion | None


class Explanation(Record):
    """`rows` in their order, the winner first; those of retired units at the end."""

    routed: Routed | None
    rows: tuple[Weighed, ...]


@dataclass(frozen=True)
class Question:
    """`area` is where the case is counted, `others` the further grids that hold the place. Ids, not paths.

    `keeper` keeps the registered place that the report names. KeyError, when it is answered, for an area that the
    directory does not know.
    """

    directory: Directory
    category: str
    area: str
    condition: str | None = None
    place_type: str | None = None
    owner: str | None = None
    others: tuple[str, ...] = ()
    keeper: str | None = None

    @cached_property
    def own(self) -> tuple[str, ...]:
        return self.directory.ancestors(self.area)

    @cached_property
    def areas(self) -> Sequence[str]:
        """Every area that holds the place; the case's own first, the innermost first."""
        if not self.others:
            return self.own
        found = dict.fromkeys(self.own)
        for other in self.others:
            found.update(dict.fromkeys(self.directory.ancestors(other)))
        return tuple(found)

    @cached_property
    def kind(self) -> str:
        """An unknown category is taken for an event."""
        category = self.directory.category_by_code.get(self.category)
        return "event" if category is None else category.kind


def route(question: Question) -> Routed | None:
    """None: neither a row nor a fallback answers, and a dispatcher decides."""
    units = question.directory.unit_by_id
    if question.keeper is not None and _is_kept(question):
        return Routed(unit=question.keeper)
    for group in _groups(question):
        standing = [row for row in group if not units[row.unit].retired]
        if standing:
            best = standing[0] if len(standing) == 1 else min(standing, key=lambda row: rank(row, question))
            return _by_row(question.directory, best)
    return _fallback(question)


def explain(question: Question) -> Explanation:
    """The same answer as `route`, and why not the others."""
    units, routed = question.directory.unit_by_id, route(question)
    matching = [row for group in _groups(question) for row in group]
    rows = sorted(matching, key=lambda row: (units[row.unit].retired, rank(row, question)))
    weighed = (Weighed(row=row, lost_by=_lost_by(row, routed, rows[0], question)) for row in rows)
    return Explanation(routed=routed, rows=tuple(weighed))


def _is_kept(question: Question) -> bool:
    keeper = question.directory.unit_by_id.get(question.keeper or "")
    return question.kind == "checkpoint" and keeper is not None and not keeper.retired


def _groups(question: Question) -> Iterator[list[RoutingRow]]:
    """Every row that matches; of two groups the first goes before the second by the first criteria of the order.

    Dictionaries only: rows of another category, area or owner are not looked at.
    """
    named = (None,) if question.owner is None else (question.owner, None)
    turns = [(each,) for each in named] if question.kind == "component" else [named]
    shelves = question.directory.routing_shelves
    for owners in turns:
        for subject in _subjects(question):
            if (shelf := shelves.get(subject)) is not None:
                yield _fitting(shelf, owners, question)


def rank(row: RoutingRow, question: Question) -> Rank:
    """Smallest first. For rows that match the question."""
    values = _values(row, question)
    return tuple(-values[each] for each in _TURNS[question.kind]), row.id


def _subjects(question: Question) -> Iterator[tuple[int, str]]:
    """As `RoutingRow.subject` has them."""
    code = question.category
    if question.condition is not None:
        yield (3, question.condition)
    yield (2, code)
    for length in range(len(code), 0, -1):
        yield (1, code[:length])
    yield (0, "")


def _fitting(shelf: Shelf, owners: Iterable[str | None], question: Question) -> list[RoutingRow]:
    return [
        row
        for owner in owners
        for area in (*question.areas, None)
        for row in shelf.get((area, owner), ())
        if row.place_type in {None, question.place_type}
        and row.category in {None, question.category}
        and question.category.startswith(row.big_category or "")
    ]


def _values(row: RoutingRow, question: Question) -> tuple[int, ...]:
    """By `_VALUED`: the larger, the more specific."""
    depth, text = row.subject
    area = None if row.area is None else question.directory.area_by_id[row.area]
    return (
        row.owner is not None,
        depth * 1000 + len(text) * (depth == 1),
        *((0, 0, 0) if area is None else _place(area, question)),
        row.place_type is not None,
    )


def _place(area: Area, question: Question) -> tuple[int, int, int]:
    """Level; kind of grid; the case's own areas before others, and of areas that lie in each other the inner one."""
    depth = question.directory.path(area.id).count("/")
    kind = _GRID_KINDS[area.kind] if area.level is AreaLevel.GRID else 0
    return _LEVELS[area.level], kind, depth + 1000 * (area.id in question.own)


def _by_row(directory: Directory, row: RoutingRow) -> Routed:
    """Co-units and dispatchers that are retired are left out."""
    units, users = directory.unit_by_id, directory.user_by_id
    dispatcher = row.dispatcher if row.dispatcher and not users[row.dispatcher].retired else None
    co_units = row.co_units and tuple(each for each in row.co_units if not units[each].retired)
    return Routed(unit=row.unit, co_units=co_units, dispatcher=dispatcher, row_id=row.id)


def _fallback(question: Question) -> Routed | None:
    """Of the areas that hold the place and name a unit that is not retired, the one that a row would win by."""
    directory = question.directory
    named = [directory.area_by_id[each] for each in question.areas]
    able = [area for area in named if area.fallback and not directory.unit_by_id[area.fallback].retired]
    if not able:
        return None
    best = max(able, key=lambda area: (_place(area, question), area.id))
    return Routed(unit=best.fallback or "", fallback_area=best.id)


def _lost_by(row: RoutingRow, routed: Routed | None, first: RoutingRow, question: Question) -> Criterion | None:
    if question.directory.unit_by_id[row.unit].retired:
        return Criterion.RETIRED
    if routed is None or routed.row_id is None:
        return Criterion.KEEPER
    if row.id == routed.row_id:
        return None
    mine, best = rank(row, question)[0], rank(first, question)[0]
    differing = (each for each, one, two in zip(ORDER[question.kind], mine, best, strict=False) if one != two)
    return next(differing, Criterion.ROW_ID)
