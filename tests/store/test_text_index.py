"""Text search finds exactly the cases that have the text, whether it is rare or common, and the index keeps in step."""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from domain.case import Snapshot
from domain.record import Record
from store import cases, text_index
from store.cases import CaseFilter
from store.database import reading, writing
from store.recorder import Recorder
from store.rows import words
from store.tables import CaseRow
from tests.support.records import ADMIN, UNIT, Life

BASE = Life().snapshot
TEXTS = (
    "暴露生活垃圾，请清运",
    "垃圾桶翻倒\n桶盖丢失",
    "井盖破损，已垫高 5 cm",
    "圾垃两个字反着写",
    "Broken LAMP on Main Street",
    'say "AND" OR not* NEAR(x, 2) : ^a {b} c- 50%_off \\ \'; --',
    "İstanbul ẞ Straße",
    "𠮷野家门口 😀 积水",
    "鿿 罕见 字",
)
CASES = tuple(
    BASE.model_copy(update={"id": f"RC-{n:04}", "description": each, "address": "青石街 8 号" if n % 2 else None})
    for n, each in enumerate(TEXTS)
)
ASKED = (
    *("垃圾", "垃", "圾垃", "井盖", "盖", "鲸鱼", "生活垃圾，请清", "青石", "号"),
    *("lamp", "LAMP on", "m", "main street", "zz", "x", "q"),
    *('"', '"and"', "AND", "and or", "not*", "*", "near(", "(", ")", ":", "^a", "{b}", "c-", "-", "%", "_", "50%_off"),
    *("\\", "'", "'; --", "% %", "0_号", "rc-0003", "0003", "RC-", "5 cm", " "),
    *("i̇stanbul", "İSTANBUL", "strasse", "ß", "𠮷", "𠮷野", "😀", "😀 积", "鿿", "翻倒 桶盖", "倒桶"),
)


@pytest.fixture
async def filled(engine: AsyncEngine) -> AsyncEngine:
    await record(engine, CASES)
    return engine


async def record(engine: AsyncEngine, some: Sequence[Snapshot], *, rewrite: bool = False) -> None:
    recorder = Recorder(engine, timeout=10)
    await asyncio.gather(*(recorder.record(Record(case=each, events=(), rewrite=rewrite)) for each in some))


async def found(engine: AsyncEngine, q: str) -> list[str]:
    page = await cases.search(engine, CaseFilter(q=q), ADMIN)
    return sorted(case.id for case in page.items)


async def entries(engine: AsyncEngine) -> int:
    """Of the index that stand for a case."""
    table = "case_grams_number" if engine.dialect.name == "sqlite" else "case_grams"
    async with reading(engine) as connection:
        return await connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0  # noqa: S608 - one of two names above


