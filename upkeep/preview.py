"""What a new calendar, policy or ladder would do to the running cases, before anybody is told.

Worked out by the domain itself, step for step what the case will do when it is told, from the case as SQL has it. Only
the ladder is left out: its rungs tell people and move no deadline.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from sqlalchemy.ext.asyncio import AsyncEngine

from directory.calendars import snapshot as cut
from domain import life
from domain.alarms import co_due, due_at, stage_due_at
from domain.base import Value
from domain.calendar import Calendar
from domain.case import RUNNING, Case, CaseFacts, Snapshot
from domain.policy import Ladder, Policy, Rules
from domain.working_time import local_day
from store import cases, publications

Whose = Literal["case", "stage", "co_unit"]


class NewRules(NamedTuple):
    policy: Policy
    ladder: Ladder


Change = Calendar | NewRules


class Move(Value):
    """A deadline that would move. `of`: the case's own, its stage's where that is another, or a co-unit's."""

    of: Whose
    unit: str | None
    before: datetime | None
    after: datetime | None


class Effect(Value):
    """What would happen to one running case. `touched`: it goes by an older version, and will have an event.

    Overdue is what the board of what is late shows: the deadline in force has passed.
    """

    case: str
    unit: str | None
    touched: bool = False
    moves: tuple[Move, ...] = ()
    overdue: tuple[bool, bool] = (False, False)
    provisional: tuple[bool, bool] = (False, False)

    @property
    def changes(self) -> bool:
        return bool(self.moves) or self.overdue[0] != self.overdue[1] or self.provisional[0] != self.provisional[1]


class Totals(Value):
    """Of cases, but for `deadlines`: those that move, of which a case may have several."""

    running: int = 0
    touched: int = 0
    moved: int = 0
    deadlines: int = 0
    become_overdue: int = 0
    no_longer_overdue: int = 0
    become_provisional: int = 0
    no_longer_provisional: int = 0

    def plus(self, effects: Iterable[Effect]) -> "Totals":
        found = list(effects)
        return Totals(
            running=self.running + len(found),
            touched=self.touched + sum(each.touched for each in found),
            moved=self.moved + sum(bool(each.moves) for each in found),
            deadlines=self.deadlines + sum(len(each.moves) for each in found),
            become_overdue=self.become_overdue + sum(each.overdue == _BEGINS for each in found),
            no_longer_overdue=self.no_longer_overdue + sum(each.overdue == _ENDS for each in found),
            become_provisional=self.become_provisional + sum(each.provisional == _BEGINS for each in found),
            no_longer_provisional=self.no_longer_provisional + sum(each.provisional == _ENDS for each in found),
        )


_BEGINS, _ENDS = (False, True), (True, False)


async def effects(database: AsyncEngine, change: Change, now: datetime) -> AsyncIterator[list[Effect]]:
    """Of every running case, some hundred at a time, in the order of their numbers."""
    foreseen, after = Foreseen(change, now), ""
    while page := await publications.snapshots(database, after):
        after = page[-1][0]
        rules = {digest: await cases.rules(database, digest) for digest in {digest for _, digest, _ in page}}
        told = [(text, rules[digest]) for _, digest, text in page]
        yield await asyncio.to_thread(lambda several: [foreseen.of(*each) for each in several], told)


