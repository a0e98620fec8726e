"""The judge knows co-units, plans, further reporters and mergers: one broken promise at a time."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chaos.judge import commands, mergers
from chaos.judge.evidence import Evidence, Json, NoticeLine, Timer, Told, Truth
from chaos.judge.states import Life
from chaos.judge.verdict import judge
from chaos.judge.words import marked
from tests.chaos.fabricated import CASE, RULES, START, at, event, evidence, log

Change = Callable[[list[Json]], object]
OTHER = "RC-0002"
OFFICER = {"user": "officer-1", "role": "officer"}
RESIDENT = {"user": "resident", "role": "resident"}
LEAD = {"user": "unit-roads", "role": "unit", "unit": "roads"}
HELPER = {"user": "unit-water", "role": "unit", "unit": "water"}
BOSS = {"user": "dispatcher", "role": "dispatcher"}
LIMIT = {"value": "2", "unit": "urgent_hour"}


def found(given: Evidence) -> set[str]:
    return {finding.kind for finding in judge(given, RULES).findings}


def helped(change: Change = len) -> Evidence:
    """Roads leads and water helps; water is late after two hours, submits, and the lead submits ten minutes later."""

    def changed(events: list[Json]) -> None:
        events[1]["fact"] |= {"co_units": ["water"], "tasks": True}
        events[5:] = [
            event(6, 120, None, "CoUnitLate", unit="water", due_at=at(120)),
            event(7, 130, HELPER, "CoUnitSubmitted", unit="water", note="x"),
            event(8, 140, LEAD, "RectificationSubmitted", "k-3", unit="roads", note=marked("x", "c-1")),
            event(9, 145, {**OFFICER, "user": "officer-2"}, "InspectionPassed", "k-4", note=marked("x", "d-1")),
        ]
        change(events)

    given = evidence(changed)
    told = [replace(each, version=99) for each in given.told]
    snapshot = given.truths[CASE].snapshot | {"co_units": ["water"]}
    truth = replace(given.truths[CASE], at=(START.timestamp() + 9000), snapshot=snapshot)
    row = replace(given.lists.cases[CASE], snapshot=snapshot)
    of_late = [("unit", "water"), ("dispatcher", "/x")]
    notices = [
        *given.lists.notices,
        NoticeLine(CASE, 2, "unit", "water", "CaseDispatched"),
        *(
            NoticeLine(CASE, each["seq"], audience, who, "CoUnitLate")
            for each in truth.log
            if each["fact"]["type"] == "CoUnitLate"
            for audience, who in of_late
        ),
    ]
    return replace(
        given, told=told, truths={CASE: truth}, lists=replace(given.lists, cases={CASE: row}, notices=notices)
    )


def renumbered(events: list[Json]) -> None:
    for seq, each in enumerate(events, 1):
        each["seq"] = seq


def twice_late(events: list[Json]) -> None:
    events.insert(6, event(7, 120, None, "CoUnitLate", unit="water", due_at=at(120)))
    renumbered(events)


def never_late(events: list[Json]) -> None:
    del events[5]
    renumbered(events)


def extended(due: float) -> Change:
    """One more limit after an hour: due after four, and thus never."""

    def change(events: list[Json]) -> None:
        events[5]["fact"]["due_at"] = at(due)
        events.insert(5, event(6, 70, BOSS, "ExtensionGranted", reason="x", limit={**LIMIT, "value": "4"}))
        renumbered(events)

    return change


class TestCoUnits:
    def test_that_were_late_and_said_to_be_are_in_order(self) -> None:
        assert judge(helped(), RULES).findings == ()

    @pytest.mark.parametrize(
        ("change", "kind"),
        [
            (never_late, "rungs_wrong"),
            (twice_late, "rungs_twice"),
            (lambda events: events[5]["fact"].update(due_at=at(119)), "rungs_wrong"),
            (extended(120), "rungs_wrong"),
            (lambda events: events[5]["fact"].update(unit="power"), "rungs_wrong"),
        ],
    )
    def test_are_late_once_when_their_limit_runs_out(self, change: Change, kind: str) -> None:
        assert kind in found(helped(change))

    def test_have_to_be_told_of_their_part(self) -> None:
        given = helped()
        notices = [each for each in given.lists.notices if each.recipient != "water"]
        assert "differing" in found(replace(given, lists=replace(given.lists, notices=notices)))


def life(*events: Json) -> list[str]:
    return list(Life().walk(events))


def begun(co_units: tuple[str, ...] = (), **opened: Any) -> list[Json]:  # noqa: ANN401 - whatever the field holds
    return [
        event(1, 0, OFFICER, "CaseOpened", trusted=True, limit=LIMIT, **opened),
        event(2, 0, OFFICER, "CaseDispatched", unit="roads", co_units=list(co_units)),
        event(3, 1, LEAD, "CaseAccepted", accepted_at=at(1)),
    ]


def done(**fact: Any) -> Json:  # noqa: ANN401 - whatever the field holds
    return event(9, 9, LEAD, "RectificationSubmitted", unit="roads", note="x", **fact)


HELP = event(4, 2, HELPER, "CoUnitSubmitted", unit="water", note="x")
PLAN = event(4, 2, LEAD, "PlanSubmitted", text="x")
YES, NO = event(5, 3, BOSS, "PlanApproved", reason="x"), event(5, 3, BOSS, "PlanRefused", reason="x")


class TestTheNewerLaw:
    @pytest.mark.parametrize(
        "lived",
        [
            [*begun(("water",)), HELP, done()],
            [*begun(("water",)), done(without=["water"], ahead_because="x")],
            [*begun(needs_plan=True), PLAN, NO, PLAN, YES, done()],
            [*begun(), event(4, 2, RESIDENT, "ReportJoined", reporters=["resident"], description="x"), done()],
        ],
    )
    def test_allows(self, lived: list[Json]) -> None:
        assert life(*lived) == []

    @pytest.mark.parametrize(
        ("lived", "complaint"),
        [
            ([*begun(("water",)), done()], "it is without"),
            ([*begun(("water",)), done(without=["water"])], "for no reason"),
            ([*begun(("water",)), HELP, done(without=["water"], ahead_because="x")], "it is without"),
            ([*begun(("water",)), HELP, HELP], "submitted before"),
            ([*begun(), HELP], "does not help"),
            ([*begun(needs_plan=True), done()], "not approved"),
            ([*begun(needs_plan=True), PLAN, NO, done()], "not approved"),
            ([*begun(needs_plan=True), PLAN, YES, PLAN], "no plan was wanted"),
            ([*begun(), PLAN], "no plan was wanted"),
            ([*begun(needs_plan=True), YES], "no plan was there"),
            ([*begun(), event(4, 2, OFFICER, "ReportJoined", reporters=["officer-1"])], "before"),
            ([*begun(), event(4, 2, RESIDENT, "ReportJoined", reporters=["officer-2"])], "for others"),
            ([*begun(), event(4, 2, LEAD, "ReportJoined", reporters=["unit-roads"])], "done by a unit"),
        ],
    )
    def test_forbids(self, lived: list[Json], complaint: str) -> None:
        assert complaint in life(*lived)[0]


def merged(**changes: Any) -> Evidence:  # noqa: ANN401 - whatever the field holds
    """What officer-1 opened goes; what a resident opened stays, and has the other's words and reporter."""
    ended = event(3, 5, BOSS, "CaseWithdrawn", reason=f"merged into {OTHER}.")
    goes = [*log()[:2], ended]
    copy = event(2, 5, BOSS, "ReportJoined", reporters=["officer-1"], description=marked("x", "a-1"))
    stays = [event(1, 0, RESIDENT, "CaseOpened", trusted=False, limit=LIMIT), copy]
    told = Told("m-1", "dispatcher", "merge", CASE, 200, sent=9.0, answered=9.5, version=2, into=OTHER)
    truths = {
        case: Truth(case, 0.0, running=True, updates=(), log=lines, snapshot={})
        for case, lines in ((CASE, goes), (OTHER, stays))
    }
    given = evidence()
    return replace(given, told=[given.told[0], replace(told, **changes)], truths=truths)


