"""The key ring: a JSON file that its owner alone may read. One key encrypts, all decrypt.

Written whole under another name and then renamed, so that whoever reads it sees the old ring or the new one.
"""

import base64
import json
import os
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretBytes,
    ValidationError,
    model_validator,
)

_KEY_BYTES = 32
_FOR_OTHERS = 0o077
_NAMES = r"^k-[0-9]{8}-[0-9a-f]{8}$"


class BadRing(Exception):
    """The ring cannot be used. One line, Chinese first, and nothing of a key in it."""

    def __init__(self, chinese: str, english: str) -> None:
        super().__init__(f"{chinese} {english}")
        self.chinese = chinese
        self.english = english


def _decoded(text: object) -> object:
    return base64.b64decode(text, validate=True) if isinstance(text, str) else text


def _encoded(secret: SecretBytes) -> str:
    return base64.b64encode(secret.get_secret_value()).decode()


Secret = Annotated[
    SecretBytes,
    Field(min_length=_KEY_BYTES, max_length=_KEY_BYTES),
    BeforeValidator(_decoded),
    PlainSerializer(_encoded, when_used="json"),
]


class Key(BaseModel):
    """Its id stands in clear in everything that it encrypts, and is never given a second time."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    id: Annotated[str, Field(pattern=_NAMES)]
    created: AwareDatetime
    secret: Secret

    @classmethod
    def new(cls) -> Self:
        now = datetime.now(UTC).replace(microsecond=0)
        name = f"k-{now:%Y%m%d}-{secrets.token_hex(4)}"
        return cls(id=name, created=now, secret=SecretBytes(secrets.token_bytes(_KEY_BYTES)))


class Ring(BaseModel):
    """Without `current` nothing is encrypted any more, and everything is still read."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    current: str | None = None
    keys: tuple[Key, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        names = [key.id for key in self.keys]
        if len(set(names)) < len(names):
            raise ValueError("two keys have the same id")
        if self.current is not None and self.current not in names:
            raise ValueError("`current` names no key of the ring")
        return self

    def with_key(self, key: Key) -> Self:
        return self.model_copy(update={"keys": (*self.keys, key)})

    def without(self, name: str) -> Self:
        return self.model_copy(update={"keys": tuple(key for key in self.keys if key.id != name)})

    def encrypting_with(self, name: str | None) -> Self:
        return self.model_copy(update={"current": name})


def load(path: Path) -> Ring:
    """Raises BadRing."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & _FOR_OTHERS:
                raise BadRing(
                    f"密钥环 {path} 可被他人读取，请 chmod 600。", "others may read the key ring: chmod 600 it"
                )
            return Ring.model_validate_json(file.read())
    except OSError as error:
        raise BadRing(f"无法读取密钥环 {path}。", f"cannot read the key ring: {error.strerror}") from None
    except ValidationError as error:
        raise BadRing(f"密钥环 {path} 有误。", f"the key ring is damaged: {_why(error)}") from None


def _why(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"{'.'.join(map(str, first['loc']))} {first['msg']}".strip()


def edit(path: Path, change: Callable[[Ring], Ring]) -> Ring:
    """Changes the ring, or founds it. The file it is written to first is also the lock. Raises BadRing."""
    part = path.with_name(path.name + ".part")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            after = change(load(path) if path.exists() else Ring())
            _write(handle, after)
            part.replace(path)
            _settle(path.parent)
        finally:
            part.unlink(missing_ok=True)
    except FileExistsError:
        raise BadRing(f"密钥环正被修改；若非如此请删除 {part}。", "being changed; if not, delete that file") from None
    except OSError as error:
        raise BadRing(f"无法写入密钥环 {path}。", f"cannot write the key ring: {error.strerror}") from None
    return after


def _write(handle: int, ring: Ring) -> None:
    """It is on the disk before anything is encrypted by it."""
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(ring.model_dump(mode="json"), file, indent=1)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())


def _settle(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
