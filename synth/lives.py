"""Lives of cases as they might have been, lived through the real domain: every step is one that the rules allow.

Nothing here knows tables, nor how many cases there are to be. What differs between two cases that went the same way
(number, words, reporter, photos) is written as a mark, which `mould` replaces.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from random import Random

from domain import clock as clocks
from domain import commands as c
from domain import life
from domain.actors import Actor, Role
from domain.case import ENDED, OPEN, Case, Stage
from domain.clock import Clock
from domain.commands import Command, Opening
from domain.events import Event
from domain.record import Record
from synth import shares, texts

ID, DESCRIPTION, ADDRESS, REFERENCE, REPORTER = "RC-0000-0000-0000", "⟦what⟧", "⟦where⟧", "⟦number⟧", "⟦resident⟧"
#: Who has found the same; the case that has come back, or nothing.
NEIGHBOUR, FORMER = "⟦neighbour⟧", "⟦before⟧"
_STEPS = 12


def photo(number: int) -> str:
    """The mark of a case's n-th photo, in the form of its digest."""
    return f"{number:064x}"


class Over(Exception):
    """The end of the period, or of the case."""


class Lived:
    """A case and everything that has happened to it, alarm by alarm as its workflow lets it pass. Ends at `until`."""

    def __init__(self, opening: Opening, random: Random, until: datetime | None) -> None:
        self.case, self.events = life.open_case(opening)
        self.now = opening.opened_at
        self.random = random
        self._until = until
        self._photos = count(len(opening.evidence) + len(opening.self_handled.evidence if opening.self_handled else ()))

    def record(self) -> Record:
        return Record(case=life.snapshot(self.case), events=self.events, rules=self.case.rules)

    def photo(self) -> tuple[str]:
        return (photo(next(self._photos)),)

    def proof(self) -> tuple[str, ...]:
        """As many photos as the condition asks for at a submission."""
        return tuple(photo(next(self._photos)) for _ in range(max(1, self.case.photos or 0)))

    def pass_to(self, at: datetime) -> None:
        """Raises Over where the case ends on the way, or the period does."""
        goal = at if self._until is None else min(at, self._until)
        while (alarm := life.next_alarm(self.case)) is not None and alarm.at <= goal:
            self._take(life.pass_time(self.case, alarm.at))
        self.now = max(self.now, goal)
        if goal < at or self.case.stage in ENDED:
            raise Over

    def pass_for_ever(self) -> None:
        """To the period's end, or to the case's own."""
        while self._until is None and (alarm := life.next_alarm(self.case)) is not None:
            self.pass_to(alarm.at)
        if self._until is not None:
            self.pass_to(self._until)

    def give(self, command: Command, actor: Actor, at: datetime) -> None:
        self.pass_to(max(at, self.now))
        self._take(life.give(self.case, command, actor, self.now, f"{ID}.{self.case.version}"))

    def give_by(self, command: Command, actor: Actor, clock: Clock | None, share: float) -> None:
        """When this share of the clock's limit is used up, in working time where the limit is."""
        self.give(command, actor, self.reached(clock, share))

    def reached(self, clock: Clock | None, share: float) -> datetime:
        reached = clock and clocks.at_share(
            clock, self.case.rules.calendar, Decimal(round(share, 4)), resume_at=self.case.suspended_until
        )
        return max(reached or self.now, self.now + timedelta(seconds=self.random.randrange(20, 400)))

    def happens(self, per_mille: float) -> bool:
        return self.random.random() * 1000 < per_mille

    def _take(self, step: tuple[Case, tuple[Event, ...]]) -> None:
        self.case, events = step
        self.events += events


def live(opening: Opening, random: Random, until: datetime | None = None, *, stuck: bool = False) -> Lived:
    """Until the case is in the archive, or to `until`. `stuck`: nobody ever puts it right."""
    lived = Lived(opening, random, until)
    try:
        if opening.self_handled is None:
            _intake(lived)
            _rectification(lived, stuck=stuck)
            _afterwards(lived)
        lived.pass_for_ever()
    except Over:
        pass
    return lived


def desk(role: Role, case: Case) -> Actor:
    return Actor(user=role.value, role=role, area="/" + case.area.split("/")[1])


