"""`rectify serve`: the API alone; any number of them may run."""

import gc

import typer

from settings import Settings

#: Seconds for requests in flight; below the supervisor's and every orchestrator's kill time.
GRACE = 5


def serve() -> None:
    """启动接口服务 The API, set up by RECTIFY_… variables (docs/settings.md). SIGTERM: finishes requests, then ends."""
    gc.disable()  # there is no garbage in importing, only a quarter of its time
    import uvicorn

    import logs
    from api.app import create_app
    from commands.installation import refuse_bad_keys, refuse_unfit

    gc.freeze()
    gc.enable()
    settings = Settings()
    logs.configure(settings)
    refuse_unfit(settings.database)
    refuse_bad_keys(settings.payload_keys)
    config = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
    )
    server = uvicorn.Server(config)
    server.run()
    if not server.started:
        raise typer.Exit(1)
