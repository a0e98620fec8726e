"""The peer's process: DBOS with a FastAPI front, or, with `bare`, a load generator inside and no HTTP at all.

    python -m bench.peer.app URL SYSTEM_URL POLLING http PORT
    python -m bench.peer.app URL SYSTEM_URL POLLING bare LIVES AT_ONCE REPETITIONS      prints lives a second, for each

`URL` holds cases and events, `SYSTEM_URL` what DBOS keeps. `POLLING`: seconds between two looks into a database that
cannot notify (SQLite); 1 is DBOS's own default.
"""

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Annotated, Any

import uvicorn
import uvloop
from dbos import DBOS, AsyncSQLAlchemyDatasource
from fastapi import Body, FastAPI, Header, HTTPException
from sqlalchemy import create_engine

from bench.load import at_once
from bench.peer.case import CaseFile, Refused, State, metadata
from store.database import sync_url

Object = Annotated[dict[str, Any], Body()]
Key = Annotated[str, Header(alias="Idempotency-Key")]


@asynccontextmanager
async def running(url: str, system_url: str, polling: float) -> AsyncIterator[CaseFile]:
    engine = create_engine(sync_url(url))
    metadata.create_all(engine)
    engine.dispose()
    DBOS(
        config={
            "name": "peer",
            "system_database_url": sync_url(system_url),
            "log_level": "ERROR",
            "notification_listener_polling_interval_sec": polling,
        }
    )
    scheme = "sqlite+aiosqlite" if url.startswith("sqlite") else "postgresql+psycopg"
    datasource = await AsyncSQLAlchemyDatasource.create(f"{scheme}:{url.partition(':')[2]}")
    file = CaseFile(datasource)
    DBOS.launch()
    try:
        yield file
    finally:
        await asyncio.to_thread(DBOS.destroy)


def front(file: AbstractAsyncContextManager[CaseFile]) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with file as app.state.file:
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/readyz")
    async def ready() -> State:
        return {"status": "ready"}

    @app.post("/cases", status_code=201)
    async def open_case(report: Object, key: Key) -> State:
        return await file_of(app).open(key, report)

    @app.post("/cases/{case_id}/{command}")
    async def give(case_id: str, command: str, body: Object, key: Key) -> State:
        try:
            return await file_of(app).give(case_id, command, body, key)
        except Refused as refused:
            raise HTTPException(409, str(refused)) from None

    return app


def file_of(app: FastAPI) -> CaseFile:
    file: CaseFile = app.state.file
    return file


async def bare(opened: AbstractAsyncContextManager[CaseFile], lives: int, width: int, repetitions: int) -> None:
    async with opened as file:
        await at_once(width, width, lambda: live(file))
        for _ in range(repetitions):
            print(lives / await at_once(lives, width, lambda: live(file)), flush=True)


async def live(file: CaseFile) -> None:
    case = await file.open(uuid.uuid4().hex, {"category": "E0110", "description": "巷口生活垃圾"})
    await file.give(case["id"], "accept", {}, uuid.uuid4().hex)
    await file.give(case["id"], "submit", {"note": "已清运", "evidence": []}, uuid.uuid4().hex)
    closed = await file.give(case["id"], "inspect", {"result": "pass", "note": "合格"}, uuid.uuid4().hex)
    assert closed["stage"] == "closure", closed


def main(url: str, system_url: str, polling: str, how: str, *rest: str) -> None:
    file = running(url, system_url, float(polling))
    if how == "http":
        uvicorn.run(front(file), port=int(rest[0]), log_level="error", loop="uvloop")
        return
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(bare(file, *map(int, rest)))


if __name__ == "__main__":
    main(*sys.argv[1:])
