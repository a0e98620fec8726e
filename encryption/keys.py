"""The key ring as a running process sees it: read again when its file has changed, so that nothing need be restarted.

A ring that cannot be read then is reported, and the last good one goes on being used.
"""

import time
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from encryption.ring import BadRing, Ring, load

#: Seconds between two looks at the file.
LOOK_EVERY = 1.0

_log = structlog.get_logger()


class Keys:
    """Raises BadRing if there is no good ring to begin with."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = self._signature()
        self._looked = time.monotonic()
        self._take(load(path))

    def current(self) -> tuple[str, AESGCM] | None:
        """Id and cipher of the key that encrypts; None: encryption is switched off."""
        if time.monotonic() - self._looked >= LOOK_EVERY:
            self._look()
        return self._current

    def find(self, name: str) -> AESGCM | None:
        """For a name that is not known, the file is looked at first: others may have been quicker to rotate."""
        if name not in self._ciphers or time.monotonic() - self._looked >= LOOK_EVERY:
            self._look()
        return self._ciphers.get(name)

    def _look(self) -> None:
        self._looked = time.monotonic()
        signature = self._signature()
        if signature == self._seen:
            return
        self._seen = signature
        try:
            self._take(load(self._path))
        except BadRing as error:
            _log.error("payload_keys_not_reloaded", error=str(error))
        else:
            _log.info("payload_keys_reloaded", keys=len(self._ciphers))

    def _take(self, ring: Ring) -> None:
        self._ciphers = {key.id: AESGCM(key.secret.get_secret_value()) for key in ring.keys}
        name = ring.current
        self._current = None if name is None else (name, self._ciphers[name])

    def _signature(self) -> tuple[int, int, int] | None:
        """Another file has another one, even within the clock's grain: a new ring is a new inode."""
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino, status.st_size
