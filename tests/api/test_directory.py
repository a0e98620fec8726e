"""The directory over HTTP: read, changed, retired, by whom and by whom not, and written down."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from temporalio.testing import WorkflowEnvironment

from tests.api.answers import refused
from tests.support.stack import Json, Stack, running, settings_for

TRIANGLE: Json = {"type": "Polygon", "coordinates": [[[110.0, 38.2], [110.01, 38.2], [110.0, 38.21], [110.0, 38.2]]]}
UNIT: Json = {"name_zh": "新单位", "area": "qinghe", "contacts": [{"name": "王某", "phone": "13900000000"}]}
GRID: Json = {"name_zh": "新网格", "parent": "qingshi", "level": "grid", "geometry": TRIANGLE}
POINT: Json = {"name_zh": "东市场", "place_type": "market", "area": "qingshi-1-1", "lon": 110.001, "lat": 38.201}
NEW = {"If-None-Match": "*"}


@pytest.fixture(scope="module")
async def town(temporal: WorkflowEnvironment, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A city of its own: what is changed here concerns no other test."""
    folder: Path = tmp_path_factory.mktemp("directory")
    async with running(temporal, settings_for(temporal, f"sqlite:///{folder / 'rectify.db'}", folder)) as ready:
        yield ready


async def put(
    town: Stack, path: str, body: Json, seen: str | None = None, user: str = "admin", lang: str = "zh"
) -> httpx.Response:
    """`seen`: the ETag; without one it is new."""
    headers = {"If-Match": seen} if seen else NEW
    return await town.client(user).put(f"/directory/{path}", json=body, headers={**headers, "Accept-Language": lang})


async def made(town: Stack, path: str, body: Json) -> str:
    """The ETag."""
    answer = await put(town, path, body)
    assert answer.status_code == 201, answer.text
    return answer.headers["etag"]


async def get(town: Stack, path: str, user: str = "admin", **params: object) -> httpx.Response:
    return await town.client(user).get(f"/directory/{path}".rstrip("/"), params={k: str(v) for k, v in params.items()})


async def listed(town: Stack, path: str, user: str = "admin", **params: object) -> list[Json]:
    answer = await get(town, path, user, **params)
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["items"]
    return found


async def end(town: Stack, path: str, seen: str | None, way: str = "retire") -> httpx.Response:
    headers = {"If-Match": seen} if seen else {}
    return await town.client("admin").post(f"/directory/{path}/{way}", headers=headers)


async def felt(town: Stack) -> None:
    """The process knows the newest directory."""
    town.services.cities._checked = -1e9
    await town.services.cities.get(town.services.now())


