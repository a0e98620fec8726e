"""Calendars, policies and ladders over HTTP: foretold, published, on their way, and what is refused."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.api.answers import refused
from tests.support.engine import ROUND_THE_CLOCK
from tests.support.stack import Json, Stack, running, settings_for
from upkeep.publications import Carrier


@pytest.fixture(scope="module")
async def town(temporal: WorkflowEnvironment, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A city of its own: what is published here concerns no other test."""
    folder: Path = tmp_path_factory.mktemp("town")
    async with running(temporal, settings_for(temporal, f"sqlite:///{folder / 'rectify.db'}", folder)) as ready:
        yield ready


async def ask(stack: Stack, method: str, path: str, body: object = None, **params: Any) -> Json:  # noqa: ANN401 - any parameter
    answer = await stack.client("admin").request(method, f"/rules/{path}", json=body, params=params)
    assert answer.status_code in {200, 202}, answer.text
    found: Json = answer.json()
    return found


async def calendar(stack: Stack, **changes: object) -> Json:
    """The next version of the city's."""
    present = await ask(stack, "GET", f"calendars/{ROUND_THE_CLOCK.id}")
    return {**present, "version": present["version"] + 1, **changes}


async def delivered(stack: Stack, publication: Json) -> Json:
    """What the worker does; here nobody else does."""
    assert await Carrier(stack.services.cases, stack.services.database, settled=0.0).once(publication["id"])
    return await ask(stack, "GET", f"publications/{publication['id']}")


def tomorrow() -> str:
    return str((datetime.now(UTC).astimezone(ROUND_THE_CLOCK.tz) + timedelta(days=1)).date())


class TestACalendar:
    async def test_is_foretold_published_and_taken(self, town: Stack) -> None:
        case = await town.recorded(await town.open(category="C0101"))
        change = await calendar(town, holidays=[tomorrow()])
        before = await ask(town, "POST", "calendars/preview", change)
        assert await ask(town, "POST", "calendars/preview", change, limit=1) | {"at": ""} == before | {"at": ""}
        assert before["totals"]["touched"] >= 1
        publication = await ask(town, "POST", "calendars", change)
        assert (publication["state"], publication["by"]) == ("on_its_way", "admin")
        assert (await ask(town, "POST", "calendars", change))["id"] == publication["id"]
        done = await delivered(town, publication)
        assert (done["state"], done["took"], done["moved"]) == (
            "finished",
            before["totals"]["touched"],
            before["totals"]["moved"],
        )
        events = (await town.client("supervisor").get(f"/cases/{case['id']}/events")).json()["items"]
        assert [each["type"] for each in events].count("CalendarChanged") == 1
        listed = (await ask(town, "GET", "calendars"))["items"][0]
        assert (listed["id"], listed["version"], listed["city"], listed["latest"]) == (
            ROUND_THE_CLOCK.id,
            change["version"],
            True,
            True,
        )
        assert publication["id"] in [each["id"] for each in (await ask(town, "GET", "publications"))["items"]]

    async def test_of_another_name_is_a_new_one(self, town: Stack) -> None:
        change = {**await calendar(town), "id": "night-shift", "version": 1}
        assert (await ask(town, "POST", "calendars", change))["name"] == "night-shift"
        assert (await ask(town, "GET", "calendars/night-shift"))["version"] == 1

    async def test_that_is_not_the_next_version_is_refused(self, town: Stack) -> None:
        for path in ("calendars", "calendars/preview"):
            change = {**await calendar(town), "version": 77}
            problem = refused(await town.client("admin").post(f"/rules/{path}", json=change), 409, "version_not_next")
            assert problem["following"] < 77

    @pytest.mark.parametrize(
        "change",
        [
            {"zone": "Mars/Olympus"},
            {"holidays": ["tomorrow"]},
            {"holidays": ["2026-01-01"], "make_up_workdays": ["2026-01-01"]},
            {"seasons": [{"weekdays": {"someday": ["08:00-12:00"]}}]},
        ],
        ids=["zone", "date", "both", "weekday"],
    )
    async def test_that_cannot_be_is_refused(self, town: Stack, change: Json) -> None:
        body = await calendar(town, **change)
        refused(await town.client("admin").post("/rules/calendars", json=body), 422, "calendar_invalid")

    async def test_that_nobody_has_published_is_not_found(self, town: Stack) -> None:
        admin = town.client("admin")
        refused(await admin.get("/rules/calendars/atlantis"), 404, "not_found")
        refused(await admin.get(f"/rules/calendars/{ROUND_THE_CLOCK.id}", params={"version": 999}), 404, "not_found")
        refused(await admin.get("/rules/publications/999"), 404, "not_found")


