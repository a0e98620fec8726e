"""What a routing table gets wrong over a whole city: holes, ties, dead rows. Pure; 20,000 grids take seconds.

It asks `directory.routing` and adds no rule of its own. Two facts make it short: a further grid, a place type or an
owner only ever adds rows that match, so where a place without them is answered for, every place there is; and a row
that loses in an area loses in everything below, so what wins anywhere wins in its own area.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import cached_property

from directory.model import Category, Condition, Directory, Record, RoutingRow
from directory.routing import Question, route
from domain.words import Words


class Why(StrEnum):
    """Why a row never wins, or, from `CO_UNIT_RETIRED` on, what else to look at."""

    UNIT_RETIRED = "unit_retired"
    AREA_RETIRED = "area_retired"
    OWNER_RETIRED = "owner_retired"
    PLACE_TYPE_UNKNOWN = "place_type_unknown"
    MATCHES_NOTHING = "matches_nothing"
    COVERED = "covered"
    CO_UNIT_RETIRED = "co_unit_retired"
    DISPATCHER_RETIRED = "dispatcher_retired"
    ONLY_WITHOUT_GRID = "only_without_grid"


WHY: Mapping[Why, Words] = {
    Why.UNIT_RETIRED: ("责任单位已停用", "its unit is retired"),
    Why.AREA_RETIRED: ("辖区已停用", "its area is retired"),
    Why.OWNER_RETIRED: ("权属单位已停用", "its owner is retired"),
    Why.PLACE_TYPE_UNKNOWN: ("类别目录中没有此点位类型", "no category has its place type"),
    Why.MATCHES_NOTHING: ("没有类别与之相符", "no category fits it"),
    Why.COVERED: ("处处被更具体的规则取代", "a more specific row always goes before it"),
    Why.CO_UNIT_RETIRED: ("有协办单位已停用", "one of its co-units is retired"),
    Why.DISPATCHER_RETIRED: ("派遣员已停用", "its dispatcher is retired"),
    Why.ONLY_WITHOUT_GRID: ("仅在案卷没有网格时生效", "it wins only for cases without a grid"),
}
#: Worth knowing and no fault: a table may well provide for addresses without a position.
HARMLESS = frozenset({Why.ONLY_WITHOUT_GRID})


class Hole(Record):
    """Nobody answers, not even a fallback, for these categories (or single conditions) in these areas.

    `but`: the place types for which somebody does. `areas` are the highest that are open throughout.
    """

    subjects: tuple[str, ...]
    areas: tuple[str, ...]
    but: tuple[str, ...] = ()


class Tie(Record):
    """Rows that match the very same; the first wins by its id alone. `same`: they give the same answer."""

    rows: tuple[str, ...]
    same: bool


class Remark(Record):
    """On one row. `by`: the rows that go before it, one for each condition at most."""

    row: str
    why: Why
    by: tuple[str, ...] = ()


class Checked(Record):
    holes: tuple[Hole, ...]
    ties: tuple[Tie, ...]
    remarks: tuple[Remark, ...]

    @property
    def sound(self) -> bool:
        return not (self.holes or self.ties or any(each.why not in HARMLESS for each in self.remarks))


def check(directory: Directory) -> Checked:
    ties = tuple(_ties(directory))
    remarks = _Remarks(directory, frozenset(row for tie in ties for row in tie.rows[1:]))
    return Checked(holes=tuple(_Holes(directory).found()), ties=ties, remarks=tuple(remarks.found()))


# --- holes ---

#: An area that is open throughout, and the place types for which it is not.
Open = tuple[str, frozenset[str]]


class _Tree:
    """Areas that are not retired, from the city down."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.children: dict[str, list[str]] = defaultdict(list)
        for area in directory.areas:
            if area.parent is not None and not area.retired:
                self.children[area.parent].append(area.id)

    def above(self, areas: Iterable[str]) -> frozenset[str]:
        """Everything that has one of these strictly below it."""
        return frozenset(above for area in areas for above in self.directory.ancestors(area)[1:])

    @cached_property
    def with_fallback(self) -> frozenset[str]:
        units = self.directory.unit_by_id
        named = ((area.id, area.fallback) for area in self.directory.areas)
        return frozenset(area for area, unit in named if unit is not None and not units[unit].retired)

    @cached_property
    def above_fallback(self) -> frozenset[str]:
        return self.above(self.with_fallback)


