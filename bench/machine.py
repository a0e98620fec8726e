"""On what a run was measured: figures of two machines cannot be compared, ratios can."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from bench.figures import Json
from bench.results import Run
from embedded.temporal_server import binary

_ROOT = Path(__file__).parents[1]
_GIGABYTE = 1 << 30


def this_run() -> Run:
    return Run(datetime.now(UTC).isoformat(timespec="seconds"), commit(), describe())


def describe() -> Json:
    return {
        "cores": os.cpu_count(),
        "model": _model(),
        "memory_gb": round(psutil.virtual_memory().total / _GIGABYTE, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "temporal_server": _server(),
        "temporalio": version("temporalio"),
        "rectify": version("rectify"),
        "load_average_before": round(psutil.getloadavg()[0], 2),
    }


def commit() -> str:
    changed = _said("git", "status", "--porcelain", "--untracked-files=no")
    return (_said("git", "rev-parse", "--short", "HEAD") or "unknown") + ("+" if changed else "")


def _model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _server() -> str:
    """`temporal version 1.9.1 (Server 1.32.1, UI 2.53.2)` becomes `1.32.1`."""
    said = _said(str(binary()), "--version")
    return said.partition("Server ")[2].partition(",")[0] or said


def _said(*command: str) -> str:
    try:
        done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=20, check=False)  # noqa: S603 - our own commands
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
