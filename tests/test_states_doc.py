"""`docs/states.md` says what the table does."""

from pathlib import Path

from domain.case import Stage
from domain.lifecycle import TABLE
from domain.printing import states

DOC = Path(__file__).parents[1] / "docs" / "states.md"


class TestTheStatesDocument:
    def test_is_what_the_table_prints(self) -> None:
        assert DOC.read_text(encoding="utf-8") == states(), "run: python -m domain.printing > docs/states.md"

    def test_names_every_stage_and_every_command(self) -> None:
        text = states()
        assert all(f"| `{stage}` |" in text for stage in Stage)
        assert all(f"| `{rule.command.name}` |" in text for rule in TABLE)
