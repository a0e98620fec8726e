"""Decrypting for Temporal's UI and command line: for admins, for one origin, on the record."""

import asyncio
import base64
import json
import shutil
import sysconfig
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from google.protobuf.json_format import MessageToDict
from structlog.testing import capture_logs
from temporalio.testing import WorkflowEnvironment

import worker
from api.codec import COOKIE
from api.middleware import MAX_PAYLOADS
from store import tokens
from tests.api.answers import refused
from tests.api.lives import LEAD
from tests.encryption.desks import founded, in_plain, payloads
from tests.support.stack import Json, Stack, running, settings_for

UI = "https://temporal.test"
DESCRIPTION = "王家门前的垃圾"


@pytest.fixture(scope="module")
async def stack(temporal: WorkflowEnvironment, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """The whole system with encryption on."""
    folder = tmp_path_factory.mktemp("sealed")
    ring = founded(folder / "ring.json")
    url = f"sqlite:///{folder / 'rectify.db'}"
    settings = settings_for(temporal, url, folder, payload_keys=ring, temporal_ui_origin=UI)
    async with AsyncExitStack() as everything:
        ready = await everything.enter_async_context(running(temporal, settings, with_worker=False))
        works = worker.build(
            await worker.connect(settings),
            ready.recorder,
            task_queue=settings.task_queue,
            runner=worker.sandbox(),
            grace=timedelta(0),
        )
        await everything.enter_async_context(works)
        yield ready


@pytest.fixture(scope="module")
async def case(stack: Stack) -> Json:
    opened = await stack.open(description=DESCRIPTION)
    return await stack.do(LEAD, opened, "accept")


@pytest.fixture(scope="module")
async def district_admin(stack: Stack) -> str:
    user = "district-admin"
    body = {"name": user, "role": "admin", "area": "wangxi"}
    headers = {"If-None-Match": "*"}
    made = await stack.client("admin").put(f"/directory/users/{user}", json=body, headers=headers)
    assert made.status_code == 201, made.text
    stack.tokens[user] = await tokens.issue(stack.engines[0], user)
    return user


async def sealed(stack: Stack, case: Json) -> Json:
    """As Temporal's UI sends them: every payload of the case's history."""
    history = await stack.services.cases.handle(case["id"]).fetch_history()
    assert in_plain(history) == []
    found = [MessageToDict(each) for event in history.events for each in payloads(event) if "key" in each.metadata]
    return {"payloads": found}


def contents(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return "".join(base64.b64decode(each["data"]).decode() for each in answer.json()["payloads"] if "data" in each)


class TestDecoding:
    async def test_shows_an_admin_what_is_encrypted(self, stack: Stack, case: Json) -> None:
        answer = await stack.client("admin").post("/codec/decode", json=await sealed(stack, case))
        assert DESCRIPTION in contents(answer)

    @pytest.mark.parametrize("way", ["decode", "encode"])
    @pytest.mark.parametrize("user", ["officer-1", LEAD, "dispatcher", "supervisor", "resident"])
    async def test_is_for_nobody_else(self, stack: Stack, case: Json, user: str, way: str) -> None:
        refused(await stack.client(user).post(f"/codec/{way}", json=await sealed(stack, case)), 403, "role_forbidden")

    @pytest.mark.parametrize("way", ["decode", "encode"])
    async def test_is_not_for_the_admin_of_a_district(
        self, stack: Stack, case: Json, district_admin: str, way: str
    ) -> None:
        answer = await stack.client(district_admin).post(f"/codec/{way}", json=await sealed(stack, case))
        refused(answer, 403, "not_in_your_area")

    @pytest.mark.parametrize("way", ["decode", "encode"])
    async def test_wants_a_token(self, stack: Stack, way: str) -> None:
        for headers in ({}, {"Authorization": "Bearer rt_x"}, {"Cookie": f"{COOKIE}=rt_x"}):
            answer = await stack.client().post(f"/codec/{way}", json={"payloads": []}, headers=headers)
            refused(answer, 401, "unauthenticated")

    async def test_gives_back_what_was_encoded(self, stack: Stack) -> None:
        plain = {"payloads": [{"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "IngieA=="}]}
        encoded = await stack.client("admin").post("/codec/encode", json=plain)
        assert "IngieA==" not in encoded.text
        assert (await stack.client("admin").post("/codec/decode", json=encoded.json())).json() == plain

    async def test_is_logged_without_what_was_read(self, stack: Stack, case: Json) -> None:
        body = await sealed(stack, case)
        with capture_logs() as log:
            await stack.client("admin").post("/codec/decode", json=body)
        (line,) = [each for each in log if each["event"] == "payloads_decrypted"]
        assert (line["user"], line["payloads"]) == ("admin", len(body["payloads"]))
        assert set(line) == {"event", "log_level", "user", "payloads", "bytes"}

    @pytest.mark.parametrize(
        ("payload", "status", "code"),
        [
            ({"metadata": {"encoding": "YmluYXJ5L2VuY3J5cHRlZA==", "key": "eA=="}}, 503, "payload_key_missing"),
            ({"data": "A"}, 422, "malformed_body"),
            ({"metadata": {"encoding": "A"}}, 422, "malformed_body"),
            ({"surprise": 1}, 422, "malformed_body"),
            ({"data": 1}, 422, "field_invalid"),
        ],
    )
    async def test_says_what_is_wrong(self, stack: Stack, payload: Json, status: int, code: str) -> None:
        answer = await stack.client("admin").post("/codec/decode", json={"payloads": [payload]})
        assert (answer.status_code, answer.json()["code"]) == (status, code)

    async def test_of_what_was_changed_is_refused(self, stack: Stack, case: Json) -> None:
        body = await sealed(stack, case)
        body["payloads"][0]["metadata"]["workflow"] = "eA=="
        answer = await stack.client("admin").post("/codec/decode", json=body)
        assert (answer.status_code, answer.json()["code"]) == (500, "payload_damaged")

    async def test_takes_a_page_of_history_and_no_more(self, stack: Stack) -> None:
        for size, status in ((MAX_PAYLOADS - 100, 200), (MAX_PAYLOADS + 1, 413)):
            body = {"payloads": [{"data": "A" * (size // 4 * 4 - 100)}]} if status == 200 else {"x": "A" * size}
            assert (await stack.client("admin").post("/codec/decode", json=body)).status_code == status


class TestABrowser:
    async def test_on_the_uis_page_may_ask(self, stack: Stack) -> None:
        wish = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-namespace"}
        answer = await stack.client().options("/codec/decode", headers={"Origin": UI, **wish})
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == UI
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"

    @pytest.mark.parametrize("origin", ["https://evil.test", "https://temporal.test.evil.test", "null"])
    async def test_on_any_other_page_may_not(self, stack: Stack, origin: str) -> None:
        wish = {"Access-Control-Request-Method": "POST"}
        answer = await stack.client().options("/codec/decode", headers={"Origin": origin, **wish})
        assert "Access-Control-Allow-Origin" not in answer.headers

    async def test_may_ask_no_other_route(self, stack: Stack) -> None:
        answer = await stack.client("admin").get("/cases", headers={"Origin": UI})
        assert "Access-Control-Allow-Origin" not in answer.headers

    async def test_is_signed_in_by_a_cookie_for_these_routes_alone(self, stack: Stack, case: Json) -> None:
        async with httpx.AsyncClient(base_url=f"{stack.url}/api/v1/codec") as browser:
            assert "管理员令牌" in (await browser.get("/sign-in")).text
            done = await browser.post("/sign-in", data={"token": stack.tokens["admin"]})
            assert done.status_code == 303
            assert "已登录" in (await browser.get(done.headers["location"])).text
            for wanted in ("HttpOnly", "SameSite=strict", "Path=/api/v1/codec", "Max-Age=28800"):
                assert wanted in done.headers["set-cookie"]
            answer = await browser.post("/decode", json=await sealed(stack, case), headers={"Origin": UI})
            assert DESCRIPTION in contents(answer)
            assert answer.headers["Access-Control-Allow-Origin"] == UI
            assert (await browser.get(f"{stack.url}/api/v1/cases")).status_code == 401

    @pytest.mark.parametrize("user", ["supervisor", "district-admin", None])
    @pytest.mark.usefixtures("district_admin")
    async def test_is_not_signed_in_but_as_an_admin(self, stack: Stack, user: str | None) -> None:
        token = stack.tokens[user] if user else "rt_wrong"
        answer = await stack.client().post("/codec/sign-in", data={"token": token})
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
        assert token not in answer.text


class TestTheCommandLine:
    async def test_of_temporal_shows_a_case(self, stack: Stack, case: Json) -> None:
        said = await show(stack, case, "--codec-endpoint", f"{stack.url}/api/v1/codec", "--codec-auth", bearer(stack))
        (began,) = said["events"][0]["workflowExecutionStartedEventAttributes"]["input"]["payloads"]
        assert json.loads(base64.b64decode(began["data"]))["opening"]["description"] == DESCRIPTION

    async def test_of_temporal_shows_nothing_without_a_token(self, stack: Stack, case: Json) -> None:
        said = await show(stack, case)
        (began,) = said["events"][0]["workflowExecutionStartedEventAttributes"]["input"]["payloads"]
        assert base64.b64decode(began["metadata"]["encoding"]) == b"binary/encrypted"


def bearer(stack: Stack) -> str:
    return f"Bearer {stack.tokens['admin']}"


async def show(stack: Stack, case: Json, *options: str) -> Json:
    program = shutil.which("temporal", path=sysconfig.get_path("scripts"))
    assert program is not None
    where = ("--address", stack.services.settings.temporal_address)
    words = ("workflow", "show", "--workflow-id", case["id"], "--output", "json", *where, *options)
    process = await asyncio.create_subprocess_exec(program, *words, stdout=PIPE, stderr=PIPE)
    said, complaint = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0, complaint.decode()
    shown: Json = json.loads(said)
    return shown


class TestWithoutAKeyRing:
    async def test_there_are_no_such_routes(self, temporal: WorkflowEnvironment, tmp_path: Path) -> None:
        settings = settings_for(temporal, f"sqlite:///{tmp_path / 'rectify.db'}", tmp_path, temporal_ui_origin=UI)
        async with running(temporal, settings, with_worker=False) as plain:
            for route in ("decode", "encode", "sign-in"):
                assert (await plain.client("admin").post(f"/codec/{route}", json={})).status_code == 404
