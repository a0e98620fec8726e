"""What messages say, and that they fit."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from directory.catalogue import load_catalogue
from domain.limits import LimitUnit
from domain.policy import RungAction
from domain.record import _TOLD
from notices.texts import KINDS, Style, compose, trial
from notices.timing import rest, timing, urgent
from store.notices import Fresh, Item, Names, Timing
from tests.support.records import NOON, RULES

STYLE = Style(ZoneInfo("Asia/Shanghai"))
NAMES = Names({}, {})


def item(number: int = 1, **changes: object) -> Item:
    facts: dict[str, object] = {
        "delivery": number,
        "kind": "RungFired",
        "action": "urge",
        "at": NOON,
        "urgent": False,
        "case_id": f"RC-{number:04}",
        "category": "E0110",
        "condition": "E0110-1",
        "area": "/city",
        "stage": "rectification",
        "due_at": NOON,
        "overdue": True,
    }
    return Item(**{**facts, **changes})  # type: ignore[arg-type]  # a test's facts


class TestWords:
    def test_are_there_for_everything_anybody_is_told(self) -> None:
        assert {fact.__name__ for fact in _TOLD} == set(KINDS)

    @pytest.mark.parametrize("action", RungAction)
    def test_call_a_rung_by_its_action(self, action: RungAction) -> None:
        message = compose([item(action=action.value)], NAMES, STYLE, 2000)
        assert "RungFired" not in message.title + message.body

    @pytest.mark.parametrize("count", [0, 1, 2])
    def test_hold_the_one_that_robots_may_ask_for(self, count: int) -> None:
        """A DingTalk robot may be told to take only messages with a certain word."""
        items = [item(number) for number in range(count)]
        message = compose(items, NAMES, STYLE, 2000) if items else trial()
        assert "案卷" in message.title + message.body


class TestAMessage:
    def test_says_that_it_is_overdue_in_both_languages(self) -> None:
        body = compose([item()], NAMES, STYLE, 2000).body
        assert "2026-03-02 12:00（已超期）" in body
        assert "2026-03-02 12:00 (overdue)" in body

    def test_does_without_a_deadline(self) -> None:
        assert "due: none" in compose([item(due_at=None)], NAMES, STYLE, 2000).body

    def test_is_cut_rather_than_refused(self) -> None:
        message = compose([item(area="/" + "区" * 2000)], NAMES, STYLE, 500)
        assert 400 < len((message.title + message.body).encode()) <= 500

    @pytest.mark.parametrize("longest", [200, 2000, 12_000])
    def test_lists_as_many_as_it_has_room_for(self, longest: int) -> None:
        message = compose([item(number) for number in range(1, 301)], NAMES, STYLE, longest)
        assert 1 <= message.tells <= 300
        assert message.tells == message.body.count("RC-")
        assert message.tells == 1 or len((message.title + message.body).encode()) <= longest
        assert f"】{message.tells} 条" in message.title

    def test_of_any_shipped_condition_fits_into_wecoms(self) -> None:
        categories = {category.code: category for category in load_catalogue()}
        names = Names(categories, {})
        longest = max(
            len(compose([item(category=code, condition=each.id)], names, STYLE, 100_000).body.encode())
            for code, category in categories.items()
            for each in category.conditions
        )
        assert longest < 1500


def fresh(**changes: object) -> Fresh:
    return Fresh(**{"at": NOON, "severity": "normal", "limit_unit": "work_hour", "action": None, **changes})  # type: ignore[arg-type]  # a test's facts


class TestTiming:
    def test_holds_what_can_wait_for_working_time(self) -> None:
        assert timing(fresh(), RULES.calendar, NOON) == Timing(urgent=False, not_before=NOON + timedelta(hours=2))

    def test_holds_nothing_where_no_calendar_is(self) -> None:
        assert timing(fresh(), None, NOON) == Timing(urgent=False, not_before=NOON)

    def test_takes_a_clock_that_was_moved_ahead_for_the_present(self) -> None:
        assert timing(fresh(at=NOON + timedelta(days=9), severity="urgent"), None, NOON).not_before == NOON

    def test_holds_what_is_caught_up_out_of_hours_like_anything_else(self) -> None:
        caught_up = fresh(at=NOON - timedelta(days=3, hours=2))
        assert timing(caught_up, RULES.calendar, NOON).not_before == NOON + timedelta(hours=2)
        assert timing(caught_up, None, NOON).not_before == NOON

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({}, False),
            ({"severity": "high"}, False),
            ({"severity": "urgent"}, True),
            ({"action": "red_card"}, False),
            ({"action": "summon"}, True),
            *(({"limit_unit": unit.value}, unit.value.startswith("urgent")) for unit in LimitUnit),
        ],
    )
    def test_knows_what_cannot_wait(self, changes: dict[str, object], *, expected: bool) -> None:
        assert urgent(fresh(**changes)) is expected

    def test_lets_a_receiver_rest_for_longer_each_time_up_to_ten_minutes(self) -> None:
        rests = [rest(failures, 0.5).total_seconds() for failures in range(1, 11)]
        assert rests == [5, 10, 20, 40, 80, 160, 320, 600, 600, 600]
        assert rest(10_000, 1.0) == timedelta(seconds=720)
        assert rest(1, 0.0) == timedelta(seconds=4)