def _unit(case: Case) -> Actor:
    return Actor(user=f"unit-{case.lead_unit}", role=Role.UNIT, unit=case.lead_unit)


def officer(area: str, number: int) -> Actor:
    """One of those who walk the street; a street is the third level of the path."""
    street = "/".join(area.split("/")[:4])
    return Actor(user=f"officer-{street.rsplit('/', 1)[-1]}-{number}", role=Role.OFFICER, area=street)


def _inspector(lived: Lived) -> Actor:
    """Neither the one who reported nor one who helped to put it right."""
    for number in range(1, _STEPS):
        someone = officer(lived.case.area, (lived.random.randrange(5) + number) % 6 + 1)
        if someone.user not in {lived.case.reporter, *lived.case.fixers, *lived.case.unable_by}:
            return someone
    raise AssertionError("six officers walk a street, and at most two of them are out")


def _intake(lived: Lived) -> None:
    """Verified where it must be, and sent to a unit."""
    random = lived.random
    dispatcher = desk(Role.DISPATCHER, lived.case)
    if lived.case.stage is Stage.INTAKE:
        hurry = random.uniform(0.05, 0.9) if lived.happens(960) else random.uniform(1.0, 2.0)
        if lived.happens(shares.DISMISSED):
            lived.give_by(c.Dismiss(reason="重复上报"), dispatcher, lived.case.stage_clock, hurry)
            raise Over
        lived.give_by(c.Verify(note=texts.reason(random)), dispatcher, lived.case.stage_clock, hurry)
    if lived.case.lead_unit is None:
        _assign(lived)
    if lived.happens(shares.RETURNED):
        lived.give_by(c.Return(reason="不属本单位职责"), _unit(lived.case), lived.case.stage_clock, random.random())
        _assign(lived)


def _assign(lived: Lived) -> None:
    share = lived.random.uniform(0.1, 1.2)
    command = c.Assign(unit=lived.case.proposed_unit or "roads", reason=texts.reason(lived.random))
    lived.give_by(command, desk(Role.DISPATCHER, lived.case), lived.case.stage_clock, share)


def _rectification(lived: Lived, *, stuck: bool) -> None:
    random = lived.random
    _accept(lived)
    for share, ending in ((shares.WITHDRAWN, c.Withdraw(reason="误报")), (shares.FORCE_CLOSED, _FORCED)):
        if lived.happens(share):
            lived.give_by(ending, desk(Role.SUPERVISOR, lived.case), lived.case.unit_clock, random.uniform(0.2, 0.9))
            raise Over
    if stuck:
        lived.give_by(
            c.Supervise(requirement="限期整改"), desk(Role.SUPERVISOR, lived.case), lived.case.unit_clock, 2.0
        )
        lived.pass_for_ever()
    _detours(lived)
    _remarks(lived)
    _submit(lived, random.uniform(1.02, 2.6) if lived.happens(shares.LATE) else random.betavariate(2.2, 1.6) * 0.97)
    _inspect(lived)


def _accept(lived: Lived) -> None:
    """In time for the work, even where that has no longer than the acceptance."""
    latest, silence = lived.reached(lived.case.unit_clock, 0.4), lived.reached(lived.case.stage_clock, 1.0)
    if lived.happens(shares.DEEMED_ACCEPTED) and silence < latest:
        lived.pass_to(silence)
    else:
        accepted = lived.reached(lived.case.stage_clock, lived.random.uniform(0.02, 0.95))
        lived.give(c.Accept(), _unit(lived.case), min(accepted, latest))


_FORCED = c.ForceClose(reason="拆迁区域，不再整改")


def _detours(lived: Lived) -> None:
    """What stands between acceptance and the work: more time, a standstill, urging."""
    manager, supervisor, unit = (
        desk(Role.DISPATCHER, lived.case),
        desk(Role.SUPERVISOR, lived.case),
        _unit(lived.case),
    )
    detours: tuple[tuple[float, Callable[[], object]], ...] = (
        (shares.JOINED, lambda: lived.give_by(_JOINED, manager, lived.case.unit_clock, 0.25)),
        (shares.URGED, lambda: lived.give_by(c.Urge(note="请抓紧办理"), manager, lived.case.unit_clock, 0.3)),
        (shares.SUPERVISED, lambda: lived.give_by(_SUPERVISED, supervisor, lived.case.unit_clock, 0.35)),
        (shares.SUSPENDED, lambda: _suspend(lived, supervisor)),
        (shares.EXTENDED, lambda: _extend(lived, unit, manager, granted=True)),
        (shares.REFUSED_EXTENSION, lambda: _extend(lived, unit, manager, granted=False)),
    )
    for share, detour in detours:
        if lived.happens(share) and not lived.case.overdue:
            detour()


