"""``vermilion sequencer``: the one process that writes the log, or one that stands by."""

from __future__ import annotations

from vermilion_api.cli.common import DEFAULT_HOME, HomeOption, say

__all__ = ["sequencer"]


def sequencer(*, home: HomeOption = DEFAULT_HOME) -> None:
    """Give submissions their index and publish checkpoints; stand by while another does."""
    from vermilion_api.cli.processes import prepare_process, settle_memory, stop_event
    from vermilion_api.wiring import build_keeper, open_ledger

    stop = stop_event()
    prepare_process()
    ledger = open_ledger(home)
    ledger.database.check()
    origin = ledger.settings.origin
    try:
        keeper = build_keeper(ledger)
        settle_memory()
        keeper.run(stop, on_lead=lambda epoch: say(f"sequencing {origin}, epoch {epoch}"))
    finally:
        ledger.database.close()
