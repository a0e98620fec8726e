"""Who acts on a case. Identity is checked at the border; here it is a fact."""

from enum import StrEnum

from domain.base import Value


class Role(StrEnum):
    RESIDENT = "resident"
    OFFICER = "officer"
    UNIT = "unit"
    DISPATCHER = "dispatcher"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


class Actor(Value):
    """A signed-in user. `area` is the materialised path of the scope (`/city/district`), None where a role has none."""

    user: str
    role: Role
    unit: str | None = None
    area: str | None = None


def within(path: str, scope: str) -> bool:
    """Whether the area `path` lies in the subtree of `scope`; both are materialised paths."""
    return path == scope or path.startswith(scope + "/")


def above(path: str) -> tuple[str, ...]:
    """The areas that `path` lies in, the city first, without itself."""
    parts = path.split("/")
    return tuple("/".join(parts[:n]) for n in range(2, len(parts)))
