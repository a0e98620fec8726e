"""A calendar's next version reaches every running case, once."""

from datetime import date, datetime, timedelta

import pytest

from api.services import FRESH_FOR
from directory.demo_city import demo_directory
from directory.rules import default_ladder, default_policy
from domain.calendar import Calendar
from domain.case import Snapshot
from domain.events import CalendarChanged
from store import directory
from tests.support.cases import limit, newer
from tests.support.engine import ROUND_THE_CLOCK, Handle, report
from tests.support.office import Office
from upkeep.calendars import SETTLED, Publication, Published, store_next


@pytest.fixture
async def city(office: Office) -> Office:
    await directory.save(office.database, demo_directory(), ROUND_THE_CLOCK, default_policy(), default_ladder())
    return office


def tomorrow_off(calendar: Calendar = ROUND_THE_CLOCK) -> Calendar:
    tomorrow = report().opened_at.astimezone(calendar.tz).date() + timedelta(days=1)
    return newer(calendar, holidays=(tomorrow,))


async def published(office: Office, calendar: Calendar) -> Published:
    stored = await store_next(office.database, calendar)
    return await Publication(office.cases, office.database, stored, settled=0.2).run()


def due_at(case: Snapshot) -> datetime:
    assert case.due_at is not None
    return case.due_at


async def changes(office: Office, handle: Handle) -> list[CalendarChanged]:
    facts = [event.fact for event in await office.desk.log(handle)]
    return [fact for fact in facts if isinstance(fact, CalendarChanged)]


class TestPublishing:
    async def test_moves_the_deadlines_that_the_change_touches(self, city: Office) -> None:
        long = await city.open(report(limit=limit("5 work_day")))
        natural = await city.open(report(limit=limit("2 natural_day")))
        due = {each.id: due_at(await city.desk.case(each)) for each in (long, natural)}
        tally = await published(city, tomorrow_off())
        assert (tally.took, tally.moved, tally.silent) == (2, 1, set())
        (change,) = await changes(city, natural)
        assert change.due_before == change.due_after == due[natural.id]
        (change,) = await changes(city, long)
        assert change.due_before == due[long.id]
        assert change.due_after == due[long.id] + timedelta(days=1)
        assert (await city.desk.case(long)).due_at == change.due_after
        await city.written(long, natural)

    async def test_twice_changes_nothing_more(self, city: Office) -> None:
        handle = await city.open()
        await published(city, tomorrow_off())
        version = (await city.desk.case(handle)).version
        assert await published(city, tomorrow_off()) == Published()
        assert (await city.desk.case(handle)).version == version

    async def test_reaches_a_case_that_is_opened_meanwhile(self, city: Office) -> None:
        first = await city.open()
        stored = await store_next(city.database, tomorrow_off())
        late: list[Handle] = []

        async def open_one() -> None:
            late.append(await city.desk.open())

        publication = Publication(city.cases, city.database, stored, settled=0.5)
        original = publication._pass

        async def passing() -> bool:
            changed = await original()
            if not late:
                await open_one()
            return changed

        publication._pass = passing  # type: ignore[method-assign]  # a report that comes between two passes
        assert (await publication.run()).took == 2
        assert [len(await changes(city, each)) for each in (first, *late)] == [1, 1]

    async def test_leaves_cases_of_another_calendar_alone(self, city: Office) -> None:
        other = ROUND_THE_CLOCK.model_copy(update={"id": "other"})
        opening = report()
        handle = await city.open(
            opening.model_copy(update={"rules": opening.rules.model_copy(update={"calendar": other})})
        )
        assert (await published(city, tomorrow_off())).took == 0
        assert await changes(city, handle) == []

    async def test_waits_longer_than_the_api_keeps_an_old_calendar(self) -> None:
        assert SETTLED >= 2 * FRESH_FOR


class TestTheNextVersion:
    async def test_is_numbered_on_request_and_only_once(self, city: Office) -> None:
        draft = tomorrow_off().model_copy(update={"version": 1})
        assert (await store_next(city.database, draft, number=True)).version == 2
        assert (await store_next(city.database, draft, number=True)).version == 2

    async def test_may_not_be_skipped_or_taken_twice(self, city: Office) -> None:
        await store_next(city.database, tomorrow_off())
        with pytest.raises(ValueError, match="next version"):
            await store_next(city.database, tomorrow_off().model_copy(update={"version": 4}))
        with pytest.raises(ValueError, match="next version"):
            await store_next(city.database, newer(ROUND_THE_CLOCK, holidays=(date(2026, 1, 1),)))
