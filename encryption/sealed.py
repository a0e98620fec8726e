"""How an encrypted payload looks from outside, what can be wrong with one, and the converter of who has no keys."""

from collections.abc import Mapping
from typing import NoReturn

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.converter import DefaultFailureConverter, EncodingPayloadConverter, PayloadConverter

from domain.errors import RectifyError

ENCODING = b"binary/encrypted"
#: Metadata of an encrypted payload, beside its encoding: which key reads it, and which workflow it belongs to.
KEY, OWNER = "key", "workflow"


class Unreadable(RectifyError):
    """Base of the three. Not `Unavailable`: who falls back when no worker answers must not hide a lacking key."""


class KeyMissing(Unreadable):
    """Nothing is lost: with the key it can be read, so tasks fail and are tried again."""

    status = 503

    def __init__(self, key: str) -> None:
        super().__init__("payload_key_missing", key=key)

    def __str__(self) -> str:
        return f"{self.code}: {self.params['key']} is not in the key ring"


class Damaged(Unreadable):
    """It was changed after it was encrypted, or it was written by somebody who has not the key."""

    def __init__(self, key: str) -> None:
        super().__init__("payload_damaged", key=key)

    def __str__(self) -> str:
        return f"{self.code}: it is not what was encrypted with {self.params['key']}"


class Misplaced(Unreadable):
    """It is sound, and belongs to another workflow."""

    def __init__(self) -> None:
        super().__init__("payload_misplaced")


def is_sealed(payload: Payload) -> bool:
    return payload.metadata.get("encoding") == ENCODING


def key_of(payload: Payload) -> str:
    return payload.metadata.get(KEY, b"").decode(errors="replace")


def bound(metadata: Mapping[str, bytes]) -> bytes:
    """What is authenticated beside the content. No id holds a zero byte."""
    return b"\0".join(metadata.get(name, b"") for name in ("encoding", KEY, OWNER))


class WithoutKeys(EncodingPayloadConverter):
    """Encrypts nothing, and says clearly where it meets what is encrypted: every reading raises KeyMissing."""

    @property
    def encoding(self) -> str:
        return ENCODING.decode()

    def to_payload(self, value: object) -> None:
        """Nothing is written like this."""

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> NoReturn:  # noqa: ARG002 - the SDK's
        raise KeyMissing(key_of(payload))


class SealedFailures(DefaultFailureConverter):
    """Texts and stack traces of failures become payloads.

    Those of this module stay in clear: who lacks a key must be able to read that it is lacking.
    """

    def __init__(self) -> None:
        super().__init__(encode_common_attributes=True)

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        super().to_failure(exception, payload_converter, failure)
        if isinstance(exception, Unreadable):
            failure.ClearField("encoded_attributes")
            failure.message = str(exception)
