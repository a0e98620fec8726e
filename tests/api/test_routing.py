"""Who would answer, and why: the same as what opening a case comes to."""

from typing import Any

import pytest

from directory.demo_city import AVENUE
from tests.api.answers import refused
from tests.support.stack import HOME, LAT, LON, Json, Stack

#: On Minghu Avenue.
ON_THE_AVENUE = {"lon": 110.05, "lat": 38.236}
HERE = {"lon": LON, "lat": LAT}


async def ask(stack: Stack, **params: Any) -> Json:  # noqa: ANN401 - any parameter
    answer = await stack.client("officer-1").get("/routing", params=params)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


class TestTheAnswer:
    async def test_tells_where_who_within_which_limit_and_why(self, stack: Stack) -> None:
        found = await ask(stack, category="E0110", place_type="market", **HERE)
        assert [area["id"] for area in found["areas"]] == ["qinghe", "yunlan", "qingshi", "qingshi-1", HOME]
        assert [grid["id"] for grid in found["grids"]] == [HOME]
        assert (found["area"], found["condition"]) == (f"/qinghe/yunlan/qingshi/qingshi-1/{HOME}", "E0110-1")
        assert found["limit"] == {"value": "4", "unit": "work_hour"}
        answer = (found["decided_by"], found["unit"], found["co_units"], found["row"])
        assert answer == ("row", "market-supervision", ["sanitation"], "e0110-market")
        assert [(row["id"], row["wins"], row["reason"]) for row in found["rows"]] == [
            ("e0110-market", True, "place_type"),
            ("e0110", False, "place_type"),
            ("e01-yunlan", False, "subject"),
        ]
        assert found["rows"][0]["reason_zh"] == "指明点位类型的规则优先"
        assert found["order"][0] == "subject"

    async def test_knows_every_grid_that_holds_the_place(self, stack: Stack) -> None:
        found = await ask(stack, category="E0401", **ON_THE_AVENUE)
        assert AVENUE in {grid["id"] for grid in found["grids"]}
        assert (found["row"], found["dispatcher"]) == (f"e04-{AVENUE}", "dispatcher")
        assert found["rows"][0]["reason"] == "level"

    async def test_of_a_component_goes_by_its_owner(self, stack: Stack) -> None:
        found = await ask(stack, category="C0123", owner="telecom", condition="C0123-2", **HERE)
        assert (found["unit"], found["row"], found["order"][0]) == ("telecom", "owner-telecom", "owner")
        assert [row["reason"] for row in found["rows"]] == ["owner", "owner"]

    async def test_may_be_for_an_area_instead_of_a_position(self, stack: Stack) -> None:
        found = await ask(stack, category="E0602", area="fenghe-1-1")
        assert (found["decided_by"], found["unit"]) == ("fallback", "city-mgmt-wangxi")
        assert (found["fallback_area"], found["rows"]) == ("wangxi", [])

    async def test_says_that_nobody_is_named(self, stack: Stack) -> None:
        found = await ask(stack, category="E0602", area="yunlan")
        assert (found["decided_by"], found["unit"], found["grids"]) == ("dispatcher", None, [])

    async def test_of_a_single_row_has_no_rival_to_name(self, stack: Stack) -> None:
        (row,) = (await ask(stack, category="E0304", **HERE))["rows"]
        assert (row["wins"], row["reason"], row["reason_zh"]) == (True, None, "没有别的规则相符")

    @pytest.mark.parametrize("asked", [{"category": "E0401"}, {"category": "C0101", "owner": "water"}])
    async def test_is_what_opening_a_case_comes_to(self, stack: Stack, asked: Json) -> None:
        case = await stack.open("supervisor", location=ON_THE_AVENUE, **asked)
        found = await ask(stack, **asked, **ON_THE_AVENUE)
        assert (case["lead_unit"], case["co_units"]) == (found["unit"], found["co_units"])
        assert (case["area"], case["condition"], case["limit"]) == (found["area"], found["condition"], found["limit"])


class TestAQuestion:
    @pytest.mark.parametrize(
        ("params", "code"),
        [
            ({"category": "E9999", **HERE}, "unknown_category"),
            ({"category": "E0110", "condition": "C0101-1", **HERE}, "unknown_condition"),
            ({"category": "E0110"}, "location_missing"),
            ({"category": "E0110", "lon": LON}, "location_missing"),
            ({"category": "E0110", "lon": 116.4, "lat": 39.9}, "outside_city"),
            ({"category": "E0110", "datum": "mars", **HERE}, "datum_unknown"),
            ({"category": "E0110", "area": "atlantis"}, "unknown_area"),
            ({"category": "E0110", "point": "nowhere"}, "unknown_point"),
            ({"category": "E0110", "place_type": "moon", **HERE}, "unknown_place_type"),
            ({"category": "E0110", "owner": "nobody", **HERE}, "unknown_unit"),
            (HERE, "field_invalid"),
        ],
    )
    async def test_that_is_wrong_is_refused_as_a_report_would_be(self, stack: Stack, params: Json, code: str) -> None:
        refused(await stack.client("officer-1").get("/routing", params=params), 422, code)

    async def test_of_a_resident_is_refused(self, stack: Stack) -> None:
        answer = await stack.client("resident").get("/routing", params={"category": "E0110", **HERE})
        refused(answer, 403, "routing_not_yours")
