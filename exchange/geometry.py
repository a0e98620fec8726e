"""Positions and shapes of a file: from their datum to WGS-84, and what is wrong with them."""

from collections.abc import Iterable, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from directory import shapes
from directory.positions import Datum, to_wgs84
from exchange.faults import Findings
from exchange.reading import Given


def converted(lines: Iterable[Given], datum: Datum, faults: Findings) -> None:
    """Points, in place; `datum` is of those that do not say theirs. Those that cannot be right are told of."""
    for given in lines:
        values = given.values
        lon, lat = values["lon"], values["lat"]
        if shapes.swapped(lon, lat, lon, lat):
            faults.add("swapped", given.place("lon"), f"{lon}, {lat}")
        elif abs(lon) > 180 or abs(lat) > 90:  # noqa: PLR2004 - degrees
            faults.add("off_earth", given.place("lon"), f"{lon}, {lat}")
        elif (said := values.get("datum") or datum) is not Datum.WGS84:
            values["lon"], values["lat"] = to_wgs84(lon, lat, said)


def shape_of(lines: Sequence[Given], datum: Datum, faults: Findings) -> bytes | None:
    """From the parts of its text. None if something is wrong with it."""
    ordered = sorted(lines, key=lambda each: each.values["part"])
    for wanted, given in enumerate(ordered, start=1):
        if given.values["part"] != wanted:
            faults.add("shape_missing", given.place("part"), str(given.values["part"]), part=wanted)
            return None
    first, text = ordered[0], "".join(each.values["shape"] for each in ordered)
    try:
        shape = shapely.from_wkt(text)
    except shapely.errors.ShapelyError as error:
        _unsound(first, shapes.Fault(shapes.Flaw.UNREADABLE, words=str(error)[:80]), text, faults)
        return None
    if wrong := shapes.fault(shape):
        _unsound(first, wrong, text, faults)
        return None
    kept: bytes = shapely.to_wkb(_in_wgs84(shape, first.values.get("datum") or datum))
    return kept


def _unsound(given: Given, fault: shapes.Fault, text: str, faults: Findings) -> None:
    zh, en = shapes.FLAWS[fault.flaw]
    at = f" ({fault.place[0]:.7g}, {fault.place[1]:.7g})" if fault.place else ""
    if fault.flaw is shapes.Flaw.UNREADABLE:
        at = f" ({fault.words})"
    faults.add("shape", given.place("shape"), text, zh=zh, en=en, at=at)


def _in_wgs84(shape: BaseGeometry, datum: Datum) -> BaseGeometry:
    """Without heights."""
    if datum in {Datum.WGS84, Datum.CGCS2000}:
        return shapely.force_2d(shape)

    def turned(corners: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.array([to_wgs84(lon, lat, datum) for lon, lat in corners])

    return shapely.transform(shapely.force_2d(shape), turned)


def parts(shape: bytes, most: int) -> list[str]:
    """The text of a shape in pieces of at most so many characters, every digit of it."""
    text = str(shapely.to_wkt(shapely.from_wkb(shape), rounding_precision=-1))
    return [text[start : start + most] for start in range(0, len(text), most)]
