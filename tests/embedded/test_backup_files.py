"""What a back-up is made of, and everything that is refused: damaged, newer, unfinished, a folder in use."""

import errno
import os
import shutil
import sqlite3
import stat
import subprocess
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import app
from embedded.backup import FORMAT, SUMS, Manifest, make
from embedded.folder import BACKUP, UNFINISHED, Folder
from embedded.refusals import Refusal
from embedded.restore import restore
from settings import Settings
from store import migrate

PHOTO = Path("evidence/ab/cd") / ("abcd" + "0" * 60) / "original.jpg"


def typed(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(autouse=True)
def only_options_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RECTIFY_DATABASE_URL", raising=False)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder as `rectify up` leaves it, with a stand-in for Temporal's file."""
    data = tmp_path / "data"
    with Folder(data).taken():
        pass
    with closing(sqlite3.connect(data / "temporal.db")) as temporal:
        temporal.executescript(
            "PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (randomblob(90000))"
        )
    migrate.upgrade(f"sqlite:///{data}/rectify.db")
    (data / "tokens.json").write_text("{}")
    (data / "tokens.json").chmod(0o600)
    (data / PHOTO).parent.mkdir(parents=True)
    (data / PHOTO).write_bytes(b"pixels")
    (data / PHOTO).chmod(0o600)
    (data / PHOTO).with_name(".being-written.part").write_bytes(b"pix")
    return data


@pytest.fixture
def target(data: Path, tmp_path: Path) -> Path:
    make(Settings(data=data), tmp_path / "backup")
    return tmp_path / "backup"


def files(folder: Path) -> set[str]:
    """Those that SQLite keeps beside a database while somebody reads are no news."""
    found = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(("-wal", "-shm")))
    return {str(path.relative_to(folder)) for path in found}