class TestAYear:
    async def test_is_made_official_by_its_notice(self, town: Stack) -> None:
        short = {**await calendar(town), "id": "short", "version": 1, "official_through": "2026-12-31"}
        await ask(town, "POST", "calendars", short)
        notice = {"year": 2027, "holidays": ["2027-01-01..2027-01-03"], "make_up_workdays": []}
        assert (await ask(town, "POST", "calendars/short/official/preview", notice))["totals"]["touched"] == 0
        publication = await ask(town, "POST", "calendars/short/official", notice)
        assert (publication["name"], publication["version"]) == ("short", 2)
        assert (await ask(town, "POST", "calendars/short/official", notice))["id"] == publication["id"]
        after = await ask(town, "GET", "calendars/short")
        assert (after["official_through"], after["holidays"][-1]) == ("2027-12-31", "2027-01-03")

    async def test_that_the_package_does_not_know_must_be_sent(self, town: Stack) -> None:
        path = f"/rules/calendars/{ROUND_THE_CLOCK.id}/official"
        refused(await town.client("admin").post(path, json={"year": 2099}), 422, "year_not_known")

    async def test_that_leaves_a_gap_is_refused(self, town: Stack) -> None:
        short = {**await calendar(town), "id": "gap", "version": 1, "official_through": "2026-12-31"}
        await ask(town, "POST", "calendars", short)
        body = {"year": 2029, "holidays": ["2029-01-01"]}
        refused(await town.client("admin").post("/rules/calendars/gap/official", json=body), 422, "calendar_invalid")


class TestRules:
    async def test_are_foretold_published_and_taken(self, town: Stack) -> None:
        case = await town.recorded(await town.open(category="C0101"))
        policy = (await ask(town, "GET", "policies"))["policy"]
        policy["version"] += 1
        policy["limits"]["acceptance"] = {"work": "3 work_hour", "urgent": "3 urgent_hour"}
        before = await ask(town, "POST", "policies/preview", {"policy": policy})
        of_stage = [move for item in before["items"] for move in item["moves"] if move["of"] == "stage"]
        assert case["id"] in [item["case"] for item in before["items"]]
        assert of_stage
        publication = await ask(town, "POST", "policies", {"policy": policy})
        done = await delivered(town, publication)
        assert (done["kind"], done["took"]) == ("rules", before["totals"]["touched"])
        latest = [each for each in (await ask(town, "GET", "policies"))["items"] if each["latest"]]
        assert {(each["kind"], each["version"]) for each in latest} >= {("policy", policy["version"])}

    async def test_are_refused_with_every_problem(self, town: Stack) -> None:
        policy = (await ask(town, "GET", "policies"))["policy"]
        policy["limits"]["acceptance"]["work"] = "3 moons"
        body = {"policy": {**policy, "colour": "red"}}
        problem = refused(await town.client("admin").post("/rules/policies", json=body), 422, "rules_invalid")
        assert {each["field"] for each in problem["errors"]} == {"policy.colour", "policy.limits.acceptance.work"}

    async def test_of_another_name_are_refused(self, town: Stack) -> None:
        policy = {**(await ask(town, "GET", "policies"))["policy"], "id": "other"}
        refused(await town.client("admin").post("/rules/policies", json={"policy": policy}), 422, "rules_not_in_force")


class TestTheProvisional:
    async def test_are_listed(self, town: Stack) -> None:
        found = (await town.client("supervisor").get("/cases", params={"provisional": True})).json()
        assert found["items"] == []
        others = (await town.client("supervisor").get("/cases", params={"provisional": False})).json()
        assert all(not each["provisional"] for each in others["items"])


class TestOnlyAdministrators:
    async def test_see_rules_and_publish_them(self, town: Stack) -> None:
        for path in ("calendars", "policies", "publications"):
            refused(await town.client("supervisor").get(f"/rules/{path}"), 403, "role_forbidden")
