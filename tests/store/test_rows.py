"""Whom a record tells: the unit that held the case at the time, whatever became of it since."""

from domain import life
from domain.commands import Assign, Return, Urge
from domain.events import Event
from domain.record import Record, holders
from store.rows import rows
from tests.support import cases as c


def _bounced() -> c.Life:
    lived = c.Life(c.opening())
    lived.give(Urge(note="请尽快"), c.SUPERVISOR)
    lived.give(Return(reason="不属本单位"), c.UNIT)
    lived.give(Assign(unit="water"), c.DISPATCHER)
    return lived


def _told(lived: c.Life, events: tuple[Event, ...]) -> dict[str, str]:
    written = rows(Record(case=life.snapshot(lived.case), events=events))
    return {row["kind"]: row["recipient"] for row in written.notices if row["audience"] == "unit"}


class TestTheUnitOfTheTime:
    def test_is_told_although_another_holds_the_case_now(self) -> None:
        lived = _bounced()
        assert _told(lived, tuple(lived.events[2:4])) == {"CaseUrged": "sanitation"}

    def test_is_known_for_every_event_of_a_whole_log(self) -> None:
        lived = _bounced()
        held = holders(lived.case, lived.events)
        assert [held[event.seq] for event in lived.events] == [None, "sanitation", "sanitation", None, "water"]

    def test_that_was_relieved_is_told_of_what_came_before_in_the_same_record(self) -> None:
        lived = c.Life(c.opening())
        lived.give(Urge(note="请尽快"), c.SUPERVISOR)
        lived.give(Assign(unit="water", reason="另派"), c.DISPATCHER)
        assert _told(lived, tuple(lived.events[2:])) == {"CaseUrged": "sanitation", "CaseDispatched": "water"}
