"""Anchorers as processes of their own, to be killed. Not a test; run by test_process.

Arguments: node URL, journal URL, contract, log (hex). For each tree size read from
standard input, an anchorer is forked and its process id printed; when it has been
killed, "gone" is printed. Importing once instead of each time makes a kill cheap.
"""

from __future__ import annotations

import os
import sys
from threading import Event

from chain import KEY, MemoryLog, fixed_clock
from vermilion_anchor.artifact import load_artifact
from vermilion_anchor.evm import AccountSigner, EvmChain
from vermilion_anchor.service import Anchorer
from vermilion_anchor.settings import AnchorSettings
from vermilion_ledger.anchor_rows import AnchorTarget
from vermilion_ledger.evm.finality import parse_finality
from vermilion_ledger.store import open_database


def run(url: str, journal: str, contract: str, log: str, *, size: str) -> None:
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

    anchorer.run(Event(), notify=lambda _: None)


if __name__ == "__main__":
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            run(*sys.argv[1:5], size=line)
        print(pid, flush=True)
        os.waitpid(pid, 0)
        print("gone", flush=True)
