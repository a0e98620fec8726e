"""On first start: tables, the demonstration city, and a token for each of its users.

The tokens go into a file beside the database, unfinished under another name: whoever is interrupted here begins again
at the next start. A finished file is never touched.
"""

import json
import os
from collections.abc import Iterator, Mapping
from typing import TypedDict

from sqlalchemy.ext.asyncio import AsyncEngine

from directory.calendars import default_calendar
from directory.demo_city import OFFICER_HOMES, demo_directory, officer_home
from directory.model import User
from directory.rules import default_ladder, default_policy
from embedded.folder import Folder
from store import directory, tokens
from store.database import open_engine


class Credential(TypedDict):
    """`area` is an area's id; an officer has a grid and a WGS-84 point inside it."""

    role: str
    unit: str | None
    area: str | None
    grid: str | None
    lon: float | None
    lat: float | None
    token: str


Credentials = Mapping[str, Credential]


async def seed(url: str, folder: Folder) -> Credentials:
    """The new tokens; none if there is a directory already."""
    engine = open_engine(url)
    try:
        return await _seed(engine, folder)
    finally:
        await engine.dispose()


async def _seed(engine: AsyncEngine, folder: Folder) -> Credentials:
    unfinished = folder.tokens.with_suffix(".json.part")
    empty = await directory.is_empty(engine)
    if not empty and not unfinished.exists():
        return {}
    unfinished.touch(mode=0o600)
    if empty:
        await directory.save(engine, demo_directory(), default_calendar(), default_policy(), default_ladder())
    issued = {user.id: _credential(user, await tokens.issue(engine, user.id)) for user in demo_directory().users}
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_TRUNC), "w", encoding="utf-8") as file:
        json.dump(issued, file, ensure_ascii=False, indent=1)
        os.fsync(file.fileno())
    unfinished.replace(folder.tokens)
    return issued


def _credential(user: User, token: str) -> Credential:
    grid, lon, lat = officer_home(user.id) if user.id in OFFICER_HOMES else (None, None, None)
    return {
        "role": user.role.value,
        "unit": user.unit,
        "area": user.area,
        "grid": grid,
        "lon": lon,
        "lat": lat,
        "token": token,
    }


def as_table(credentials: Credentials) -> Iterator[str]:
    yield f"{'user':<24} {'role':<11} token"
    for user, credential in credentials.items():
        yield f"{user:<24} {credential['role']:<11} {credential['token']}"
