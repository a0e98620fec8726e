"""The codec between the data converter and Temporal: AES-256-GCM, every payload bound to its workflow.

An encrypted payload says in clear which key reads it and whose it is; both are authenticated with the content, which is
the whole payload as it was, its own metadata included. What is not encrypted passes as it is: a case whose history
began in plain goes on. See docs/adr/0013.
"""

import os
from collections.abc import Sequence
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    ActivitySerializationContext,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)

from encryption.keys import Keys
from encryption.sealed import ENCODING, KEY, OWNER, Damaged, KeyMissing, Misplaced, bound, is_sealed, key_of

#: The size that AES-GCM is made for.
_NONCE = 12


class CaseCodec(PayloadCodec, WithSerializationContext):
    """`owner`: the workflow whose payloads these are.

    Without it, what is encrypted is bound to none, and what belongs to anyone is read: Temporal's UI does not tell.
    """

    def __init__(self, keys: Keys, owner: bytes = b"") -> None:
        self._keys = keys
        self._owner = owner

    def with_context(self, context: SerializationContext) -> Self:
        if not isinstance(context, WorkflowSerializationContext | ActivitySerializationContext):
            return self
        return type(self)(self._keys, (context.workflow_id or "").encode())

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        current = self._keys.current()
        if current is None:
            return list(payloads)
        return [self._sealed(payload, *current) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Raises KeyMissing, Damaged, Misplaced."""
        return [self._opened(payload) if is_sealed(payload) else payload for payload in payloads]

    def _sealed(self, payload: Payload, key: str, cipher: AESGCM) -> Payload:
        metadata = {"encoding": ENCODING, KEY: key.encode()}
        if self._owner:
            metadata[OWNER] = self._owner
        nonce = os.urandom(_NONCE)
        content = cipher.encrypt(nonce, payload.SerializeToString(), bound(metadata))
        return Payload(metadata=metadata, data=nonce + content)

    def _opened(self, payload: Payload) -> Payload:
        key = key_of(payload)
        cipher = self._keys.find(key)
        if cipher is None:
            raise KeyMissing(key)
        if self._owner and payload.metadata.get(OWNER, self._owner) != self._owner:
            raise Misplaced
        nonce, content = payload.data[:_NONCE], payload.data[_NONCE:]
        try:
            return Payload.FromString(cipher.decrypt(nonce, content, bound(payload.metadata)))
        except (InvalidTag, ValueError, DecodeError):
            raise Damaged(key) from None
