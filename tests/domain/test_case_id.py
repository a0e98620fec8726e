"""Case ids: short enough to read out, and no slip of the finger goes unnoticed."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.case_id import ALPHABET, BITS, from_key, make, parse
from domain.errors import Invalid

BITSETS = st.integers(0, 2**BITS - 1)
PLACES = [i for i, char in enumerate(make(0)) if i > 2 and char != "-"]
quick = settings(max_examples=60, derandomize=True, deadline=None)


def noticed(text: str) -> bool:
    try:
        parse(text)
    except Invalid as error:
        return error.code == "case_id_invalid"
    return False


class TestMaking:
    @given(BITSETS)
    @quick
    def test_an_id_reads_back_as_itself(self, bits: int) -> None:
        assert parse(make(bits)) == make(bits)

    @given(BITSETS, BITSETS)
    @quick
    def test_other_bits_make_another_id(self, one: int, other: int) -> None:
        assert (make(one) == make(other)) == (one == other)

    @pytest.mark.parametrize("bits", [-1, 2**BITS])
    def test_there_is_room_for_55_bits(self, bits: int) -> None:
        with pytest.raises(ValueError, match="55"):
            make(bits)

    def test_ids_stay_what_they_are(self) -> None:
        assert make(0) == "RC-0000-0000-0000"
        assert make(2**BITS - 1) == "RC-ZZZZ-ZZZZ-ZZZK"
        assert from_key("officer-1", "k1") == from_key("officer-1", "k1")

    def test_caller_and_key_do_not_run_into_each_other(self) -> None:
        assert len({from_key("ab", "c"), from_key("a", "bc"), from_key("abc", ""), from_key("", "abc")}) == 4


class TestSlips:
    @pytest.mark.parametrize("place", PLACES)
    @given(bits=BITSETS)
    @settings(max_examples=5, derandomize=True, deadline=None)
    def test_every_single_wrong_character_is_noticed(self, place: int, bits: int) -> None:
        right = make(bits)
        wrong = [right[:place] + char + right[place + 1 :] for char in ALPHABET if char != right[place]]
        assert all(noticed(text) for text in wrong)

    @given(BITSETS)
    @quick
    def test_every_exchange_of_two_characters_is_noticed(self, bits: int) -> None:
        right = make(bits)
        for i, j in combinations(PLACES, 2):
            if right[i] != right[j]:
                swapped = list(right)
                swapped[i], swapped[j] = right[j], right[i]
                assert noticed("".join(swapped))

    @pytest.mark.parametrize(
        "text",
        ["", "RC", "RC-0000-0000", "RC-0000-0000-00000", "RC-U000-0000-0000", "XX-0000-0000-0000", "0" * 99, "案"],
    )
    def test_what_is_no_id_is_refused(self, text: str) -> None:
        assert noticed(text)


class TestTyping:
    @pytest.mark.parametrize(
        "typed",
        [
            "rc-1000-1a2b-3c4{}",
            "RC 1000 1A2B 3C4{}",
            "10001a2b3c4{}",
            "RC10001A2B3C4{}",
            "RC-IOoO-LA2B-3C4{}",
            "  RC—1000—1A2B—3C4{}\n",
            "ＲＣ－１０００－１Ａ２Ｂ－３Ｃ４{}",
        ],
    )
    def test_it_may_be_written_as_people_write(self, typed: str) -> None:
        check = next(char for char in ALPHABET if not noticed(f"RC-1000-1A2B-3C4{char}"))
        assert parse(typed.format(check)) == f"RC-1000-1A2B-3C4{check}"

    @given(st.text(max_size=80))
    @quick
    def test_any_text_is_an_id_or_refused(self, text: str) -> None:
        assert noticed(text) or parse(parse(text)) == parse(text)
