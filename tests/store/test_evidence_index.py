"""Who may look at a photo: whoever uploaded it, and whoever may see a case it belongs to."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.actors import Actor
from domain.record import Record
from store import evidence_index
from store.images import EvidenceMeta
from store.recorder import Recorder
from tests.support.records import (
    ADMIN,
    CO_UNIT,
    INSPECTOR,
    NOON,
    OFFICER,
    OTHER_PHOTO,
    PHOTO,
    RESIDENT,
    UNIT,
    Life,
)

META = EvidenceMeta(
    sha256=PHOTO,
    media_type="image/heic",
    size=9,
    width=4,
    height=3,
    captured_at=NOON,
    captured_lon=110.05,
    captured_lat=38.25,
)


@pytest.fixture
async def filled(engine: AsyncEngine) -> AsyncEngine:
    await evidence_index.add(engine, META, OFFICER.user, NOON)
    await Recorder(engine, timeout=10).record(Life().record())
    return engine


class TestViewable:
    @pytest.mark.parametrize(
        ("viewer", "expected"),
        [(OFFICER, True), (INSPECTOR, True), (UNIT, True), (ADMIN, True), (CO_UNIT, False), (RESIDENT, False)],
        ids=lambda value: value.user if isinstance(value, Actor) else "",
    )
    async def test_by_whoever_may_see_the_case(self, filled: AsyncEngine, viewer: Actor, *, expected: bool) -> None:
        assert await evidence_index.viewable(filled, viewer, PHOTO) is expected

    async def test_by_the_uploader_before_any_case_has_it(self, engine: AsyncEngine) -> None:
        await evidence_index.add(engine, META, RESIDENT.user, NOON)
        assert await evidence_index.viewable(engine, RESIDENT, PHOTO)
        assert not await evidence_index.viewable(engine, OFFICER, PHOTO)

    async def test_by_each_who_uploaded_the_same_bytes(self, filled: AsyncEngine) -> None:
        await evidence_index.add(filled, META, RESIDENT.user, NOON + timedelta(days=1))
        await evidence_index.add(filled, META, RESIDENT.user, NOON + timedelta(days=2))
        assert await evidence_index.viewable(filled, RESIDENT, PHOTO)

    async def test_no_longer_through_a_case_rewritten_without_it(self, filled: AsyncEngine) -> None:
        life = Life()
        opened = life.events[0]
        bare = opened.model_copy(update={"fact": opened.fact.model_copy(update={"evidence": ()})})
        events = (bare, *life.events[1:])
        await Recorder(filled, timeout=10).record(Record(case=life.snapshot, events=events, rewrite=True))
        assert not await evidence_index.viewable(filled, UNIT, PHOTO)


class TestKnown:
    async def test_names_what_was_uploaded(self, filled: AsyncEngine) -> None:
        assert await evidence_index.known(filled, [PHOTO, OTHER_PHOTO]) == {PHOTO}
        assert await evidence_index.known(filled, []) == set()
