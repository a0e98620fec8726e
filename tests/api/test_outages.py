"""What still works when something is away: no worker, no database, too many requests."""

from pathlib import Path

from temporalio.testing import WorkflowEnvironment

from tests.api.answers import refused
from tests.api.lives import LEAD, accepted
from tests.support.stack import Stack, report, running, settings_for


class TestWithoutAWorker:
    async def test_a_case_is_opened_and_seen(self, lonely_stack: Stack) -> None:
        answer = await lonely_stack.report(key="alone")
        assert answer.status_code == 201
        case = answer.json()
        assert (await lonely_stack.see("officer-1", case)).items() >= case.items()
        assert (await lonely_stack.see(LEAD, case))["actions"] == ["accept", "return", "comment"]
        again = await lonely_stack.report(key="alone")
        assert (again.status_code, again.json()) == (201, case)
        refused(await lonely_stack.report(key="alone", address="别处"), 409, "idempotency_key_reused")
        refused(await lonely_stack.client("unit-roads").get(f"/cases/{case['id']}"), 404, "case_not_found")

    async def test_a_command_is_to_be_repeated(self, lonely_stack: Stack) -> None:
        case = await lonely_stack.open()
        for lang in ("zh", "en"):
            url, headers = f"/cases/{case['id']}/accept", {"Accept-Language": lang, "Idempotency-Key": "a"}
            answer = await lonely_stack.client(LEAD).post(url, json={}, headers=headers)
            refused(answer, 503, "engine_unavailable", lang=lang)
        refused(await lonely_stack.client(LEAD).get(f"/cases/{case['id']}/events"), 503, "engine_unavailable")

    async def test_a_case_nobody_opened_is_still_not_there(self, lonely_stack: Stack) -> None:
        refused(await lonely_stack.client("admin").get("/cases/RC-0000-0000-0000"), 404, "case_not_found")


class TestWithoutADatabase:
    async def test_cases_go_on_and_lists_wait(self, stack: Stack) -> None:
        case, photo = await accepted(stack), await stack.photo(LEAD)
        with stack.without_database():
            opened = await stack.open()
            case = await stack.do(LEAD, case, "submit", note="完成", evidence=[photo])
            assert (await stack.see(LEAD, case))["stage"] == "reinspection"
            for path in ("/cases", "/tasks", "/overdue", "/events", f"/cases/{case['id']}/events"):
                refused(await stack.client(LEAD).get(path), 503, "store_unavailable")
            assert (await stack.client().get(f"{stack.url}/readyz")).status_code == 503
            assert (await stack.client().get(f"{stack.url}/healthz")).status_code == 200
        await stack.recorded(case)
        await stack.recorded(opened)
        listed = await stack.client("admin").get("/cases", params={"q": case["id"]})
        assert [each["stage"] for each in listed.json()["items"]] == ["reinspection"]
        assert (await stack.client().get(f"{stack.url}/readyz")).json()["status"] == "ok"

    async def test_a_caller_is_trusted_for_a_while(self, stack: Stack) -> None:
        case = await accepted(stack)
        with stack.without_database():
            self.forget_freshness(stack)
            await stack.do(LEAD, case, "comment", text="仍在处置")
            stranger = await stack.client().get("/tasks", headers={"Authorization": "Bearer rt_new"})
            refused(stranger, 503, "store_unavailable")

    def forget_freshness(self, stack: Stack) -> None:
        """As if two seconds had passed: token and directory are to be asked for anew."""
        known = stack.services.tokens._known
        for token, each in list(known.items()):
            known[token] = each._replace(asked=0.0)
        stack.services.cities._checked = 0.0


class TestTooManyRequests:
    async def test_are_told_to_wait(self, temporal: WorkflowEnvironment, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path / 'rectify.db'}"
        settings = settings_for(temporal, url, tmp_path, requests_per_second=1)
        async with running(temporal, settings, with_worker=False) as stack:
            answers = [await stack.client("admin").post("/cases", json=report()) for _ in range(4)]
            refused(next(answer for answer in answers if answer.status_code == 429), 429, "too_many_requests")


class TestWithoutTimeTravel:
    async def test_no_clock_can_be_moved(self, temporal: WorkflowEnvironment, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path / 'rectify.db'}"
        settings = settings_for(temporal, url, tmp_path, time_travel=False)
        async with running(temporal, settings, with_worker=False) as stack:
            body = {"case": "RC-0000-0000-0000", "by": "P1D"}
            refused(await stack.client("admin").post("/dev/advance", json=body), 404, "not_found")
            assert "/api/v1/dev/advance" not in stack.app.openapi()["paths"]
