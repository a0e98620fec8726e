"""Safe to repeat: an `Idempotency-Key` becomes an update id or a case id, and a digest tells another body apart."""

import hashlib
import json
import secrets
from typing import Annotated

from fastapi import Depends, Header

from domain import case_id
from domain.actors import Actor
from domain.base import Value
from domain.errors import Invalid

_LONGEST = 200
_BITS = 55


async def _key(
    idempotency_key: Annotated[
        str | None, Header(description="Repeat a request with the same key, and it happens once.")
    ] = None,
) -> str | None:
    if idempotency_key is None:
        return None
    printable = all("!" <= char <= "~" for char in idempotency_key)
    if not printable or not 1 <= len(idempotency_key) <= _LONGEST:
        raise Invalid("idempotency_key_invalid")
    return idempotency_key


Key = Annotated[str | None, Depends(_key)]


def digest(name: str, body: Value) -> str:
    """Names what was asked, so that a key used for something else is noticed."""
    canonical = json.dumps([name, body.model_dump(mode="json")], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:24]


def update_id(actor: Actor, case: str, key: str | None) -> str:
    """The same for the same caller, case and key; unguessable without a key."""
    if key is None:
        return "r-" + secrets.token_hex(12)
    return "k-" + hashlib.sha256(f"{len(actor.user)}:{actor.user}:{case}:{key}".encode()).hexdigest()[:24]


def new_case_id(actor: Actor, key: str | None) -> str:
    return case_id.make(secrets.randbits(_BITS)) if key is None else case_id.from_key(actor.user, key)
