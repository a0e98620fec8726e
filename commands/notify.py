"""`rectify notify`: sends notices; any number of them may run. It needs the database and nothing else."""

import asyncio
import signal

import structlog

import logs
from commands.installation import refuse_unfit
from notices.deliverer import Deliverer
from settings import Settings
from store.database import open_engine

_log = structlog.get_logger()


def run() -> None:
    settings = Settings()
    logs.configure(settings)
    refuse_unfit(settings.database)
    _show_metrics(settings.notices_metrics_address)
    asyncio.run(_deliver(settings))


async def _deliver(settings: Settings) -> None:
    stop = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    engine = open_engine(settings.database)
    try:
        _log.info("notifier_ready")
        await Deliverer(engine, public_url=settings.public_url).run(stop)
    finally:
        await engine.dispose()


def _show_metrics(address: str | None) -> None:
    """Notices are worth more than their figures: a port that is taken stops nothing."""
    if address is None:
        return
    from prometheus_client import start_http_server

    host, _, port = address.rpartition(":")
    try:
        start_http_server(int(port), host)
    except (OSError, OverflowError) as error:
        _log.error("metrics_not_shown", where=address, error=type(error).__name__)
