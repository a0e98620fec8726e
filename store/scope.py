"""`domain.permissions.may_see`, in SQL. A test compares the two; neither may change alone."""

from sqlalchemy import ColumnElement, and_, exists, false, or_, true
from sqlmodel import col

from domain.actors import Actor, Role, above
from store.tables import CaseRow, CaseUnitRow


def visible(viewer: Actor) -> ColumnElement[bool]:
    """Rows of `cases` that the viewer may see."""
    if viewer.role is Role.ADMIN:
        return true()
    return or_(col(CaseRow.reporter) == viewer.user, _by_role(viewer))


def _by_role(viewer: Actor) -> ColumnElement[bool]:
    if viewer.role is Role.UNIT:
        return false() if viewer.unit is None else answers(viewer.unit)
    if viewer.role is Role.RESIDENT or viewer.area is None:
        return false()
    if viewer.role is Role.OFFICER:
        return or_(in_subtree(viewer.area), col(CaseRow.area).in_(above(viewer.area)))
    return in_subtree(viewer.area)


def answers(unit: str) -> ColumnElement[bool]:
    """Whether the unit leads or helps with a case: asked of each one that is looked at anyway.

    Not as a list of all of the unit's cases, which may be a third of the archive.
    """
    mine = (col(CaseUnitRow.case_id) == col(CaseRow.id)) & (col(CaseUnitRow.unit) == unit)
    return exists().where(mine).correlate(CaseRow)


def in_subtree(path: str) -> ColumnElement[bool]:
    """`domain.actors.within`, as a range an index can serve: `0` is the character that follows `/`."""
    area = col(CaseRow.area)
    return or_(area == path, and_(area >= f"{path}/", area < f"{path}0"))
