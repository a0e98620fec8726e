"""What fuzzing found once stays tried: `make fuzz` looks for more."""

import re
from collections import Counter
from contextlib import ExitStack

import pytest

from directory.calendars import dump_calendar, parse_calendar
from fuzz import samples
from fuzz.__main__ import _targets
from fuzz.properties import PROPERTIES, attempt, targets
from fuzz.targets import Tally, Target
from ledger.mapping import BadMap, parse_map

DEEP = "x = " + "[" * 5000


class TestWhatFuzzingFound:
    def test_a_map_or_calendar_as_deep_as_a_well_is_refused(self) -> None:
        with pytest.raises(BadMap, match="TOML"):
            parse_map(DEEP)
        with pytest.raises(ValueError, match="TOML"):
            parse_calendar(DEEP)

    @pytest.mark.parametrize("name", ["rot13", "base64", "idna", "punycode", "undefined", "utf-99", "a\\u0000"])
    def test_an_encoding_that_is_none_of_text_is_refused(self, name: str) -> None:
        with pytest.raises(BadMap, match=r"file\.encodings"):
            parse_map(samples.MAP.replace('"utf-8-sig"', f'"{name}"'))

    @pytest.mark.parametrize("form", ["%d %d", "%", "%Q", "%Y-%m-%d %Y"])
    def test_a_format_that_no_time_can_be_read_by_is_refused(self, form: str) -> None:
        with pytest.raises(BadMap, match=r"time\.formats"):
            parse_map(samples.MAP.replace("%Y-%m-%d %H:%M", form))

    @pytest.mark.parametrize("seasons", ["[1]", '["may"]', "[[]]"])
    def test_seasons_that_are_no_tables_are_refused(self, seasons: str) -> None:
        with pytest.raises(ValueError, match="seasons"):
            parse_calendar(f"seasons = {seasons}")

    def test_a_holiday_of_a_thousand_years_is_refused(self) -> None:
        long = samples.WEEK.replace("[weekdays]", 'holidays = ["0001-01-01..9999-12-31"]\n[weekdays]')
        with pytest.raises(ValueError, match="longer than a year"):
            parse_calendar(long)

    def test_a_calendar_with_quotes_in_its_name_is_written_so_that_it_can_be_read(self) -> None:
        calendar = parse_calendar(samples.WEEK.replace('"x"', '"a\\"b\\\\n\\u007f"'))
        assert parse_calendar(dump_calendar(calendar)) == calendar


class TestFuzzing:
    @pytest.mark.parametrize("name", PROPERTIES)
    def test_finds_nothing_in_a_few_tries(self, name: str) -> None:
        tally = Tally()
        (target,) = (each for each in targets(tally) if each.name == name)
        target.attempt(1, 15)
        assert tally.tries[name] >= 15

    def test_would_tell_of_what_a_parser_raises(self) -> None:
        def careless(text: str) -> None:
            int(text.strip() or "7", 0)

        tally = Tally()
        target = Target("careless", attempt(careless, (samples.spoilt("12", "0x1f"),), tally))
        with pytest.raises(ValueError, match="invalid literal") as found:
            target.attempt(1, 200)
        for _ in range(2):
            tally.found(target.name, found.value, at="seed 1")
        assert len(tally.findings) == 1
        assert Counter(tally.again.values()) == {2: 1}

    def test_tries_every_parser_unless_told_otherwise(self) -> None:
        with ExitStack() as stack:
            assert {each.name for each in _targets("parser", Tally(), stack)} == set(PROPERTIES)
            assert [each.name for each in _targets("maps", Tally(), stack)] == ["maps"]

    def test_can_be_repeated_by_its_seed(self) -> None:
        seen: list[list[str]] = []
        for _ in range(2):
            drawn: list[str] = []
            attempt(drawn.append, (samples.spoilt(samples.WEEK),), Tally())(42, 10)
            seen.append(drawn)
        assert seen[0] == seen[1]
        assert re.search("zone", "".join(seen[0]))
