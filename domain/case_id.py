"""Case ids: `RC-XXXX-XXXX-XXXX`, 55 bits and a check character in Crockford's base 32, made without a database.

The check is a code over GF(32), one weight per place and all weights different, so that a single wrong character
and an exchange of any two different ones never go unnoticed. Randomness is the caller's business.
"""

import unicodedata
from hashlib import sha256

from domain.errors import Invalid

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BITS = 55
_PREFIX = "RC"
_LENGTH = 12
#: x^5 + x^2 + 1 is primitive: the powers of x run through all 31 elements but zero.
_MODULUS = 0b100101
_ALIKE = str.maketrans({"I": "1", "L": "1", "O": "0"})
#: What people put between groups; NFKC leaves the dashes as they are.
_SEPARATORS = str.maketrans(dict.fromkeys("-‐‑‒–—―−_. \t\r\n", ""))
_LONGEST = 64


def make(bits: int) -> str:
    """The id that carries these bits (0 <= bits < 2**55)."""
    if not 0 <= bits < 1 << BITS:
        raise ValueError(f"a case id carries {BITS} bits")
    digits = [bits >> shift & 31 for shift in range(BITS - 5, -1, -5)]
    body = "".join(ALPHABET[digit] for digit in (*digits, _check(digits)))
    return _written(body)


def from_key(caller: str, key: str) -> str:
    """The same id for the same caller and idempotency key, today and tomorrow."""
    name = caller.encode()
    digest = sha256(len(name).to_bytes(8, "big") + name + key.encode()).digest()
    return make(int.from_bytes(digest[:8], "big") >> 64 - BITS)


def parse(text: str) -> str:
    """The id as it is written, from however it was typed: `rc 7k3q m0p4 …`, full-width, O for 0.

    Raises Invalid("case_id_invalid") where no id can be meant, or a character must be wrong.
    """
    body = _body(text)
    digits = [ALPHABET.find(char) for char in body]
    if len(digits) != _LENGTH or min(digits) < 0 or _check(digits[:-1]) != digits[-1]:
        raise Invalid("case_id_invalid", id=text[:_LONGEST])
    return _written(body)


def _body(text: str) -> str:
    if len(text) > _LONGEST:
        return ""
    typed = unicodedata.normalize("NFKC", text).translate(_SEPARATORS)
    if not typed.isascii():
        return ""
    typed = typed.upper()
    if len(typed) == len(_PREFIX) + _LENGTH:
        typed = typed.removeprefix(_PREFIX)
    return typed.translate(_ALIKE)


def _check(digits: list[int]) -> int:
    """The sum of d1·x, d2·x², … d11·x¹¹ over GF(32); the check character itself weighs 1."""
    check = 0
    for digit in reversed(digits):
        check = _times_x(check ^ digit)
    return check


def _times_x(element: int) -> int:
    shifted = element << 1
    return shifted ^ _MODULUS if shifted & 32 else shifted


def _written(body: str) -> str:
    return "-".join((_PREFIX, body[:4], body[4:8], body[8:]))
