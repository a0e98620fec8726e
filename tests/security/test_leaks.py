"""Whole lives full of marks, with refusals and outages on their way: none of them is where many can look.

Logs, as eyes and as machines read them; what Temporal shows without a key; metrics; the bodies of refusals.
"""

import logging
import re
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
import structlog
from pydantic import BaseModel, ValidationError
from sqlalchemy import text
from temporalio.client import WorkflowHandle

import logs
from settings import Settings
from store.database import writing
from tests.api.lives import LEAD, ended
from tests.security.marked import MARK, REFERENCE, lived
from tests.support.stack import Json, Stack

#: Each with a mark of its own, so that a leak names its source.
PERSONAL = {name: f"{MARK}{name}" for name in ("description", "address", "search", "refused", "body", "cell", "sheet")}
PHONE = "13812345678"


@pytest.fixture(params=["json", "console"])
def log(request: pytest.FixtureRequest) -> Iterator[StringIO]:
    """What API and worker log, which in this stack are one process; more than production says."""
    root = logging.getLogger()
    level = root.level
    logs.configure(Settings(log_format=request.param, log_level="debug"))
    (ours,) = root.handlers
    assert isinstance(ours, logging.StreamHandler)
    written = StringIO()
    ours.setStream(written)
    yield written
    root.removeHandler(ours)
    root.setLevel(level)
    structlog.reset_defaults()


async def refusals(stack: Stack, case: Json) -> list[str]:
    """What is wrong is not said again: bodies of errors are kept by whoever stands between."""
    client = stack.client("officer-1")
    bad = PERSONAL["refused"]
    answers = [
        await stack.report(description=f"{bad}\x07", address=f"{bad}\x00"),
        await stack.report(severity=bad, description=bad),
        await stack.report(description=bad, colour=bad),
        await client.post("/cases", content=bad.encode(), headers={"Content-Type": "application/json"}),
        await client.post("/cases", content=f'{{"description": "{bad}"'.encode()),
        await stack.give("officer-1", case, "comment", text=bad),
        await stack.give("unit-roads", case, "comment", text=bad),
        await client.get("/cases", params={"q": PERSONAL["search"], "cursor": bad}),
        await client.get(f"/evidence/{bad}"),
        await client.get("/tasks", headers={"Authorization": f"Bearer {bad.encode().hex()}"}),
    ]
    assert all(answer.status_code >= 400 for answer in answers)
    return [answer.text for answer in answers]


async def imported(stack: Stack) -> None:
    """A cell is told again to the administrator who sent it, and to nobody else."""
    sheet = f"编号,名称,辖区\r\nmarked,{PERSONAL['cell']},{PERSONAL['cell']}\r\n".encode()
    files = {"file": (f"单位{PERSONAL['sheet']}.csv", sheet)}
    answer = await stack.client("admin").post("/directory/import", files=files, params={"table": "units"})
    assert (answer.status_code, answer.json()["code"]) == (422, "import_refused")
    assert answer.json()["faults"][0]["value"] == PERSONAL["cell"]
    broken = await stack.client("admin").post("/directory/import", files={"file": (PERSONAL["sheet"], sheet[:-20])})
    assert broken.status_code == 422


async def outage(stack: Stack) -> None:
    """Errors with tracebacks, on both sides."""
    with stack.without_database():
        case = await stack.open(description=PERSONAL["description"], address=PERSONAL["address"])
        await stack.do(LEAD, case, "accept")
        for path in ("/cases", f"/cases/{case['id']}/events", "/events"):
            await stack.client(LEAD).get(path, params={"q": PERSONAL["search"]})
    await stack.recorded(await stack.see(LEAD, case))


async def damage(stack: Stack, case: Json) -> None:
    """A row that cannot be read: the error quotes it."""
    spoil = f'{{"description": "{PERSONAL["body"]}", "phone": "{PHONE}"}}'
    async with writing(stack.engines[0]) as connection:
        statement = text("update cases set snapshot = :spoilt where id = :id")
        old = await connection.scalar(text("select snapshot from cases where id = :id"), {"id": case["id"]})
        await connection.execute(statement, {"id": case["id"], "spoilt": spoil})
    answer = await stack.client("admin").get(f"/cases/{case['id']}")
    assert answer.status_code == 500
    assert MARK not in answer.text
    async with writing(stack.engines[0]) as connection:
        await connection.execute(statement, {"id": case["id"], "spoilt": old})


