"""`rectify serve`: the API alone; any number of them may run."""

import gc

import typer

from settings import Settings


def serve() -> None:
    """启动接口服务 The API, set up by RECTIFY_… variables (docs/settings.md). SIGTERM: finishes requests, then ends."""
    gc.disable()  # there is no garbage in importing, only a quarter of its time
    import uvicorn

    import logs
    from api.app import create_app
    from api.server import server_config
    from commands.installation import refuse_bad_keys, refuse_unfit

    gc.freeze()
    gc.enable()
    settings = Settings()
    logs.configure(settings)
    refuse_unfit(settings.database)
    refuse_bad_keys(settings.payload_keys)
    server = uvicorn.Server(server_config(create_app(settings), settings))
    server.run()
    if not server.started:
        raise typer.Exit(1)
