"""The folder of evidence: nothing half-written is served, nothing outside reached, nothing written twice."""

import asyncio
import os
import stat
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from store import evidence, images
from store.evidence import SIDECAR, EvidenceStore, Variant, media_type
from store.images import EvidenceMeta, EvidenceRejected, Photo
from tests.support import photos

ELSEWHERE = "0" * 64


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EvidenceStore]:
    store = EvidenceStore(tmp_path / "evidence")
    yield store
    store.close()


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Digests of the photos that were really decoded, in order."""
    seen: list[str] = []

    def inspect(data: bytes, *, zone: str) -> Photo:
        photo = images.inspect(data, zone=zone)
        seen.append(photo.meta.sha256)
        return photo

    monkeypatch.setattr(evidence, "inspect", inspect)
    return seen


def files_under(root: Path) -> dict[str, tuple[int, int]]:
    """Every file by its path below `root`, with what changes when it is written again."""
    found = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): (path.stat().st_ino, path.stat().st_mtime_ns) for path in found}


class TestPut:
    @pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "heic"])
    async def test_keeps_every_format_under_the_digest_of_its_bytes(self, store: EvidenceStore, kind: str) -> None:
        data = getattr(photos, kind)()
        meta = await store.put(data)
        original = store.open(meta.sha256, "original")
        assert meta.sha256 == sha256(data).hexdigest()
        assert original is not None
        assert original.read_bytes() == data
        assert media_type(original) == meta.media_type == f"image/{kind}"
        assert store.meta(meta.sha256) == meta

    async def test_keeps_what_the_camera_said_over_a_restart(self, store: EvidenceStore, tmp_path: Path) -> None:
        exif = photos.exif(captured="2026:10:01 09:30:00", position=(117.2272, 31.8206))
        meta = await store.put(photos.heic(exif=exif))
        assert meta.captured_at is not None
        assert EvidenceStore(tmp_path / "evidence").meta(meta.sha256) == meta

    async def test_tells_apart_photos_that_differ_only_in_metadata(self, store: EvidenceStore) -> None:
        plain = await store.put(photos.jpeg())
        tagged = await store.put(photos.jpeg(exif=photos.exif(maker="Nokia")))
        assert plain.sha256 != tagged.sha256

    async def test_of_the_same_photo_again_writes_nothing(self, store: EvidenceStore, tmp_path: Path) -> None:
        first = await store.put(photos.photo())
        before = files_under(tmp_path)
        assert await store.put(photos.photo()) == first
        assert files_under(tmp_path) == before

    async def test_of_the_same_photo_twenty_times_at_once_decodes_it_once(
        self, store: EvidenceStore, tmp_path: Path, decoded: list[str]
    ) -> None:
        metas = await asyncio.gather(*(store.put(photos.photo()) for _ in range(20)))
        assert len(set(metas)) == 1
        assert decoded == [metas[0].sha256]
        assert len(files_under(tmp_path)) == 4

    async def test_of_the_same_photo_by_several_processes_at_once_ends_well(self, tmp_path: Path) -> None:
        stores = [EvidenceStore(tmp_path / "evidence", decoders=2) for _ in range(3)]
        metas = await asyncio.gather(*(store.put(photos.photo()) for store in stores for _ in range(4)))
        for store in stores:
            store.close()
        assert len(set(metas)) == 1
        assert len(files_under(tmp_path)) == 4

    async def test_of_many_photos_at_once_keeps_each(self, store: EvidenceStore) -> None:
        metas = await asyncio.gather(*(store.put(photos.photo(seed)) for seed in range(1, 9)))
        digests = {meta.sha256 for meta in metas}
        assert len(digests) == 8
        assert store.has(digests) == digests

    @pytest.mark.parametrize("data", [b"", b"no photo", photos.photo()[:-40], photos.png_bomb()])
    async def test_of_what_is_refused_leaves_no_trace(self, store: EvidenceStore, tmp_path: Path, data: bytes) -> None:
        with pytest.raises(EvidenceRejected):
            await store.put(data)
        assert files_under(tmp_path) == {}
        assert store.meta(sha256(data).hexdigest()) is None

    async def test_makes_files_and_folders_that_others_cannot_read(self, store: EvidenceStore, tmp_path: Path) -> None:
        await store.put(photos.photo())
        for path in (tmp_path / "evidence").rglob("*"):
            mode = stat.S_IMODE(path.stat().st_mode)
            assert mode & ~(0o750 if path.is_dir() else 0o640) == 0
        assert stat.S_IMODE((tmp_path / "evidence").stat().st_mode) & ~0o750 == 0


class TestOpen:
    @pytest.mark.parametrize("variant", ["clean", "thumbnail"])
    async def test_gives_copies_without_exif(self, store: EvidenceStore, variant: Variant) -> None:
        meta = await store.put(photos.jpeg(exif=photos.exif(maker="SECRETMAKER")))
        path = store.open(meta.sha256, variant)
        assert path is not None
        assert media_type(path) == "image/jpeg"
        assert b"SECRETMAKER" not in path.read_bytes()

    async def test_gives_a_png_where_something_shines_through(self, store: EvidenceStore) -> None:
        image = photos.picture(mode="RGBA")
        image.putalpha(90)
        meta = await store.put(photos.webp(image))
        path = store.open(meta.sha256, "clean")
        assert path is not None
        assert media_type(path) == meta.clean_type == "image/png"

    def test_gives_nothing_for_a_photo_that_is_not_here(self, store: EvidenceStore) -> None:
        assert store.open(ELSEWHERE, "clean") is None
        assert store.meta(ELSEWHERE) is None

    async def test_gives_nothing_for_a_file_that_was_taken_away(self, store: EvidenceStore) -> None:
        meta = await store.put(photos.photo())
        path = store.open(meta.sha256, "thumbnail")
        assert path is not None
        path.unlink()
        assert store.open(meta.sha256, "thumbnail") is None


class TestHas:
    async def test_names_those_that_are_here(self, store: EvidenceStore) -> None:
        meta = await store.put(photos.photo())
        assert store.has([meta.sha256, ELSEWHERE, "nonsense", meta.sha256]) == {meta.sha256}
        assert store.has([]) == set()


class TestADigestThatIsNone:
    @pytest.mark.parametrize(
        "digest",
        [
            "",
            ".",
            "..",
            "../../../../etc/passwd",
            "/etc/passwd",
            "a" * 63,
            "a" * 65,
            "A" * 64,
            "a" * 64 + "\n",
            "a" * 60 + "/../",
            "../" * 21 + "a",
            "a" * 63 + "\0",
            "%2e%2e%2f" * 7 + "a",
            "０" * 64,
        ],
    )
    async def test_names_nothing(self, store: EvidenceStore, digest: str) -> None:
        await store.put(photos.photo())
        assert store.open(digest, "original") is None
        assert store.meta(digest) is None
        assert store.has([digest]) == set()

    async def test_names_nothing_though_it_differs_by_case_only(self, store: EvidenceStore) -> None:
        meta = await store.put(photos.photo())
        assert store.meta(meta.sha256.upper()) is None


class TestAfterACrash:
    @pytest.mark.parametrize("survivors", range(4))
    async def test_in_mid_write_nothing_is_served_and_the_next_upload_completes_it(
        self, store: EvidenceStore, monkeypatch: pytest.MonkeyPatch, survivors: int
    ) -> None:
        digest = sha256(photos.photo()).hexdigest()
        with monkeypatch.context() as patched:
            _lose_power_after(survivors, patched)
            with pytest.raises(OSError, match="power"):
                await store.put(photos.photo())
        assert store.meta(digest) is None
        assert store.open(digest, "original") is None
        assert store.has([digest]) == set()
        assert (await store.put(photos.photo())).sha256 == digest
        assert store.has([digest]) == {digest}

    async def test_a_temporary_file_left_behind_does_no_harm(self, store: EvidenceStore, tmp_path: Path) -> None:
        digest = sha256(photos.photo()).hexdigest()
        folder = tmp_path / "evidence" / digest[:2] / digest[2:4] / digest
        folder.mkdir(parents=True)
        (folder / ".left.part").write_bytes(b"half a pho")
        (folder / "original.jpg").write_bytes(b"half a pho")
        assert store.open(digest, "original") is None
        await store.put(photos.photo())
        path = store.open(digest, "original")
        assert path is not None
        assert path.read_bytes() == photos.photo()

    @pytest.mark.parametrize("damage", [b"", b"{", b'{"sha256": 1}', b"\xff\xfe"])
    async def test_a_damaged_sidecar_counts_as_none_and_is_mended(
        self, store: EvidenceStore, tmp_path: Path, damage: bytes
    ) -> None:
        meta = await store.put(photos.photo())
        sidecar = next((tmp_path / "evidence").rglob(SIDECAR))
        sidecar.write_bytes(damage)
        assert store.meta(meta.sha256) is None
        assert await store.put(photos.photo()) == meta
        assert EvidenceMeta.model_validate_json(sidecar.read_bytes()) == meta

    async def test_a_full_disk_leaves_no_temporary_file(
        self, store: EvidenceStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        (tmp_path / "evidence").mkdir()
        monkeypatch.setattr(evidence, "_sync_folder", lambda _: None)
        with pytest.raises(OSError, match="No space"):
            await store.put(photos.photo())
        assert files_under(tmp_path) == {}


def _lose_power_after(count: int, patched: pytest.MonkeyPatch) -> None:
    """The write after `count` whole ones never happens."""
    whole = evidence._write
    written: list[Path] = []

    def write(path: Path, data: bytes) -> None:
        if len(written) == count:
            raise OSError("power lost")
        whole(path, data)
        written.append(path)

    patched.setattr(evidence, "_write", write)
