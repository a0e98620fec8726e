"""What docs/reliability.md says of the newest run is what the newest run has found."""

import json

import pytest

from chaos.__main__ import RESULTS
from chaos.figures import DOCUMENT, block, renewed


class TestTheFigures:
    def test_are_those_of_the_newest_result(self) -> None:
        text = DOCUMENT.read_text("utf-8")
        assert renewed(text, json.loads(RESULTS.read_text("utf-8"))) == text

    def test_take_the_place_of_others(self) -> None:
        result = json.loads(RESULTS.read_text("utf-8"))
        text = "a\n<!-- figures of chaos: begin -->\nold\n<!-- figures of chaos: end -->\nb\n"
        assert renewed(text, result) == text.replace("old", block(result))

    def test_tell_what_was_broken(self) -> None:
        result = json.loads(RESULTS.read_text("utf-8"))
        result["total"]["lost"] = 3
        assert "lost=3" in block(result)

    def test_need_their_marks(self) -> None:
        with pytest.raises(ValueError, match="begin"):
            renewed("", {})
