"""The two databases behave as one: instants, transactions, keys."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from threading import Event, Thread, current_thread

import pytest
from sqlalchemy import Connection, Executable, select
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from store.city_tables import SettingRow, TokenRow
from store.database import Work, insert, open_engine, reading, refresh_statistics, sync_url, write, writing

ROOT = Path(__file__).parents[2]


async def put(connection: AsyncConnection, engine: AsyncEngine, at: datetime, name: str = "x") -> None:
    values = {"hash": name, "user": "u", "issued_at": at, "expires_at": None, "revoked_at": None}
    await connection.execute(insert(engine, TokenRow), values)


class TestInstant:
    @pytest.mark.parametrize(
        "at",
        [
            datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8))),
            datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
            datetime(9999, 1, 1, tzinfo=UTC),
        ],
    )
    async def test_comes_back_as_the_same_instant_in_utc(self, engine: AsyncEngine, at: datetime) -> None:
        async with writing(engine) as connection:
            await put(connection, engine, at)
        async with reading(engine) as connection:
            found = await connection.scalar(select(col(TokenRow.issued_at)))
        assert found == at
        assert found is not None
        assert found.tzinfo is UTC

    async def test_without_a_zone_is_refused(self, engine: AsyncEngine) -> None:
        with pytest.raises(StatementError, match="no time zone"):
            async with writing(engine) as connection:
                await put(connection, engine, datetime(2026, 3, 2))  # noqa: DTZ001 - that is the point

    async def test_sorts_by_time(self, engine: AsyncEngine) -> None:
        times = [datetime(year, 1, 1, tzinfo=UTC) for year in (2026, 1950, 9999, 1970)]
        async with writing(engine) as connection:
            for n, at in enumerate(times):
                await put(connection, engine, at, str(n))
        async with reading(engine) as connection:
            found = await connection.scalars(select(col(TokenRow.issued_at)).order_by(col(TokenRow.issued_at)))
        assert list(found) == sorted(times)


class TestWriting:
    async def test_keeps_nothing_of_a_block_that_failed(self, engine: AsyncEngine) -> None:
        async def fail() -> None:
            async with writing(engine) as connection:
                await connection.execute(insert(engine, SettingRow), {"key": "a", "value": "1"})
                raise RuntimeError("stop")

        with pytest.raises(RuntimeError, match="stop"):
            await fail()
        async with reading(engine) as connection:
            assert (await connection.scalars(select(col(SettingRow.key)))).all() == []

    async def test_counts_right_when_many_count_at_once(self, engine: AsyncEngine) -> None:
        async with writing(engine) as connection:
            await connection.execute(insert(engine, SettingRow), {"key": "n", "value": "0"})

        async def count_up() -> None:
            async with writing(engine) as connection:
                query = select(col(SettingRow.value)).where(col(SettingRow.key) == "n").with_for_update()
                value = int(await connection.scalar(query) or 0)
                row = insert(engine, SettingRow).values(key="n", value=str(value + 1))
                await connection.execute(
                    row.on_conflict_do_update(index_elements=["key"], set_={"value": row.excluded.value})
                )

        await asyncio.gather(*(count_up() for _ in range(20)))
        async with reading(engine) as connection:
            assert await connection.scalar(select(col(SettingRow.value))) == "20"


def setting(engine: AsyncEngine, key: str) -> Work:
    def work(connection: Connection) -> None:
        connection.execute(insert(engine, SettingRow), {"key": key, "value": "1"})

    return work


async def settings(engine: AsyncEngine) -> list[str]:
    async with reading(engine) as connection:
        return sorted(await connection.scalars(select(col(SettingRow.key))))


class TestWrite:
    async def test_commits_what_was_done(self, engine: AsyncEngine) -> None:
        await write(engine, setting(engine, "a"))
        assert await settings(engine) == ["a"]

    async def test_keeps_nothing_of_what_failed(self, engine: AsyncEngine) -> None:
        def fail(connection: Connection) -> None:
            setting(engine, "a")(connection)
            raise RuntimeError("stop")

        with pytest.raises(RuntimeError, match="stop"):
            await write(engine, fail)
        await write(engine, setting(engine, "b"))
        assert await settings(engine) == ["b"]

    async def test_takes_turns_with_other_writers(self, engine: AsyncEngine) -> None:
        async def other(key: str) -> None:
            async with writing(engine) as connection:
                await connection.execute(insert(engine, SettingRow), {"key": key, "value": "1"})

        await asyncio.gather(
            *(do for n in range(20) for do in (other(f"a{n}"), write(engine, setting(engine, f"b{n}"))))
        )
        assert len(await settings(engine)) == 40

    async def test_may_go_on_after_the_engine_was_closed(self, engine: AsyncEngine) -> None:
        await write(engine, setting(engine, "a"))
        await engine.dispose()
        await write(engine, setting(engine, "b"))
        assert await settings(engine) == ["a", "b"]


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(f"sqlite:///{tmp_path / 'a.db'}")
    await write(engine, lambda connection: connection.exec_driver_sql("CREATE TABLE done (name)").close())
    yield engine
    await engine.dispose()


class TestTheThread:
    async def test_ends_with_its_engine(self, sqlite: AsyncEngine) -> None:
        mine: list[Thread] = []
        await write(sqlite, lambda _: mine.append(current_thread()))
        assert mine[0].is_alive()
        await sqlite.dispose()
        assert not mine[0].is_alive()

    async def test_keeps_nobody_from_leaving(self, sqlite: AsyncEngine) -> None:
        mine: list[Thread] = []
        await write(sqlite, lambda _: mine.append(current_thread()))
        assert mine[0].daemon

    async def test_does_not_begin_what_nobody_waits_for(self, sqlite: AsyncEngine) -> None:
        began, go_on, done = Event(), Event(), list[str]()

        def stuck(_: Connection) -> None:
            began.set()
            go_on.wait()
            done.append("first")

        first = asyncio.create_task(write(sqlite, stuck))
        await asyncio.to_thread(began.wait)
        first.cancel()
        second = asyncio.create_task(write(sqlite, lambda _: done.append("second")))
        await asyncio.wait({first, second}, timeout=0.05)
        second.cancel()
        await asyncio.wait({first, second})
        go_on.set()
        await write(sqlite, lambda _: done.append("third"))
        assert done == ["first", "third"]


class TestOpen:
    @pytest.mark.parametrize("url", ["mysql://x/y", "nonsense://", "oracle:///x"])
    def test_refuses_other_databases(self, url: str) -> None:
        with pytest.raises(ValueError, match="no database for rectify"):
            open_engine(url)

    def test_names_the_same_database_for_the_migrations(self) -> None:
        assert (
            sync_url("sqlite:////tmp/a b.db") == sync_url("sqlite+aiosqlite:////tmp/a b.db") == "sqlite:////tmp/a b.db"
        )
        assert sync_url("postgres://me:p%40ss@host/db") == "postgresql+psycopg://me:p%40ss@host/db"


class TestHouseRule:
    def test_only_the_edges_begin_and_commit(self) -> None:
        edge = re.compile(r"\.(commit|begin|begin_nested)\(")
        folders = ("activities", "api", "commands", "directory", "domain", "store", "workflows")
        files = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
        found = {str(path.relative_to(ROOT)) for path in files if edge.search(path.read_text(encoding="utf-8"))}
        assert found == {"store/database.py", "store/migrate.py"}


class TestStatistics:
    async def test_are_counted_without_harm(self, engine: AsyncEngine) -> None:
        async with writing(engine) as connection:
            await connection.execute(insert(engine, SettingRow), {"key": "a", "value": "1"})
        await refresh_statistics(engine)
        async with reading(engine) as connection:
            assert (await connection.scalars(select(col(SettingRow.key)))).all() == ["a"]


def executing(statement: Executable) -> Work:
    def work(connection: Connection) -> None:
        connection.execute(statement)

    return work


async def in_a_block(engine: AsyncEngine, work: Work) -> None:
    async with writing(engine) as connection:
        await connection.run_sync(work)


HOWS = {"in a block": in_a_block, "at once": write}


class TestErrors:
    @pytest.mark.parametrize("how", HOWS)
    async def test_name_no_values(self, engine: AsyncEngine, how: str) -> None:
        row = {"key": "槐荫巷三号", "value": "1"}
        twice = insert(engine, SettingRow).values([row, row])
        with pytest.raises(IntegrityError) as caught:
            await HOWS[how](engine, executing(twice))
        assert "parameters hidden" in str(caught.value)