def marks(stack: Stack) -> tuple[str, ...]:
    return MARK, PHONE, REFERENCE, *stack.tokens.values(), "王", "Lin Xiao"


class TestTheLogs:
    async def test_hold_no_personal_data(self, stack: Stack, log: StringIO) -> None:
        case, *_ = await lived(stack)
        for said in await refusals(stack, case):
            assert MARK not in said
        await imported(stack)
        await outage(stack)
        await damage(stack, case)
        written = log.getvalue()
        assert written.count("request") > 20
        assert "store_unavailable" in written
        assert "Traceback" in written
        lines = [line for line in written.splitlines() if any(mark in line for mark in marks(stack))]
        assert lines == []

    async def test_of_a_traceback_say_what_and_where(self, log: StringIO) -> None:
        class Row(BaseModel):
            number: int

        try:
            Row.model_validate({"number": PERSONAL["body"]})
        except ValidationError:
            structlog.get_logger().exception("unreadable")
        full = OSError("no space left on \x1b[31m device\nforged line")
        structlog.get_logger().error("full\nforged too", exc_info=full, case="RC\r\nforged as well")
        written = log.getvalue()
        assert "ValidationError" in written
        assert "no space left" in written
        assert MARK not in written
        assert not any(line.startswith("forged") for line in written.splitlines())
        assert "\x1b[31m device" not in written


async def shown(handle: WorkflowHandle[Any, Any]) -> str:
    """What Temporal shows of a case to whoever may open its UI, payloads apart."""
    description = await handle.describe()
    history = await handle.fetch_history()
    parts = [str(description.search_attributes), str(await description.memo()), str(description.raw_description)]
    for event in history.events:
        parts += [str(event.user_metadata)]
        upserted = event.upsert_workflow_search_attributes_event_attributes
        started = event.workflow_execution_started_event_attributes
        parts += [str(upserted.search_attributes), str(started.search_attributes), str(started.memo)]
        parts += [str(event.activity_task_failed_event_attributes.failure.message)]
    summary = await description.static_summary()
    return "\n".join([*parts, str(summary), str(await description.static_details())])


class TestTemporal:
    async def test_shows_no_personal_data_outside_the_payloads(self, stack: Stack) -> None:
        escaped = MARK.encode().decode("latin-1").encode("unicode_escape").decode()
        octal = "".join(f"\\{byte:03o}" for byte in MARK.encode())
        for case in await lived(stack):
            seen = await shown(stack.services.cases.handle(case["id"]))
            assert case["id"] in seen
            assert not any(mark in seen for mark in (*marks(stack), escaped, octal))


#: A route as it is written down; other applications of this process count in the same place.
TEMPLATE = re.compile(r"(/(v1|[a-z-]+(\.json)?|\{\w+\}))+")


class TestMetrics:
    async def test_count_routes_and_name_nobody(self, stack: Stack) -> None:
        await refusals(stack, await stack.recorded(await ended(stack)))
        for path in ("/nowhere/13812345678", f"/cases/{MARK}", "/evidence/x", "/%0a%0d", "/cases/RC-0000-0000-0000/x"):
            await stack.client("admin").get(path)
            for method in ("PROPFIND", "BREW", f"X{len(path)}"):
                await stack.client("admin").request(method, path)
        said = (await stack.client().get(f"{stack.url}/metrics")).text
        assert not any(mark in said for mark in (*marks(stack), "RC-", "officer-1"))
        routes = {line.split('route="')[1].split('"')[0] for line in said.splitlines() if 'route="' in line}
        assert routes
        assert all(route == "unmatched" or TEMPLATE.fullmatch(route) for route in routes), routes
        methods = {line.split('method="')[1].split('"')[0] for line in said.splitlines() if 'method="' in line}
        assert methods <= {"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "other"}
