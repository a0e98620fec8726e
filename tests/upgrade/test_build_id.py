"""By what name Temporal knows a build, and who has none."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from temporalio.common import VersioningBehavior

import worker
from commands.up import _settings
from settings import Settings


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of the code that runs inside a case."""
    monkeypatch.setattr(worker, "__file__", str(tmp_path / "worker.py"))
    path = tmp_path / "domain" / "case.py"
    path.parent.mkdir()
    path.write_text("first = 1\n")
    return path


class TestTheBuildId:
    def test_is_the_same_for_the_same_code(self, source: Path) -> None:
        assert worker.build_id() == worker.build_id()

    def test_is_another_when_the_code_of_a_case_is(self, source: Path) -> None:
        before = worker.build_id()
        source.write_text("first = 2\n")
        assert worker.build_id() != before
        source.rename(source.with_name("other.py")).write_text("first = 1\n")
        assert worker.build_id() != before

    def test_may_be_given(self) -> None:
        told = worker.deployment(Settings(deployment="rectify", build_id="2026-11-22"))
        assert told is not None
        assert told.version.to_canonical_string() == "rectify.2026-11-22"

    def test_is_made_of_release_and_code_otherwise(self) -> None:
        told = worker.deployment(Settings(deployment="rectify"))
        assert told is not None
        assert told.version.build_id == worker.build_id()


class TestADeployment:
    def test_pins_its_cases_unless_told_otherwise(self) -> None:
        pinned, upgraded = (
            worker.deployment(Settings.model_validate({"deployment": "rectify", **how}))
            for how in ({}, {"versioning": "auto-upgrade"})
        )
        assert pinned is not None
        assert upgraded is not None
        assert pinned.default_versioning_behavior is VersioningBehavior.PINNED
        assert upgraded.default_versioning_behavior is VersioningBehavior.AUTO_UPGRADE

    def test_is_none_by_default(self) -> None:
        assert worker.deployment(Settings(deployment=None)) is None

    def test_has_no_dot_in_its_name(self) -> None:
        with pytest.raises(ValidationError, match="deployment"):
            Settings(deployment="rectify.north")

    def test_is_not_for_everything_on_one_machine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RECTIFY_DEPLOYMENT", "rectify")
        assert Settings().deployment == "rectify"
        assert _settings({}).deployment is None
