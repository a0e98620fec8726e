"""The OpenAPI document, corrected where FastAPI says it otherwise than it is, so that generated clients work.

And with links: which part of an answer another call takes. Readers see the way through a case's life by them, and
programs that try the API (`make fuzz`) find it.
"""

from collections.abc import Iterator
from typing import Any

from api.problems import MEDIA_TYPE, Problem

Document = dict[str, Any]

_JSON = "application/json"
_PROBLEM = f"#/components/schemas/{Problem.__name__}"
_CASE = "#/components/schemas/CaseView"
_OF_CASE = "case_id"
#: Operation: the operation that its answer leads to, that one's parameter, and where in the answer it stands.
_LEADS_TO = {
    "upload_evidence": ("get_evidence", "sha256", "/sha256"),
    "list_cases": ("list_cases", "cursor", "/next_cursor"),
    "list_tasks": ("list_tasks", "cursor", "/next_cursor"),
    "list_overdue": ("list_overdue", "cursor", "/next_cursor"),
    "list_events": ("list_events", "after", "/next_after"),
}


def correct(document: Document) -> Document:
    """Problems are not plain JSON, and no parameter of an address can be null: it is there or not."""
    for operation in _operations(document):
        for parameter in operation.get("parameters", ()):
            parameter["schema"] = _without_null(parameter["schema"])
        for answer in operation["responses"].values():
            content = answer.get("content", {})
            if content.get(_JSON, {}).get("schema", {}).get("$ref") == _PROBLEM:
                content[MEDIA_TYPE] = content.pop(_JSON)
    _join(document)
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


def _join(document: Document) -> None:
    """From every answer that is a case to that case; from looking at it to all that can be done with it."""
    of_case = [each["operationId"] for each in _operations(document) if _takes_case(each)]
    for operation in _operations(document):
        name = operation["operationId"]
        for status, answer in operation["responses"].items():
            if not status.startswith("2"):
                continue
            if name in _LEADS_TO:
                target, parameter, place = _LEADS_TO[name]
                answer.setdefault("links", {})[target] = _link(target, parameter, place)
            if answer.get("content", {}).get(_JSON, {}).get("schema", {}).get("$ref") == _CASE:
                targets = of_case if name == "get_case" else ["get_case"]
                answer.setdefault("links", {}).update((each, _link(each, _OF_CASE, "/id")) for each in targets)


def _takes_case(operation: Document) -> bool:
    return any(parameter["name"] == _OF_CASE for parameter in operation.get("parameters", ()))


def _link(target: str, parameter: str, place: str) -> Document:
    return {"operationId": target, "parameters": {parameter: f"$response.body#{place}"}}
