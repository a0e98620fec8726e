"""Free text as people type it: bounded, without control characters, never only blanks."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

#: Force what follows them to read backwards, whatever it is; marks that only state a direction are needed for Uyghur.
_DISGUISING = frozenset("\u202d\u202e")
#: Line breaks and tabs are ordinary in a note; everything else of category Cc, and lone surrogates, is not.
_HARMLESS = frozenset("\n\r\t")


def _printable(text: str) -> str:
    for char in text:
        control = char not in _HARMLESS and unicodedata.category(char) in {"Cc", "Cs"}
        if control or char in _DISGUISING:
            raise ValueError(f"control character U+{ord(char):04X} is not allowed in text")
    return text


def _one_line(text: str) -> str:
    if not _HARMLESS.isdisjoint(text):
        raise ValueError("a line break or tab is not allowed in an identifier")
    return text


def _bounded(length: int) -> StringConstraints:
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=length)


#: An identifier somebody else gave: a unit, a category, a reference number.
Name = Annotated[str, _bounded(128), AfterValidator(_printable), AfterValidator(_one_line)]
#: Where something is, in words.
Address = Annotated[str, _bounded(256), AfterValidator(_printable)]
#: Why something was done; shown in lists.
Reason = Annotated[str, _bounded(500), AfterValidator(_printable)]
#: What was found, what was done.
Note = Annotated[str, _bounded(2000), AfterValidator(_printable)]
#: The lower-case hexadecimal SHA-256 of a photo's bytes.
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
