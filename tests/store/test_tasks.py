"""What waits for whom, and in which order."""

import asyncio
from datetime import date, timedelta
from functools import cache

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from domain import commands as c
from domain.actors import Actor
from domain.policy import Source
from domain.record import Record
from store.recorder import Recorder
from store.tasks import tasks
from tests.support.records import (
    ADMIN,
    CO_UNIT,
    DISPATCHER,
    INSPECTOR,
    NOON,
    OFFICER,
    OTHER_PHOTO,
    RESIDENT,
    SUPERVISOR,
    UNIT,
    Life,
)

DONE = c.SubmitRectification(note="已处置", evidence=(OTHER_PHOTO,))
PASS = c.Inspect(result="pass", note="合格")


def waiting_for_verification() -> Life:
    return Life(1, RESIDENT, source=Source.RESIDENT)


def waiting_for_dispatch() -> Life:
    return Life(2, proposed_unit=None)


def waiting_for_acceptance() -> Life:
    return Life(3)


def in_rectification() -> Life:
    return Life(4, proposed_co_units=("water",)).give(c.Accept(), UNIT)


def half_rectified() -> Life:
    return Life(5, proposed_co_units=("water",)).give(c.Accept(), UNIT).give(DONE, CO_UNIT)


def waiting_for_inspection() -> Life:
    return Life(6).give(c.Accept(), UNIT).give(DONE, UNIT)


def inspected_in_vain() -> Life:
    return Life(7).give(c.Accept(), UNIT).give(DONE, UNIT).give(c.Inspect(result="unable", note="锁门"), INSPECTOR)


def waiting_for_more_time() -> Life:
    return Life(8).give(c.Accept(), UNIT).give(c.RequestExtension(reason="等料"), UNIT)


def waiting_for_a_rating() -> Life:
    life = Life(9, RESIDENT, source=Source.RESIDENT).give(c.Verify(), OFFICER)
    return life.give(c.Accept(), UNIT).give(DONE, UNIT).give(PASS, INSPECTOR)


def under_appeal() -> Life:
    late = Life(10).give(c.Accept(), UNIT).wait(timedelta(days=5)).give(DONE, UNIT)
    return late.give(PASS, INSPECTOR).give(c.FileAppeal(reason="停电"), UNIT)


def half_decided() -> Life:
    return under_appeal_as(11).give(c.DecideAppeal(grant=True, reason="属实"), DISPATCHER)


def under_appeal_as(number: int) -> Life:
    life = under_appeal()
    life.case = life.case.model_copy(update={"id": f"RC-{number:04}"})
    return life


def archived() -> Life:
    return Life(12).give(c.Accept(), UNIT).give(DONE, UNIT).give(PASS, INSPECTOR).wait(timedelta(days=9))


LIVES = (
    waiting_for_verification,
    waiting_for_dispatch,
    waiting_for_acceptance,
    in_rectification,
    half_rectified,
    waiting_for_inspection,
    inspected_in_vain,
    waiting_for_more_time,
    waiting_for_a_rating,
    under_appeal,
    half_decided,
    archived,
)


@cache
def records() -> tuple[Record, ...]:
    return tuple(life().record() for life in LIVES)


@pytest.fixture
async def filled(engine: AsyncEngine) -> AsyncEngine:
    recorder = Recorder(engine, timeout=10)
    await asyncio.gather(*map(recorder.record, records()))
    return engine


async def numbers(engine: AsyncEngine, viewer: Actor, limit: int = 50) -> list[int]:
    found: list[int] = []
    cursor = None
    while True:
        page = await tasks(engine, viewer, cursor, limit)
        assert len(page.items) <= limit
        found += [int(item.id[-4:]) for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found


FAR_AWAY = OFFICER.model_copy(update={"user": "far", "area": "/city/west"})


class TestWhoseTurn:
    @pytest.mark.parametrize("limit", [1, 3, 50])
    @pytest.mark.parametrize(
        ("viewer", "expected"),
        [
            (UNIT, {3, 4, 5, 8}),
            (CO_UNIT, {4}),
            (OFFICER, {1}),
            (INSPECTOR, {1, 6}),
            (FAR_AWAY, set()),
            (DISPATCHER, {1, 2, 8, 10}),
            (SUPERVISOR, {8, 10, 11}),
            (RESIDENT, {9}),
            (RESIDENT.model_copy(update={"user": "neighbour"}), set()),
            (ADMIN, set()),
        ],
        ids=lambda value: value.user if isinstance(value, Actor) else "",
    )
    async def test_each_finds_what_waits_for_him(
        self, filled: AsyncEngine, viewer: Actor, expected: set[int], limit: int
    ) -> None:
        found = await numbers(filled, viewer, limit)
        assert set(found) == expected
        assert len(found) == len(expected)


class TestOrder:
    async def test_the_nearest_deadline_is_first_and_the_suspended_last(self, engine: AsyncEngine) -> None:
        recorder = Recorder(engine, timeout=10)
        later = timedelta(hours=3)
        lives = (
            Life(1, opened_at=NOON + later).give(c.Accept(), UNIT),
            Life(2).give(c.Accept(), UNIT).give(c.Suspend(reason="等雨停", until=date(2026, 3, 9)), DISPATCHER),
            Life(3).give(c.Accept(), UNIT),
        )
        for life in lives:
            await recorder.record(life.record())
        assert await numbers(engine, UNIT) == [3, 1, 2]
        assert await numbers(engine, UNIT, limit=1) == [3, 1, 2]

    async def test_a_cursor_of_another_role_is_refused(self, filled: AsyncEngine) -> None:
        page = await tasks(filled, UNIT, limit=1)
        with pytest.raises(ValueError, match="another list"):
            await tasks(filled, DISPATCHER, page.next_cursor)
