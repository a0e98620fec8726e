"""What is wrong with a map of areas: shapes that are none, overlaps, what sticks out, gaps. Pure.

Everything is measured in metres on a plane about the middle of the city, good to about 1 % for a city of 100 km. What
is narrower than a tolerance is a sliver of two drawings of one border and not reported. Areas without a shape count as
what their children cover. 20,000 grids of 200 corners take half a minute.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cached_property
from math import cos, radians
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.errors import ShapelyError
from shapely.geometry.base import BaseGeometry

from directory import shapes
from directory.model import Area, AreaLevel, GridKind, Record
from directory.places import METRES_PER_DEGREE
from directory.shapes import Fault, Flaw
from domain.words import Words

#: Metres. Borders are drawn from photographs of half a metre, or walked with a phone that is right to a few metres.
SLIVER = 1.0
#: Streets cross: two line grids overlap at a junction. So much of the smaller one, and it is the same street twice.
SAME_STREET = 0.5
_PAIRS_AT_ONCE = 5_000
_INTERIORS_MEET = "T********"

Shapes = NDArray[np.object_]


class Doubt(StrEnum):
    BAD_SHAPE = "bad_shape"
    NO_SHAPE = "no_shape"
    OVERLAP = "overlap"
    STICKS_OUT = "sticks_out"
    GAP = "gap"


DOUBTS: Mapping[Doubt, Words] = {
    Doubt.BAD_SHAPE: ("图形有误", "its shape is bad"),
    Doubt.NO_SHAPE: ("网格没有图形", "the grid has no shape"),
    Doubt.OVERLAP: ("同类辖区重叠", "areas of one kind overlap"),
    Doubt.STICKS_OUT: ("超出上级辖区", "it sticks out of the area above"),
    Doubt.GAP: ("下级辖区未覆盖", "the areas below leave a gap"),
}


class Finding(Record):
    """`areas`: two that overlap, or what sticks out and of what, or the one that is meant.

    `share`: of the smaller one that overlaps, of the one that sticks out, or of the whole that is not covered, 0 to 1.
    `place`: WGS-84 (lon, lat) in the largest piece of it, or where a border is broken.
    """

    doubt: Doubt
    areas: tuple[str, ...]
    flaw: Flaw | None = None
    square_metres: float | None = None
    share: float | None = None
    place: tuple[float, float] | None = None


class Checked(Record):
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        """Grids without a shape are no fault: a city may be drawn bit by bit."""
        return all(finding.doubt is Doubt.NO_SHAPE for finding in self.findings)


def check(areas: Iterable[Area], sliver: float = SLIVER) -> Checked:
    """Retired areas are not on the map. `sliver`: metres of width below which nothing is reported."""
    live = [area for area in areas if not area.retired]
    sound: list[tuple[Area, BaseGeometry]] = []
    findings: list[Finding] = []
    for area in live:
        shape, found = _read(area)
        findings += [] if found is None else [found]
        sound += [] if shape is None else [(area, shape)]
    if sound:
        ground = _Ground(live, sound, sliver)
        findings += [*ground.overlaps(), *ground.sticking_out(), *ground.gaps()]
        findings += _without_shape(live)
    return Checked(findings=tuple(findings))


def _read(area: Area) -> tuple[BaseGeometry | None, Finding | None]:
    if area.shape is None:
        return None, None
    try:
        shape = shapes.read(area.shape)
        fault = shapes.fault(shape)
    except ShapelyError:
        fault = Fault(Flaw.UNREADABLE)
    if fault is None:
        return shape, None
    return None, Finding(doubt=Doubt.BAD_SHAPE, areas=(area.id,), flaw=fault.flaw, place=fault.place)


def _without_shape(areas: Iterable[Area]) -> Iterator[Finding]:
    for area in areas:
        if area.level is AreaLevel.GRID and area.shape is None:
            yield Finding(doubt=Doubt.NO_SHAPE, areas=(area.id,))


class _Piece(NamedTuple):
    """Of what was measured the `nth`: m² of its pieces that are no slivers, and a place in the largest."""

    nth: int
    square_metres: float
    place: tuple[float, float]


class _Ground:
    """All sound shapes in metres."""

    def __init__(self, live: Sequence[Area], sound: Sequence[tuple[Area, BaseGeometry]], sliver: float) -> None:
        self._sliver = sliver
        self._areas = [area for area, _ in sound]
        self._at = {area.id: index for index, area in enumerate(self._areas)}
        self._children: dict[str | None, list[Area]] = defaultdict(list)
        for area in live:
            self._children[area.parent].append(area)
        self._parents = {area.id: area.parent for area in live}
        degrees = np.array([shape for _, shape in sound], dtype=object)
        _, south, _, north = shapely.total_bounds(degrees)
        self._scale = np.array([cos(radians((south + north) / 2)), 1]) * METRES_PER_DEGREE
        self._shapes: Shapes = np.asarray(shapely.transform(degrees, lambda xy: xy * self._scale))
        shapely.prepare(self._shapes)
        self._square_metres = shapely.area(self._shapes)

    # --- overlaps ---

    def overlaps(self) -> Iterator[Finding]:
        """Between areas of one level, and grids of one kind."""
        groups: dict[tuple[AreaLevel, GridKind | None], list[int]] = defaultdict(list)
        for index, area in enumerate(self._areas):
            groups[area.level, _kind(area)].append(index)
        for (_, kind), members in groups.items():
            least = SAME_STREET if kind is GridKind.LINE else 0.0
            yield from self._overlaps(np.array(members), least)

    def _overlaps(self, members: NDArray[np.int_], least: float) -> Iterator[Finding]:
        tree = shapely.STRtree(self._shapes[members])
        one, other = members[tree.query(self._shapes[members])]
        one, other = one[one < other], other[one < other]
        for start in range(0, len(one), _PAIRS_AT_ONCE):
            ours, theirs = one[start : start + _PAIRS_AT_ONCE], other[start : start + _PAIRS_AT_ONCE]
            meet = shapely.relate_pattern(self._shapes[ours], self._shapes[theirs], _INTERIORS_MEET)
            ours, theirs = ours[meet], theirs[meet]
            for piece in self._pieces(shapely.intersection(self._shapes[ours], self._shapes[theirs])):
                pair = ours[piece.nth], theirs[piece.nth]
                share = piece.square_metres / min(self._square_metres[each] for each in pair)
                if share >= least:
                    yield self._finding(Doubt.OVERLAP, [self._areas[each].id for each in pair], piece, share)

    # --- sticking out ---

    def sticking_out(self) -> Iterator[Finding]:
        """Of the next area above that has a shape."""
        outside = self._not_covered
        if not outside:
            return
        ours, theirs = np.array(outside).T
        for piece in self._pieces(shapely.difference(self._shapes[ours], self._shapes[theirs])):
            child, above = int(ours[piece.nth]), int(theirs[piece.nth])
            pair = [self._areas[child].id, self._areas[above].id]
            yield self._finding(Doubt.STICKS_OUT, pair, piece, piece.square_metres / self._square_metres[child])

    @cached_property
    def _not_covered(self) -> list[tuple[int, int]]:
        pairs = [(index, above) for index in range(len(self._areas)) if (above := self._above(index)) is not None]
        if not pairs:
            return []
        ours, theirs = np.array(pairs).T
        inside = shapely.covers(self._shapes[theirs], self._shapes[ours])
        return [pair for pair, covered in zip(pairs, inside, strict=True) if not covered]

    def _above(self, index: int) -> int | None:
        """A circle of parents ends where it began."""
        seen = {self._areas[index].id}
        here = self._areas[index].parent
        while here is not None and here not in seen:
            if here in self._at:
                return self._at[here]
            seen.add(here)
            here = self._parents.get(here)
        return None

    # --- gaps ---

    def gaps(self) -> Iterator[Finding]:
        """What children leave of their parent; of a parent without a shape, the holes in what they cover together."""
        known: dict[str, BaseGeometry | None] = {}
        for area in self._bottom_up():
            covered = self._covered_by_children(area, known)
            index = self._at.get(area.id)
            whole = known[area.id] = self._whole(index, covered)
            if covered is None or whole is None or (index not in self._stuck_out_of and self._alike(whole, covered)):
                continue  # the difference itself is slow to find
            missing = self._less_compounds(shapely.difference(whole, covered))
            for piece in self._pieces(np.array([missing])):
                yield self._finding(Doubt.GAP, [area.id], piece, piece.square_metres / shapely.area(whole))

    def _whole(self, index: int | None, covered: BaseGeometry | None) -> BaseGeometry | None:
        """An area's own shape, else what its children cover, without holes."""
        if index is None:
            return None if covered is None else _filled(covered)
        own: BaseGeometry = self._shapes[index]
        return own

    def _bottom_up(self) -> Iterator[Area]:
        """Every area that hangs in the tree, children before parents."""
        found, rest = [], list(self._children[None])
        while rest:
            area = rest.pop()
            found.append(area)
            rest += self._children.get(area.id, ())
        return reversed(found)

    def _covered_by_children(self, area: Area, known: Mapping[str, BaseGeometry | None]) -> BaseGeometry | None:
        """None: it is not divided, or it is not known how."""
        children = [child for child in self._children.get(area.id, ()) if _kind(child) is not GridKind.LINE]
        if all(_kind(child) is GridKind.COMPOUND for child in children):
            return None
        parts = [known[child.id] for child in children]
        return None if any(part is None for part in parts) else shapely.union_all(parts)

    def _alike(self, one: BaseGeometry, other: BaseGeometry) -> bool:
        """For two of which the one lies in the other."""
        return bool(abs(shapely.area(one) - shapely.area(other)) < self._sliver**2)

    def _less_compounds(self, missing: BaseGeometry) -> BaseGeometry:
        """A compound may be cut out of the block around it and hang elsewhere in the tree."""
        compounds, tree = self._compounds
        inside = compounds[tree.query(missing, predicate="intersects")]
        return shapely.difference(missing, shapely.union_all(inside)) if inside.size else missing

    @cached_property
    def _compounds(self) -> tuple[Shapes, shapely.STRtree]:
        found = self._shapes[[_kind(area) is GridKind.COMPOUND for area in self._areas]]
        return found, shapely.STRtree(found)

    @cached_property
    def _stuck_out_of(self) -> frozenset[int]:
        return frozenset(above for _, above in self._not_covered)

    # --- what it measures with ---

    def _pieces(self, geometries: Shapes) -> Iterator[_Piece]:
        """Of each geometry what is left without slivers, if anything is."""
        parts, owners = shapely.get_parts(geometries, return_index=True)
        sizes, lengths = shapely.area(parts), shapely.length(parts)
        wide = sizes * 2 >= np.maximum(lengths, self._sliver) * self._sliver
        order = np.lexsort((-sizes[wide], owners[wide]))
        parts, owners, sizes = parts[wide][order], owners[wide][order], sizes[wide][order]
        totals = np.bincount(owners, weights=sizes)
        for index, first in zip(*np.unique(owners, return_index=True), strict=True):
            inside = shapely.point_on_surface(parts[first])
            yield _Piece(int(index), float(totals[index]), self._degrees(inside.x, inside.y))

    def _degrees(self, x: float, y: float) -> tuple[float, float]:
        return round(float(x / self._scale[0]), 7), round(float(y / self._scale[1]), 7)

    def _finding(self, doubt: Doubt, areas: Sequence[str], piece: _Piece, share: float) -> Finding:
        measured = {"square_metres": round(piece.square_metres, 1), "share": round(float(share), 4)}
        return Finding(doubt=doubt, areas=tuple(areas), place=piece.place, **measured)


def _kind(area: Area) -> GridKind | None:
    """Of a grid; one of no kind is a block."""
    return (area.kind or GridKind.BLOCK) if area.level is AreaLevel.GRID else None


def _filled(covered: BaseGeometry) -> BaseGeometry:
    """Without its holes."""
    return shapely.union_all(shapely.polygons([part.exterior for part in shapely.get_parts(covered)]))
