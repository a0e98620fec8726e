"""What we rest on: exact, by hashes, under licences that fit, and without faults that are known."""

import json
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from requirements import advisories

#: Words of licences that reach over to what merely uses them, or forbid some users.
UNFIT = re.compile(r"affero|agpl|(?<!l)gpl-|(?<!lesser )general public|sspl|non-?commercial|proprietary", re.IGNORECASE)
#: The index says nothing; read in the package itself.
SAID_ELSEWHERE = {"mypy-extensions": "MIT"}
LISTED: dict[str, Any] = json.loads(advisories.LIST.read_text("utf-8"))
ASKED_ON = date.fromisoformat(LISTED["asked_on"])


def copied(folder: Path, **changes: object) -> Path:
    """The list with its first package otherwise."""
    first, *others = LISTED["packages"]
    path = folder / "advisories.json"
    path.write_text(json.dumps({**LISTED, "packages": [{**first, **changes}, *others]}), encoding="utf-8")
    return path


class TestTheLocks:
    @pytest.mark.parametrize("lock", advisories.LOCKS, ids=lambda path: path.name)
    def test_have_a_version_and_hashes_for_everything(self, lock: Path) -> None:
        entries = re.split(r"\n(?=\S)", lock.read_text("utf-8").strip())
        assert len(entries) > 40
        for entry in entries:
            assert re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+", entry), entry
            assert "--hash=sha256:" in entry, entry

    @pytest.mark.parametrize("lock", advisories.LOCKS, ids=lambda path: path.name)
    def test_name_no_address(self, lock: Path) -> None:
        assert "://" not in lock.read_text("utf-8")


class TestTheList:
    def test_covers_every_locked_version_and_knows_of_no_fault(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert advisories.check(ASKED_ON) == 0
        assert "known faults" not in capsys.readouterr().err

    def test_answers_for_nearly_all(self) -> None:
        """Of the others the check says each time that nothing is known."""
        silent = [each["name"] for each in LISTED["packages"] if each["faults"] is None]
        assert len(silent) <= len(LISTED["packages"]) // 10

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"faults": ["PYSEC-2026-1"]}, "PYSEC-2026-1"),
            ({"yanked": "broken"}, "broken"),
            ({"version": "0.0.1"}, "nobody has asked"),
        ],
    )
    def test_would_tell(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, object], said: str
    ) -> None:
        assert advisories.check(ASKED_ON, copied(tmp_path, **changes)) == 1
        assert said in capsys.readouterr().err

    def test_grows_old_aloud_and_breaks_nothing(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert advisories.check(ASKED_ON + timedelta(days=advisories.OLD_AFTER + 1)) == 0
        assert f"{advisories.OLD_AFTER + 1} days old" in capsys.readouterr().err

    def test_names_no_host(self) -> None:
        for path in (advisories.LIST, Path(advisories.__file__)):
            assert not re.search(r"https?:|\w\.org\b|\.com\b", path.read_text("utf-8"))


class TestLicences:
    def test_fit_ours(self) -> None:
        for each in LISTED["packages"]:
            licence = each["licence"] or SAID_ELSEWHERE.get(each["name"], "")
            assert licence, each["name"]
            assert not UNFIT.search(licence), (each["name"], licence)

    @pytest.mark.parametrize(
        "licence",
        ["AGPL-3.0-only", "GPL-3.0-or-later", "GNU General Public License v3", "CC-BY-NC Non-Commercial", "SSPL-1.0"],
    )
    def test_that_do_not_would_be_noticed(self, licence: str) -> None:
        assert UNFIT.search(licence)
        assert not UNFIT.search("LGPL-3.0-only")

    def test_keeps_what_the_index_said_before_where_it_is_silent_now(self) -> None:
        before = advisories.Entry("one", "1.0", ["PYSEC-1"], None, "MIT")
        silent = advisories.Entry("one", "1.0", None, None, "")
        assert advisories.remembered(silent, {("one", "1.0"): before}) == before
        assert advisories.remembered(silent, {("one", "0.9"): before}) == silent
        spoken = advisories.Entry("one", "1.0", [], None, "MIT")
        assert advisories.remembered(spoken, {("one", "1.0"): before}) == spoken
