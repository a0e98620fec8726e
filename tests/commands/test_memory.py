"""How many cases a worker keeps, by the machine that it runs on."""

from pathlib import Path

import pytest

from commands import memory
from settings import Settings

GIB = 1 << 30


@pytest.fixture
def limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Where a container would be told, by either version of control groups; nothing stands there yet."""
    files = tmp_path / "memory.max", tmp_path / "memory.limit_in_bytes"
    monkeypatch.setattr(memory, "_LIMITS", files)
    monkeypatch.setattr("os.sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 8 * GIB // 4096}.__getitem__)
    return files


def test_all_of_a_machine_s_memory_counts(limits: tuple[Path, Path]) -> None:
    assert not any(path.exists() for path in limits)
    assert memory.memory() == 8 * GIB
    assert memory.cases_in_memory(Settings(max_cached_workflows=None)) == 7158


@pytest.mark.parametrize("version", [0, 1])
def test_of_a_container_s_what_it_may_have(limits: tuple[Path, Path], version: int) -> None:
    limits[version].write_text(f"{2 * GIB}\n")
    assert memory.memory() == 2 * GIB
    assert memory.cases_in_memory(Settings(max_cached_workflows=None)) == 1789


@pytest.mark.parametrize("none", ["max", str(2**63 - 4096)])
def test_no_limit_is_none(limits: tuple[Path, Path], none: str) -> None:
    limits[0].write_text(none)
    assert memory.memory() == 8 * GIB


def test_what_a_worker_is_told_goes_before_what_there_is_room_for() -> None:
    assert memory.cases_in_memory(Settings(max_cached_workflows=5)) == 5
