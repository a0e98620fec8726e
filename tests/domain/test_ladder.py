"""Escalation is data: each rung fires at its instant, once per round, whatever crashes."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from domain import life
from domain.case import Stage
from domain.commands import Assign, Return
from domain.events import RungFired
from domain.policy import Ladder
from tests.support.cases import (
    DISPATCHER,
    MONDAY,
    UNIT,
    Life,
    assigned,
    by_resident,
    in_stage,
    limit,
    opening,
    shanghai,
)

HOUR = timedelta(hours=1)


def fired(lived: Life) -> list[tuple[str, str]]:
    return [(fact.rung, f"{fact.due_at + 8 * HOUR:%d %H:%M}") for fact in lived.facts(RungFired)]


def climbed(lived: Life, days: int) -> Life:
    lived.pass_to(MONDAY + timedelta(days=days))
    return lived


class TestTheShippedLadder:
    def test_climbs_from_a_reminder_to_a_summons(self) -> None:
        assert fired(climbed(in_stage(Stage.RECTIFICATION), 8)) == [
            ("remind", "02 18:00"),
            ("warn", "03 14:48"),
            ("urge", "03 18:00"),
            ("supervise", "04 18:00"),
            ("yellow_card", "05 18:00"),
            ("red_card", "06 18:00"),
        ]

    def test_raises_the_case_s_level(self) -> None:
        levels = [climbed(in_stage(Stage.RECTIFICATION), days).case.escalation_level for days in (1, 2, 3, 4, 5, 9)]
        assert levels == [0, 1, 2, 3, 4, 5]

    def test_the_last_rung_repeats(self) -> None:
        lived = in_stage(Stage.RECTIFICATION)
        for days in range(1, 32):
            climbed(lived, days)
        summons = [(fact.times, fact.due_at) for fact in lived.facts(RungFired) if fact.rung == "summon"]
        assert summons == [(n, shanghai(f"2026-03-{3 + 7 * n}T18:00")) for n in (1, 2, 3, 4)]

    def test_repetitions_that_were_slept_through_count_as_one_event(self) -> None:
        lived = climbed(in_stage(Stage.RECTIFICATION), 31)
        [summon] = [fact for fact in lived.facts(RungFired) if fact.rung == "summon"]
        assert (summon.times, summon.due_at) == (4, shanghai("2026-03-31T18:00"))

    @pytest.mark.parametrize(
        ("lived", "rung"),
        [
            (lambda: Life(by_resident()), "intake_late"),
            (lambda: Life(opening(proposed_unit=None)), "dispatch_late"),
            (lambda: in_stage(Stage.REINSPECTION), "inspection_late"),
        ],
    )
    def test_the_other_stages_have_a_rung_too(self, lived, rung: str) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - a lambda per row
        assert [name for name, _ in fired(climbed(lived(), 20))] == [rung]

    def test_two_returns_are_told_at_once(self) -> None:
        lived = Life()
        for _ in range(3):
            lived.give(Return(reason="非本单位职责"), UNIT) if not lived.case.final_assignment else None
            assigned(lived)
        [fact] = lived.facts(RungFired)
        assert (fact.rung, fact.count, fact.level) == ("returned_twice", 2, 1)

    def test_so_are_failed_inspections(self) -> None:
        lived = in_stage(Stage.REINSPECTION)
        for _ in range(4):
            lived.inspected("fail").submitted()
        told = [(fact.rung, fact.count) for fact in lived.facts(RungFired)]
        assert told == [("failed_twice", 2), ("failed_thrice", 3)]

    def test_whoever_is_deemed_to_have_accepted_is_not_late_in_accepting(self) -> None:
        lived = Life()
        lived.pass_to(MONDAY + 3 * HOUR)
        assert lived.case.stage is Stage.RECTIFICATION
        assert fired(lived) == []


class TestOncePerRound:
    def test_rework_arms_the_rungs_again(self) -> None:
        lived = climbed(in_stage(Stage.RECTIFICATION), 2).submitted().inspected("fail")
        climbed(lived, 4)
        rounds = [fact.round for fact in lived.facts(RungFired) if fact.rung == "urge"]
        assert rounds == [1, 2]

    def test_so_does_another_unit(self) -> None:
        lived = climbed(Life(opening(limit=limit("4 work_hour"))), 0)
        lived.pass_to(MONDAY + HOUR)
        lived.give(Assign(unit="water"), DISPATCHER, shanghai("2026-03-02T09:30"))
        climbed(lived, 2)
        assert [fact.dispatch for fact in lived.facts(RungFired) if fact.rung == "remind"] == [2]

    def test_an_inspection_that_was_impossible_does_not(self) -> None:
        lived = climbed(in_stage(Stage.REINSPECTION), 3).inspected("unable")
        assert len(fired(climbed(lived, 20))) == 1

    def test_letting_the_same_time_pass_twice_adds_nothing(self) -> None:
        lived = climbed(in_stage(Stage.RECTIFICATION), 5)
        assert life.pass_time(lived.case, lived.now)[1] == ()


class TestALadder:
    RUNG = {"id": "a", "when": {"used": "0.5"}, "action": "remind", "level": 0, "notify": ["unit"]}  # noqa: RUF012 - read only

    @pytest.mark.parametrize(
        ("changes", "complaint"),
        [
            ({"when": {}}, "exactly one"),
            ({"when": {"used": "0.5", "returns": 2}}, "exactly one"),
            ({"repeat": limit("1 work_day")}, "repeats"),
            ({"when": {"returns": 1}, "clock": "intake"}, "counts events"),
            ({"when": {"used": "1.5"}}, "less than or equal to 1"),
            ({"when": {"overdue": limit("1 work_day")}, "repeat": limit("0.01 work_hour")}, "at least an hour"),
        ],
    )
    def test_is_refused_where_it_makes_no_sense(self, changes: dict[str, object], complaint: str) -> None:
        with pytest.raises(ValidationError, match=complaint):
            Ladder.model_validate({"id": "l", "version": 1, "rungs": [{**self.RUNG, **changes}]})

    def test_names_each_rung_once(self) -> None:
        with pytest.raises(ValidationError, match="same id: a"):
            Ladder.model_validate({"id": "l", "version": 1, "rungs": [self.RUNG, self.RUNG]})
