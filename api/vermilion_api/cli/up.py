"""``vermilion up``: the whole ledger with one command, and its orderly end.

Starts a local node, makes what is missing, runs API, sequencer and anchorer
as children of this process, and stops them in order: first who takes in, then
who writes, then who anchors, then the node.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from vermilion_api.cli.common import DEFAULT_HOME, HomeOption, JsonOption, say, show
from vermilion_api.cli.processes import PARENT_VARIABLE

if TYPE_CHECKING:
    from vermilion_anchor.node import AnvilNode
    from vermilion_api.home import Home
    from vermilion_api.settings import Settings

__all__ = ["up"]

_ROLES = ("serve", "sequencer", "anchorer")  # in the order in which they are stopped
_READY_SECONDS, _STOP_SECONDS, _POLL_SECONDS = 60.0, 15.0, 0.1
_DEVELOPMENT_CHAIN = 31337


def up(
    *,
    home: HomeOption = DEFAULT_HOME,
    port: Annotated[int | None, typer.Option(help="Port of the API.")] = None,
    chain_port: Annotated[
        int | None, typer.Option(help="Port of the local node; 0 starts none.")
    ] = None,
    block_time: Annotated[
        int | None, typer.Option(help="Seconds between blocks of the local node.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Start the ledger: API, sequencer, anchorer and a local chain. Ctrl-C stops it."""
    from vermilion_api.cli.serve import listen
    from vermilion_api.home import create_home
    from vermilion_api.settings import Settings, save_settings

    supervisor = _Supervisor()
    place, settings = create_home(home, Settings())
    wanted = replace(
        settings,
        port=settings.port if port is None else port,
        node_port=settings.node_port if chain_port is None else chain_port,
        node_block_seconds=settings.node_block_seconds if block_time is None else block_time,
    )
    if wanted != settings:
        save_settings(home, wanted)
    listen(wanted.host, wanted.port).close()  # before anything is started
    with ExitStack() as stack:
        if wanted.node_port:
            node = stack.enter_context(_node(place, wanted))
            wanted = _settle(place, wanted, node)
        roles = _migrate(home, wanted)
        if not wanted.roots:
            say("no root is configured: `vermilion keys new --root` makes one")
        stack.callback(supervisor.stop)
        supervisor.start(home, roles)
        address = f"http://{wanted.host}:{wanted.port}"
        if supervisor.await_ready(address):
            show(
                {"url": address, "home": str(home), "pid": os.getpid()},
                f"Vermilion is up: {address}   (Ctrl-C stops it)",
                as_json=as_json,
            )
            supervisor.watch()
    say("stopped")


class _Supervisor:
    """Owns the child processes. Signals only ask; the loops here act."""

    def __init__(self) -> None:
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._is_stopping = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)

    def start(self, home: Path, roles: tuple[str, ...]) -> None:
        """Start a child for each role, in this process group."""
        environment = {**os.environ, PARENT_VARIABLE: str(os.getpid())}
        # What is ignored here is ignored by a child from its first instruction on.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            for role in roles:
                self._children[role] = subprocess.Popen(  # noqa: S603 - our own program
                    [sys.executable, "-m", "vermilion_api", role, "--home", str(home)],
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=sys.stderr,
                )
        finally:
            signal.signal(signal.SIGINT, before)

    def await_ready(self, address: str) -> bool:
        """Return True once the API is ready, False if asked to stop before.

        Raises:
            UnavailableError: ``up.child-ended`` or ``up.not-ready``.
        """
        from vermilion_api.client import Ledger
        from vermilion_ledger.errors import EvidenceError, UnavailableError

        deadline = time.monotonic() + _READY_SECONDS
        with Ledger(address, timeout_seconds=2.0) as ledger:
            while not self._is_stopping:
                self._check()
                try:
                    ledger.get("/readyz")
                except EvidenceError:
                    if time.monotonic() > deadline:
                        raise UnavailableError(
                            "up.not-ready", f"not ready after {_READY_SECONDS:.0f} seconds"
                        ) from None
                    time.sleep(_POLL_SECONDS)
                else:
                    return True
        return False

    def watch(self) -> None:
        """Return when asked to stop.

        Raises:
            UnavailableError: ``up.child-ended``.
        """
        while not self._is_stopping:
            self._check()
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Stop the children in order, each within a deadline."""
        for child in self._children.values():
            if child.poll() is None:
                child.terminate()
            try:
                child.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def _check(self) -> None:
        from vermilion_ledger.errors import UnavailableError

        for role, child in self._children.items():
            code = child.poll()
            if code is not None and not self._is_stopping:
                raise UnavailableError("up.child-ended", f"the {role} ended with exit code {code}")

    def _ask_to_stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._is_stopping = True


@contextmanager
def _node(home: Home, settings: Settings) -> Iterator[AnvilNode]:
    """Run the local node with its chain kept in the home folder."""
    from vermilion_anchor.node import AnvilNode, NodeOptions, find_anvil

    options = NodeOptions(
        binary=find_anvil(os.environ, root=_source_tree()),
        port=settings.node_port,
        state=home.node_state,
        block_time_seconds=settings.node_block_seconds,
    )
    with AnvilNode(options) as node:
        yield node


def _source_tree() -> Path | None:
    """Return the top of the source tree, if this runs from one."""
    top = Path(__file__).resolve().parents[3]
    return top if (top / "contracts").is_dir() else None


def _settle(home: Home, settings: Settings, node: AnvilNode) -> Settings:
    """Bring contract and log onto the local chain, at the first start or where the chain was lost.

    Its genesis is not kept: a local node that is killed before it has written
    its state begins another chain.
    """
    from vermilion_anchor.artifact import load_artifact
    from vermilion_anchor.evm import EvmChain
    from vermilion_api.deploying import add_chain, deploy_log
    from vermilion_api.settings import save_settings

    found = [each for each in settings.chains if each.id == _DEVELOPMENT_CHAIN]
    if not found:
        made = deploy_log(home, settings, node.url)
        return add_chain(home, settings, replace(made, genesis=""))
    chain = replace(found[0], rpc=node.url, genesis="")
    if chain.courier:
        return settings
    if not EvmChain(node.url, load_artifact()).code(bytes.fromhex(chain.contract[2:])):
        made = deploy_log(home, settings, node.url)
        chain = replace(
            chain, contract=made.contract, log=made.log, deployed_block=made.deployed_block
        )
    chains = tuple(chain if each is found[0] else each for each in settings.chains)
    if chains != settings.chains:
        settings = replace(settings, chains=chains)
        save_settings(home.path, settings)
    return settings


def _migrate(home: Path, settings: Settings) -> tuple[str, ...]:
    """Bring the databases to this release; return the roles that this ledger needs."""
    from vermilion_api.wiring import open_ledger

    ledger = open_ledger(home)
    ledger.database.migrate()
    ledger.database.close()
    unneeded = {"sequencer"} if ledger.is_sequencer_inside else set()
    if not settings.online_chains:
        unneeded.add("anchorer")
    return tuple(role for role in _ROLES if role not in unneeded)
