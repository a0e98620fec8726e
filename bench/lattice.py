"""A city of as many grids as one likes, with borders as crooked as real ones: no names, no people, only shapes.

Blocks stand in a lattice and share their borders corner by corner, so that they cover the city without a gap or an
overlap. Five blocks of a row make a community, ten communities a street, ten streets a district.
"""

from collections.abc import Iterator
from math import isqrt

import numpy as np
import shapely
from numpy.typing import NDArray

from directory.model import Area, AreaLevel, Directory, GridKind

WEST, SOUTH = 110.0, 30.0
#: Degrees: a block is about 190 m wide and 220 m high.
STEP = 0.002
#: A border is a sum of waves; the first leaves the straight line by so much of a step at most, the n-th by 1/n of it.
#: Together they rise less than 45 degrees, so that no two borders meet but where they begin.
CROOKED = 0.05
WAVES = 6
_PER_COMMUNITY, _PER_STREET, _PER_DISTRICT = 5, 10, 10

Line = NDArray[np.float64]


def city(grids: int, corners: int = 200, seed: int = 1) -> Directory:
    """So many block grids at least: rows of whole communities. `corners`: of each grid, a multiple of four."""
    columns = max(1, isqrt(grids) // _PER_COMMUNITY) * _PER_COMMUNITY
    rows = -(-grids // columns)
    return Directory(
        city_zh="格子市",
        city_en="Lattice",
        zone="Asia/Shanghai",
        areas=tuple(_areas(_Borders(columns, rows, corners // 4, seed))),
        units=(),
        users=(),
        categories=(),
        routing=(),
    )


class _Borders:
    """`across[row, column]` is the southern border of a block from west to east, `up` its western one from south."""

    def __init__(self, columns: int, rows: int, points: int, seed: int) -> None:
        self.columns, self.rows = columns, rows
        chance = np.random.default_rng(seed)
        self.across = self._lines(chance, (rows + 1, columns), points)
        self.up = self._lines(chance, (rows, columns + 1), points)[..., ::-1]
        for row in range(rows + 1):
            self.across[row, ..., 1] += SOUTH + row * STEP
        for column in range(columns + 1):
            self.up[:, column, :, 0] += WEST + column * STEP
        self.across[..., 0] += (WEST + np.arange(columns) * STEP)[None, :, None]
        self.up[..., 1] += (SOUTH + np.arange(rows) * STEP)[:, None, None]

    def _lines(self, chance: np.random.Generator, shape: tuple[int, int], points: int) -> NDArray[np.float64]:
        """Of `points` + 1 corners along x from 0 to one step; the ends lie on the line."""
        along = np.linspace(0, STEP, points + 1)
        waves = np.sin(np.outer(np.arange(1, WAVES + 1), along / STEP * np.pi))
        aside = (chance.uniform(-CROOKED, CROOKED, (*shape, WAVES)) * STEP / np.arange(1, WAVES + 1)) @ waves
        return np.stack([np.broadcast_to(along, aside.shape), aside], axis=-1)

    def ring(self, column: int, row: int, width: int = 1) -> Line:
        """Around `width` blocks from this one to the east."""
        last = column + width
        south = self.across[row, column:last].reshape(-1, 2)
        north = self.across[row + 1, column:last].reshape(-1, 2)
        return np.concatenate([south, self.up[row, last], north[::-1], self.up[row, column][::-1]])


def _areas(borders: _Borders) -> Iterator[Area]:
    yield Area(id="city", parent=None, level=AreaLevel.CITY, name_zh="格子市", name_en="Lattice")
    communities = 0
    for row in range(borders.rows):
        for column in range(0, borders.columns, _PER_COMMUNITY):
            yield from _community(borders, communities, column, row)
            communities += 1


def _community(borders: _Borders, number: int, column: int, row: int) -> Iterator[Area]:
    street, district = number // _PER_STREET, number // _PER_STREET // _PER_DISTRICT
    if number % (_PER_STREET * _PER_DISTRICT) == 0:
        yield _area(f"d{district}", "city", AreaLevel.DISTRICT)
    if number % _PER_STREET == 0:
        yield _area(f"s{street}", f"d{district}", AreaLevel.STREET)
    ring = borders.ring(column, row, _PER_COMMUNITY)
    yield _area(f"c{number}", f"s{street}", AreaLevel.COMMUNITY, _wkb(ring))
    for nth in range(_PER_COMMUNITY):
        shape = _wkb(borders.ring(column + nth, row))
        yield _area(f"g{number}-{nth + 1}", f"c{number}", AreaLevel.GRID, shape)


def _area(area_id: str, parent: str, level: AreaLevel, shape: bytes | None = None) -> Area:
    kind = GridKind.BLOCK if level is AreaLevel.GRID else None
    return Area(id=area_id, parent=parent, level=level, name_zh=area_id, name_en=area_id, kind=kind, shape=shape)


def _wkb(ring: Line) -> bytes:
    """Corners that follow each other on the same spot are one."""
    kept = np.concatenate([[True], (np.diff(ring, axis=0) != 0).any(axis=1)])
    written: bytes = shapely.to_wkb(shapely.polygons(ring[kept]))
    return written
