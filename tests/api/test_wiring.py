"""Everything has its place: routes for commands, tokens for routes, sentences for codes; little is in the log."""

import json
import logging
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
import structlog

import api
import logs
from domain.lifecycle import TABLE
from domain.sentences import SENTENCES
from settings import Settings
from tests.api.lives import LEAD
from tests.support.stack import LON, Json, Stack

OPEN_TO_ALL = {"/healthz", "/readyz", "/metrics", "/api/v1/sign-in"}
#: As a literal, a status's code, or a guard's.
_CODES = re.compile(
    r'(?:Invalid|NotVisible|Forbidden|Conflict|Unavailable|Unauthenticated|TooMany|TooLarge|Rejected)\(\s*"(\w+)"'
)


def operations(stack: Stack) -> dict[str, Json]:
    """`GET /api/v1/cases`: its description in the document."""
    paths: dict[str, dict[str, Json]] = stack.app.openapi()["paths"]
    return {f"{method.upper()} {path}": each for path, ways in paths.items() for method, each in ways.items()}


class TestRoutes:
    async def test_there_is_one_for_every_command(self, stack: Stack) -> None:
        routes = set(operations(stack))
        wanted = {f"POST /api/v1/cases/{{case_id}}/{rule.command.name}" for rule in TABLE}
        given = {route for route in routes if route.startswith("POST /api/v1/cases/{case_id}/")}
        of_two_cases = {"POST /api/v1/cases/{case_id}/merge"}
        assert given == wanted | of_two_cases

    async def test_each_has_a_name_of_its_own(self, stack: Stack) -> None:
        names = [each["operationId"] for each in operations(stack).values()]
        assert len(set(names)) == len(names)
        assert all(re.fullmatch("[a-z][a-z_]+", name) for name in names)

    async def test_each_wants_a_token(self, stack: Stack) -> None:
        for route, each in operations(stack).items():
            method, path = route.split()
            assert ("security" in each) == (path not in OPEN_TO_ALL), route
            answer = await stack.client().request(method, stack.url + re.sub(r"\{\w+\}", "RC-0000-0000-0000", path))
            assert (answer.status_code == 401) == (path not in OPEN_TO_ALL), route

    async def test_each_error_is_a_problem_document(self, stack: Stack) -> None:
        for route, each in operations(stack).items():
            for status, answer in each["responses"].items():
                if int(status) >= 400 and route != "GET /readyz":
                    assert list(answer["content"]) == ["application/problem+json"], (route, status)

    async def test_the_documents_pages_are_there(self, stack: Stack) -> None:
        for path in ("/docs", "/api/v1/openapi.json", "/healthz", "/readyz", "/metrics"):
            assert (await stack.client().get(stack.url + path)).status_code == 200


class TestCodes:
    def test_each_has_a_sentence(self) -> None:
        root = Path(api.__path__[0])
        raised = {code for file in root.glob("*.py") for code in _CODES.findall(file.read_text(encoding="utf-8"))}
        assert len(raised) > 10
        assert raised <= set(SENTENCES)


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What is logged, as in production."""
    root = logging.getLogger()
    level = root.level
    logs.configure(Settings(log_format="json", log_level="info"))
    (ours,) = root.handlers
    assert isinstance(ours, logging.StreamHandler)
    written = StringIO()
    ours.setStream(written)
    yield written
    root.removeHandler(ours)  # pytest's own come and go with each phase of a test
    root.setLevel(level)
    structlog.reset_defaults()


class TestTheLog:
    async def test_of_a_request_names_the_route_and_nothing_of_the_case(self, stack: Stack, log: StringIO) -> None:
        secrets = {"description": "王家门前的垃圾", "address": "槐荫巷三号", "external_ref": "13800000000"}
        case = await stack.recorded(await stack.open(**secrets))
        await stack.give(LEAD, case, "return", reason="地址不详的理由")
        await stack.report(description="有控制\u0007字符的描述")
        await stack.client("officer-1").get("/cases", params={"q": secrets["description"]})
        text = log.getvalue()
        lines = [json.loads(line) for line in text.splitlines()]
        assert {line["event"] for line in lines} <= {"request", "case_event"}
        requests = [line for line in lines if line["event"] == "request"]
        assert {"POST", "GET"} == {line["method"] for line in requests}
        assert {201, 200, 422} == {line["status"] for line in requests}
        assert {"/cases", "/cases/{case_id}/return"} == {line["route"].removeprefix("/api/v1") for line in requests}
        for secret in (*secrets.values(), "地址不详", "控制", stack.tokens[LEAD], "officer-1", "林晓", str(LON)):
            assert secret not in text
