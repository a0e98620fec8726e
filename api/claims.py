"""Whom a provider's claims mean here, and what he may do: by the directory, or, where that is set, by the claims.

Whoever is let in is a user of the directory: bound to the provider's subject by an administrator, or at his first
sign-in by a claim that says his login.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from api.provider import Claims, commas
from domain.actors import Actor, Role
from domain.errors import Forbidden
from settings import Settings
from store import identities
from store.identities import Taken
from store.tokens import Granted

_LOGIN = re.compile(r"[a-z0-9-]{1,64}")
_log = structlog.get_logger()


class Person(NamedTuple):
    actor: Actor
    granted: Granted | None


class Reader:
    """Of one provider's claims, by our settings."""

    def __init__(self, database: AsyncEngine, settings: Settings) -> None:
        self._database = database
        self._issuer = settings.oidc_issuer or ""
        self._login = settings.oidc_login_claim
        self._role = settings.oidc_role_claim
        self._roles = [each.rsplit("=", 1) for each in commas(settings.oidc_roles)]
        self._unit, self._area = settings.oidc_unit_claim, settings.oidc_area_claim
        self._admins = settings.oidc_admins

    async def person(self, claims: Claims) -> Person:
        """Forbidden for nobody of ours, and for whom the claims give no role."""
        user = await identities.user_of(self._database, self._issuer, claims["sub"]) or await self._link(claims)
        granted = self._granted(claims) if self._role else None
        actor = await identities.actor_of(self._database, user, granted) if user else None
        if actor is None:
            raise Forbidden("nobody_here")
        return Person(actor, granted)

    async def _link(self, claims: Claims) -> str | None:
        """The user whose login is claimed, bound to this subject from now on."""
        login = claim(claims, self._login) if self._login else None
        if not isinstance(login, str) or not _LOGIN.fullmatch(login):
            return None
        actor = await identities.actor_of(self._database, login, None)
        if actor is None or (actor.role is Role.ADMIN and not self._admins):
            return None
        try:
            await identities.link(self._database, self._issuer, claims["sub"], login)
        except (Taken, LookupError):
            return None
        _log.info("identity_linked", user=login)
        return login

    def _granted(self, claims: Claims) -> Granted:
        role = next(self._claimed_roles(claims), None)
        unit, area = claim(claims, self._unit), claim(claims, self._area)
        if role is None or (role is Role.ADMIN and not self._admins):
            raise Forbidden("nobody_here")
        if not isinstance(unit, str | None) or not isinstance(area, str | None):
            raise Forbidden("nobody_here")
        if (role is Role.UNIT) != (unit is not None) or (area is None and role in _OF_AN_AREA):
            raise Forbidden("nobody_here")
        return Granted(role, unit, area)

    def _claimed_roles(self, claims: Claims) -> Iterator[Role]:
        said = claim(claims, self._role or "")
        values = [said] if isinstance(said, str) else said if isinstance(said, list) else []
        return (Role(role) for value, role in self._roles if value in values)


_OF_AN_AREA = frozenset({Role.OFFICER, Role.DISPATCHER, Role.SUPERVISOR})


def claim(claims: Claims, path: str) -> Any:  # noqa: ANN401 - whatever it says
    """`realm_access.roles`: a claim within a claim; one whose name has dots goes before."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found