class _Holes:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._tree = _Tree(directory)

    def found(self) -> Iterator[Hole]:
        """Categories with the same holes together."""
        if not self._directory.areas:
            return
        together: dict[tuple[Open, ...], list[str]] = defaultdict(list)
        for category in self._directory.categories:
            for subject, opened in self._of_category(category):
                together[opened].append(subject)
        for opened, subjects in together.items():
            alike: dict[frozenset[str], list[str]] = defaultdict(list)
            for area, but in opened:
                alike[but].append(area)
            for but, areas in alike.items():
                yield Hole(subjects=tuple(subjects), areas=tuple(areas), but=tuple(sorted(but)))

    def _of_category(self, category: Category) -> Iterator[tuple[str, tuple[Open, ...]]]:
        """By the category if it is the same for all its conditions, else by condition. What has no hole is left out."""
        opened = {condition.id: self._of_condition(category, condition) for condition in category.conditions}
        if len(set(opened.values())) == 1:
            opened = {category.code: opened[category.default_condition.id]}
        yield from ((subject, each) for subject, each in opened.items() if each)

    def _of_condition(self, category: Category, condition: Condition) -> tuple[Open, ...]:
        answered: dict[str, set[str | None]] = defaultdict(set)
        for row in _rows_for(self._directory, category, condition):
            if row.owner is None and not self._directory.unit_by_id[row.unit].retired:
                answered[row.area or self._directory.root].add(row.place_type)
        return tuple(self._below(self._directory.root, frozenset(), answered, self._tree.above(answered)))

    def _below(
        self,
        area: str,
        already: frozenset[str | None],
        answered: Mapping[str, set[str | None]],
        above: frozenset[str],
    ) -> list[Open]:
        """`already`: the place types that are answered for from above; None among them: all are."""
        types = already | answered.get(area, frozenset())
        if None in types or area in self._tree.with_fallback:
            return []
        whole: list[Open] = [(area, frozenset(each for each in types if each is not None))]
        children = self._tree.children[area]
        if not children or (area not in above and area not in self._tree.above_fallback):
            return whole
        parts = [part for child in children for part in self._below(child, types, answered, above)]
        alike = {but for _, but in parts}
        if len(alike) == 1 and [each for each, _ in parts] == children:
            return [(area, alike.pop())]
        return parts


def _rows_for(directory: Directory, category: Category, condition: Condition) -> Iterator[RoutingRow]:
    """Every row that may match the condition somewhere."""
    code = category.code
    subjects = [(3, condition.id), (2, code), *((1, code[:length]) for length in range(len(code), 0, -1)), (0, "")]
    for subject in subjects:
        for rows in directory.routing_shelves.get(subject, {}).values():
            yield from (row for row in rows if _fits(row, category))


def _fits(row: RoutingRow, category: Category) -> bool:
    return row.category in {None, category.code} and category.code.startswith(row.big_category or "")


def _matched(directory: Directory, row: RoutingRow) -> Iterator[tuple[Category, Condition]]:
    """Nothing for a row that names a category and another's condition, or class."""
    named = row.category
    if named is None and row.condition is not None:
        named = directory.condition_by_id[row.condition].category
    for category in directory.categories if named is None else (directory.category_by_code[named],):
        if _fits(row, category):
            wanted = (each for each in category.conditions if row.condition in {None, each.id})
            yield from ((category, condition) for condition in wanted)


# --- ties ---


