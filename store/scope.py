"""`domain.permissions.may_see`, in SQL. A test compares the two; neither may change alone."""

from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, exists, false, or_, select, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import aliased
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlmodel import col

from domain.actors import Actor, Role, above
from store.tables import CaseReporterRow, CaseRow, CaseUnitRow

#: How deep a street lies: /city/district/street.
_STREET = 3


class _Unindexed(FunctionElement[str]):
    """A column that SQLite is to seek by no index: it takes any range for narrow. PostgreSQL knows better by itself."""

    inherit_cache = True
    type = String()


@compiles(_Unindexed)
def _as_it_is(element: _Unindexed, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - SQLAlchemy's own
    return compiler.process(element.clauses, **options)


@compiles(_Unindexed, "sqlite")
def _with_a_plus(element: _Unindexed, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - likewise
    return f"+{compiler.process(element.clauses, **options)}"


def visible(viewer: Actor) -> ColumnElement[bool]:
    """Rows of `cases` that the viewer may see."""
    if viewer.role is Role.ADMIN:
        return true()
    if viewer.role is Role.UNIT:
        return or_(col(CaseRow.reporter) == viewer.user, false() if viewer.unit is None else answers(viewer.unit))
    if viewer.role is Role.RESIDENT or viewer.area is None:
        return _found(viewer)
    return or_(
        col(CaseRow.reporter) == viewer.user, col(CaseRow.id).in_(_joined(viewer)), _by_area(viewer, viewer.area)
    )


def _joined(viewer: Actor) -> Select[Any]:
    """The ids of cases that others had reported before him: few, for any viewer."""
    return select(col(CaseReporterRow.case_id)).where(col(CaseReporterRow.user) == viewer.user)


def _found(viewer: Actor) -> ColumnElement[bool]:
    """What he has reported, first or after others. As one list: said with `or`, PostgreSQL reads the whole table."""
    first = aliased(CaseRow)
    reported = select(col(first.id)).where(col(first.reporter) == viewer.user)
    return col(CaseRow.id).in_(reported.union_all(_joined(viewer)))


def _by_area(viewer: Actor, area: str) -> ColumnElement[bool]:
    if viewer.role is Role.OFFICER:
        return or_(in_subtree(area), col(CaseRow.area).in_(above(area)))
    return in_subtree(area)


def answers(unit: str) -> ColumnElement[bool]:
    """Whether the unit leads or helps with a case: asked of each one that is looked at anyway.

    Not as a list of all of the unit's cases, which may be a third of the archive.
    """
    mine = (col(CaseUnitRow.case_id) == col(CaseRow.id)) & (col(CaseUnitRow.unit) == unit)
    return exists().where(mine).correlate(CaseRow)


def in_subtree(path: str) -> ColumnElement[bool]:
    """`domain.actors.within`, as a range an index can serve: `0` is the character that follows `/`.

    Of a street and what is larger, so many cases are that sorting them takes longer than meeting them in the order.
    """
    area = col(CaseRow.area) if path.count("/") > _STREET else _Unindexed(col(CaseRow.area))
    return or_(area == path, and_(area >= f"{path}/", area < f"{path}0"))
