"""`rectify keys`, as an operator types it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from cli import app
from commands import up
from commands.installation import refuse_bad_keys
from embedded.refusals import Refusal
from encryption.ring import load
from settings import Settings
from tests.encryption.desks import SealedDesk, rotated
from tests.support.cases import SUPERVISOR, UNIT


def typed(*words: str) -> Result:
    return CliRunner().invoke(app, ["keys", *words])


async def asked(*words: str) -> Result:
    return await asyncio.to_thread(typed, *words)


def said(result: Result) -> tuple[int, str]:
    """Exit code and the one line of a refusal."""
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return result.exit_code, line


def listed(ring: Path) -> Sequence[str]:
    return typed("list", "--ring", str(ring)).stdout.splitlines()


class TestNew:
    def test_founds_a_ring_whose_key_encrypts(self, tmp_path: Path) -> None:
        ring = tmp_path / "ring.json"
        name = typed("new", "--ring", str(ring)).stdout.strip()
        assert load(ring).current == name
        assert ring.stat().st_mode & 0o777 == 0o600

    def test_adds_a_key_that_waits_to_be_handed_out(self, ring: Path) -> None:
        before = load(ring).current
        name = typed("new", "--ring", str(ring)).stdout.strip()
        assert load(ring).current == before
        assert [key.id for key in load(ring).keys] == [before, name]

    def test_shows_no_secret(self, ring: Path) -> None:
        shown = typed("new", "--ring", str(ring)).output + "\n".join(listed(ring))
        assert not [secret for secret in secrets(ring) if secret in shown]

    def test_does_not_touch_a_damaged_ring(self, ring: Path) -> None:
        ring.write_text("{")
        code, line = said(typed("new", "--ring", str(ring)))
        assert (code, "有误" in line, ring.read_text()) == (2, True, "{")


def secrets(ring: Path) -> list[str]:
    return [key.model_dump(mode="json")["secret"] for key in load(ring).keys]


class TestRotate:
    def test_encrypts_with_a_new_key(self, ring: Path) -> None:
        before = load(ring).current
        name = typed("rotate", "--ring", str(ring)).stdout.strip()
        assert load(ring).current == name != before
        assert [key.id for key in load(ring).keys] == [before, name]

    def test_encrypts_with_one_that_was_handed_out_before(self, ring: Path) -> None:
        name = typed("new", "--ring", str(ring)).stdout.strip()
        assert typed("rotate", name, "--ring", str(ring)).stdout.strip() == name
        assert load(ring).current == name
        assert ["encrypts" in line for line in listed(ring)] == [False, True]

    def test_knows_no_other(self, ring: Path) -> None:
        assert said(typed("rotate", "k-20260101-00000000", "--ring", str(ring)))[0] == 2

    def test_founds_no_ring(self, tmp_path: Path) -> None:
        assert said(typed("rotate", "--ring", str(tmp_path / "none.json")))[0] == 2
        assert not list(tmp_path.iterdir())

    def test_wants_to_know_which_ring(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("RECTIFY_PAYLOAD_KEYS", raising=False)
        assert "RECTIFY_PAYLOAD_KEYS" in said(typed("rotate"))[1]


class TestOff:
    def test_keeps_the_keys_and_encrypts_with_none(self, ring: Path) -> None:
        name = load(ring).current
        assert typed("off", "--ring", str(ring)).exit_code == 0
        assert (load(ring).current, [key.id for key in load(ring).keys]) == (None, [name])


class TestRetire:
    @pytest.fixture
    def place(self, desk: SealedDesk, ring: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RECTIFY_TEMPORAL_ADDRESS", desk.temporal.client.service_client.config.target_host)
        monkeypatch.setenv("RECTIFY_TASK_QUEUE", desk.task_queue)
        monkeypatch.setenv("RECTIFY_PAYLOAD_KEYS", str(ring))

    async def test_refuses_a_key_that_encrypts(self, ring: Path) -> None:
        assert said(await asked("retire", str(load(ring).current), "--ring", str(ring)))[0] == 2

    async def test_refuses_while_a_case_needs_it_and_then_removes_it(
        self, desk: SealedDesk, ring: Path, watchful: None, place: None
    ) -> None:
        old = str(load(ring).current)
        async with desk.worker():
            handle = await desk.open()
            await desk.give(handle, "accept", UNIT)
            new = rotated(ring)
            assert [line.split()[-1] for line in (await asked("list", "--cases")).stdout.splitlines()] == ["1", "0"]
            assert said(await asked("retire", old)) == (
                1,
                "1 件在办案卷仍需此密钥。 running cases still need this key: 1",
            )
            await desk.give(handle, "force-close", SUPERVISOR, reason="拆迁区域")
            await handle.result()
        code, line = said(await asked("retire", old))
        assert (code, "--forget-ended" in line) == (1, True)
        assert (await asked("retire", old, "--forget-ended")).exit_code == 0
        assert [key.id for key in load(ring).keys] == [new]

    async def test_removes_a_key_that_nobody_has_used(self, ring: Path, place: None) -> None:
        old = str(load(ring).current)
        rotated(ring)
        assert (await asked("retire", old)).exit_code == 0
        assert old not in [key.id for key in load(ring).keys]

    async def test_says_when_temporal_cannot_be_asked(self, ring: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RECTIFY_TEMPORAL_ADDRESS", "127.0.0.1:1")
        old = str(load(ring).current)
        rotated(ring)
        assert said(await asked("retire", old, "--ring", str(ring)))[0] == 2
        assert old in [key.id for key in load(ring).keys]


class TestAProcess:
    """`rectify worker`, `serve` and `up` do not begin without the keys that they were told to use."""

    @pytest.fixture(params=["missing", "damaged", "open to others"])
    def bad(self, request: pytest.FixtureRequest, ring: Path) -> Path:
        match request.param:
            case "missing":
                ring.unlink()
            case "damaged":
                ring.write_text("{")
            case _:
                ring.chmod(0o644)
        return ring

    def test_that_serves_or_works_ends_in_one_line(self, bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(typer.Exit) as ended:
            refuse_bad_keys(bad)
        assert (ended.value.exit_code, capsys.readouterr().err.count("\n")) == (2, 1)

    def test_that_brings_all_up_refuses(self, bad: Path) -> None:
        with pytest.raises(Refusal):
            up._check_keys(Settings(payload_keys=bad))

    def test_with_a_good_ring_or_none_begins(self, ring: Path) -> None:
        for each in (ring, None):
            refuse_bad_keys(each)
            up._check_keys(Settings(payload_keys=each))
