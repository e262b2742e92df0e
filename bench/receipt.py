"""Verifying an anchor receipt offline: from the event to the hash of its block.

The receipts are of real blocks of a real Anvil: one with a single transaction,
one with 300, where the proof is longest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from measure import Figure, at_most, interleave, scaled

from anchored_kit import AnchoredLog
from chain import start_chain
from vermilion_ledger.encoding import encode_json, parse_json
from vermilion_ledger.evm.receipt import (
    AnchorReceipt,
    encode_anchor_receipt,
    parse_anchor_receipt,
    verify_anchor_receipt,
)
from vermilion_ledger.limits import BUNDLE_SIZE_MAX
from vermilion_verify.anchoring import judge_anchors

MILLISECONDS_MAX = 2.0
_COUNTS = (1, 300)
_REPEATS = 10  # a round shorter than a slice of the scheduler, and many of them
_ROUNDS = 201


def run(*, scale: float = 1.0) -> list[Figure]:
    """Measure and return the figures."""
    with start_chain() as node:
        anchored = AnchoredLog(node, _COUNTS)
    first, last = anchored.blocks[1][0], anchored.blocks[300][-1]
    early = anchored.blocks[300][0]  # the longest way to the checkpoint
    repeats = _REPEATS

    def verify(receipt: AnchorReceipt) -> Callable[[], None]:
        def go() -> None:
            for _ in range(repeats):
                verify_anchor_receipt(receipt)

        return go

    def judge(receipt: AnchorReceipt) -> Callable[[], None]:
        data, bare = encode_json(encode_anchor_receipt(receipt)), anchored.bare

        def go() -> None:
            for _ in range(repeats):
                value = parse_json(data, size_max=BUNDLE_SIZE_MAX, what="receipt")
                bundle = replace(bare, anchors=(parse_anchor_receipt(value),))
                if not judge_anchors(bundle, anchored.policy, anchored.judge).final():
                    raise SystemExit("the receipt does not hold: nothing to measure")

        return go

    seconds = interleave(
        {
            "one": verify(first),
            "many": verify(last),
            "judged": judge(early),
        },
        rounds=scaled(_ROUNDS, scale),
    )
    spent = {name: 1000 * each / repeats for name, each in seconds.items()}
    size = sum(map(len, (last.header, last.receipt, *last.receipt_proof)))
    return [
        at_most("receipt of a block's only transaction", spent["one"], "ms", MILLISECONDS_MAX),
        at_most("receipt of the last of 300 transactions", spent["many"], "ms", MILLISECONDS_MAX),
        at_most(
            "one of 300, read from JSON, led to the checkpoint, its block looked up in a list",
            spent["judged"],
            "ms",
            MILLISECONDS_MAX,
        ),
        Figure(what="header, receipt and proof of the last of 300", value=size, unit="bytes"),
    ]
