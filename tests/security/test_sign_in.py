"""Passwords and codes: in no table, no log, no metric, no answer. A guesser learns nothing and gets nowhere."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import httpx
import pytest
import structlog
from sqlmodel import SQLModel

import logs
from api import oidc, sign_in
from api.doors import Opened
from settings import Settings
from store import passwords
from store.database import reading
from tests.support.hashing import cheap, with_cheap_doors
from tests.support.stack import Stack

MARK = "wheelbarrow"
USER, PASSWORD, WRONG, NEW = "officer-3", f"eleven rusty {MARK}s", f"no such {MARK} at all", f"twelve rusty {MARK}s"


@pytest.fixture(params=["json", "console"])
def log(request: pytest.FixtureRequest) -> Iterator[StringIO]:
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


async def everything(stack: Stack) -> list[httpx.Response]:
    """Every way that a password takes, right and wrong, with the database there and away."""
    with_cheap_doors(stack)
    await passwords.put(stack.engines[0], USER, await cheap().hash(PASSWORD), must_change=True)
    plain = stack.client()

    async def knock(password: str) -> httpx.Response:
        return await plain.post("/sign-in", json={"login": USER, "password": password})

    opened = await knock(PASSWORD)
    mine = {"Authorization": f"Bearer {opened.json()['token']}"}
    bad = ({"old": WRONG, "new": NEW}, {"old": PASSWORD, "new": MARK}, {"old": PASSWORD, "new": [NEW]})
    said = [await knock(WRONG), *[await plain.post("/password", json=body, headers=mine) for body in bad]]
    said.append(await plain.post("/sign-in", content=f'{{"password": "{PASSWORD}"'.encode()))
    said.append(await plain.post("/sign-in", json={"login": PASSWORD, "password": PASSWORD, MARK: PASSWORD}))
    with stack.without_database():
        said.append(await knock(PASSWORD))
    changed = await plain.post("/password", json={"old": PASSWORD, "new": NEW}, headers=mine)
    assert changed.status_code == 200, changed.text
    assert all(answer.status_code >= 400 for answer in said)
    return said


class TestAPassword:
    async def test_is_in_no_log_and_no_refusal(self, stack: Stack, log: StringIO) -> None:
        said = await everything(stack)
        written = log.getvalue()
        assert "sign_in_refused" in written
        assert "store_unavailable" in written
        assert MARK not in written
        assert "rt_" not in written
        assert "argon2" not in written
        assert not any(PASSWORD in answer.text or WRONG in answer.text or NEW in answer.text for answer in said)
        assert MARK not in (await stack.client().get(f"{stack.url}/metrics")).text

    async def test_is_at_rest_nowhere(self, stack: Stack) -> None:
        await everything(stack)
        async with reading(stack.engines[0]) as connection:
            tables = SQLModel.metadata.sorted_tables
            rows = [str((await connection.execute(table.select())).all()) for table in tables]
        assert "$argon2id$" in "".join(rows)
        assert MARK not in "".join(rows)
        assert not [path for path in files(stack.services.settings.data) if MARK.encode() in path.read_bytes()]

    def test_shows_in_no_representation(self) -> None:
        shown = [
            sign_in.SignIn(login=USER, password=PASSWORD),
            sign_in.NewPassword(old=PASSWORD, new=PASSWORD),
            oidc.Exchange(code=PASSWORD, verifier="v" * 43),
        ]
        assert not any(PASSWORD in repr(each) or "v" * 43 in repr(each) for each in shown)
        assert "rt_" not in repr(Opened("rt_x", datetime.max.replace(tzinfo=UTC), must_change=False))


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


class TestAClientSecret:
    def test_shows_in_no_representation(self) -> None:
        settings = Settings(oidc_issuer="https://id.example", oidc_client_id="rectify", oidc_client_secret="hush")
        assert "hush" not in repr(settings)


class TestAGuesser:
    async def test_is_asked_for_the_same_work_for_anybody(self, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
        """Known, without a password, unknown, locked: one comparison each, and no more."""
        with_cheap_doors(stack, lock_after_failures=2)
        await passwords.put(stack.engines[0], USER, await cheap().hash(PASSWORD), must_change=False)
        hasher = stack.services.doors._hasher
        compared = []
        check = hasher.check

        async def counted(password: str, kept: str | None) -> object:
            compared.append(kept is None)
            return await check(password, kept)

        monkeypatch.setattr(hasher, "check", counted)
        for login in (USER, USER, USER, "officer-1", "nobody", "没有"):
            answer = await stack.client().post("/sign-in", json={"login": login, "password": WRONG})
            assert answer.status_code == 401
        assert compared == [False, False, True, True, True, True]
