"""Two spellings of the same JSON made one: with what is empty, and the defaults that mean something, left out."""

from typing import Any

#: Beside nothing, false, zero and the empty: what a field says by not being there.
DEFAULTS: dict[str, Any] = {"round": 1, "times": 1, "schema_version": 1, "state": "pending", "reading": "hours"}


def lean(value: Any) -> Any:  # noqa: ANN401 - it is JSON
    if isinstance(value, dict):
        return {name: lean(each) for name, each in value.items() if not _is_default(name, each)}
    return [lean(each) for each in value] if isinstance(value, list) else value


def _is_default(name: str, value: object) -> bool:
    return value == DEFAULTS[name] if name in DEFAULTS else value in (None, False, [], {}, "")
