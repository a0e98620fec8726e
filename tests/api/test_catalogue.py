"""The catalogue through the API, and what of it reaches a case."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from api.services import CityCache
from directory.catalogue import load_catalogue
from directory.demo_city import demo_directory
from directory.model import Category
from directory.rules import default_ladder, default_policy
from store import catalogues, directory, migrate
from store.database import open_engine
from tests.api.answers import refused
from tests.support.engine import ROUND_THE_CLOCK
from tests.support.stack import Json, Stack

ALL = load_catalogue()


class TestTheCatalogue:
    @pytest.mark.parametrize("user", ["resident", "officer-1", "unit-roads", "admin"])
    async def test_is_there_for_everybody_who_is_signed_in(self, stack: Stack, user: str) -> None:
        answer = await stack.client(user).get("/catalogue")
        assert answer.status_code == 200
        shown = answer.json()
        assert (shown["scheme"], shown["version"]) == ("rectify", 1)
        assert shown["valid_from"] == "2026-01-01T08:00:00+08:00"
        assert tuple(map(Category.model_validate, shown["categories"])) == ALL

    async def test_is_not_sent_twice_to_whom_has_it(self, stack: Stack) -> None:
        client = stack.client("officer-1")
        tag = (await client.get("/catalogue")).headers["etag"]
        again = await client.get("/catalogue", headers={"If-None-Match": tag})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert (await client.get("/catalogue", headers={"If-None-Match": '"other"'})).status_code == 200

    async def test_of_an_edition_there_is_none_of_is_not_there(self, stack: Stack) -> None:
        refused(await stack.client("officer-1").get("/catalogue", params={"version": 99}), 404, "edition_unknown")

    async def test_has_its_editions(self, stack: Stack) -> None:
        (edition,) = (await stack.client("resident").get("/catalogue/editions")).json()["items"]
        assert (edition["scheme"], edition["version"], edition["in_force"]) == ("rectify", 1, True)

    async def test_is_for_nobody_else(self, stack: Stack) -> None:
        for path in ("/catalogue", "/catalogue/editions"):
            refused(await stack.client().get(path), 401, "unauthenticated")


class TestACase:
    async def test_takes_severity_and_photos_from_its_condition(self, stack: Stack) -> None:
        """Two photos where one cannot show it, and urgent where life is in danger, if the reporter says nothing."""
        toilet = await stack.open(category="C0301")
        refused(await self._submitted(stack, toilet, 1), 422, "evidence_required")
        assert (await self._submitted(stack, toilet, 2)).status_code == 200
        gas = await stack.open(category="E0502")
        assert (gas["severity"], toilet["severity"]) == ("urgent", "normal")
        assert (await stack.open(category="E0502", severity="low"))["severity"] == "low"

    @staticmethod
    async def _submitted(stack: Stack, case: Json, photos: int) -> httpx.Response:
        unit = f"unit-{case['lead_unit']}"
        if case["stage"] == "assignment":
            await stack.give(unit, case, "accept")
        proof = [await stack.photo(unit, 40 + nth) for nth in range(photos)]
        return await stack.give(unit, case, "submit", note="已清洁", evidence=proof)


class TestADroppedCategory:
    async def test_is_refused_with_the_edition_to_choose_from(self, stack: Stack) -> None:
        problem = refused(await stack.report(category="E9999"), 422, "unknown_category")
        assert "rectify 第 1 版" in problem["detail"]
        assert "GET /api/v1/catalogue" in problem["detail"]


@pytest.fixture
async def city(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AsyncEngine]:
    """The demonstration city, asked anew at every look."""
    url = f"sqlite:///{tmp_path / 'rectify.db'}"
    migrate.upgrade(url)
    engine = open_engine(url)
    await directory.save(engine, demo_directory(), ROUND_THE_CLOCK, default_policy(), default_ladder())
    monkeypatch.setattr("api.services.FRESH_FOR", 0.0)
    yield engine
    await engine.dispose()


class TestANewEdition:
    async def test_comes_into_force_on_its_day_without_anybody_doing_anything(self, city: AsyncEngine) -> None:
        now = datetime.now(UTC)
        cities, day = CityCache(city), now + timedelta(hours=1)
        fewer = tuple(each for each in ALL if each.code != "E0602")
        await catalogues.publish(city, fewer, day, now)
        before = (await cities.get(now)).directory
        after = (await cities.get(day)).directory
        assert (before.catalogue.version, "E0602" in before.category_by_code) == (1, True)
        assert (after.catalogue.version, "E0602" in after.category_by_code) == (2, False)
