"""`rectify notices channels`: kept by whoever keeps the machine, and their addresses told to nobody."""

import asyncio
import json

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner, Result

from cli import app
from tests.notices.office import Office
from tests.notices.receiver import Receiver

SECRET = "s3cret"


@pytest.fixture
async def engine(file_engine: AsyncEngine) -> AsyncEngine:
    return file_engine


@pytest.fixture
def house(office: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.setenv("RECTIFY_DATABASE_URL", office.engine.url.render_as_string(hide_password=False))
    return office


async def typed(*words: str, said: str | None = None) -> Result:
    command = ["notices", "channels", *words]
    result = await asyncio.to_thread(lambda: CliRunner().invoke(app, command, input=said))
    assert SECRET not in result.output
    return result


class TestAChannel:
    async def test_is_added_tried_listed_and_removed(self, house: Office, receiver: Receiver) -> None:
        url = receiver.url(password=SECRET)
        added = await typed("add", "roads", "-", "--to", "unit", "--unit", "roads", said=f"{url}\n")
        assert (added.exit_code, "已新增" in added.stdout) == (0, True)
        tried = await typed("test", "roads")
        assert (tried.exit_code, receiver.titles) == (0, ["【测试】整改案卷通知 test"])
        assert "roads" in (await typed("list")).stdout
        (listed,) = json.loads((await typed("list", "--json")).stdout)
        assert (listed["id"], listed["service"], listed["unit"]) == ("roads", "json", "roads")
        assert (await typed("remove", "roads")).exit_code == 0
        gone = await typed("test", "roads")
        assert (gone.exit_code, "没有通道 roads" in gone.stderr) == (2, True)

    async def test_that_refuses_the_trial_says_why(self, house: Office, receiver: Receiver) -> None:
        receiver.status = 403
        await typed("add", "roads", receiver.url(password=SECRET), "--to", "unit")
        tried = await typed("test", "roads")
        assert (tried.exit_code, "HTTP 403" in tried.stderr) == (1, True)

    async def test_takes_an_area_by_its_id(self, house: Office, receiver: Receiver) -> None:
        assert (await typed("add", "east", receiver.url(), "--to", "supervisor", "--area", "yunlan")).exit_code == 0
        assert (await house.listed("east")).area == "/qinghe/yunlan"

    async def test_is_asked_again_for_what_it_refused(self, house: Office) -> None:
        assert (await typed("retry", "roads")).exit_code == 2
        await typed("add", "roads", "json://127.0.0.1:1/", "--to", "unit")
        assert "重发 0 条" in (await typed("retry", "roads")).stdout

    @pytest.mark.parametrize(
        "words",
        [
            ["Bad_Id", "json://a", "--to", "unit"],
            ["a", f"wecom://{SECRET}", "--to", "unit"],
            ["a", "json://a", "--to", "nobody"],
            ["a", "json://a", "--to", "reporter"],
            ["a", "json://a", "--to", "unit", "--unit", "nobody"],
            ["a", "json://a", "--to", "city", "--area", "nowhere"],
            ["a", "json://a", "--to", "city", "--area", "/nowhere"],
        ],
    )
    async def test_that_cannot_be_is_refused_in_one_line(self, house: Office, words: list[str]) -> None:
        refused = await typed("add", *words)
        assert (refused.exit_code, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)

    async def test_is_none_at_first(self, house: Office) -> None:
        assert "没有通道" in (await typed("list")).stdout
