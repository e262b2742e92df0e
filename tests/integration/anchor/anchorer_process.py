"""One anchorer as its own process, to be killed. Not a test; run by test_process.

Arguments: node URL, journal URL, contract, log (hex), tree size.
"""

from __future__ import annotations

import sys
from threading import Event

from chain import KEY, MemoryLog, fixed_clock
from vermilion_anchor.artifact import load_artifact
from vermilion_anchor.evm import AccountSigner, EvmChain
from vermilion_anchor.service import Anchorer
from vermilion_anchor.settings import AnchorSettings, Progress
from vermilion_ledger.anchor_rows import AnchorTarget
from vermilion_ledger.evm.finality import parse_finality
from vermilion_ledger.store import open_database


def main(url: str, journal: str, contract: str, log: str, size: str) -> None:
    artifact = load_artifact()
    settings = AnchorSettings(
        target=AnchorTarget(
            chain_id=31337, contract=bytes.fromhex(contract), log=bytes.fromhex(log)
        ),
        code_hash=artifact.code_hash,
        finality=parse_finality("confirmations:1"),
        poll_seconds=0.01,
        retry_seconds_max=0.1,
    )
    anchorer = Anchorer(
        settings,
        chain=EvmChain(url, artifact),
        journal=open_database(journal).anchors,
        log=MemoryLog(int(size)),
        signer=AccountSigner(KEY),
        clock=fixed_clock,
    )

    def tell(progress: Progress) -> None:
        error = progress.error.code if progress.error else ""
        print(progress.state or "idle", error, flush=True)

    print("ready", flush=True)
    anchorer.run(Event(), notify=tell)


if __name__ == "__main__":
    main(*sys.argv[1:])
