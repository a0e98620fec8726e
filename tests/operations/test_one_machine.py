"""`rectify up` shows its worker's metrics where it is told to (see tests/embedded/test_backup.py), or says why not."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

import logs
from cli import app
from tests.embedded.test_up import free_ports, listening
from tests.operations.watched import free_address


def refusal(folder: Path) -> str:
    """The one line it says instead of starting."""
    port, temporal = free_ports()
    words = ("up", "--data", str(folder), "--port", str(port), "--temporal-port", str(temporal))
    said = CliRunner().invoke(app, words)
    assert (said.exit_code, said.stderr.count("\n")) == (2, 1), said.stderr
    return said.stderr


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "configure", lambda _settings: None)


class TestTheAddressOfTheMetrics:
    def test_is_refused_where_somebody_else_has_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RECTIFY_WORKER_METRICS_ADDRESS", address := free_address())
        with listening(int(address.rpartition(":")[2])):
            assert "RECTIFY_WORKER_METRICS_ADDRESS" in refusal(tmp_path)

    def test_is_refused_where_it_is_none(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RECTIFY_WORKER_METRICS_ADDRESS", "somewhere")
        assert "worker_metrics_address" in refusal(tmp_path)
