"""The errors of the system, one small tree. The class says what kind, the code says exactly which.

    RectifyError
    ├── Invalid       422  what was sent is wrong in itself; sending it again will not help
    ├── NotVisible    404  not there, or not the caller's to see (never told apart)
    ├── Forbidden     403  the caller's role or relation to the case does not allow it
    ├── Conflict      409  the case's state forbids it now
    ├── Stale         412  it was changed since the caller saw it; look again
    └── Unavailable   503  nothing is wrong with the request; ask again later

Codes are stable: clients branch on them. The sentence for each, in Chinese and English, is in `domain/sentences.py`.
"""

from collections.abc import Mapping


class RectifyError(Exception):
    """Base of the tree. `params` fill the sentence and travel to the client as data."""

    status = 500

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.params: Mapping[str, object] = params


class Invalid(RectifyError):
    status = 422


class NotVisible(RectifyError):
    status = 404


class Forbidden(RectifyError):
    status = 403


class Conflict(RectifyError):
    status = 409


class Stale(RectifyError):
    status = 412


class Unavailable(RectifyError):
    status = 503


KINDS: tuple[type[RectifyError], ...] = (Invalid, NotVisible, Forbidden, Conflict, Stale, Unavailable)


def revive(status: int, code: str, params: Mapping[str, object]) -> RectifyError:
    """The error again, after it crossed a process border as (status, code, params)."""
    kind = next((k for k in KINDS if k.status == status), RectifyError)
    return kind(code, **params)
