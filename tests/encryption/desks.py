"""Desks whose clients and workers encrypt, and what of a history is still to be read by everybody."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload, SearchAttributes
from temporalio.client import Client, WorkflowHistory
from temporalio.testing import WorkflowEnvironment

import encryption.keys
import worker
from encryption.ring import Key, Ring, edit
from encryption.sealed import is_sealed, key_of
from settings import Settings
from tests.support.engine import Desk

#: The SDK's own notes on a local activity: times and its name.
_NOTES = b"core_local_activity"


@dataclass
class SealedDesk(Desk):
    """`ring`: of its clients and workers; None: they have no keys."""

    ring: Path | None = None

    @cached_property
    def client(self) -> Client:
        return Client(self.temporal.client.service_client, plugins=[worker.plugin(Settings(payload_keys=self.ring))])


def founded(path: Path) -> Path:
    """A ring with one key, which encrypts."""
    key = Key.new()
    edit(path, lambda _: Ring(current=key.id, keys=(key,)))
    return path


def rotated(path: Path) -> str:
    """The key that encrypts now."""
    key = Key.new()
    edit(path, lambda ring: ring.with_key(key).encrypting_with(key.id))
    return key.id


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    return founded(tmp_path / "ring.json")


@pytest.fixture
def watchful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rings are looked at every time."""
    monkeypatch.setattr(encryption.keys, "LOOK_EVERY", 0.0)


@pytest.fixture
def desk(temporal: WorkflowEnvironment, ring: Path) -> SealedDesk:
    """Without a worker yet."""
    return SealedDesk(temporal, ring=ring)


def payloads(part: Message) -> Iterator[Payload]:
    """All that are in it, but for search attributes, which cannot be encrypted."""
    if isinstance(part, Payload):
        yield part
    elif not isinstance(part, SearchAttributes):
        for field, value in part.ListFields():
            if field.message_type is not None:
                for each in _values(value):
                    yield from payloads(each)


def _values(value: Any) -> list[Message]:  # noqa: ANN401 - a message, many, or many by name
    found = [value] if isinstance(value, Message) else value.values() if hasattr(value, "values") else value
    return [each for each in found if isinstance(each, Message)]


def in_plain(history: WorkflowHistory) -> list[Payload]:
    return [
        payload
        for event in history.events
        for payload in payloads(event)
        if not is_sealed(payload) and not (_NOTES in event.SerializeToString() and b"complete_time" in payload.data)
    ]


def keys_in(history: WorkflowHistory) -> set[str]:
    return {key_of(payload) for event in history.events for payload in payloads(event) if is_sealed(payload)}
