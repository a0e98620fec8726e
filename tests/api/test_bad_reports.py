"""Reports that cannot be taken: each gets its status, its code and a sentence that helps, and no case is opened."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.api.answers import refused
from tests.support.stack import FAR, HOME, LAT, LON, Stack, report

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()
NOWHERE = "f" * 64
#: name: what is changed in a good report; the code.
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "unknown category": ({"category": "E9999"}, "unknown_category"),
    "unknown condition": ({"condition": "E0110-99"}, "unknown_condition"),
    "a condition of another category": ({"condition": "C0101-1"}, "unknown_condition"),
    "outside the city": ({"location": {"lon": 116.4, "lat": 39.9}}, "outside_city"),
    "swapped axes": ({"location": {"lon": LAT, "lat": LON}}, "coordinates_swapped"),
    "an unknown place": ({"point": "atlantis"}, "unknown_point"),
    "a district is no grid": ({"grid": "yunlan"}, "unknown_grid"),
    "neither position nor address": ({"location": None}, "location_missing"),
    "a grid is no address": ({"location": None, "grid": HOME}, "location_missing"),
    "unknown grid": ({"grid": "atlantis"}, "unknown_grid"),
    "a grid elsewhere": ({"grid": "zhuyuan-1-1"}, "grid_mismatch"),
    "unknown place type": ({"place_type": "moon"}, "unknown_place_type"),
    "wrong datum": ({"location": {"lon": LON, "lat": LAT, "datum": "mars"}}, "datum_unknown"),
    "another datum's position": ({"location": {"lon": 180.5, "lat": 91.0}}, "coordinates_invalid"),
    "discovered tomorrow": ({"discovered_at": TOMORROW}, "discovered_in_future"),
    "discovered at a time without zone": ({"discovered_at": "2026-01-01T08:00:00"}, "field_invalid"),
    "too long a description": ({"description": "长" * 2001}, "field_invalid"),
    "too long an address": ({"address": "长" * 257}, "field_invalid"),
    "an empty description": ({"description": "  "}, "field_invalid"),
    "control characters": ({"description": "垃圾\u0007"}, "field_invalid"),
    "text that reads backwards": ({"description": "垃圾\u202e已清"}, "field_invalid"),
    "a reference of two lines": ({"external_ref": "a\nb"}, "field_invalid"),
    "a NUL": ({"external_ref": "a\u0000b"}, "field_invalid"),
    "text that is none": ({"description": 7}, "field_invalid"),
    "no description": ({"description": None}, "field_invalid"),
    "a source of others": ({"source": "resident"}, "source_not_yours"),
    "unknown severity": ({"severity": "apocalyptic"}, "field_invalid"),
    "evidence that is not there": ({"evidence": [NOWHERE]}, "evidence_unknown"),
    "evidence that names none": ({"evidence": ["../../etc/passwd"]}, "field_invalid"),
    "too much evidence": ({"evidence": [NOWHERE] * 21}, "field_invalid"),
    "an unknown member": ({"colour": "red"}, "unknown_field"),
    "an unknown member within": ({"location": {"lon": LON, "lat": LAT, "altitude": 3}}, "unknown_field"),
    "an unknown member of the handling": ({"self_handled": {"note": "好", "colour": "red"}}, "unknown_field"),
}
#: Bodies that JSON's readers stumble over.
RAW: dict[str, tuple[bytes, str]] = {
    "no JSON": (b"{", "body_not_json"),
    "no object": (b"[1, 2]", "field_invalid"),
    "nothing": (b"", "field_invalid"),
    "no text": (b"\xff\xfe\x00", "malformed_body"),
    "a very deep one": (b"[" * 60_000, "malformed_body"),
    "a very long number": (b'{"category": ' + b"9" * 9000 + b"}", "malformed_body"),
    "a name that is no text": (b'{"\\ud800": 1}', "field_invalid"),
    "half a character": (b'{"category": "\\ud800", "description": "x", "address": "y"}', "field_invalid"),
    "not a number": (b'{"category":"E0110","description":"x","location":{"lon":NaN,"lat":1}}', "coordinates_invalid"),
    "infinity": (b'{"category":"E0110","description":"x","location":{"lon":1e999,"lat":1}}', "coordinates_invalid"),
}


async def post(stack: Stack, content: Any, lang: str = "zh", **headers: str) -> httpx.Response:  # noqa: ANN401 - httpx's
    given = {"Content-Type": "application/json", "Accept-Language": lang, **headers}
    return await stack.client("officer-1").post("/cases", content=content, headers=given)


class TestAReport:
    @pytest.mark.parametrize("name", BAD)
    async def test_that_is_wrong_is_refused(self, stack: Stack, name: str) -> None:
        changes, code = BAD[name]
        answer = await stack.report(key=None, **changes)
        problem = refused(answer, 422, code)
        assert len(problem["detail"]) > 5

    @pytest.mark.parametrize("name", RAW)
    @pytest.mark.parametrize("lang", ["zh", "en"])
    async def test_that_is_no_report_is_refused(self, stack: Stack, name: str, lang: str) -> None:
        content, code = RAW[name]
        refused(await post(stack, content, lang), 422, code, lang=lang)

    async def test_is_refused_in_english_to_who_reads_english(self, stack: Stack) -> None:
        for changes, code in BAD.values():
            client = stack.client("officer-1")
            answer = await client.post("/cases", json=report(**changes), headers={"Accept-Language": "en-GB,zh;q=0.5"})
            refused(answer, 422, code, lang="en")

    async def test_of_another_kind_of_content_is_refused(self, stack: Stack) -> None:
        for kind in ("text/plain", "application/xml", "multipart/form-data; boundary=x"):
            refused(await post(stack, b"{}", **{"Content-Type": kind}), 415, "unsupported_media_type")

    async def test_tells_every_field_that_is_wrong(self, stack: Stack) -> None:
        answer = await stack.report(description="", severity="?", location={"lon": "east", "lat": 38})
        problem = refused(answer, 422, "field_invalid")
        assert {error["field"] for error in problem["errors"]} == {"description", "severity", "location.lon"}

    async def test_that_was_refused_has_opened_nothing(self, stack: Stack) -> None:
        first = await stack.recorded(await stack.open())
        for number, (changes, _) in enumerate(BAD.values()):
            await stack.report(key=f"bad-{number}", **changes)
        last = await stack.recorded(await stack.open())
        listed = await stack.client("admin").get("/cases", params={"sort": "-opened_at", "limit": 2})
        assert [case["id"] for case in listed.json()["items"]] == [last["id"], first["id"]]

    async def test_is_not_taken_from_those_who_do_not_report(self, stack: Stack) -> None:
        refused(await stack.report("unit-sanitation"), 403, "role_forbidden")
        refused(await stack.report("admin"), 403, "role_forbidden")
        handled = {"note": "已清理", "evidence": []}
        refused(await stack.report("resident", self_handled=handled), 403, "self_handling_not_yours")


class TestABody:
    async def test_over_64_kib_is_refused_by_its_header(self, stack: Stack) -> None:
        problem = refused(await post(stack, b" " * (64 * 1024 + 1)), 413, "body_too_large")
        assert "65536" in problem["detail"]

    async def test_over_64_kib_is_refused_while_it_arrives(self, stack: Stack) -> None:
        async def chunks() -> Any:  # noqa: ANN401 - an async generator
            for _ in range(65):
                yield b" " * 1024

        refused(await post(stack, chunks(), lang="en"), 413, "body_too_large", lang="en")

    async def test_of_64_kib_is_read(self, stack: Stack) -> None:
        refused(await post(stack, b"{" + b" " * (64 * 1024 - 1)), 422, "body_not_json")

    async def test_of_a_command_is_as_small(self, stack: Stack) -> None:
        case = await stack.open()
        answer = await stack.give("officer-1", case, "comment", text="长" * 40_000)
        refused(answer, 413, "body_too_large")


class TestAPosition:
    async def test_in_every_known_datum_is_taken(self, stack: Stack) -> None:
        for datum in ("WGS-84", "gcj02", "BD-09", "cgcs2000"):
            case = await stack.open("supervisor", location={**FAR, "datum": datum})
            assert case["location"]["lon"] == FAR["lon"]

    async def test_in_its_grid_is_taken(self, stack: Stack) -> None:
        assert (await stack.open(grid=HOME))["grid"] == HOME

    async def test_in_a_district_of_no_officer_is_none_of_his_business(self, stack: Stack) -> None:
        case = await stack.recorded(await stack.open("supervisor", location=FAR))
        assert case["area"].split("/")[2] == "songquan"
        refused(await stack.client("officer-1").get(f"/cases/{case['id']}"), 404, "case_not_found")
        refused(await stack.give("officer-1", case, "comment", text="?"), 404, "case_not_found")
