"""New rules reach every running case, once: whoever carries them, and whatever is killed on the way."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from api.services import FRESH_FOR
from directory.demo_city import demo_directory
from directory.rules import default_ladder, default_policy
from domain.calendar import Calendar
from domain.case import Snapshot
from domain.errors import Unavailable
from domain.events import CalendarChanged, RulesChanged
from domain.limits import Limit
from domain.policy import Ladder, Policy
from store import directory, publications
from store import rules as editions
from store.publications import LEASE, Publication
from tests.support.cases import limit, newer
from tests.support.engine import ROUND_THE_CLOCK, Handle, report
from tests.support.office import Office
from upkeep.publications import SETTLED, Carrier, numbered

NOW = datetime.now(UTC)


@pytest.fixture
async def city(office: Office) -> Office:
    await directory.save(office.database, demo_directory(), ROUND_THE_CLOCK, default_policy(), default_ladder())
    return office


def tomorrow_off(calendar: Calendar = ROUND_THE_CLOCK) -> Calendar:
    tomorrow = report().opened_at.astimezone(calendar.tz).date() + timedelta(days=1)
    return newer(calendar, holidays=(tomorrow,))


def quicker(share: int = 2) -> Policy:
    """The next version of the shipped policy: inspections get other hours."""
    policy = default_policy()
    inspection = {"work": Limit(value=share, unit="work_hour"), "urgent": Limit(value=share, unit="urgent_hour")}
    limits = policy.limits.model_dump() | {"inspection": inspection}
    return Policy.model_validate({**policy.model_dump(), "version": policy.version + 1, "limits": limits})


def carrier(office: Office, settled: float = 0.2, patience: int | None = None) -> Carrier:
    return Carrier(office.cases, office.database, settled=settled, patience=patience)


async def stored(office: Office, calendar: Calendar) -> int:
    return await editions.publish_calendar(office.database, calendar, "admin-1", datetime.now(UTC))


async def published(office: Office, calendar: Calendar) -> Publication:
    return await carrier(office).until_done(await stored(office, calendar))


def due_at(case: Snapshot) -> datetime:
    assert case.due_at is not None
    return case.due_at


async def changes(office: Office, handle: Handle) -> list[CalendarChanged]:
    facts = [event.fact for event in await office.desk.log(handle)]
    return [fact for fact in facts if isinstance(fact, CalendarChanged)]


class _Flaky:
    """Cases that answer so many times and then not, as if their worker had been killed."""

    def __init__(self, office: Office, answers: int) -> None:
        self._engine = office.cases
        self._answers = answers
        self.running = office.cases.running
        self.snapshot = office.cases.snapshot

    async def recalendar(self, case_id: str, calendar: Calendar) -> bool:
        self._answers -= 1
        if self._answers < 0:
            raise Unavailable("engine_unavailable")
        return await self._engine.recalendar(case_id, calendar)


class _Frozen(_Flaky):
    """Cases whose answers stop coming, to somebody who does not notice."""

    def __init__(self, office: Office, answers: int) -> None:
        super().__init__(office, answers)
        self.frozen = asyncio.Event()

    async def recalendar(self, case_id: str, calendar: Calendar) -> bool:
        try:
            return await super().recalendar(case_id, calendar)
        except Unavailable:
            self.frozen.set()
            await asyncio.Event().wait()
            raise


class TestACalendar:
    async def test_moves_the_deadlines_that_the_change_touches(self, city: Office) -> None:
        long = await city.open(report(limit=limit("5 work_day")))
        natural = await city.open(report(limit=limit("2 natural_day")))
        due = {each.id: due_at(await city.desk.case(each)) for each in (long, natural)}
        done = await published(city, tomorrow_off())
        assert (done.total, done.took, done.moved, done.silent) == (2, 2, 1, 0)
        assert done.finished_at is not None
        (change,) = await changes(city, natural)
        assert change.due_before == change.due_after == due[natural.id]
        (change,) = await changes(city, long)
        assert change.due_before == due[long.id]
        assert change.due_after == due[long.id] + timedelta(days=1)
        assert (await city.desk.case(long)).due_at == change.due_after
        await city.written(long, natural)

    async def test_published_twice_changes_nothing_more(self, city: Office) -> None:
        handle = await city.open()
        first = await published(city, tomorrow_off())
        version = (await city.desk.case(handle)).version
        assert await published(city, tomorrow_off()) == first
        assert (await city.desk.case(handle)).version == version

    async def test_reaches_a_case_that_is_opened_meanwhile(self, city: Office) -> None:
        first = await city.open()
        number = await stored(city, tomorrow_off())
        carrying = asyncio.create_task(carrier(city, settled=1.0).until_done(number))
        late = await city.desk.open()
        assert (await carrying).took == 2
        assert [len(await changes(city, each)) for each in (first, late)] == [1, 1]

    async def test_that_is_no_case_of_this_one_is_left_alone(self, city: Office) -> None:
        other = ROUND_THE_CLOCK.model_copy(update={"id": "other"})
        opening = report()
        handle = await city.open(opening.model_copy(update={"rules": opening.rules.changed(calendar=other)}))
        assert (await published(city, tomorrow_off())).took == 0
        assert await changes(city, handle) == []

    async def test_of_a_units_own_reaches_who_goes_by_it(self, city: Office) -> None:
        night = ROUND_THE_CLOCK.model_copy(update={"id": "night-shift"})
        assert (await published(city, night)).took == 0
        opening = report(limit=limit("5 work_day"))
        handle = await city.open(opening.model_copy(update={"rules": opening.rules.changed(calendar=night)}))
        done = await published(city, tomorrow_off(night))
        assert (done.took, done.moved) == (1, 1)
        assert [change.calendar.id for change in await changes(city, handle)] == ["night-shift"]

    async def test_waits_longer_than_the_api_keeps_an_old_one(self) -> None:
        assert SETTLED >= 2 * FRESH_FOR


class TestRules:
    async def test_reach_the_running_cases_with_their_policy_and_ladder(self, city: Office) -> None:
        handle = await city.open()
        ladder = Ladder.model_validate({**default_ladder().model_dump(), "version": default_ladder().version + 1})
        number = await editions.publish_rules(city.database, quicker(), ladder, "admin-1", datetime.now(UTC))
        done = await carrier(city).until_done(number)
        assert (done.took, done.version, done.ladder_version) == (1, quicker().version, ladder.version)
        facts = [event.fact for event in await city.desk.log(handle)]
        (change,) = [fact for fact in facts if isinstance(fact, RulesChanged)]
        assert (change.policy, change.ladder) == (quicker(), ladder)
        await city.written(handle)


class TestInterrupted:
    async def test_it_is_gone_on_with_by_another_and_nothing_is_missed(self, city: Office) -> None:
        handles = [await city.desk.open() for _ in range(6)]
        await city.written(*handles)
        number = await stored(city, tomorrow_off())
        stopped = Carrier(_Flaky(city, 2), city.database, settled=0.0, patience=1)  # type: ignore[arg-type]  # in part
        half = await stopped.until_done(number)
        assert (half.took, half.silent, half.finished_at) == (2, 4, None)
        done = await carrier(city).until_done(number)
        assert (done.took, done.silent) == (6, 0)
        assert [len(await changes(city, each)) for each in handles] == [1] * 6
        await city.written(*handles)

    async def test_in_the_middle_for_ever_nothing_is_missed_either(
        self, city: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("upkeep.publications._KEEP_EVERY", 3600.0)  # what is frozen does not renew its lease
        handles = [await city.desk.open() for _ in range(12)]
        await city.written(*handles)
        number = await stored(city, tomorrow_off())
        frozen = _Frozen(city, 5)
        killed = asyncio.create_task(Carrier(frozen, city.database, settled=0.0).once())  # type: ignore[arg-type]  # in part
        await frozen.frozen.wait()
        assert not await carrier(city).once()
        await city.tamper("UPDATE publications SET lease_until = started_at")
        done = await carrier(city).until_done(number)
        assert (done.took, done.total, done.silent) == (12, 12, 0)
        assert [len(await changes(city, each)) for each in handles] == [1] * 12
        killed.cancel()
        await asyncio.gather(killed, return_exceptions=True)
        assert await publications.get(city.database, number) == done
        await city.written(*handles)

    async def test_a_carrier_that_was_killed_leaves_a_lease_that_ends(self, city: Office) -> None:
        number = await stored(city, tomorrow_off())
        now = datetime.now(UTC)
        assert await publications.take(city.database, "killed", now) is not None
        assert not await carrier(city).once()
        assert await publications.take(city.database, "another", now + LEASE, number) is not None
        assert not await publications.keep(city.database, number, "killed", now)

    async def test_one_that_another_followed_is_given_up(self, city: Office) -> None:
        handle = await city.open()
        first = await stored(city, tomorrow_off())
        second = await stored(city, newer(tomorrow_off(), holidays=()))
        assert (await carrier(city).until_done(second)).took == 1
        assert [each.calendar.version for each in await changes(city, handle)] == [3]
        before = await publications.get(city.database, first)
        assert before is not None
        assert before.superseded_by == second


class TestAStraggler:
    async def test_opened_by_the_old_version_later_on_has_it_all_the_same(self, city: Office) -> None:
        number = await stored(city, tomorrow_off())
        await carrier(city).until_done(number)
        assert not await carrier(city).recall()
        late = await city.open(report(limit=limit("5 work_day")))
        assert await carrier(city).recall()
        done = await carrier(city).until_done(number)
        assert (done.took, done.moved) == (1, 1)
        assert len(await changes(city, late)) == 1
        assert not await carrier(city).recall()

    async def test_that_is_no_case_any_more_is_asked_for_once(self, city: Office) -> None:
        handle = await city.open()
        await handle.terminate()
        one = carrier(city)
        done = await one.until_done(await stored(city, tomorrow_off()))
        assert (done.took, done.finished_at is not None) == (0, True)
        assert not await one.recall()


class TestTheNextVersion:
    def test_is_numbered_on_request_unless_it_says_the_same(self) -> None:
        draft = tomorrow_off().model_copy(update={"version": 7})
        following = numbered(draft, ROUND_THE_CLOCK)
        assert following.version == 2
        assert numbered(draft, following) is following
        assert numbered(draft, None).version == 1
