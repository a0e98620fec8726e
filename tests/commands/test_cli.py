"""What holds for every command."""

import os
import stat
import subprocess
import sys
from pathlib import Path


def _rectify(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "RECTIFY_DATA": str(folder), "RECTIFY_TEMPORAL_ADDRESS": "127.0.0.1:1"}
    command = [sys.executable, "-P", "-m", "cli", *arguments]
    return subprocess.run(  # noqa: S603 - our own command
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


class TestEveryCommand:
    def test_writes_what_only_its_owner_may_read(self, tmp_path: Path) -> None:
        assert _rectify(tmp_path / "data", "migrate").returncode == 0
        assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "data" / "rectify.db").stat().st_mode) == 0o600

    def test_that_cannot_reach_the_engine_says_so_in_one_line_and_exits_with_2(self, tmp_path: Path) -> None:
        _rectify(tmp_path, "migrate")
        ended = _rectify(tmp_path, "audit")
        assert (ended.returncode, ended.stdout) == (2, "")
        assert len(ended.stderr.splitlines()) == 1