_JOINED = c.Join(description="来电反映同一问题", on_behalf_of=(NEIGHBOUR,))
_SUPERVISED = c.Supervise(requirement="挂牌督办，限期整改")


def _suspend(lived: Lived, supervisor: Actor) -> None:
    until = lived.now + timedelta(days=lived.random.randrange(2, 8))
    lived.give(c.Suspend(reason="等待材料", until=until), supervisor, lived.now + timedelta(minutes=20))
    lived.pass_to(until + timedelta(minutes=1))


def _extend(lived: Lived, unit: Actor, manager: Actor, *, granted: bool) -> None:
    lived.give_by(c.RequestExtension(reason="现场复杂，工程量大"), unit, lived.case.unit_clock, 0.6)
    decision = c.DecideExtension(grant=granted, reason=texts.reason(lived.random))
    lived.give_by(decision, manager, lived.case.unit_clock, 0.7)


def _remarks(lived: Lived) -> None:
    """By the unit, or by the officer of the street, on the way to the work."""
    number = int(lived.random.expovariate(1 / (shares.REMARKS + 0.5)))
    for share in sorted(lived.random.uniform(0.02, 0.7) for _ in range(min(number, _STEPS))):
        who = _unit(lived.case) if lived.happens(shares.BY_THE_UNIT) else officer(lived.case.area, 1)
        lived.give_by(c.Comment(text=texts.remark(lived.random)), who, lived.case.unit_clock, share)


def _submit(lived: Lived, share: float) -> None:
    note = texts.done(lived.random)
    for helper in lived.case.co_units:
        actor = Actor(user=f"unit-{helper}", role=Role.UNIT, unit=helper)
        lived.give_by(c.SubmitRectification(note=note, evidence=lived.proof()), actor, lived.case.unit_clock, share)
    command = c.SubmitRectification(note=note, evidence=lived.proof())
    lived.give_by(command, _unit(lived.case), lived.case.unit_clock, share)


def _inspect(lived: Lived) -> None:
    while lived.happens(shares.REWORK):
        _look(lived, "fail", "未达到结案条件")
        _submit(lived, lived.random.uniform(0.2, 0.95))
    _look(lived, "pass", "现场核查，整改到位")


def _look(lived: Lived, result: str, note: str) -> None:
    command = c.Inspect.model_validate({"result": result, "note": note, "evidence": lived.photo()})
    lived.give_by(command, _inspector(lived), lived.case.stage_clock, lived.random.uniform(0.05, 0.9))


def _afterwards(lived: Lived) -> None:
    """While the window is open: what the resident thinks of it, what the unit does, a second look."""
    for at in _days(lived):
        if lived.case.reporter_role is Role.RESIDENT and lived.case.rating is None and lived.happens(shares.RATED):
            resident = Actor(user=lived.case.reporter, role=Role.RESIDENT)
            lived.give(c.Rate(score=lived.random.choice((5, 5, 5, 4, 4, 3, 1)), comment=None), resident, at)
        elif lived.case.overdue and lived.case.appeal is None and lived.happens(shares.APPEALED):
            lived.give(c.FileAppeal(reason="天气原因，非我单位责任", evidence=lived.photo()), _unit(lived.case), at)
            command = c.DecideAppeal(grant=False, reason="理由不充分")
            lived.give(command, desk(Role.DISPATCHER, lived.case), at + timedelta(hours=20))
        elif lived.happens(shares.REOPENED):
            lived.give(c.Reopen(reason="问题再次出现"), desk(Role.DISPATCHER, lived.case), at)
            _submit(lived, lived.random.uniform(0.2, 0.95))
            _inspect(lived)


def _days(lived: Lived) -> Iterator[datetime]:
    closed = lived.now
    yield closed + timedelta(hours=lived.random.uniform(2, 60))


def is_open(lived: Lived) -> bool:
    return lived.case.stage in OPEN
