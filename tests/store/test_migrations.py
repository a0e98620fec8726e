"""The migrations build exactly the tables the code declares, on both databases, and say how far one has come."""

import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlmodel import SQLModel

from store import migrate, tables
from store.database import sync_url


def execute(url: str, statement: str) -> None:
    engine = create_engine(sync_url(url))
    with engine.begin() as connection:
        connection.execute(text(statement))
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
