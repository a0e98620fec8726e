"""The judge finds each kind of broken promise where one is broken, and nothing where none is."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chaos.judge.evidence import Evidence, Feed, Heard, Json, Lists, NoticeLine, Told, Truth
from chaos.judge.verdict import KINDS, Verdict, judge
from tests.chaos.fabricated import CASE, RULES, at, event, evidence, log, notices

Log = list[Json]


def verdict(given: Evidence) -> Verdict:
    return judge(given, RULES)


def found(given: Evidence) -> set[str]:
    return {finding.kind for finding in verdict(given).findings}


def with_told(given: Evidence, key: str, **changes: Any) -> Evidence:  # noqa: ANN401 - whatever the field holds
    return replace(given, told=[replace(each, **changes) if each.key == key else each for each in given.told])


def with_truth(given: Evidence, **changes: Any) -> Evidence:  # noqa: ANN401 - whatever the field holds
    truth: Truth = replace(given.truths[CASE], **changes)
    return replace(given, truths={CASE: truth})


def with_lists(given: Evidence, **changes: Any) -> Evidence:  # noqa: ANN401 - whatever the field holds
    lists: Lists = replace(given.lists, **changes)
    return replace(given, lists=lists)


def without(number: int) -> Callable[[Log], object]:
    """Takes an event out, and numbers the others anew."""

    def change(events: Log) -> None:
        del events[number - 1]
        for seq, each in enumerate(events, 1):
            each["seq"] = seq

    return change


def again(number: int) -> Callable[[Log], object]:
    def change(events: Log) -> None:
        events.insert(number, dict(events[number - 1]))
        for seq, each in enumerate(events, 1):
            each["seq"] = seq

    return change


def put(number: int, **fact: Any) -> Callable[[Log], object]:  # noqa: ANN401 - whatever the field holds
    return lambda events: events[number - 1]["fact"].update(fact)


class TestAWellLivedCase:
    def test_is_clean(self) -> None:
        assert verdict(evidence()).clean

    def test_counts_what_was_told(self) -> None:
        figures = verdict(evidence()).figures
        assert (figures["acknowledged"], figures["refused"], figures["rungs"]) == (5, 1, 1)

    def test_gives_one_line(self) -> None:
        line = verdict(evidence()).line()
        assert line.startswith("acknowledged=5 ")
        assert all(f" {kind}=0" in line for kind in KINDS)


class TestWhatClientsWereTold:
    def test_an_acknowledged_command_that_left_nothing_is_lost(self) -> None:
        assert "lost" in found(evidence(without(4)))

    def test_so_is_one_without_text(self) -> None:
        assert "lost" in found(
            evidence(lambda events: events[2].update(by={"user": "x", "role": "unit", "unit": "roads"}))
        )

    def test_so_is_one_that_came_later_than_its_answer_says(self) -> None:
        assert found(with_told(evidence(), "b-1", version=3)) == {"lost"}

    def test_so_is_one_that_went_to_another_case(self) -> None:
        assert "lost" in found(with_told(evidence(), "b-1", case="RC-0002"))

    def test_so_is_everything_of_a_case_that_temporal_does_not_know(self) -> None:
        verdicts = verdict(replace(evidence(), truths={}))
        assert verdicts.counts["lost"] == verdicts.figures["acknowledged"]

    def test_so_is_one_that_history_has_and_the_case_has_not(self) -> None:
        given = evidence(lambda events: events[3].pop("command_id"))
        assert found(given) == {"lost"}

    def test_one_that_happened_twice_is_duplicated(self) -> None:
        assert "duplicated" in found(evidence(again(4)))

    def test_so_is_one_without_text_that_nobody_asked_for_twice(self) -> None:
        given = evidence()
        assert found(replace(given, told=[each for each in given.told if each.command != "accept"])) == set()
        refused = with_told(given, "u-1", status=409)
        assert found(refused) == {"duplicated"}

    def test_one_that_was_refused_and_happened_is_a_ghost(self) -> None:
        assert found(with_told(evidence(), "b-1", status=409)) == {"ghosts"}

    def test_one_that_was_never_answered_is_told(self) -> None:
        assert found(with_told(evidence(), "b-1", status=None)) == {"unanswered"}

    def test_a_key_taken_for_anothers_is_a_wrong_answer(self) -> None:
        assert found(with_told(evidence(), "e-1", code="idempotency_key_reused")) == {"wrong_answers"}

    def test_a_good_token_that_is_refused_is_a_wrong_answer(self) -> None:
        assert found(with_told(evidence(), "e-1", status=401)) == {"wrong_answers"}

    def test_two_that_changed_places_are_out_of_order(self) -> None:
        given = with_told(evidence(), "c-1", answered=1.5, version=6)
        assert found(with_told(given, "b-1", sent=3.0)) == {"out_of_order"}


class TestTheLadder:
    def test_a_rung_that_fires_again_is_found(self) -> None:
        assert "rungs_twice" in found(evidence(again(5)))

    def test_so_is_one_that_does_not_fire(self) -> None:
        assert found(evidence(without(5))) == {"rungs_wrong"}

    def test_so_is_one_that_is_early(self) -> None:
        assert found(evidence(put(5, due_at=at(59)))) == {"rungs_wrong"}

    def test_so_is_one_that_counts_and_had_nothing_to_count(self) -> None:
        assert found(evidence(put(5, rung="returned"))) == {"rungs_wrong"}

    @pytest.mark.parametrize(("due", "clean"), [(70, True), (60, False)])
    def test_a_pause_is_given_back(self, due: int, clean: bool) -> None:  # noqa: FBT001 - a parameter
        assert ("rungs_wrong" not in found(evidence(self._paused(due)))) == clean

    def _paused(self, due: int) -> Callable[[Log], object]:
        boss = {"user": "dispatcher", "role": "dispatcher"}

        def change(events: Log) -> None:
            events[4]["fact"]["due_at"] = at(due)
            events[4]["at"] = at(due)
            events[4:4] = [
                event(5, 30, boss, "CaseSuspended", until=at(40)),
                event(6, 40, None, "SuspensionEnded", resumed_at=at(40)),
            ]
            for seq, each in enumerate(events, 1):
                each["seq"] = seq

        return change

    def test_a_case_that_goes_on_is_given_a_moment(self) -> None:
        given = evidence(lambda events: events.__delitem__(slice(4, None)))
        running = with_truth(given, at=given.truths[CASE].at - 3600, snapshot={"version": 4, "stage": "rectification"})
        assert "rungs_wrong" not in found(running)
        assert "rungs_wrong" in found(with_truth(running, at=given.truths[CASE].at))


class TestTheLaw:
    @pytest.mark.parametrize(
        "fault",
        [
            put(3, type="InspectionPassed"),  # an inspection of what nobody has submitted
            put(2, unit="water"),  # and then roads accepts
            lambda events: events[6].update(by={"user": "officer-1", "role": "officer"}),  # who reported it
            lambda events: events[3].update(by={"user": "unit-roads", "role": "unit", "unit": "roads"}),
            lambda events: events[5].pop("by"),
            lambda events: events.append(
                event(8, 96, None, "CaseOpened", trusted=True, limit=events[0]["fact"]["limit"])
            ),
            lambda events: events[0]["fact"].update(type="CaseVerified"),
            lambda events: events[3].update(command_id="k-of-nobody"),
        ],
    )
    def test_is_broken_by(self, fault: Callable[[Log], object]) -> None:
        assert "illegal" in found(evidence(fault))

    def test_is_broken_by_another_stage_than_the_events_lead_to(self) -> None:
        given = evidence()
        assert "illegal" in found(with_truth(given, snapshot=given.truths[CASE].snapshot | {"stage": "archived"}))

    def test_is_broken_by_a_workflow_that_ended_too_soon(self) -> None:
        assert "illegal" in found(with_truth(evidence(), running=False))


class TestTheLists:
    @pytest.mark.parametrize(
        "changes",
        [
            {"cases": {}},
            {"events": ()},
            {"notices": ()},
            {"notices": [*notices(log()), NoticeLine(CASE, 3, "unit", "roads", "CaseUrged")]},
        ],
    )
    def test_differ_where_something_is_missing_or_too_much(self, changes: dict[str, Any]) -> None:
        assert "differing" in found(with_lists(evidence(), **changes))

    def test_differ_by_a_hole(self) -> None:
        given = evidence()
        assert "differing" in found(with_lists(given, events=[row for row in given.lists.events if row.seq != 4]))

    def test_differ_by_an_event_that_says_something_else(self) -> None:
        given = evidence()
        rows = [replace(row, data=row.data | {"at": at(1)}) if row.seq == 4 else row for row in given.lists.events]
        assert found(with_lists(given, events=rows)) == {"differing"}

    @pytest.mark.parametrize("changes", [{"version": 6}, {"stage": "archived"}, {"running": False}, {"snapshot": {}}])
    def test_differ_by_a_row_that_is_not_the_case(self, changes: dict[str, Any]) -> None:
        given = evidence()
        row = replace(given.lists.cases[CASE], **changes)
        assert found(with_lists(given, cases={CASE: row})) == {"differing"}

    def test_differ_by_a_case_that_temporal_does_not_know(self) -> None:
        given = evidence()
        assert "differing" in found(with_lists(given, cases={**given.lists.cases, "RC-0009": given.lists.cases[CASE]}))

    def test_are_out_of_order_where_positions_and_numbers_disagree(self) -> None:
        given = evidence()
        rows = list(given.lists.events)
        rows[3], rows[4] = rows[4], rows[3]
        assert "out_of_order" in found(with_lists(given, events=rows))

    def test_are_duplicated_where_somebody_is_told_twice(self) -> None:
        twice = [*notices(log()), *notices(log())]
        assert found(with_lists(evidence(), notices=twice)) == {"duplicated"}


class TestACaseThatDoesNotAnswer:
    def test_is_stuck_and_asked_nothing_else(self) -> None:
        given = with_truth(evidence(), stuck="its workflow task fails", log=[], snapshot={})
        assert found(given) == {"stuck"}


class TestTheFeed:
    def _heard(self, change: Callable[[list[Heard]], object]) -> set[str]:
        given = evidence()
        heard = list(given.feed.heard)
        change(heard)
        return found(replace(given, feed=Feed(heard, given.feed.position)))

    def test_may_be_behind(self) -> None:
        given = evidence()
        assert found(replace(given, feed=Feed(given.feed.heard[:3], given.feed.heard[2].position))) == set()

    def test_has_a_hole_where_something_came_behind_the_reader(self) -> None:
        assert self._heard(lambda heard: heard.pop(2)) == {"out_of_order"}

    def test_must_not_repeat_itself(self) -> None:
        assert "duplicated" in self._heard(lambda heard: heard.append(heard[-1]))

    def test_must_not_go_back(self) -> None:
        assert "out_of_order" in self._heard(lambda heard: heard.reverse())

    def test_must_not_tell_what_is_nowhere(self) -> None:
        assert self._heard(lambda heard: heard.append(Heard(9, 99, CASE, 8, "CaseUrged"))) == {"differing"}

    def test_may_take_back_what_it_goes_on_to_tell_otherwise(self) -> None:
        assert self._heard(lambda heard: heard.insert(0, Heard(0, 2, CASE, 2, "CaseUrged"))) == set()


def test_an_opening_that_never_got_an_answer_may_have_happened_or_not() -> None:
    given = evidence()
    lost = Told("z-1", "officer-1", "open", None, None, sent=1.0)
    assert found(replace(given, told=[*given.told, lost])) == {"unanswered"}
