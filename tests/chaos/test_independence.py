"""The judge must not believe what it judges: it imports nothing of the project but itself."""

from pathlib import Path

from tests.house.test_imports import ROOT, imported, parts

JUDGE = ROOT / "chaos" / "judge"


def foreign(path: Path) -> set[str]:
    return {name for name in imported(path.read_text("utf-8")) if name in parts() - {"chaos"}}


def own(path: Path) -> set[str]:
    lines = [line.split() for line in path.read_text("utf-8").splitlines()]
    return {words[1] for words in lines if words[:1] == ["from"] and words[1].startswith("chaos")}


class TestTheJudge:
    def test_imports_nothing_of_the_code_under_test(self) -> None:
        assert {path.name: foreign(path) for path in JUDGE.glob("*.py") if foreign(path)} == {}

    def test_imports_of_chaos_itself_alone(self) -> None:
        assert {
            name for path in JUDGE.glob("*.py") for name in own(path) if not name.startswith("chaos.judge")
        } == set()

    def test_would_be_caught_if_it_did(self) -> None:
        assert foreign(ROOT / "chaos" / "planted.py") >= {"domain"}