class TestABackup:
    def test_has_what_a_city_is_made_of_and_nothing_else(self, target: Path) -> None:
        wanted = {"temporal.db", "rectify.db", "tokens.json", "format.json", str(PHOTO), SUMS, BACKUP}
        assert files(target) == wanted

    def test_can_be_verified_without_us(self, target: Path) -> None:
        command = ("sha256sum", "-c", "--strict", SUMS)
        checked = subprocess.run(command, cwd=target, capture_output=True, check=False)  # noqa: S603 - a constant
        assert (checked.returncode, checked.stdout.count(b"OK")) == (0, 5)

    def test_is_for_nobody_elses_eyes(self, target: Path) -> None:
        modes = {stat.S_IMODE(path.stat().st_mode) for path in target.rglob("*") if path.is_file()}
        folders = {stat.S_IMODE(path.stat().st_mode) for path in (target, *target.rglob("*")) if path.is_dir()}
        assert (modes, folders) == ({0o600}, {0o700})

    def test_needs_no_second_place_for_photos_on_the_same_disk(self, data: Path, target: Path) -> None:
        assert (target / PHOTO).samefile(data / PHOTO)

    def test_copies_them_to_another_disk(self, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def elsewhere(*_: object) -> None:
            raise OSError(errno.EXDEV, "another disk")

        monkeypatch.setattr(os, "link", elsewhere)
        make(Settings(data=data), tmp_path / "backup")
        assert (tmp_path / "backup" / PHOTO).read_bytes() == b"pixels"
        assert not (tmp_path / "backup" / PHOTO).samefile(data / PHOTO)

    def test_takes_what_is_committed_but_not_yet_in_the_main_file(self, data: Path, tmp_path: Path) -> None:
        with closing(sqlite3.connect(data / "temporal.db")) as temporal:
            temporal.execute("INSERT INTO t VALUES (1)")
            temporal.commit()
            temporal.execute("INSERT INTO t VALUES (2)")  # of a transaction that is still open
            make(Settings(data=data), tmp_path / "backup")
        with closing(sqlite3.connect(tmp_path / "backup" / "temporal.db")) as copy:
            assert copy.execute("SELECT x FROM t WHERE typeof(x) = 'integer'").fetchall() == [(1,)]

    def test_finds_lists_that_lie_elsewhere(self, data: Path, tmp_path: Path) -> None:
        (data / "rectify.db").rename(tmp_path / "lists.db")
        manifest = make(Settings(data=data, database_url=f"sqlite:///{tmp_path}/lists.db"), tmp_path / "backup")
        assert manifest.tables == migrate.head()
        assert "rectify.db" in files(tmp_path / "backup")

    def test_leaves_lists_in_postgresql_to_pg_dump_and_says_so(
        self, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("RECTIFY_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
        done = typed("backup", tmp_path / "backup", "--data", data)
        assert (done.exit_code, "pg_dump" in done.stdout) == (0, True)
        assert "rectify.db" not in files(tmp_path / "backup")
        assert "PostgreSQL" in typed("restore", tmp_path / "backup", "--data", tmp_path / "new").stdout

    def test_says_that_it_is_secret_and_that_keys_are_not_in_it(
        self, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert "密钥" not in (said := typed("backup", tmp_path / "one", "--data", data).stdout)
        assert "personal data" in said
        monkeypatch.setenv("RECTIFY_PAYLOAD_KEYS", str(tmp_path / "ring.json"))
        assert "密钥" in typed("backup", tmp_path / "two", "--data", data).stdout


def no_data(data: Path) -> Path:
    shutil.rmtree(data)
    return data.with_name("backup")


def occupied(data: Path) -> Path:
    (data.with_name("backup") / "sub").mkdir(parents=True)
    return data.with_name("backup")


def broken(data: Path) -> Path:
    with (data / "temporal.db").open("r+b") as file:
        file.seek(40_000)
        file.write(b"\xff" * 8192)
    return data.with_name("backup")


def newer(data: Path) -> Path:
    (data / "format.json").write_text('{"format": 99}')
    return data.with_name("backup")


class TestABackupThatCannotBe:
    @pytest.mark.parametrize(
        ("prepare", "why"),
        [
            (no_data, "no data folder"),
            (occupied, "is there already"),
            (broken, "temporal.db is damaged"),
            (newer, "newer version"),
            (lambda data: data / "backup", "lost with it"),
        ],
    )
    def test_is_refused_in_one_line_and_leaves_nothing(
        self, data: Path, prepare: Callable[[Path], Path], why: str
    ) -> None:
        target = prepare(data)
        before = files(data.parent)
        refused = typed("backup", target, "--data", data)
        assert (refused.exit_code, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
        assert why in refused.stderr
        assert files(data.parent) == before

    def test_for_want_of_space_leaves_nothing(
        self, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(_handle: int) -> None:
            raise OSError(errno.ENOSPC, "no space left on device")

        before = files(tmp_path)
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(Refusal, match="no space left"):
            make(Settings(data=data), tmp_path / "backup")
        assert files(tmp_path) == before


class TestARestore:
    def test_gives_back_what_was_backed_up(self, data: Path, target: Path, tmp_path: Path) -> None:
        done = typed("restore", target, "--data", tmp_path / "deep" / "new")
        assert done.exit_code == 0, done.stderr
        new = tmp_path / "deep" / "new"
        kept = {"temporal.db", "tokens.json", "format.json", str(PHOTO)}
        assert all((new / name).read_bytes() == (target / name).read_bytes() for name in kept)
        assert files(new) - {"lock", "restored.json"} == kept | {"rectify.db"}
        assert not (new / PHOTO).samefile(target / PHOTO)
        assert {stat.S_IMODE((new / name).stat().st_mode) for name in (*kept, "rectify.db")} == {0o600}

    def test_into_an_empty_folder_is_as_good(self, target: Path, tmp_path: Path) -> None:
        (tmp_path / "new").mkdir()
        restore(target, Folder(tmp_path / "new"))
        assert (tmp_path / "new" / "temporal.db").exists()

    def test_leaves_room_for_the_positions_that_were_given_since(self, data: Path, tmp_path: Path) -> None:
        with closing(sqlite3.connect(data / "rectify.db")) as lists:
            lists.execute("INSERT INTO events (case_id, seq, at, type, data) VALUES ('c', 1, 0, 'X', '{}')")
            lists.commit()
        manifest = make(Settings(data=data), tmp_path / "backup")
        old = manifest.model_copy(update={"at": datetime.now(UTC) - timedelta(days=1)})
        (tmp_path / "backup" / BACKUP).write_text(old.model_dump_json())
        restore(tmp_path / "backup", Folder(tmp_path / "new"))
        with closing(sqlite3.connect(tmp_path / "new" / "rectify.db")) as lists:
            (last,) = lists.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
        assert last > 86_400 * 10_000


def changed(name: str | Path) -> Callable[[Path], None]:
    """One bit of it."""

    def change(target: Path) -> None:
        whole = bytearray((target / name).read_bytes())
        whole[len(whole) // 2] ^= 1
        (target / name).unlink()  # a photo is the same file as in the data folder
        (target / name).write_bytes(whole)

    return change


def lost(name: str | Path) -> Callable[[Path], None]:
    return lambda target: (target / name).unlink()


def cut(name: str) -> Callable[[Path], None]:
    return lambda target: os.truncate(target / name, (target / name).stat().st_size // 2)


def listing(line: str) -> Callable[[Path], None]:
    """A list that somebody has changed on purpose, with the right digest."""

    def change(target: Path) -> None:
        (target / SUMS).write_text((target / SUMS).read_text() + line + "\n")
        manifest = Manifest.model_validate_json((target / BACKUP).read_text())
        sums = sha256((target / SUMS).read_bytes()).hexdigest()
        (target / BACKUP).write_text(manifest.model_copy(update={"sums": sums}).model_dump_json())

    return change


def of_the_future(**fields: object) -> Callable[[Path], None]:
    def change(target: Path) -> None:
        manifest = Manifest.model_validate_json((target / BACKUP).read_text())
        (target / BACKUP).write_text(manifest.model_copy(update=fields).model_dump_json())

    return change


UNFIT = {
    "a database with one bit changed": (changed("temporal.db"), "temporal.db"),
    "a photo with one bit changed": (changed(PHOTO), "original.jpg"),
    "a list with one bit changed": (changed(SUMS), SUMS),
    "a database cut short": (cut("rectify.db"), "rectify.db"),
    "a statement cut short": (cut(BACKUP), BACKUP),
    "a lost photo": (lost(PHOTO), "original.jpg"),
    "a lost list": (lost(SUMS), SUMS),
    "never finished": (lost(BACKUP), "never finished"),
    "a way out of the folder": (listing("0" * 64 + "  evidence/../../stolen"), SUMS),
    "a place on the machine": (listing("0" * 64 + "  /etc/motd"), SUMS),
    "no list at all": (listing("nonsense"), SUMS),
    "a newer layout": (of_the_future(format=FORMAT + 1), "newer release"),
    "newer tables": (of_the_future(tables="9999"), "newer release"),
}


class TestABackupThatIsNoGood:
    @pytest.mark.parametrize(("damage", "why"), UNFIT.values(), ids=UNFIT)
    def test_is_refused_in_one_line_and_nothing_is_restored(
        self, target: Path, tmp_path: Path, damage: Callable[[Path], None], why: str
    ) -> None:
        damage(target)
        refused = typed("restore", target, "--data", tmp_path / "new")
        assert (refused.exit_code, refused.stdout, refused.stderr.count("\n")) == (2, "", 1), refused.stderr
        assert why in refused.stderr
        assert not (tmp_path / "new").exists()


class TestAFolderToRestoreTo:
    def test_that_holds_something_is_left_alone(self, data: Path, target: Path) -> None:
        before = files(data)
        refused = typed("restore", target, "--data", data)
        assert (refused.exit_code, "not empty" in refused.stderr) == (2, True)
        assert files(data) == before

    def test_that_is_in_use_is_left_alone(self, target: Path, tmp_path: Path) -> None:
        with Folder(tmp_path / "new").taken():
            assert "in use by another instance" in typed("restore", target, "--data", tmp_path / "new").stderr

    def test_is_not_started_while_it_is_half_done(self, tmp_path: Path) -> None:
        (tmp_path / "new" / UNFINISHED).mkdir(parents=True)
        with pytest.raises(Refusal, match="restore was interrupted"), Folder(tmp_path / "new").taken():
            pass

    def test_is_not_the_backup_itself(self, target: Path) -> None:
        before = files(target)
        with pytest.raises(Refusal, match="is a back-up"), Folder(target).taken():
            pass
        assert files(target) == before
