"""The data folder: one instance at a time, and no release touches what a newer one has written."""

import json
import stat
from pathlib import Path

import pytest

from directory.demo_city import demo_directory
from directory.places import Places
from embedded.folder import FORMAT, Folder
from embedded.refusals import Refusal
from embedded.seed import Credentials, seed
from store import directory, migrate, tokens
from store.database import open_engine


def open_and_close(path: Path) -> None:
    with Folder(path).taken():
        pass


class TestFolder:
    def test_a_new_one_is_made_and_says_its_format(self, tmp_path: Path) -> None:
        open_and_close(tmp_path / "a" / "b")
        assert json.loads((tmp_path / "a" / "b" / "format.json").read_text()) == {"format": FORMAT}

    def test_a_second_instance_is_refused_until_the_first_is_gone(self, tmp_path: Path) -> None:
        with Folder(tmp_path).taken(), pytest.raises(Refusal, match=r"正被另一个实例使用.*in use by another instance"):
            open_and_close(tmp_path)
        open_and_close(tmp_path)

    def test_one_of_a_newer_version_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "format.json").write_text(json.dumps({"format": FORMAT + 1}))
        with pytest.raises(Refusal, match=r"来自更新的版本.*newer version"):
            open_and_close(tmp_path)

    @pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": "x"}', "null"])
    def test_a_damaged_format_is_refused(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "format.json").write_text(text)
        with pytest.raises(Refusal, match="damaged"):
            open_and_close(tmp_path)

    def test_one_that_cannot_be_made_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(Refusal, match="cannot write"):
            open_and_close(tmp_path / "file" / "data")


class Seeded:
    def __init__(self, path: Path) -> None:
        self.folder = Folder(path)
        self.url = f"sqlite:///{path}/rectify.db"
        migrate.upgrade(self.url)

    async def start(self) -> Credentials:
        return await seed(self.url, self.folder)


class TestDemonstrationCity:
    async def test_everybody_gets_a_token_that_only_the_owner_of_the_file_can_read(self, tmp_path: Path) -> None:
        seeded = Seeded(tmp_path)
        issued = await seeded.start()
        written = json.loads(seeded.folder.tokens.read_text())
        assert written == issued
        assert written.keys() == demo_directory().user_by_id.keys()
        assert stat.S_IMODE(seeded.folder.tokens.stat().st_mode) == 0o600
        assert all(
            entry.keys() == {"role", "unit", "area", "grid", "lon", "lat", "token"} for entry in written.values()
        )

    async def test_an_officer_stands_in_a_grid_of_his_own(self, tmp_path: Path) -> None:
        issued = await Seeded(tmp_path).start()
        city = demo_directory()
        places = Places(city)
        officers = [entry for entry in issued.values() if entry["role"] == "officer"]
        assert len(officers) == 3
        for entry in officers:
            assert entry["grid"] is not None
            assert entry["lon"] is not None
            assert entry["lat"] is not None
            assert city.within(entry["grid"], entry["area"] or "")
            assert places.contains(entry["grid"], entry["lon"], entry["lat"])

    async def test_what_is_there_is_never_touched_again(self, tmp_path: Path) -> None:
        seeded = Seeded(tmp_path)
        await seeded.start()
        before = seeded.folder.tokens.read_bytes()
        assert await seeded.start() == {}
        assert seeded.folder.tokens.read_bytes() == before

    async def test_a_lost_file_is_not_replaced(self, tmp_path: Path) -> None:
        seeded = Seeded(tmp_path)
        await seeded.start()
        seeded.folder.tokens.unlink()
        assert await seeded.start() == {}
        assert not seeded.folder.tokens.exists()

    async def test_a_start_that_was_interrupted_is_made_good(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seeded = Seeded(tmp_path)
        with monkeypatch.context() as broken:
            broken.setattr(tokens, "issue", None)
            with pytest.raises(TypeError):
                await seeded.start()
        engine = open_engine(seeded.url)
        assert not await directory.is_empty(engine)
        await engine.dispose()
        assert (await seeded.start()).keys() == demo_directory().user_by_id.keys()
