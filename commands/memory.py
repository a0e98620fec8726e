"""How many cases a worker keeps in memory, by how much of it there is: docs/adr/0025."""

import os
from pathlib import Path

from settings import Settings

#: Bytes that a case takes, and how much of the machine all of them may.
_CASE, _SHARE = 150_000, 0.125
#: Where Linux tells a container what it may have, by either version of control groups.
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def memory() -> int:
    """Bytes that the machine has, or the container may have if that is less."""
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    allowed = (path.read_text().strip() for path in _LIMITS if path.is_file())
    return min([there, *(int(limit) for limit in allowed if limit.isdecimal())])


def cases_in_memory(settings: Settings) -> int:
    """How many a worker keeps: as many as it is told to, or as there is room for."""
    return settings.max_cached_workflows or int(memory() * _SHARE / _CASE)
