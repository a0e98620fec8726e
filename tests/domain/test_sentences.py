"""Every error code that the code can raise has a sentence in both languages, and its parameters are supplied."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.actors import Role
from domain.case import Stage
from domain.lifecycle import RULES
from domain.policy import Audience, ClockKind, RungAction
from domain.sentences import SENTENCES, sentence
from domain.words import ACTIONS, AUDIENCES, CLOCKS, COMMANDS, ROLES, STAGES

ROOT = Path(__file__).parents[2]
FOLDERS = ("domain", "directory", "store", "activities", "workflows", "api")
RAISERS = {
    *("Invalid", "Conflict", "Forbidden", "NotVisible", "Unavailable", "Guard", "CallerGuard", "EvidenceRejected"),
    *("Unauthenticated", "TooMany", "TooLarge", "Stale", "Unconditional"),
}
#: `lifecycle.decide` adds these to every conflict.
ADDED = {"stage", "actions"}
PARAM = re.compile(r"\{(\w+)\}")


def raised() -> Iterator[tuple[str, set[str], str]]:
    """(code, its parameters, where) for every literal code in the tree."""
    for file in (file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute) and node.args:
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                code = node.args[0]
                if name in RAISERS and isinstance(code, ast.Constant) and isinstance(code.value, str):
                    params = {keyword.arg or "**" for keyword in node.keywords}
                    yield code.value, params, f"{file.relative_to(ROOT)}:{node.lineno}"


RAISED = tuple(raised())
BOTH = [(code, lang, text) for code, pair in SENTENCES.items() for lang, text in zip(("zh", "en"), pair, strict=True)]


class TestCompleteness:
    def test_the_scan_finds_what_is_raised(self) -> None:
        assert {"case_not_found", "already_overdue", "evidence_empty", "separation_of_duties"} <= {r[0] for r in RAISED}

    @pytest.mark.parametrize("code", sorted({code for code, _, _ in RAISED}))
    def test_every_code_has_its_sentence(self, code: str) -> None:
        assert code in SENTENCES, [where for other, _, where in RAISED if other == code]

    @pytest.mark.parametrize("code", sorted({code for code, _, _ in RAISED} & set(SENTENCES)))
    def test_every_parameter_of_a_sentence_is_supplied_by_somebody(self, code: str) -> None:
        supplied = set().union(ADDED, *(params for other, params, _ in RAISED if other == code))
        needed = {param for text in SENTENCES[code] for param in PARAM.findall(text)}
        assert needed <= supplied or "**" in supplied

    @pytest.mark.parametrize(("code", "lang", "text"), BOTH)
    def test_a_sentence_is_whole_and_in_its_language(self, code: str, lang: str, text: str) -> None:
        assert bool(re.search(r"[一-鿿]", text)) == (lang == "zh")
        assert text.endswith("。" if lang == "zh" else ".")
        assert not PARAM.findall(re.sub(r"\[[^\]]*\]", "", text)), "a parameter outside brackets could leave a hole"

    def test_every_thing_has_a_name(self) -> None:
        assert set(STAGES) == set(Stage)
        assert set(COMMANDS) == {"open", *RULES}
        assert set(ROLES) == set(Role)
        assert set(CLOCKS) == set(ClockKind)
        assert set(ACTIONS) == set(RungAction)
        assert set(AUDIENCES) == set(Audience)


class TestSpeaking:
    def test_parameters_are_filled_in_with_the_words_of_the_language(self) -> None:
        params = {"stage": "closure", "command": "submit"}
        assert "“结案”" in sentence("stage_forbids", params, "zh")
        assert "closure" in sentence("stage_forbids", params, "en")

    def test_what_is_not_known_stays_out(self) -> None:
        assert sentence("evidence_required", {}, "en") == "Photos are missing. Add them and try again."
        assert sentence("evidence_required", {"needed": 2}, "zh") == "照片不足。请补拍后再提交。"

    def test_lists_are_read_out(self) -> None:
        assert "园林、水务" in sentence("co_units_pending", {"units": ["园林", "水务"]}, "zh")

    def test_values_are_data_and_never_templates(self) -> None:
        assert "{needed}[x]" in sentence("unknown_unit", {"unit": "{needed}[x]"}, "en")

    def test_an_unknown_code_is_named(self) -> None:
        assert "boiling_over" in sentence("boiling_over", {}, "zh")

    def test_a_missing_place_asks_for_no_grid_which_would_not_do(self) -> None:
        assert "a grid alone is not enough" in sentence("location_missing", {}, "en")
        assert "仅有网格不够" in sentence("location_missing", {}, "zh")
