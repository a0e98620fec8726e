import re

import pytest

from ledger.slugs import LONGEST, slug


class TestSlugs:
    def test_plain_names_stay_readable(self) -> None:
        assert slug("cd-13", "North Valley APC") == "cd-13-north-valley-apc"

    def test_they_do_not_change_from_day_to_day(self) -> None:
        assert slug("东区") == "12a5ef23"

    def test_names_that_differ_only_in_signs_stay_apart(self) -> None:
        assert len({slug("A/B"), slug("A-B"), slug("A&B"), slug("甲"), slug("乙")}) == 5

    @pytest.mark.parametrize("text", ["a" * 200, "巷" * 200, "Ångström's", "- -", "#"])
    def test_anything_becomes_an_id(self, text: str) -> None:
        assert re.fullmatch(r"[a-z0-9-]{1,64}", slug(text))

    def test_long_ones_stay_apart(self) -> None:
        assert slug("a" * 200) != slug("a" * 201)
        assert len(slug("a" * 200)) == LONGEST

    def test_nothing_becomes_nothing(self) -> None:
        assert slug("") == ""