class TestSearch:
    @pytest.mark.parametrize("few", [0, 1, text_index.FEW], ids=["all common", "some common", "all rare"])
    async def test_finds_what_contains_the_text(
        self, filled: AsyncEngine, monkeypatch: pytest.MonkeyPatch, few: int
    ) -> None:
        monkeypatch.setattr(text_index, "FEW", few)
        for q in (each for each in ASKED if each.strip()):
            sought = words(CaseFilter(q=q).q)
            right = [c.id for c in CASES if sought in words(c.id, c.external_ref, c.description, c.address)]
            assert await found(filled, q) == right, q

    async def test_samples_a_large_table_on_postgresql(
        self, filled: AsyncEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As if the nine cases were many: all are in the sample."""
        async with writing(filled) as connection:
            await connection.execute(text("ANALYZE cases"))
        monkeypatch.setattr(text_index, "_WORTH_IT", 1)
        monkeypatch.setattr(text_index, "_SAMPLE", len(CASES))
        monkeypatch.setattr(text_index, "_ONE_IN", 5)
        async with reading(filled) as connection:
            common = await text_index.among_few(connection, "垃圾")
            rare = await text_index.among_few(connection, "井盖")
        assert (common is None) == (filled.dialect.name == "postgresql")
        assert rare is not None
        assert await found(filled, "垃圾") == ["RC-0000", "RC-0001"]

    async def test_never_asks_the_index_for_what_nearly_every_number_holds(self, filled: AsyncEngine) -> None:
        async with reading(filled) as connection:
            assert await text_index.among_few(connection, "7") is None
            assert await text_index.among_few(connection, "rc-") is None
            assert await text_index.among_few(connection, "垃") is not None

    @pytest.mark.parametrize("few", [0, text_index.FEW], ids=["common", "rare"])
    @pytest.mark.parametrize("sort", ["opened_at", "-opened_at", "due_at", "-updated_at"])
    async def test_goes_on_from_page_to_page(
        self, filled: AsyncEngine, monkeypatch: pytest.MonkeyPatch, few: int, sort: str
    ) -> None:
        monkeypatch.setattr(text_index, "FEW", few)
        wanted = CaseFilter.model_validate({"q": "rc-000", "sort": sort, "category": BASE.category})
        first = await cases.search(filled, wanted, ADMIN, limit=5)
        rest = await cases.search(filled, wanted, ADMIN, first.next_cursor, limit=5)
        ids = [case.id for case in (*first.items, *rest.items)]
        assert ids == sorted(ids, reverse=sort.startswith("-"))
        assert (len(ids), rest.next_cursor) == (len(CASES), None)

    @pytest.mark.parametrize("few", [0, text_index.FEW], ids=["common", "rare"])
    async def test_keeps_to_what_the_caller_may_see_and_to_the_other_filters(
        self, filled: AsyncEngine, monkeypatch: pytest.MonkeyPatch, few: int
    ) -> None:
        monkeypatch.setattr(text_index, "FEW", few)
        stranger = UNIT.model_copy(update={"unit": "gas"})
        mine = await cases.search(filled, CaseFilter(q="垃圾", unit="roads"), UNIT)
        assert len(mine.items) == len([each for each in TEXTS if "垃圾" in each])
        assert (await cases.search(filled, CaseFilter(q="垃圾"), stranger)).items == ()
        assert (await cases.search(filled, CaseFilter(q="垃圾", category="E9999"), ADMIN)).items == ()


class TestIndex:
    @pytest.mark.parametrize("rewrite", [False, True])
    async def test_follows_a_text_that_changed(self, filled: AsyncEngine, rewrite: bool) -> None:  # noqa: FBT001 - a parameter of the test
        changed = CASES[0].model_copy(update={"version": BASE.version + 1, "description": "占道经营"})
        await record(filled, [changed], rewrite=rewrite)
        assert await found(filled, "占道") == ["RC-0000"]
        assert await found(filled, "暴露") == []
        assert await entries(filled) == len(CASES)

    async def test_is_left_alone_where_the_text_is_the_same(
        self, filled: AsyncEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(text_index, "put", pytest.fail)
        await record(filled, [case.model_copy(update={"version": BASE.version + 1}) for case in CASES])
        assert await found(filled, "垃圾") == ["RC-0000", "RC-0001"]

    async def test_is_made_anew_by_a_rewrite(self, filled: AsyncEngine) -> None:
        async with writing(filled) as connection:
            lost = "case_grams_number" if filled.dialect.name == "sqlite" else "case_grams"
            await connection.execute(text(f"DELETE FROM {lost}"))  # noqa: S608 - one of two names above
        assert await found(filled, "垃圾") == []
        await record(filled, CASES, rewrite=True)
        assert await found(filled, "垃圾") == ["RC-0000", "RC-0001"]

    async def test_forgets_a_case_that_is_removed(self, filled: AsyncEngine) -> None:
        async with writing(filled) as connection:
            await connection.execute(delete(CaseRow).where(col(CaseRow.id) == "RC-0000"))
        assert await found(filled, "垃圾") == ["RC-0001"]
        assert await entries(filled) == len(CASES) - 1

    async def test_keeps_nothing_of_a_transaction_that_failed(self, filled: AsyncEngine) -> None:
        broken = CASES[0].model_copy(update={"id": "RC-9999", "description": "挖掘机", "area": None})
        with pytest.raises(Exception, match=r"(?i)null"):
            await record(filled, [broken])
        assert await found(filled, "挖掘") == []
        assert await entries(filled) == len(CASES)


class TestGrams:
    def test_are_characters_and_pairs_of_them(self) -> None:
        assert len(text_index.grams("垃圾桶")) == len(("垃", "圾", "桶", "垃圾", "圾桶"))

    def test_do_not_reach_across_lines(self) -> None:
        assert text_index.grams("垃\n圾") == text_index.grams("圾\n垃")

    def test_fit_into_32_bits_whatever_the_character(self) -> None:
        assert all(0 < number < 1 << 32 for number in text_index.grams("\U0010ffff\U0010fffe𠮷"))
