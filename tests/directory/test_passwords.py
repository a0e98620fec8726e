"""Long enough, and none that would be guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory.passwords import LEAST, MOST, check
from domain.errors import Invalid


def refusal(password: str, login: str = "officer-1") -> str | None:
    try:
        check(login, password)
    except Invalid as error:
        return error.code
    return None


class TestWhatWillDo:
    @pytest.mark.parametrize(
        "password",
        [
            "correct horse battery",
            "巷口的垃圾桶满了三天没人管",
            "Tr0ub4dor&3xyz",
            "mK9-vQ2-zL7-pX",
            "ｅｌｅｖｅｎ ｗｈｅｅｌｓ",
        ],
    )
    def test_is_long_enough_and_nobodys_first_guess(self, password: str) -> None:
        assert refusal(password) is None

    def test_asks_for_no_kinds_of_characters(self) -> None:
        assert refusal("eleven rusty wheelbarrows") is None


class TestWhatWillNot:
    @pytest.mark.parametrize(
        ("password", "code"),
        [
            ("", "password_too_short"),
            ("Xk9!mQ2#vL7", "password_too_short"),
            ("城管网格员2026!!", "password_too_short"),
            ("x" * (MOST + 1), "password_too_long"),
            ("officer-1", "password_too_short"),
            ("officer-1officer-1", "password_is_login"),
            ("OFFICER-1-2026", "password_is_login"),
            ("password1234", "password_too_common"),
            ("P@ssw0rd!2026", "password_too_common"),
            ("ＰＡＳＳＷＯＲＤ１２３４", "password_too_common"),
            ("admin@admin@2026", "password_too_common"),
            ("123456789012", "password_too_common"),
            ("20261125202611", "password_too_common"),
            ("aaaaaaaaaaaaaa", "password_too_common"),
            ("abcabcabcabcabc", "password_too_common"),
            ("qwertyuiopasdf", "password_too_common"),
            ("1qaz2wsx3edc", "password_too_common"),
            ("qwertyytrewq", "password_too_common"),
            ("woaini1314520", "password_too_common"),
            ("城管网格员密码！2026！！", "password_too_common"),
        ],
    )
    def test_is_said_why(self, password: str, code: str) -> None:
        assert refusal(password) == code

    @given(st.text(max_size=200))
    def test_is_decided_for_any_text(self, password: str) -> None:
        code = refusal(password)
        assert code is not None or len(password.encode()) >= LEAST
