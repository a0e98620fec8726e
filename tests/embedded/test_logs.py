"""What a log line carries, and what it never does."""

import json
import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from temporalio import workflow
from temporalio.testing import ActivityEnvironment

import logs
from settings import Settings


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    level = root.level
    yield
    root.handlers = [handler for handler in root.handlers if type(handler) is not logging.StreamHandler]
    root.setLevel(level)
    structlog.reset_defaults()


def configure() -> None:
    """By each test itself: the standard error of a fixture is another."""
    logs.configure(Settings(log_format="json"))


def said(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


class TestLines:
    def test_our_lines_and_those_of_libraries_look_alike(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure()
        structlog.get_logger("ours").info("case_event", case="RC-1")
        logging.getLogger("uvicorn.error").warning("slow by %s s", 3)
        ours, theirs = said(capsys)
        assert (ours["event"], ours["case"], ours["level"]) == ("case_event", "RC-1", "info")
        assert (theirs["event"], theirs["logger"], theirs["level"]) == ("slow by 3 s", "uvicorn.error", "warning")

    def test_personal_data_is_struck_out(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure()
        structlog.get_logger().info("opened", description="Wang's fence", phone="13800000000", case="RC-1")
        (line,) = said(capsys)
        assert (line["description"], line["phone"], line["case"]) == ("…", "…", "RC-1")

    def test_a_traceback_has_no_local_variables(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure()
        phone = "13800000000"
        try:
            int(phone + "x" if len(phone) < 3 else "bad")
        except ValueError:
            structlog.get_logger().exception("failed")
        (line,) = said(capsys)
        assert "ValueError" in line["exception"]
        assert phone not in line["exception"]

    async def test_an_activity_says_which_case_it_works_for(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure()
        ActivityEnvironment().run(lambda: structlog.get_logger().info("recorded"))
        (line,) = said(capsys)
        assert (line["workflow_id"], line["attempt"]) == ("test", 1)


class TestReplay:
    def test_what_a_replay_repeats_is_dropped(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        configure()
        monkeypatch.setattr(workflow, "in_workflow", lambda: True)
        monkeypatch.setattr(workflow, "info", lambda: SimpleNamespace(workflow_id="RC-1", run_id="r"))
        for replaying in (True, False):
            monkeypatch.setattr(workflow.unsafe, "is_replaying_history_events", lambda replaying=replaying: replaying)
            logging.getLogger("case").info("replaying: %s", replaying)
        (line,) = said(capsys)
        assert (line["event"], line["workflow_id"]) == ("replaying: False", "RC-1")
