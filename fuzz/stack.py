"""The stack that is fuzzed: `rectify up` as a user starts it, on free ports and a folder of its own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.stack import free_pair, free_port

ROOT = Path(__file__).resolve().parents[1]
_SETTINGS = {
    "RECTIFY_LOG_FORMAT": "json",
    "RECTIFY_LOG_LEVEL": "warning",
    "RECTIFY_REQUESTS_PER_SECOND": "100000",
    "RECTIFY_TIME_TRAVEL": "true",
    # The machine may be busy with other things: what is slow is no finding.
    "RECTIFY_UPDATE_TIMEOUT_SECONDS": "60",
}
_TO_START, _TO_STOP = 60.0, 20.0


@dataclass(frozen=True)
class Stack:
    """`tokens` by user. `log`: where all processes write."""

    url: str
    tokens: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes]

    def complaints(self) -> list[str]:
        """Lines that no request may cause, whatever it holds."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line for line in lines if "internal_error" in line or "Traceback" in line or "child_ended" in line]


@contextlib.contextmanager
def running() -> Iterator[Stack]:
    port, temporal = free_port(), free_pair()
    with tempfile.TemporaryDirectory() as folder:
        data, log = Path(folder) / "data", Path(folder) / "log"
        command = [sys.executable, "-m", "cli", "up", "--data", str(data)]
        command += ["--port", str(port), "--temporal-port", str(temporal)]
        with log.open("wb") as errors, _process(command, errors.fileno()) as process:
            url = f"http://127.0.0.1:{port}"
            _await(f"{url}/readyz", process)
            users = json.loads((data / "tokens.json").read_text())
            yield Stack(url, {name: user["token"] for name, user in users.items()}, log, process)


@contextlib.contextmanager
def _process(command: list[str], errors: int) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, **_SETTINGS}
    process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=errors)  # noqa: S603 - our own
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_TO_STOP)
        except subprocess.TimeoutExpired:
            process.kill()


def _await(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _TO_START
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(url).is_success:
                return
        time.sleep(0.1)
    raise TimeoutError(f"{url} does not answer")