class TestReading:
    async def test_the_whole_in_numbers(self, town: Stack) -> None:
        answer = await get(town, "", "supervisor")
        found = answer.json()
        assert (found["city_zh"], found["zone"]) == ("清和市", "Asia/Shanghai")
        assert found["counts"]["units"]["in_use"] >= 15
        assert set(found["counts"]) == {"areas", "units", "users", "points", "routing"}

    async def test_page_by_page(self, town: Stack) -> None:
        seen: list[str] = []
        cursor: Json = {}
        while True:
            page = (await get(town, "areas", limit=7, area="yunlan", **cursor)).json()
            seen += [each["id"] for each in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert seen == sorted(set(seen))
        assert {"yunlan", "qingshi", "qingshi-1"} <= set(seen)
        assert "minghu" not in seen

    async def test_one_with_its_shape_and_its_tag(self, town: Stack) -> None:
        answer = await get(town, "areas/yunlan")
        assert answer.headers["etag"] == f'"{answer.json()["revision"]}"'
        assert "geometry" in answer.json()
        (line,) = await listed(town, "areas", level="city")
        assert (line["id"], line["geometry"]) == ("qinghe", None)

    async def test_what_is_not_there(self, town: Stack) -> None:
        refused(await get(town, "units/nobody"), 404, "record_not_found")
        refused(await get(town, "units/NOBODY"), 422, "field_invalid")
        refused(await get(town, "units", colour="red"), 422, "unknown_field")


class TestWhoMay:
    async def test_see_contacts(self, town: Stack) -> None:
        await made(town, "units/with-contacts", UNIT)
        for user, contacts in (("admin", True), ("dispatcher", True), ("supervisor", False)):
            answer = await get(town, "units/with-contacts", user)
            assert ("13900000000" in answer.text) == contacts, user
            assert any("13900000000" in str(each) for each in await listed(town, "units", user)) == contacts

    @pytest.mark.parametrize("user", ["officer-1", "unit-water"])
    async def test_choose_from_names(self, town: Stack, user: str) -> None:
        for kind in ("areas", "units", "points"):
            for line in await listed(town, kind, user):
                assert {line.get(name) for name in ("revision", "contacts", "fallback", "keeper")} == {None}
                assert line["name_zh"]
        for path in ("", "users", "routing", "units/roads", "changes"):
            refused(await get(town, path, user), 403, "role_forbidden")
        refused(await get(town, "units", user, retired=True), 403, "role_forbidden")

    async def test_not_even_that(self, town: Stack) -> None:
        for path in ("areas", "units", "points", "users", "routing", "units/roads", "changes", ""):
            refused(await get(town, path, "resident"), 403, "role_forbidden")

    @pytest.mark.parametrize("user", ["dispatcher", "supervisor", "officer-1", "unit-water", "resident"])
    async def test_change_nothing(self, town: Stack, user: str) -> None:
        refused(await put(town, "units/theirs", UNIT, user=user), 403, "role_forbidden")
        refused(await town.client(user).post("/directory/units/roads/retire"), 403, "role_forbidden")


class TestChanging:
    async def test_an_area_with_its_shape(self, town: Stack) -> None:
        tag = await made(town, "areas/shaped", GRID)
        first = (await get(town, "areas/shaped")).json()
        assert first["geometry"] == TRIANGLE
        unsaid = {name: value for name, value in GRID.items() if name != "geometry"}
        changed = await put(town, "areas/shaped", {**unsaid, "name_zh": "改名"}, tag)
        assert (changed.status_code, changed.json()["geometry"]) == (200, TRIANGLE)
        bare = await put(town, "areas/shaped", {**unsaid, "geometry": None}, changed.headers["etag"])
        assert (bare.json()["geometry"], bare.json()["has_shape"]) == (None, False)

    async def test_one_that_another_has_changed(self, town: Stack) -> None:
        tag = await made(town, "units/lost-update", UNIT)
        first, second = await asyncio.gather(
            *(put(town, "units/lost-update", {**UNIT, "name_zh": name}, tag) for name in ("甲", "乙"))
        )
        won, lost = sorted((first, second), key=lambda answer: answer.status_code)
        assert won.status_code == 200
        refused(lost, 412, "changed_since")
        assert (await get(town, "units/lost-update")).json() == won.json()

    async def test_without_having_looked(self, town: Stack) -> None:
        url = "/directory/units/roads"
        refused(await town.client("admin").put(url, json=UNIT), 428, "if_match_required")
        refused(await town.client("admin").put(url, json=UNIT, headers={"If-Match": "*"}), 428, "if_match_required")
        refused(await town.client("admin").put(url, json=UNIT, headers={"If-Match": "W/x"}), 412, "changed_since")
        refused(await put(town, "units/roads", UNIT), 412, "exists_already")
        refused(await end(town, "units/roads", None), 428, "if_match_required")
        english = await put(town, "units/roads", UNIT, lang="en")
        refused(english, 412, "exists_already", lang="en")

    async def test_into_a_ring(self, town: Stack) -> None:
        tag = (await get(town, "areas/yunlan")).headers["etag"]
        body = {"name_zh": "云澜区", "level": "district", "parent": "qingshi"}
        problem = refused(await put(town, "areas/yunlan", body, tag), 409, "inside_itself")
        assert problem["field"] == "parent"

    async def test_with_a_shape_that_crosses_itself(self, town: Stack) -> None:
        bow = {"type": "Polygon", "coordinates": [[[110, 38], [110.1, 38.1], [110.1, 38], [110, 38.1], [110, 38]]]}
        problem = refused(await put(town, "areas/bow", {**GRID, "geometry": bow}), 422, "shape_invalid")
        assert "自相交" in problem["errors"][0]["reason"]
        for geometry in ({"type": "Point", "coordinates": [110, 38]}, {"type": "Polygon"}, {}, {"type": ["x"]}):
            refused(await put(town, "areas/bow", {**GRID, "geometry": geometry}), 422, "shape_invalid")

    async def test_a_login_in_capitals_is_none(self, town: Stack) -> None:
        """Two users never differ by that alone."""
        body = {"role": "officer", "area": "qingshi", "name": "李某"}
        refused(await put(town, "users/Officer-1", body), 422, "field_invalid")

    async def test_a_user_without_what_the_role_needs(self, town: Stack) -> None:
        refused(await put(town, "users/homeless", {"role": "officer", "name": "李某"}), 422, "user_needs")

    async def test_a_point_and_a_row(self, town: Stack) -> None:
        await made(town, "points/east-market", POINT)
        assert [each["id"] for each in await listed(town, "points", place_type="market", area="qingshi")] == [
            "east-market"
        ]
        await made(town, "routing/of-markets", {"place_type": "market", "unit": "roads", "co_units": ["parks"]})
        assert (await get(town, "routing/of-markets")).json()["co_units"] == ["parks"]


class TestRetiring:
    async def test_is_refused_with_what_stands_in_the_way(self, town: Stack) -> None:
        tag = (await get(town, "units/sanitation")).headers["etag"]
        problem = refused(await end(town, "units/sanitation", tag), 409, "still_in_use")
        assert "派遣规则" in problem["detail"]
        assert {each["kind"] for each in problem["obstacles"]} >= {"routing", "user"}
        assert all(each["count"] >= len(each["ids"]) >= 1 for each in problem["obstacles"])

    async def test_of_a_unit_with_running_cases_is_refused(self, town: Stack) -> None:
        tag = await made(town, "units/busy", UNIT)
        await felt(town)
        case = await town.open("officer-1")
        await town.do("dispatcher", case, "assign", unit="roads", co_units=["busy"], reason="协办")
        await town.recorded(await town.see("dispatcher", case))
        problem = refused(await end(town, "units/busy", tag), 409, "still_in_use")
        assert problem["obstacles"] == [{"kind": "case", "count": 1, "ids": [case["id"]]}]

    async def test_ends_what_a_unit_can_be_given(self, town: Stack) -> None:
        tag = await made(town, "units/leaving", UNIT)
        gone = await end(town, "units/leaving", tag)
        assert (gone.status_code, gone.json()["retired"]) == (200, True)
        assert "leaving" not in {each["id"] for each in await listed(town, "units", limit=200)}
        assert "leaving" in {each["id"] for each in await listed(town, "units", retired=True)}
        await felt(town)
        case = await town.open("officer-1")
        refused(await town.give("dispatcher", case, "assign", unit="leaving", reason="换"), 422, "unknown_unit")
        refused(await town.report("officer-1", owner="leaving"), 422, "unknown_unit")
        back = await end(town, "units/leaving", gone.headers["etag"], "restore")
        assert back.json()["retired"] is False

    async def test_takes_a_grid_off_the_map(self, town: Stack) -> None:
        tag = await made(town, "areas/short-lived", {**GRID, "geometry": None})
        await end(town, "areas/short-lived", tag)
        await felt(town)
        refused(await town.report("officer-1", grid="short-lived"), 422, "unknown_grid")

    async def test_shuts_a_user_out(self, town: Stack) -> None:
        tag = await made(town, "users/leaver", {"role": "officer", "area": "qingshi", "name": "李某"})
        from store import tokens

        town.tokens["leaver"] = await tokens.issue(town.engines[0], "leaver")
        assert (await town.client("leaver").get("/tasks")).status_code == 200
        await end(town, "users/leaver", tag)
        town.services.tokens.forget(town.tokens["leaver"])
        refused(await town.client("leaver").get("/tasks"), 401, "unauthenticated")

    async def test_oneself_is_refused(self, town: Stack) -> None:
        tag = (await get(town, "users/admin")).headers["etag"]
        refused(await end(town, "users/admin", tag), 409, "not_yourself")


class TestTheLog:
    async def test_says_who_changed_what(self, town: Stack) -> None:
        tag = await made(town, "units/logged", UNIT)
        await put(town, "units/logged", {**UNIT, "name_zh": "改名"}, tag)
        for user, contacts in (("admin", True), ("supervisor", False)):
            found = await listed(town, "changes", user, kind="unit", record="logged")
            assert [(each["action"], each["by"]) for each in found] == [("create", "admin"), ("change", "admin")]
            assert [each["after"]["name_zh"] for each in found] == ["新单位", "改名"]
            assert found[0]["before"] is None
            assert ("contacts" in found[1]["before"]) == contacts

    async def test_is_read_on(self, town: Stack) -> None:
        for name in ("log-a", "log-b"):
            await made(town, f"units/{name}", UNIT)
        first = (await get(town, "changes", limit=1)).json()
        rest = await listed(town, "changes", after=first["next_after"], limit=200)
        assert first["items"][0]["id"] < rest[0]["id"]
        assert [each["record"] for each in rest][-2:] == ["log-a", "log-b"]

    async def test_says_nothing_to_dispatchers(self, town: Stack) -> None:
        refused(await get(town, "changes", "dispatcher"), 403, "role_forbidden")
