"""The migrations build exactly the tables the code declares, on both databases, and say how far one has come."""

import json
import subprocess
import sys

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from shapely import Polygon
from sqlalchemy import column, create_engine, insert, inspect, table, text
from sqlmodel import SQLModel

from directory.shapes import read
from domain.case import Location
from store import cases, migrate, tables
from store.cases import CaseFilter
from store.database import loading, open_engine, sync_engine, sync_url
from store.rows import case_row
from tests.support.records import ADMIN, Life


def execute(url: str, statement: str, **values: object) -> None:
    engine = create_engine(sync_url(url))
    with engine.begin() as connection:
        connection.execute(text(statement), values)
    engine.dispose()


def of_a_model(name: str | None, kind: str, _parents: object) -> bool:
    """The text index differs between the databases: `store/text_index.py` is all that knows its tables."""
    return not (kind == "table" and name and name.startswith("case_grams"))


def differences(url: str) -> list[object]:
    engine = create_engine(sync_url(url))
    with engine.connect() as connection:
        options = {"compare_type": True, "include_name": of_a_model}
        context = MigrationContext.configure(connection, opts=options)
        found = list(compare_metadata(context, SQLModel.metadata))
    engine.dispose()
    return found


class TestUpgrade:
    def test_builds_the_tables_the_code_declares(self, database_url: str) -> None:
        migrate.upgrade(database_url)
        assert tables.CaseRow.__tablename__ in SQLModel.metadata.tables
        assert differences(database_url) == []

    def test_may_be_repeated(self, database_url: str) -> None:
        migrate.upgrade(database_url)
        migrate.upgrade(database_url)
        assert migrate.current(database_url) == migrate.head()

    def test_leaves_a_newer_database_alone(self, database_url: str) -> None:
        migrate.upgrade(database_url)
        execute(database_url, "UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(RuntimeError, match="newer than this release"):
            migrate.upgrade(database_url)


class TestCheck:
    def test_tells_an_empty_database(self, database_url: str) -> None:
        assert migrate.check(database_url) == "empty"
        assert migrate.current(database_url) is None

    def test_tells_a_current_one(self, database_url: str) -> None:
        migrate.upgrade(database_url)
        assert migrate.check(database_url) == "current"

    def test_tells_one_that_is_behind(self, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        migrate.upgrade(database_url)
        known = migrate.revisions()
        monkeypatch.setattr(migrate, "revisions", lambda: (*known, "9999"))
        assert migrate.check(database_url) == "behind"

    def test_tells_one_that_is_ahead(self, database_url: str) -> None:
        migrate.upgrade(database_url)
        execute(database_url, "UPDATE alembic_version SET version_num = '9999'")
        assert migrate.check(database_url) == "ahead"


class TestFiles:
    def test_are_numbered_as_they_follow_each_other(self) -> None:
        config = Config()
        config.set_main_option("script_location", str(migrate._FOLDER))
        chain = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
        assert tuple(reversed(chain)) == migrate.revisions()

    def test_need_no_alembic_to_tell_whether_they_are_needed(self) -> None:
        program = "import sys, store.migrate as m; m.head(); sys.exit('alembic' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0  # noqa: S603 - our own program


def at(url: str, revision: str) -> None:
    """Makes the tables of an older release."""
    config = Config()
    config.set_main_option("script_location", str(migrate._FOLDER))
    engine = create_engine(sync_url(url))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


AREA = {"id": "a", "parent": None, "level": "city", "name_zh": "市", "name_en": "City"}
COLUMNS = SQLModel.metadata.tables["cases"].columns
POSITION = (112.5, 37.8)
PLACE = Location(lon=112.51, lat=37.81, datum="gcj02", wgs84_lon=POSITION[0], wgs84_lat=POSITION[1])
NOW = {"sqlite": "1", "postgr": "now()"}
DELIVERED = (
    "INSERT INTO notices VALUES (7, 'RC-1', 3, 'unit', 'roads', NOW, 'x')",
    """INSERT INTO channels (id, service, url, audience, per_minute, created_at, planned_to, sent, failures)
    SELECT 'c', 's', 'u', 'unit', 20, at, 0, '[]', 0 FROM notices""",
    """INSERT INTO deliveries (notice_id, channel, status, urgent, not_before, attempts)
    VALUES (7, 'c', 'delivered', FALSE, NOW, 1)""",
)
LEFT = "SELECT n.case_id, d.status FROM deliveries d JOIN notices n ON n.id = d.notice_id"


def columns(url: str) -> set[str]:
    """Of cases."""
    engine = create_engine(sync_url(url))
    with engine.connect() as connection:
        names = {each["name"] for each in inspect(connection).get_columns("cases")}
    engine.dispose()
    return names


def placed(url: str, case_id: str) -> tuple[float, float]:
    engine = create_engine(sync_url(url))
    with engine.connect() as connection:
        lon, lat = connection.execute(text("SELECT lon, lat FROM cases WHERE id = :id"), {"id": case_id}).one()
    engine.dispose()
    return lon, lat


async def searched(url: str, **wanted: object) -> list[str]:
    engine = open_engine(url)
    page = await cases.search(engine, CaseFilter.model_validate(wanted), ADMIN)
    await engine.dispose()
    return [case.id for case in page.items]


class TestAFilledDatabase:
    """Of release 0.1.0: its cases are found by their words and their units as new ones are."""

    async def test_is_brought_up_with_its_cases(self, database_url: str) -> None:
        at(database_url, "0001")
        some = [
            Life(n).snapshot.model_copy(update={"description": f"井盖丢失{n}", "location": PLACE}) for n in range(3)
        ]
        then = columns(database_url)
        engine = sync_engine(database_url)
        with loading(engine) as connection:
            old = table("cases", *(column(each.name, each.type) for each in COLUMNS if each.name in then))
            written = [{name: cell for name, cell in case_row(case).items() if name in then} for case in some]
            connection.execute(insert(old), written)
            units = [{"case_id": case.id, "unit": "roads", "lead": True} for case in some]
            connection.execute(
                text("INSERT INTO case_units (case_id, unit, lead) VALUES (:case_id, :unit, :lead)"), units
            )
        engine.dispose()
        migrate.upgrade(database_url)
        ids = sorted((case.id for case in some), reverse=True)
        assert await searched(database_url, q="井盖") == ids
        assert await searched(database_url, q="丢失1") == [some[1].id]
        assert await searched(database_url, unit="roads", category=some[0].category) == ids
        assert placed(database_url, some[0].id) == POSITION

    def test_keeps_the_shapes_of_its_areas(self, database_url: str) -> None:
        at(database_url, "0004")
        ring, hole = [[110, 30], [111, 30], [111, 31]], [[110.8, 30.2], [110.9, 30.2], [110.9, 30.3]]
        data = json.dumps({**AREA, "ring": ring, "holes": [hole]})
        execute(database_url, "INSERT INTO areas VALUES ('a', 1, '/a', :data)", data=data)
        execute(database_url, "INSERT INTO areas VALUES ('b', 2, '/b', :data)", data=json.dumps(AREA))
        migrate.upgrade(database_url)
        engine = create_engine(sync_url(database_url))
        with engine.connect() as connection:
            shapes = {row.id: row.shape for row in connection.execute(text("SELECT id, shape FROM areas"))}
        engine.dispose()
        assert read(bytes(shapes["a"])).equals(Polygon(ring, [hole]))
        assert shapes["b"] is None

    def test_keeps_what_was_delivered(self, database_url: str) -> None:
        at(database_url, "0004")
        for statement in DELIVERED:
            execute(database_url, statement.replace("NOW", NOW[database_url[:6]]))
        migrate.upgrade(database_url)
        engine = create_engine(sync_url(database_url))
        with engine.connect() as connection:
            found = connection.execute(text(LEFT))
            assert found.all() == [("RC-1", "delivered")]
        engine.dispose()
