"""Ids made from what stands in a cell: the same cell gives the same id, today and on another machine."""

import re
from hashlib import sha256

LONGEST = 64
_HASH = 8
_PLAIN = re.compile(r"[A-Za-z0-9]+([ -][A-Za-z0-9]+)*")
_OTHER = re.compile(r"[^a-z0-9]+")


def slug(*parts: str) -> str:
    """Lower-case letters, digits and hyphens. What these cannot tell, or have no room for, a digest tells."""
    text = "-".join(part for part in map(_one, parts) if part)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - _HASH - 1].strip('-')}-{_digest(text)}"


def _one(part: str) -> str:
    plain = _OTHER.sub("-", part.lower()).strip("-")
    return plain if _PLAIN.fullmatch(part) or not part else f"{plain}-{_digest(part)}".strip("-")


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:_HASH]