def about_commands(given: Evidence) -> set[str]:
    return {finding.kind for finding in (*commands.judge(given), *mergers.judge(given))}


class TestMergers:
    def test_copy_the_words_of_an_opening_and_repeat_it_not(self) -> None:
        assert about_commands(merged()) == set()

    def test_that_nobody_asked_for_do_repeat_it(self) -> None:
        given = merged()
        assert about_commands(replace(given, told=given.told[:1])) == {"duplicated"}

    @pytest.mark.parametrize(
        ("changes", "kind"),
        [({"status": 409}, "ghosts"), ({"status": None}, "unanswered"), ({"user": "supervisor"}, "lost")],
    )
    def test_are_judged_by_the_end_of_the_one_that_goes(self, changes: dict[str, Any], kind: str) -> None:
        assert kind in about_commands(merged(**changes))

    def test_that_were_refused_to_one_hand_and_granted_to_the_other_are_no_ghosts(self) -> None:
        given = merged()
        again = replace(given.told[1], key="m-2", status=409)
        assert about_commands(replace(given, told=[*given.told, again])) == set()

    def test_are_lost_without_the_reporter(self) -> None:
        given = merged()
        stays = replace(given.truths[OTHER], log=given.truths[OTHER].log[:1])
        assert about_commands(replace(given, truths={**given.truths, OTHER: stays})) == {"lost"}


class TestTimers:
    """In the fabricated case `remind` is due after an hour, and its clock starts at zero."""

    def _slept(self, meant: float, *, task: float = 0.0) -> set[str]:
        start = START.timestamp()
        timer = Timer(start + 601, start + meant * 60, start + 99_999)
        given = evidence()
        tasks = [(start + task * 60, start + task * 60 + 1)]
        return found(replace(given, truths={CASE: replace(given.truths[CASE], timers=[timer], tasks=tasks)}))

    def test_armed_for_the_rung_are_in_order(self) -> None:
        assert self._slept(60) == set()

    def test_armed_for_long_after_it_are_found(self) -> None:
        assert self._slept(61) == {"rungs_wrong"}

    def test_armed_before_the_rung_was_known_of_are_not(self) -> None:
        assert self._slept(61, task=-1) == set()
