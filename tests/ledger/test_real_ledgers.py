"""Two ledgers of a real city, from outside this repository. RECTIFY_SHARED="" skips them where nobody has them."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.case import Stage
from ledger.mapping import parse_map
from tests.ledger.office import Office

SHARED = os.environ.get("RECTIFY_SHARED", "../shared")
MAPS = Path(__file__).parent / "maps"
TODAY = datetime(2026, 3, 2, 4, tzinfo=UTC)

pytestmark = pytest.mark.skipif(SHARED == "", reason="RECTIFY_SHARED is empty: no real ledgers here")


def ledger(name: str) -> Path:
    path = Path(SHARED) / "data" / name
    assert path.exists(), f"{path} is missing: set RECTIFY_SHARED to the folder that has data/, or to nothing"
    return path


class TestLosAngeles:
    async def test_the_ledger_of_2017(self, office: Office) -> None:
        plan = parse_map((MAPS / "la_2017.toml").read_text(encoding="utf-8"))
        path = ledger("la_myla311_2017_subset.csv")
        tally = await office.take_in_file(path, plan, TODAY)
        assert (tally.rows, tally.opened, tally.archived) == (9999, 5, 9982)
        assert tally.refused == {"closed_before_opened": 12}
        assert len(office.refused_rows()) == 13
        stages = [record.case.stage for record in office.archive.records.values()]
        assert (stages.count(Stage.WITHDRAWN), stages.count(Stage.DISMISSED)) == (246, 9)
        again = await office.take_in_file(path, plan, TODAY)
        assert (again.already, again.refused.total()) == (9987, 12)

    async def test_the_ledger_of_2020(self, office: Office) -> None:
        plan = parse_map((MAPS / "la_2020.toml").read_text(encoding="utf-8"))
        tally = await office.take_in_file(ledger("la_myla311_2020_jan.csv"), plan, TODAY)
        assert (tally.rows, tally.opened, tally.archived, tally.refused) == (10000, 49, 9951, {})
        assert office.directory is not None
        assert office.directory.root == "los-angeles"
        assert len(office.directory.areas) == 167
