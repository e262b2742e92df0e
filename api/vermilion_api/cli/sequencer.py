"""``vermilion sequencer``: the one process that writes the log."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from vermilion_api.cli.common import DEFAULT_HOME, HomeOption, say

if TYPE_CHECKING:
    from vermilion_api.wiring import Ledger
    from vermilion_ledger.rows import ObservedHead
    from vermilion_ledger.sequencer import Sequencer

__all__ = ["sequencer"]

_POLL_SECONDS = 0.2


def sequencer(*, home: HomeOption = DEFAULT_HOME) -> None:
    """Give submissions their index and publish checkpoints. One per log."""
    from vermilion_api.cli.processes import prepare_process, stop_event
    from vermilion_api.wiring import build_sequencer, open_ledger

    stop = stop_event()
    prepare_process()
    ledger = open_ledger(home)
    ledger.database.check()
    writer = build_sequencer(ledger)
    if not _acquire(writer, stop, patience=2 * ledger.settings.sequencer_lease_seconds):
        return
    try:
        writer.start(observed=_observe(ledger))
        say(f"sequencing {ledger.settings.origin}, epoch {writer.epoch}")
    except BaseException:
        writer.release()
        raise
    writer.run(stop)
    ledger.database.close()


def _acquire(writer: Sequencer, stop: threading.Event, *, patience: float) -> bool:
    """Wait for the lease of a predecessor that died to run out; another live one is refused."""
    from vermilion_ledger.errors import ConflictError

    deadline = time.monotonic() + patience
    while not stop.is_set():
        try:
            writer.acquire()
        except ConflictError:
            if time.monotonic() > deadline:
                raise
            stop.wait(_POLL_SECONDS)
        else:
            return True
    return False


def _observe(ledger: Ledger) -> list[ObservedHead]:
    """Ask each chain which head it has; one out of reach does not keep the log from starting."""
    from vermilion_anchor.artifact import load_artifact
    from vermilion_anchor.evm import EvmChain
    from vermilion_api.wiring import target_of
    from vermilion_ledger.errors import EvidenceError
    from vermilion_ledger.rows import ObservedHead

    heads = []
    for chain in ledger.settings.chains:
        target = target_of(chain)
        try:
            client = EvmChain(chain.rpc, load_artifact(), timeout_seconds=3.0)
            if client.chain_id() != chain.id:
                continue
            head = client.head(target.contract, target.log)
        except EvidenceError as exc:
            say(f"not compared with chain {chain.id}: {exc.code}: {exc.message}")
            continue
        if head.size:
            heads.append(ObservedHead(size=head.size, root=head.root, source=f"chain {chain.id}"))
    return heads
