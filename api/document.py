"""The OpenAPI document, corrected where FastAPI says it otherwise than it is, so that generated clients work."""

from collections.abc import Iterator
from typing import Any

from api.problems import MEDIA_TYPE, Problem

Document = dict[str, Any]

_JSON = "application/json"
_PROBLEM = f"#/components/schemas/{Problem.__name__}"


def correct(document: Document) -> Document:
    """Problems are not plain JSON, and no parameter of an address can be null: it is there or not."""
    for operation in _operations(document):
        for parameter in operation.get("parameters", ()):
            parameter["schema"] = _without_null(parameter["schema"])
        for answer in operation["responses"].values():
            content = answer.get("content", {})
            if content.get(_JSON, {}).get("schema", {}).get("$ref") == _PROBLEM:
                content[MEDIA_TYPE] = content.pop(_JSON)
    return document


def _operations(document: Document) -> Iterator[Document]:
    for path in document["paths"].values():
        yield from path.values()


def _without_null(schema: Document) -> Document:
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    if len(options) != 1:
        return schema
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**options[0], **rest}
