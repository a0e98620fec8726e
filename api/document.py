"""The OpenAPI document, corrected where FastAPI says it otherwise than it is, so that generated clients work.

And with links: which part of an answer another call takes. Readers see the way through a case's life by them, and
programs that try the API (`make fuzz`) find it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from api.problems import MEDIA_TYPE, Problem
from api.views import CaseInFull, CaseView

Document = dict[str, Any]

_JSON = "application/json"
_PROBLEM = f"#/components/schemas/{Problem.__name__}"
_CASES = {f"#/components/schemas/{view.__name__}" for view in (CaseView, CaseInFull)}
_OF_CASE = "case_id"
#: Operation: where its answer leads to. Each: an operation, its parameter, and where in the answer that stands.
_LEADS_TO: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "upload_evidence": (("get_evidence", "sha256", "#/sha256"),),
    "list_cases": (("get_case", _OF_CASE, "#/items/0/id"),),
    "list_tasks": (("get_case", _OF_CASE, "#/items/0/id"),),
    "list_notices": (("get_case", _OF_CASE, "#/items/0/case"),),
    "list_editions": (("get_catalogue", "version", "#/items/0/version"),),
    "list_calendars": (("get_calendar", "calendar_id", "#/items/0/id"),),
    "get_calendar": (
        ("preview_official_year", "calendar_id", "#/id"),
        ("make_year_official", "calendar_id", "#/id"),
    ),
    "list_publications": (("get_publication", "publication_id", "#/items/0/id"),),
    **dict.fromkeys(
        ("publish_calendar", "make_year_official", "publish_policy"), (("get_publication", "publication_id", "#/id"),)
    ),
    "list_channels": (("remove_channel", "channel_id", "#/items/0/id"),),
    "put_channel": (("remove_channel", "channel_id", "#/id"),),
}
#: In the directory: from a list to one, from one to what is done with it, and from there back to it.
_RECORDS = {"areas": "area", "units": "unit", "users": "user", "points": "point", "routing": "routing"}
_CHANGES = ("put", "retire", "restore")
#: Who follows links at random would soon have shut out everybody in whose name he asks.
_LOOKED_AT_ONLY = "user"
_PAGES = {"cursor": "#/next_cursor", "after": "#/next_after"}
_TAG = {"ETag": {"description": "For `If-Match`.", "schema": {"type": "string"}}}


def correct(document: Document) -> Document:
    """Problems are not plain JSON, and no parameter of an address can be null: it is there or not."""
    for operation in _operations(document):
        for parameter in operation.get("parameters", ()):
            parameter["schema"] = _without_null(parameter["schema"])
        for answer in operation["responses"].values():
            content = answer.get("content", {})
            if content.get(_JSON, {}).get("schema", {}).get("$ref") == _PROBLEM:
                content[MEDIA_TYPE] = content.pop(_JSON)
    _tell_of_records(document)
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


def _tell_of_records(document: Document) -> None:
    """Their answers carry a tag, and what is put without having been there is answered with 201."""
    names = {f"{way}_{one}" for one in _RECORDS.values() for way in ("get", *_CHANGES)}
    for operation in _operations(document):
        if operation["operationId"] in names:
            answers = operation["responses"]
            answers["200"]["headers"] = _TAG
            if operation["operationId"].startswith("put_"):
                answers["201"] = {**answers["200"], "description": "Created"}


def _join(document: Document) -> None:
    """From every answer that is a case to that case; from looking at it to all that can be done with it; and so on."""
    of_case = [each["operationId"] for each in _operations(document) if _takes_case(each)]
    records = dict(_between_records())
    for operation in _operations(document):
        name = operation["operationId"]
        links = {**_from(operation), **records.get(name, {})}
        for status, answer in operation["responses"].items():
            if not status.startswith("2"):
                continue
            if answer.get("content", {}).get(_JSON, {}).get("schema", {}).get("$ref") in _CASES:
                targets = of_case if name == "get_case" else ["get_case"]
                links |= {each: _link(each, {_OF_CASE: "#/id"}) for each in targets}
            if links:
                answer["links"] = links


def _from(operation: Document) -> Document:
    """By the table; and from each page to the next."""
    name = operation["operationId"]
    links = {target: _link(target, {parameter: place}) for target, parameter, place in _LEADS_TO.get(name, ())}
    for parameter in operation.get("parameters", ()):
        if name.startswith("list_") and parameter["name"] in _PAGES:
            links[name] = _link(name, {parameter["name"]: _PAGES[parameter["name"]]})
    return links


def _between_records() -> Iterator[tuple[str, Document]]:
    for part, one in _RECORDS.items():
        get, changes = f"get_{one}", [f"{way}_{one}" for way in _CHANGES]
        yield f"list_{part}", {get: _link(get, {"record_id": "#/items/0/id"})}
        seen = {"record_id": "#/id", "if-match": ".ETag"}
        yield get, {each: _link(each, seen) for each in changes if one != _LOOKED_AT_ONLY}
        yield from ((each, {get: _link(get, {"record_id": "#/id"})}) for each in changes)


def _takes_case(operation: Document) -> bool:
    return any(parameter["name"] == _OF_CASE for parameter in operation.get("parameters", ()))


def _link(target: str, parameters: Mapping[str, str]) -> Document:
    """Places: `#/…` in the body, `.…` a header."""
    found = {name: f"$response.{'body' if at[0] == '#' else 'header'}{at}" for name, at in parameters.items()}
    return {"operationId": target, "parameters": found}
