import pytest

from ledger.mapping import Times
from ledger.refusals import Refused
from ledger.times import instant

LA = Times(
    zone="America/Los_Angeles", discovered="t", formats=("%m/%d/%Y %I:%M:%S %p", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M%z")
)
CN = Times(zone="Asia/Shanghai", discovered="t", formats=("%Y年%m月%d日 %p%I:%M", "%Y/%m/%d"))


class TestReadingTimes:
    @pytest.mark.parametrize(
        ("text", "utc"),
        [
            ("12/31/2017 11:59:58 PM", "2018-01-01T07:59:58+00:00"),
            ("01/01/2018 12:00:00 AM", "2018-01-01T08:00:00+00:00"),
            ("01/01/2018 12:00:00 PM", "2018-01-01T20:00:00+00:00"),
            ("2020-07-01 08:00", "2020-07-01T15:00:00+00:00"),
            ("2020-07-01T08:00+02:00", "2020-07-01T06:00:00+00:00"),
        ],
    )
    def test_in_the_zone_of_the_ledger_by_the_first_format_that_fits(self, text: str, utc: str) -> None:
        assert instant(text, LA).isoformat() == utc

    @pytest.mark.parametrize(
        ("text", "utc"),
        [
            ("2026年3月1日 下午2:05", "2026-03-01T06:05:00+00:00"),
            ("2026年3月1日 上午12:05", "2026-02-28T16:05:00+00:00"),
            ("2026/3/1", "2026-02-28T16:00:00+00:00"),
        ],
    )
    def test_in_chinese(self, text: str, utc: str) -> None:
        assert instant(text, CN).isoformat() == utc

    def test_an_hour_that_came_twice_is_the_first_or_the_latest_as_asked(self) -> None:
        assert instant("2020-11-01 01:30", LA).isoformat() == "2020-11-01T08:30:00+00:00"
        assert instant("2020-11-01 01:30", LA, latest=True).isoformat() == "2020-11-01T09:30:00+00:00"

    def test_a_time_that_the_clocks_skipped_is_refused(self) -> None:
        with pytest.raises(Refused, match="time_impossible"):
            instant("2020-03-08 02:30", LA)

    @pytest.mark.parametrize("text", ["yesterday", "13/13/2017 11:00:00 PM", "0001-01-01T00:00+14:00"])
    def test_what_is_no_time_is_refused(self, text: str) -> None:
        with pytest.raises(Refused, match="time_unreadable"):
            instant(text, LA)