class Foreseen:
    """Keeps what cases share: the calendar as a month's cases would carry it, rules without their rungs."""

    def __init__(self, change: Change, now: datetime) -> None:
        self._change = change
        self._now = now
        self._cut: dict[date, Calendar] = {}
        self._hollow: dict[str, Rules] = {}
        self._touches: dict[str, bool] = {}

    def of(self, snapshot: str, rules: Rules | None) -> Effect:
        """`snapshot` as JSON, with the rules that it goes by; where these are lost, nothing is known of it."""
        case = Snapshot.model_validate_json(snapshot)
        effect = Effect(case=case.id, unit=case.lead_unit)
        if rules is None or case.stage not in RUNNING or not self._touched(rules):
            return effect
        if self._is_out_of_reach(case, rules):
            still = {"touched": True, "overdue": (False, False), "provisional": (case.provisional,) * 2}
            return effect.model_copy(update=still)
        before, _ = life.pass_time(_case(case, self._without_rungs(rules)), self._now)
        if before.stage not in RUNNING:
            return effect
        return compared(before, self._after(before))

    def _is_out_of_reach(self, case: Snapshot, rules: Rules) -> bool:
        """Whether all that the case waits for is yet to come, and comes before the calendars first differ."""
        if not isinstance(self._change, Calendar) or case.late_since is not None or case.suspended_until is not None:
            return False
        new = self._calendar(case.opened_at)
        differs = min(_first_difference(mine, new) for mine in rules.calendars() if mine.id == new.id)
        deadlines = [due for due in (case.due_at, case.stage_due_at, *case.co_due.values()) if due is not None]
        return all(self._now < due and local_day(new, due) < differs for due in deadlines)

    def _after(self, case: Case) -> Case:
        if isinstance(self._change, NewRules):
            return life.rerule(case, self._change.policy, _silent(self._change.ladder), self._now)[0]
        return life.recalendar(case, self._calendar(case.opened_at), self._now)[0]

    def _calendar(self, opened_at: datetime) -> Calendar:
        """One object for all that are equal: what is worked out of it is found again by it."""
        if not isinstance(self._change, Calendar):
            raise TypeError("no calendar is about to change")
        month = opened_at.astimezone(self._change.tz).date().replace(day=1)
        if month not in self._cut:
            self._cut[month] = cut(self._change, opened_at)
        return self._cut[month]

    def _touched(self, rules: Rules) -> bool:
        if rules.digest not in self._touches:
            self._touches[rules.digest] = lacks(rules, self._change)
        return self._touches[rules.digest]

    def _without_rungs(self, rules: Rules) -> Rules:
        if rules.digest not in self._hollow:
            self._hollow[rules.digest] = rules.changed(ladder=_silent(rules.ladder))
        return self._hollow[rules.digest]


def lacks(rules: Rules, change: Change) -> bool:
    """Whether who goes by these rules takes the change: as `life.recalendar` and `life.rerule` see it."""
    if isinstance(change, Calendar):
        return any(life.is_newer(change, mine) for mine in rules.calendars())
    pairs = ((change.policy, rules.policy), (change.ladder, rules.ladder))
    older = any(life.is_newer(mine, new) for new, mine in pairs)
    return not older and any(life.is_newer(new, mine) for new, mine in pairs)


def _silent(ladder: Ladder) -> Ladder:
    return ladder.model_copy(update={"rungs": ()}) if ladder.rungs else ladder


def _case(case: CaseFacts, rules: Rules) -> Case:
    facts = {name: getattr(case, name) for name in CaseFacts.model_fields}
    return Case.model_construct(rules=rules, fired=(), **facts)


@lru_cache(maxsize=256)
def _first_difference(mine: Calendar, new: Calendar) -> date:
    """The first day on which the two may say different things, of whether it is official too."""
    if (mine.zone, mine.seasons) != (new.zone, new.seasons):
        return date.min
    days = {*mine.holidays} ^ {*new.holidays} | {*mine.make_up_workdays} ^ {*new.make_up_workdays}
    if mine.official_through != new.official_through:
        days.add(min(mine.official_through, new.official_through) + timedelta(days=1))
    return min(days, default=date.max)


def compared(before: Case, after: Case) -> Effect:
    """The same case at the same instant, without and with the change."""
    return Effect(
        case=after.id,
        unit=after.lead_unit,
        touched=True,
        moves=tuple(_moves(before, after)),
        overdue=(before.late_since is not None, after.late_since is not None),
        provisional=(life.provisional(before), life.provisional(after)),
    )


def _moves(before: Case, after: Case) -> Iterator[Move]:
    old, new = _deadlines(before), _deadlines(after)
    for key in old | new:
        if old.get(key) != new.get(key):
            of, unit = key
            yield Move(of=of, unit=unit, before=old.get(key), after=new.get(key))


def _deadlines(case: Case) -> dict[tuple[Whose, str | None], datetime]:
    due, stage = due_at(case), stage_due_at(case)
    of_stage: dict[Any, datetime | None] = {("stage", case.lead_unit): stage} if stage != due else {}
    of_co_units = {("co_unit", unit): at for unit, at in co_due(case).items()}
    found = {("case", case.lead_unit): due, **of_stage, **of_co_units}
    return {key: at for key, at in found.items() if at is not None}
