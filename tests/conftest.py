from pathlib import Path

import pytest

pytest_plugins = ["tests.support.databases", "tests.support.engine"]

_HERE = Path(__file__).parent
#: Files of few tests that take long. Begun last, one would keep one core busy while the other has nothing left to do.
_FIRST = (
    "embedded/test_backup.py",
    "embedded/test_up.py",
    "upgrade/test_running_cases.py",
    "api/test_document.py",
    "bench/test_measuring.py",
    "chaos/test_planted.py",
    "domain/test_case_machine.py",
    "ledger/test_real_ledgers.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rank = {_HERE / name: nth for nth, name in enumerate(_FIRST)}
    assert all(path.is_file() for path in rank)
    items.sort(key=lambda item: rank.get(item.path, len(rank)))