def _ties(directory: Directory) -> Iterator[Tie]:
    twins: dict[tuple[object, ...], list[RoutingRow]] = defaultdict(list)
    for row in directory.routing_in_force:
        if not directory.unit_by_id[row.unit].retired and any(_matched(directory, row)):
            twins[row.subject, row.area, row.place_type, row.owner].append(row)
    for rows in twins.values():
        if len(rows) > 1:
            rows.sort(key=lambda row: row.id)
            answers = {(row.unit, row.co_units, row.dispatcher) for row in rows}
            yield Tie(rows=tuple(row.id for row in rows), same=len(answers) == 1)


# --- rows that never win ---


class _Remarks:
    """`twins`: rows that lose by their id alone; the tie is told of already."""

    def __init__(self, directory: Directory, twins: frozenset[str]) -> None:
        self._directory = directory
        self._tree = _Tree(directory)
        self._above_rows = self._tree.above({row.area for row in directory.routing_in_force if row.area is not None})
        self._twins = twins

    def found(self) -> Iterator[Remark]:
        for row in self._directory.routing_in_force:
            gone = next(self._retired(row), None)
            if gone is not None:
                yield Remark(row=row.id, why=gone)
                continue
            yield from (Remark(row=row.id, why=why) for why in self._stale(row))
            if row.id not in self._twins:
                yield from self._never(row)

    def _retired(self, row: RoutingRow) -> Iterator[Why]:
        """What makes the row good for nothing."""
        directory = self._directory
        if directory.unit_by_id[row.unit].retired:
            yield Why.UNIT_RETIRED
        if row.area is not None and any(directory.area_by_id[each].retired for each in directory.ancestors(row.area)):
            yield Why.AREA_RETIRED
        if row.owner is not None and directory.unit_by_id[row.owner].retired:
            yield Why.OWNER_RETIRED
        if row.place_type is not None and row.place_type not in directory.place_types:
            yield Why.PLACE_TYPE_UNKNOWN

    def _stale(self, row: RoutingRow) -> Iterator[Why]:
        if any(self._directory.unit_by_id[unit].retired for unit in row.co_units):
            yield Why.CO_UNIT_RETIRED
        if row.dispatcher is not None and self._directory.user_by_id[row.dispatcher].retired:
            yield Why.DISPATCHER_RETIRED

    def _never(self, row: RoutingRow) -> Iterator[Remark]:
        asked = [self._question(row, category, condition) for category, condition in _matched(self._directory, row)]
        if not asked:
            yield Remark(row=row.id, why=Why.MATCHES_NOTHING)
            return
        at_home = [each for each in asked if _winner(each) == row.id]
        if not at_home:
            by = dict.fromkeys(filter(None, map(_winner, asked)))
            yield Remark(row=row.id, why=Why.COVERED, by=tuple(by))
        elif not any(self._wins_in_a_leaf(row, each, each.area) for each in at_home):
            yield Remark(row=row.id, why=Why.ONLY_WITHOUT_GRID)

    def _question(self, row: RoutingRow, category: Category, condition: Condition) -> Question:
        """Where the row has the fewest rivals."""
        area = row.area or self._directory.root
        return Question(self._directory, category.code, area, condition.id, row.place_type, row.owner)

    def _wins_in_a_leaf(self, row: RoutingRow, question: Question, area: str) -> bool:
        """Somewhere in the area, in one that is divided no further. For a row that wins in the area itself."""
        children = self._tree.children[area]
        if not children or area not in self._above_rows:
            return True
        for child in children:
            below = _moved(question, child)
            if _winner(below) == row.id and self._wins_in_a_leaf(row, below, child):
                return True
        return False


def _winner(question: Question) -> str | None:
    routed = route(question)
    return None if routed is None else routed.row_id


def _moved(question: Question, area: str) -> Question:
    asked = question
    return Question(asked.directory, asked.category, area, asked.condition, asked.place_type, asked.owner)
