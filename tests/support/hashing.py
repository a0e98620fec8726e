"""Hashers that cost nothing, and an API's doors that use one."""

from dataclasses import replace

from argon2 import PasswordHasher

from api.doors import Doors
from store.hashing import Hasher
from tests.support.stack import Stack

#: The least that Argon2 takes.
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def cheap(at_once: int = 4, waiting: int = 32) -> Hasher:
    return Hasher(CHEAP, at_once, waiting)


def with_cheap_doors(stack: Stack, **changes: int) -> None:
    """From now on the stack's API hashes cheaply; `changes` of its settings."""
    settings = stack.services.settings.model_copy(update=changes)
    doors = Doors(stack.services.database, settings, cheap())
    stack.app.state.services = replace(stack.services, doors=doors)
