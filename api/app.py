"""The API's composition root: settings become services, routers become an application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.routing import APIRoute
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.testing import TimeSkipper, TimeSkippingConfig

from api import (
    cases,
    catalogue,
    codec,
    commands,
    deadline,
    dev,
    directory,
    document,
    evidence,
    exchange,
    feed,
    joining,
    lists,
    notices,
    oidc,
    operations,
    problems,
    publications,
    routing,
    sign_in,
)
from api.auth import Throttle
from api.claims import Reader
from api.doors import Doors
from api.middleware import LimitBody, Observe
from api.provider import Provider
from api.services import OUTAGES, CityCache, Services, TokenCache
from settings import Settings
from store.database import open_engine, refresh_statistics
from store.evidence import EvidenceStore
from worker import connect
from workflows.client import CaseEngine

PREFIX = "/api/v1"
#: Seconds between two counts of the tables: they grow slowly.
COUNT_EVERY = 86_400.0
_DESCRIPTION = """Rectification cases 城市问题整改案卷: opened in the street, put right by the responsible unit within a
limit that hangs on what exactly is wrong, checked by somebody else, closed.

Errors are problem documents (RFC 9457) with a stable `code`."""


_log = structlog.get_logger()


class _Application(FastAPI):
    def openapi(self) -> dict[str, Any]:
        return self.openapi_schema or document.correct(super().openapi())


def create_app(settings: Settings) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.services = services = await open_services(settings)
        async with _counted(services.database):
            yield
            services.closing.set()
        services.photos.close()
        services.doors.close()
        if services.provider:
            await services.provider.close()
        await services.database.dispose()

    app = _Application(
        title="rectify",
        version="1",
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url="/docs",
        redoc_url=None,
        openapi_url=f"{PREFIX}/openapi.json",
        generate_unique_id_function=_operation_id,
    )
    app.state.throttle = Throttle(settings.requests_per_second)
    problems.install(app)
    app.include_router(operations.router)
    for router in (
        cases.router,
        deadline.router,
        commands.router,
        joining.router,
        lists.router,
        evidence.router,
        feed.router,
        notices.router,
        publications.router,
        directory.router,
        exchange.router,
        catalogue.router,
        routing.router,
        sign_in.router,
    ):
        app.include_router(router, prefix=PREFIX)
    if oidc.is_set(settings):
        app.include_router(oidc.router, prefix=PREFIX)
    if settings.time_travel:
        app.include_router(dev.router, prefix=PREFIX)
    if settings.payload_keys:
        app.include_router(codec.router, prefix=PREFIX)
    app.add_middleware(LimitBody, seconds=settings.body_timeout_seconds)
    app.add_middleware(Observe)
    if settings.payload_keys and settings.temporal_ui_origin:
        app.add_middleware(codec.ForTheUi, origin=settings.temporal_ui_origin)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name


@asynccontextmanager
async def _counted(database: AsyncEngine) -> AsyncIterator[None]:
    """Inside the block the database's statistics are kept fresh."""
    counting = asyncio.create_task(_count(database), name="statistics")
    try:
        yield
    finally:
        counting.cancel()
        with suppress(asyncio.CancelledError):
            await counting


async def _count(database: AsyncEngine) -> None:
    """At once and then daily. Without it queries are slower and still right, so an outage only costs a day."""
    while True:
        try:
            await refresh_statistics(database)
        except OUTAGES as error:
            _log.warning("statistics_not_refreshed", error=type(error).__name__)
        await asyncio.sleep(COUNT_EVERY)


async def open_services(settings: Settings) -> Services:
    """Connects lazily: the API starts before Temporal and answers 503 until it is there."""
    temporal = await connect(settings, lazy=True)
    skipper = TimeSkipper(temporal, config=TimeSkippingConfig(enabled=False)) if settings.time_travel else None
    database = open_engine(settings.database)
    timeout = timedelta(seconds=settings.update_timeout_seconds)
    client = skipper.client if skipper else temporal
    provider, reader = (Provider(settings), Reader(database, settings)) if settings.oidc_issuer else (None, None)
    return Services(
        settings=settings,
        database=database,
        temporal=temporal,
        cases=CaseEngine(client, task_queue=settings.task_queue, timeout=timeout),
        photos=EvidenceStore(settings.evidence),
        cities=CityCache(database),
        tokens=TokenCache(database, settings.session_idle, provider, reader),
        doors=Doors(database, settings),
        provider=provider,
        reader=reader,
        travel=skipper.fast_forward if skipper else None,
    )
