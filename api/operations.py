"""For operators: alive, ready, measured. No token, nothing of any case."""

import asyncio
from datetime import UTC, datetime, timedelta
from math import nan

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError
from temporalio.service import RPCError

from api.services import OUTAGES, Injected, Services
from store import feed
from store.unnoticed import unnoticed

router = APIRouter(tags=["operations"])

_PATIENCE = timedelta(seconds=2)
#: How long after its deadline a case may still be on its way to the lists.
_ON_ITS_WAY = timedelta(minutes=2)

UNNOTICED = Gauge("rectify_deadlines_unnoticed", "Running cases whose deadline has passed unmarked for two minutes.")


class Health(BaseModel):
    """`ok`, or `failing`, for each thing the API needs."""

    status: str
    checks: dict[str, str]


@router.get("/healthz", name="healthz")
async def healthz() -> Health:
    """The process answers."""
    return Health(status="ok", checks={})


@router.get("/readyz", name="readyz", responses={503: {"model": Health}})
async def readyz(services: Injected, response: Response) -> Health:
    """Commands and lists can be served: the engine and the store answer."""
    temporal, store = await asyncio.gather(_temporal(services), _store(services))
    checks = {"engine": "ok" if temporal else "failing", "store": "ok" if store else "failing"}
    ready = temporal and store
    if not ready:
        response.status_code = 503
    return Health(status="ok" if ready else "failing", checks=checks)


@router.get("/metrics", name="metrics", response_class=PlainTextResponse)
async def metrics(services: Injected) -> Response:
    """Prometheus text. What the database does not tell in time is not a number."""
    UNNOTICED.set(await _unnoticed(services))
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _temporal(services: Services) -> bool:
    try:
        return await services.temporal.service_client.check_health(timeout=_PATIENCE)
    except (RPCError, RuntimeError):
        return False


async def _store(services: Services) -> bool:
    try:
        async with asyncio.timeout(_PATIENCE.total_seconds()):
            await feed.last_position(services.database)
    except (SQLAlchemyError, OSError, TimeoutError):
        return False
    return True


async def _unnoticed(services: Services) -> float:
    try:
        async with asyncio.timeout(_PATIENCE.total_seconds()):
            return await unnoticed(services.database, datetime.now(UTC) - _ON_ITS_WAY)
    except OUTAGES:
        return nan
