"""The API does what its OpenAPI document says, for whatever a client may send: schemathesis tries."""

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.lives import closed, submitted
from tests.support.stack import LAT, LON, Json, Stack

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
#: Endless; its first events are read in test_feed.
ENDLESS = "/api/v1/events/stream"
_QUICK = settings(
    max_examples=8,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def document(stack: Stack) -> Json:
    whole = stack.app.openapi()
    return {**whole, "paths": {path: each for path, each in whole["paths"].items() if path != ENDLESS}}


def operations(stack: Stack) -> Iterator[Any]:
    schema = schemathesis.openapi.from_dict(document(stack))
    schema.config.update(base_url=stack.url)
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        yield found.ok()


def links(whole: Json) -> Iterator[tuple[Json, Json, Json]]:
    """Each with the answer that it stands in and the operation that it leads to."""
    operations = {each["operationId"]: each for ways in whole["paths"].values() for each in ways.values()}
    for operation in operations.values():
        for answer in operation["responses"].values():
            for link in answer.get("links", {}).values():
                yield link, answer, operations[link["operationId"]]


def stands(whole: Json, answer: Json, place: str) -> bool:
    """Whether an expression of a link names a part that answers of this kind have."""
    if place.startswith("$response.header."):
        return place.removeprefix("$response.header.") in answer["headers"]
    schema = answer["content"]["application/json"]["schema"]
    for part in place.removeprefix("$response.body#/").split("/"):
        schema = whole["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema
        inner = schema.get("items") if part.isdigit() else schema.get("properties", {}).get(part)
        if inner is None:
            return False
        schema = inner
    return True


def ways(whole: Json) -> set[tuple[str, str]]:
    """From an operation to another."""
    return {
        (operation["operationId"], target)
        for paths in whole["paths"].values()
        for operation in paths.values()
        for answer in operation["responses"].values()
        for target in answer.get("links", {})
    }


class TestBodies:
    async def test_may_all_be_refused_for_their_kind(self, stack: Stack) -> None:
        """Which fuzzing got, and found in no operation."""
        taking = [each for path in document(stack)["paths"].values() for each in path.values() if "requestBody" in each]
        assert taking
        assert [each["operationId"] for each in taking if "415" not in each["responses"]] == []


class TestLinks:
    async def test_lead_from_what_is_there_to_what_takes_it(self, stack: Stack) -> None:
        whole = document(stack)
        for link, answer, target in links(whole):
            taken = {each["name"] for each in target["parameters"]}
            for parameter, place in link["parameters"].items():
                assert parameter in taken, link
                assert stands(whole, answer, place), link

    async def test_lead_through_cases_the_directory_and_the_rules(self, stack: Stack) -> None:
        found = ways(document(stack))
        assert {("open_case", "get_case"), ("get_case", "submit_case"), ("list_cases", "get_case")} <= found
        for part, one in (("areas", "area"), ("units", "unit"), ("points", "point"), ("routing", "routing")):
            pages = {(f"list_{part}", f"list_{part}"), (f"list_{part}", f"get_{one}")}
            changes = {pair for way in ("put", "retire", "restore") for pair in both(f"get_{one}", f"{way}_{one}")}
            assert pages | changes <= found
        assert ("list_users", "get_user") in found
        assert ("get_user", "retire_user") not in found
        for pair in (
            ("list_calendars", "get_calendar"),
            ("get_calendar", "make_year_official"),
            ("make_year_official", "get_publication"),
            ("publish_policy", "get_publication"),
            ("list_publications", "get_publication"),
            ("list_editions", "get_catalogue"),
            ("put_channel", "remove_channel"),
        ):
            assert pair in found

    async def test_can_be_followed(self, stack: Stack) -> None:
        """With nothing but what the answer before gave."""
        get = partial(follow, stack, "get")
        units = await stack.client("admin").get("/directory/units")
        unit = await get("list_units", units, "get_unit")
        body = {name: unit.json()[name] for name in ("name_zh", "name_en", "area", "parent", "calendar", "contacts")}
        same = await follow(stack, "put", "get_unit", unit, "put_unit", json=body)
        assert (same.status_code, same.json()) == (200, unit.json())
        assert (await get("put_unit", same, "get_unit")).json() == unit.json()
        calendars = await stack.client("admin").get("/rules/calendars")
        assert (await get("list_calendars", calendars, "get_calendar")).status_code == 200

    async def test_say_what_a_new_record_is_answered_with(self, stack: Stack) -> None:
        put = document(stack)["paths"]["/api/v1/directory/units/{record_id}"]["put"]
        assert {"200", "201"} <= set(put["responses"])
        body = {"name_zh": "新单位", "area": "qinghe"}
        made = await stack.client("admin").put(
            "/directory/units/of-the-document", json=body, headers={"If-None-Match": "*"}
        )
        assert (made.status_code, "etag" in made.headers) == (201, True)


async def follow(
    stack: Stack,
    method: str,
    source: str,
    answer: httpx.Response,
    target: str,
    json: Json | None = None,
) -> httpx.Response:
    """Asks for what the link of that operation to the target says, having had that answer from it."""
    named = {
        each["operationId"]: (path, each) for path, ways in document(stack)["paths"].items() for each in ways.values()
    }
    path, found = named[target]
    given = named[source][1]["responses"][str(answer.status_code)]["links"][target]["parameters"]
    values = {name: valued(answer, place) for name, place in given.items()}
    headers = {
        each["name"]: values.pop(each["name"])
        for each in found["parameters"]
        if each["in"] == "header" and each["name"] in values
    }
    url = stack.url + path.format(**values)
    return await stack.client("admin").request(method, url, headers=headers, json=json)


def valued(answer: httpx.Response, place: str) -> str:
    if place.startswith("$response.header."):
        return answer.headers[place.removeprefix("$response.header.")]
    part: Any = answer.json()
    for name in place.removeprefix("$response.body#/").split("/"):
        part = part[int(name) if name.isdigit() else name]
    return str(part)


def both(one: str, other: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return (one, other), (other, one)


def attempt(operation: Any, mode: schemathesis.GenerationMode, token: str, known: Json) -> None:  # noqa: ANN401 - schemathesis's own
    """`known`: what there is in this city, put into half of the sound requests."""
    sound = mode is schemathesis.GenerationMode.POSITIVE

    @_QUICK
    @given(case=operation.as_strategy(generation_mode=mode), real=st.booleans() if sound else st.just(value=False))
    def each(case: Any, real: bool) -> None:  # noqa: ANN401, FBT001 - likewise; hypothesis draws it
        if real:
            for part in (case.path_parameters, case.body):
                if isinstance(part, dict):
                    part.update({name: value for name, value in known.items() if name in part})
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKS, timeout=20)

    each()


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
class TestTheDocument:
    async def test_tells_the_truth(self, stack: Stack, mode: schemathesis.GenerationMode) -> None:
        photo = await stack.photo("supervisor")
        known = {
            "case_id": (await stack.recorded(await submitted(stack)))["id"],
            "case": (await stack.recorded(await closed(stack)))["id"],
            "sha256": photo,
            "evidence": [photo],
            "category": "E0110",
            "condition": None,
            "grid": None,
            "place_type": None,
            "source": None,
            "discovered_at": None,
            "self_handled": None,
            "location": {"lon": LON, "lat": LAT},
            "unit": "roads",
            "co_units": [],
        }
        tried = 0
        for operation in operations(stack):
            try:
                await asyncio.to_thread(attempt, operation, mode, stack.tokens["supervisor"], known)
                tried += 1
            except Unsatisfiable:
                assert not list(operation.iter_parameters()), "what takes nothing can be sent nothing wrong"
        assert tried > 30
