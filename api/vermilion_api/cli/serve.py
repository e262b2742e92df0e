"""``vermilion serve``: the API, in one process or in several."""

from __future__ import annotations

import signal
import socket
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from vermilion_api.cli.common import DEFAULT_HOME, HomeOption, say

if TYPE_CHECKING:
    from vermilion_api.wiring import Ledger

__all__ = ["listen", "serve"]

_BACKLOG = 1024
_STOP_SECONDS = 10
# Longer than a busy process ever needs to come to what a client has sent already:
# a connection that ends before is a request that nobody answered.
_KEEP_ALIVE_SECONDS = 75


def serve(
    *,
    home: HomeOption = DEFAULT_HOME,
    host: Annotated[str, typer.Option(help="Address; by default as in the settings.")] = "",
    port: Annotated[int | None, typer.Option(help="Port; by default as in the settings.")] = None,
    processes: Annotated[
        int | None, typer.Option(help="API processes; by default as in the settings.", min=1)
    ] = None,
    listener: Annotated[
        int, typer.Option(help="Descriptor of a listening socket, for a child.", hidden=True)
    ] = -1,
) -> None:
    """Serve the REST API; on SQLite this process writes and signs the log as well."""
    from vermilion_api.cli.processes import prepare_process, stop_event
    from vermilion_api.cli.workers import Workers
    from vermilion_api.wiring import open_ledger

    stop = stop_event()
    prepare_process()
    ledger = open_ledger(home)
    ledger.database.check()
    if listener >= 0:
        _run(ledger, socket.socket(fileno=listener), stop)
        return
    settings = ledger.settings
    count = settings.processes if processes is None else processes
    _check_count(ledger, count)
    with listen(host or settings.host, settings.port if port is None else port) as door:
        address, number = door.getsockname()[:2]
        if count == 1:
            say(f"serving on http://{address}:{number}")
            _run(ledger, door, stop)
            return
    # Nobody else has the address: from here on it is shared among our own.
    ledger.database.close()  # the children have connections of their own
    with ExitStack() as stack:
        doors = [stack.enter_context(listen(address, number, is_shared=True)) for _ in range(count)]
        say(f"serving on http://{address}:{number} in {count} processes")
        Workers(home, doors).run(stop)


def listen(host: str, port: int, *, is_shared: bool = False) -> socket.socket:
    """Return a listening socket.

    Args:
        host: Address.
        port: Port; 0 takes a free one.
        is_shared: Let other sockets of this user listen there as well.

    Raises:
        UnavailableError: ``serve.port-in-use`` or ``serve.address``.
    """
    import errno

    from vermilion_ledger.errors import UnavailableError

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    door = socket.socket(family, socket.SOCK_STREAM)
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if is_shared:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        door.bind((host, port))
        door.listen(_BACKLOG)
    except OSError as exc:
        door.close()
        code = "serve.port-in-use" if exc.errno == errno.EADDRINUSE else "serve.address"
        raise UnavailableError(code, f"{host}:{port}: {exc.strerror}") from exc
    return door


def _check_count(ledger: Ledger, count: int) -> None:
    """Refuse what would have several processes write one file, or one log."""
    from vermilion_ledger.errors import InputError

    is_file = ledger.database.engine.dialect.name == "sqlite"
    if count > 1 and (is_file or ledger.is_sequencer_inside):
        what = "on SQLite" if is_file else "with the sequencer inside the API"
        raise InputError("serve.one-process", f"{count} API processes {what}; there can be one")


def _run(ledger: Ledger, door: socket.socket, stop: threading.Event) -> None:
    """Serve on a socket until this process is asked to stop, by whatever signal did so before."""
    import uvicorn

    from vermilion_api.app import create_app
    from vermilion_api.cli.processes import settle_memory
    from vermilion_api.gate import GateLimits
    from vermilion_api.hot import open_door

    limits = GateLimits(
        requests_max=ledger.settings.requests_max,
        bytes_max=ledger.settings.bodies_max_bytes,
    )
    config = uvicorn.Config(
        open_door(create_app(ledger), limits),
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        log_config=None,
        lifespan="on",
        proxy_headers=False,  # nothing asks who is behind a proxy
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
    server = uvicorn.Server(config)

    def ask_to_stop(_signal: int, _frame: object) -> None:
        server.should_exit = True
        stop.set()

    # uvicorn looks at signals only once it runs, and hands them back when it is done.
    for number in (signal.SIGTERM, signal.SIGINT):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, ask_to_stop)
    settle_memory()
    if not stop.is_set():
        server.run(sockets=[door])
