"""Which unit answers for a category at a place: the most specific routing row wins.

Specific means, in this order: a row for the exact category before one for a class of categories (of two
classes the longer prefix) before one for any; then the deeper area; then a row for this place type; then the
smaller row id. Where no row matches nobody is guessed: a dispatcher decides.
"""

from directory.model import Directory, Record, RoutingRow


class Routed(Record):
    """The answer; `why` names every row that matched, the winner first."""

    unit: str
    co_units: tuple[str, ...]
    row_id: str
    why: tuple[str, ...]


def route(directory: Directory, *, category: str, area: str, place_type: str | None) -> Routed | None:
    """None: no row matches and a dispatcher decides. KeyError for an area the directory does not know."""
    ancestors = frozenset(directory.ancestors(area))
    matching = [row for row in directory.routing if _matches(row, category, ancestors, place_type)]
    if not matching:
        return None
    ranked = sorted(matching, key=lambda row: _rank(row, directory))
    best = ranked[0]
    return Routed(
        unit=best.unit,
        co_units=best.co_units,
        row_id=best.id,
        why=tuple(row.id for row in ranked),
    )


def _matches(row: RoutingRow, category: str, ancestors: frozenset[str], place_type: str | None) -> bool:
    return (
        row.category in {None, category}
        and category.startswith(row.big_category or "")
        and (row.area is None or row.area in ancestors)
        and row.place_type in {None, place_type}
    )


def _rank(row: RoutingRow, directory: Directory) -> tuple[bool, int, int, bool, str]:
    """Smallest first."""
    depth = 0 if row.area is None else len(directory.ancestors(row.area))
    return row.category is None, -len(row.big_category or ""), -depth, row.place_type is None, row.id
