"""``vermilion serve``: the API process."""

from __future__ import annotations

import socket
from typing import Annotated

import typer

from vermilion_api.cli.common import DEFAULT_HOME, HomeOption, say

__all__ = ["listen", "serve"]

_BACKLOG = 1024
_STOP_SECONDS = 10


def serve(
    *,
    home: HomeOption = DEFAULT_HOME,
    host: Annotated[str, typer.Option(help="Address; by default as in the settings.")] = "",
    port: Annotated[int | None, typer.Option(help="Port; by default as in the settings.")] = None,
) -> None:
    """Serve the REST API. Submissions wait until a sequencer runs as well."""
    import uvicorn

    from vermilion_api.app import create_app
    from vermilion_api.hot import open_door
    from vermilion_api.cli.processes import prepare_process, stop_event
    from vermilion_api.wiring import open_ledger

    stop_event()  # uvicorn hands the signal back when it is done: somebody must take it
    prepare_process()
    ledger = open_ledger(home)
    ledger.database.check()
    with listen(
        host or ledger.settings.host, ledger.settings.port if port is None else port
    ) as door:
        config = uvicorn.Config(
            open_door(create_app(ledger)),
            loop="uvloop",
            http="httptools",
            access_log=False,
            log_config=None,
            lifespan="on",
            timeout_graceful_shutdown=_STOP_SECONDS,
        )
        say(f"serving on http://{door.getsockname()[0]}:{door.getsockname()[1]}")
        uvicorn.Server(config).run(sockets=[door])


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Raises:
        UnavailableError: ``serve.port-in-use`` or ``serve.address``.
    """
    import errno

    from vermilion_ledger.errors import UnavailableError

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    door = socket.socket(family, socket.SOCK_STREAM)
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((host, port))
        door.listen(_BACKLOG)
    except OSError as exc:
        door.close()
        code = "serve.port-in-use" if exc.errno == errno.EADDRINUSE else "serve.address"
        raise UnavailableError(code, f"{host}:{port}: {exc.strerror}") from exc
    return door
