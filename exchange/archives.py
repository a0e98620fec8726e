"""ZIP archives (workbooks are some) from anybody: what they would unpack to is known before a byte of it is unpacked.

The sizes in a directory of an archive are its maker's claim, so reading counts as well and stops where it exceeds them.
"""

import lzma
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from zipfile import BadZipFile, LargeZipFile, ZipFile, ZipInfo

from exchange.cells import BadFile

#: Unpacked, all files together. 100,000 points are 60 MB of XML.
MOST_UNPACKED = 1_000_000_000
MOST_FILES = 2_000
#: Unpacked to packed. XML of like rows reaches 30; a bomb 1,000.
MOST_RATIO = 200
#: Below this, the ratio says nothing.
_SMALL = 10_000_000
_CHUNK = 1 << 16
_ENCRYPTED = 0x1
#: Of `zipfile` and what it unpacks with: a place before the file (OSError), a name in no encoding (ValueError).
_BROKEN = (
    BadZipFile,
    LargeZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    OSError,
    ValueError,
    struct.error,
)


@contextmanager
def opened(path: Path) -> Iterator[ZipFile]:
    """Raises BadFile for what is no archive, or one that is not to be unpacked."""
    try:
        archive = ZipFile(path)
    except _BROKEN as error:
        raise BadFile("broken_archive") from error
    with archive:
        _refuse_bombs(archive.infolist())
        yield archive


def _refuse_bombs(files: list[ZipInfo]) -> None:
    if any(each.flag_bits & _ENCRYPTED for each in files):
        raise BadFile("encrypted")
    unpacked, packed = sum(each.file_size for each in files), sum(each.compress_size for each in files)
    if len(files) > MOST_FILES or unpacked > MOST_UNPACKED:
        raise BadFile("unpacks_too_large", megabytes=unpacked // 1_000_000, most=MOST_UNPACKED // 1_000_000)
    if unpacked > _SMALL and unpacked > packed * MOST_RATIO:
        raise BadFile("zip_bomb", ratio=unpacked // max(packed, 1))


def chunks(archive: ZipFile, name: str) -> Iterator[bytes]:
    """The unpacked bytes; never more than the archive declared. KeyError for a name that is not in it."""
    left = archive.getinfo(name).file_size
    try:
        with archive.open(name) as file:
            while piece := file.read(_CHUNK):
                left -= len(piece)
                if left < 0:
                    raise BadFile("broken_archive")
                yield piece
    except _BROKEN as error:
        raise BadFile("broken_archive") from error


def begins(file: IO[bytes]) -> bytes:
    head = file.read(8)
    file.seek(0)
    return head
