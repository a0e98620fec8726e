"""The one place where it is decided how payloads leave and enter a process."""

from dataclasses import replace
from pathlib import Path

from temporalio.converter import DataConverter

from encryption.sealed import SealedFailures, WithoutKeys
from workflows.conversion import LeanPayloadConverter

_LEAN = DataConverter(payload_converter_class=LeanPayloadConverter)


class _Plain(LeanPayloadConverter):
    """No codec: the SDK would pass every payload through it, which costs a worker a tenth of its time."""

    def __init__(self) -> None:
        super().__init__(_WITHOUT_KEYS)


_WITHOUT_KEYS = WithoutKeys()
_PLAIN = DataConverter(payload_converter_class=_Plain)


def data_converter(ring: Path | None) -> DataConverter:
    """Encrypts by the key ring; without one, in plain. Raises BadRing."""
    if ring is None:
        return _PLAIN
    from encryption.codec import CaseCodec  # cryptography takes long to import
    from encryption.keys import Keys

    return replace(_LEAN, payload_codec=CaseCodec(Keys(ring)), failure_converter_class=SealedFailures)
