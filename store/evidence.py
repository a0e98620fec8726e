"""Keeps evidence in a folder, under the SHA-256 of the bytes that were uploaded.

    root/ab/cd/abcd…/original.heic  clean.jpg  thumbnail.jpg  meta.json

Every file appears whole or not at all (written aside, synced, renamed), and `meta.json` appears last: where
it is, the photo is complete; where it is not, nothing is served, and the next upload of the same photo ends
the work. A photo is written once and never changed, so several processes may share the folder without locks.

Knows nothing of cases, users or who may see what.
"""

import asyncio
import os
import re
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from store.images import DEFAULT_ZONE, EvidenceMeta, check_size, inspect

Variant = Literal["clean", "thumbnail", "original"]

SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "image/heic": ".heic"}
SIDECAR = "meta.json"
FOLDER_MODE = 0o750

_DIGEST = re.compile(r"[0-9a-f]{64}")


class EvidenceStore:
    """The only door to the folder; digests that are not 64 lower-case hex digits name nothing in it.

    `decoders` bounds how many photos are in memory as pixels (up to some 400 MB each). The bound is a pool of
    threads and not a semaphore: a request that is cancelled leaves its thread at work, and still counts.
    """

    def __init__(self, root: Path, *, zone: str = DEFAULT_ZONE, decoders: int = 1) -> None:
        self._root = root
        self._zone = zone
        self._pool = ThreadPoolExecutor(max_workers=decoders, thread_name_prefix="evidence")

    async def put(self, data: bytes) -> EvidenceMeta:
        """Keep the photo and say what it is; again and again the same. Raises EvidenceRejected."""
        check_size(len(data))
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._put, data)

    def open(self, sha256: str, variant: Variant) -> Path | None:
        """File of a complete photo; its suffix tells its type (`media_type`)."""
        meta = self.meta(sha256)
        if meta is None:
            return None
        path = self._folder(sha256) / _file_name(meta, variant)
        return path if path.is_file() else None

    def meta(self, sha256: str) -> EvidenceMeta | None:
        if not _DIGEST.fullmatch(sha256):
            return None
        try:
            return EvidenceMeta.model_validate_json((self._folder(sha256) / SIDECAR).read_bytes())
        except (
            FileNotFoundError,
            ValidationError,
        ):  # a damaged sidecar is a missing one: an upload restores it
            return None

    def has(self, sha256s: Iterable[str]) -> set[str]:
        """Those of the digests whose photos are here, complete."""
        return {digest for digest in sha256s if self.meta(digest) is not None}

    def close(self) -> None:
        """Wait for photos being written."""
        self._pool.shutdown()

    def _put(self, data: bytes) -> EvidenceMeta:
        digest = sha256(data).hexdigest()
        known = self.meta(digest)
        if known is not None:
            return known
        photo = inspect(data, zone=self._zone)
        folder = self._folder(digest)
        self._make(folder)
        _write(folder / _file_name(photo.meta, "original"), data)
        _write(folder / _file_name(photo.meta, "clean"), photo.clean)
        _write(folder / _file_name(photo.meta, "thumbnail"), photo.thumbnail)
        _write(folder / SIDECAR, photo.meta.model_dump_json().encode())
        return photo.meta

    def _folder(self, digest: str) -> Path:
        return self._root / digest[:2] / digest[2:4] / digest

    def _make(self, folder: Path) -> None:
        """Each level by itself, for `parents=True` would not give the mode to those between."""
        self._root.parent.mkdir(parents=True, exist_ok=True)
        for level in (self._root, folder.parent.parent, folder.parent, folder):
            level.mkdir(mode=FOLDER_MODE, exist_ok=True)
            _sync_folder(level.parent)


def media_type(path: Path) -> str:
    """Type of a file that `EvidenceStore.open` gave."""
    return next(kind for kind, suffix in SUFFIXES.items() if suffix == path.suffix)


def _file_name(meta: EvidenceMeta, variant: Variant) -> str:
    types = {"original": meta.media_type, "clean": meta.clean_type, "thumbnail": "image/jpeg"}
    return variant + SUFFIXES[types[variant]]


def _write(path: Path, data: bytes) -> None:
    """Atomic and durable; mode 0600, which is what `mkstemp` gives."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """A rename survives a power cut only once its folder is on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
