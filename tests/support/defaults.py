"""The default of each field of each value of the core, as JSON: what a history means that does not mention them."""

import json
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from pydantic_core import to_jsonable_python

import domain
import workflows
from domain.base import Value

LISTED = Path(__file__).with_name("defaults.json")


def defaults() -> dict[str, object]:
    """By `Class.field`, where the class itself declares the field."""
    _import_all()
    found = {
        f"{value.__name__}.{name}": to_jsonable_python(field.get_default(call_default_factory=True))
        for value in _values(Value)
        for name, field in value.model_fields.items()
        if name in value.__annotations__ and not field.is_required()
    }
    return dict(sorted(found.items()))


def add_new() -> None:
    listed = json.loads(LISTED.read_text()) if LISTED.exists() else {}
    LISTED.write_text(json.dumps({**defaults(), **listed}, ensure_ascii=False, indent=1, sort_keys=True) + "\n")


def _import_all() -> None:
    """Whichever tests run, the same classes are known."""
    for package in (domain, workflows):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            import_module(module.name)


def _values(base: type[Value]) -> Iterator[type[Value]]:
    """Of the core alone: what a request adds to them never gets into a history."""
    for value in base.__subclasses__():
        if value.__module__.split(".")[0] in {domain.__name__, workflows.__name__}:
            yield value
        yield from _values(value)
