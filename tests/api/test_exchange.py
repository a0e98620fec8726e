"""The directory as files over HTTP: who may, what comes, and what is refused."""

import io
import zipfile

import httpx
import pytest

from api import middleware
from tests.support.stack import Stack

UNIT = "编号,名称,辖区\r\nexchange-unit,清运队,qinghe\r\n"
FORMULA = '编号,名称,辖区\r\nexchange-other,"=1+1",nowhere\r\n'


async def send(stack: Stack, name: str, data: bytes, user: str = "admin", **params: str) -> httpx.Response:
    return await stack.client(user).post("/directory/import", files={"file": (name, data)}, params=params)


class TestImport:
    async def test_is_looked_at_without_being_done(self, stack: Stack) -> None:
        answer = await send(stack, "单位.csv", UNIT.replace("exchange", "dry").encode("gb18030"), dry_run="true")
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert (told["sound"], told["changes"], told["version"]) == (True, {"units": {"create": 1}}, None)
        assert (await stack.client("admin").get("/directory/units/dry-unit")).status_code == 404

    async def test_is_done_and_the_second_time_no_difference(self, stack: Stack) -> None:
        first = await send(stack, "单位.csv", UNIT.encode())
        assert first.json()["changes"] == {"units": {"create": 1}}
        again = await send(stack, "单位.csv", UNIT.encode())
        assert (again.json()["changes"], again.json()["version"]) == ({}, None)
        assert (await stack.client("admin").get("/directory/units/exchange-unit")).status_code == 200

    async def test_tells_every_bad_cell_and_changes_nothing(self, stack: Stack) -> None:
        answer = await send(stack, "单位.csv", FORMULA.encode())
        assert (answer.status_code, answer.json()["code"]) == (422, "import_refused")
        (fault,) = answer.json()["faults"]
        place = (fault["sheet"], fault["row"], fault["column"], fault["header"], fault["value"])
        assert place == ("单位.csv", 2, "C", "辖区", "nowhere")
        assert fault["zh"]
        assert (await stack.client("admin").get("/directory/units/exchange-other")).status_code == 404

    async def test_retires_nothing_that_has_an_open_case(self, stack: Stack) -> None:
        case = await stack.recorded(await stack.open())
        grid = case["area"].split("/")[-1]
        sheets = {
            "单位.csv": f"编号,名称,辖区,停用\n{case['lead_unit']},单位,qinghe,是\n",
            "辖区.csv": f"编号,上级,层级,名称,停用\n{grid},yunlan,网格,网格,是\n",
        }
        for name, text in sheets.items():
            answer = await send(stack, name, text.encode())
            assert (answer.status_code, answer.json()["code"]) == (422, "import_refused")
            assert "open_cases" in {fault["code"] for fault in answer.json()["faults"]}

    async def test_needs_a_file(self, stack: Stack) -> None:
        answer = await stack.client("admin").post("/directory/import", json={})
        assert (answer.status_code, answer.json()["code"]) == (422, "import_not_multipart")

    async def test_has_a_limit_of_its_own(self, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
        assert (await send(stack, "单位.csv", UNIT.encode() + b"\r\n" * 100_000)).status_code == 200
        monkeypatch.setattr(middleware, "MAX_IMPORT", 1_000)
        answer = await send(stack, "单位.csv", UNIT.encode() + b"\r\n" * 1_000)
        assert (answer.status_code, answer.json()["code"]) == (413, "import_too_large")

    @pytest.mark.parametrize("user", ["officer-1", "supervisor", "dispatcher"])
    async def test_is_for_administrators(self, stack: Stack, user: str) -> None:
        assert (await send(stack, "单位.csv", UNIT.encode(), user)).status_code == 403


class TestExport:
    async def test_is_without_a_difference_for_what_has_no_english_name(self, stack: Stack) -> None:
        body = {"name_zh": "无英文名的队", "area": "qinghe"}
        made = await stack.client("admin").put(
            "/directory/units/chinese-only", json=body, headers={"If-None-Match": "*"}
        )
        assert (made.status_code, made.json()["name_en"]) == (201, "无英文名的队")
        answer = await stack.client("admin").get("/directory/export", params={"format": "xlsx"})
        assert (await send(stack, "directory.xlsx", answer.content, dry_run="true")).json()["changes"] == {}

    @pytest.mark.parametrize(
        ("form", "begins"), [("xlsx", b"PK"), ("csv", b"PK"), ("geojson", b'{"type":"FeatureColl')]
    )
    async def test_comes_in_each_format_and_back_without_a_difference(
        self, stack: Stack, form: str, begins: bytes
    ) -> None:
        answer = await stack.client("admin").get("/directory/export", params={"format": form})
        assert answer.status_code == 200
        assert answer.content.startswith(begins)
        told = (await send(stack, f"directory.{form}", answer.content)).json()
        assert (told["faults_total"], told["changes"]) == (0, {})

    async def test_of_one_table_is_one_file(self, stack: Stack) -> None:
        params = {"format": "csv", "tables": "units"}
        answer = await stack.client("admin").get("/directory/export", params=params)
        assert answer.content.decode("utf-8-sig").startswith("编号 id,名称 name_zh")

    async def test_of_units_is_no_map(self, stack: Stack) -> None:
        params = {"format": "geojson", "tables": "units"}
        answer = await stack.client("admin").get("/directory/export", params=params)
        assert (answer.status_code, answer.json()["code"]) == (422, "not_as_geojson")


async def test_a_template_has_a_sheet_for_each_table(stack: Stack) -> None:
    answer = await stack.client("admin").get("/directory/templates", params={"tables": ["areas", "points"]})
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        book = archive.read("xl/workbook.xml").decode()
    assert [name in book for name in ("辖区 areas", "点位 points", "说明", "单位 units")] == [True, True, True, False]
