"""Flip every bit of every anchor receipt of real blocks; prints counts. Run by ``make receipts``.

Blocks of 1, 2, 16, 17, 128, 129 and 300 transactions, each an anchor, made by
a real Anvil. Of each transaction index every bit of the receipt, of its proof
and of what is stated about it; of each block every bit of the header; every
node dropped, doubled, exchanged with its neighbours'. Takes about half an hour
on two cores. Exit code 1 if any of it was believed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
for folder in ("tests", "verifier", "ledger", "anchor"):
    sys.path.insert(0, str(TESTS.parent / folder))

from anchored_kit import COUNTS, AnchoredLog, damaged_proofs, flip, widths  # noqa: E402
from chain import start_chain  # noqa: E402
from vermilion_verify.report import Verdict  # noqa: E402

_SHARED: dict[str, AnchoredLog] = {}  # filled before the workers are forked


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What became of one receipt, or of several."""

    flips: int = 0
    damages: int = 0
    wrong: tuple[str, ...] = ()

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            flips=self.flips + other.flips,
            damages=self.damages + other.damages,
            wrong=self.wrong + other.wrong,
        )


def main(arguments: Sequence[str]) -> int:
    """Damage all receipts on all cores and print one line per block."""
    parser = argparse.ArgumentParser(description="flip the bits of real anchor receipts")
    parser.add_argument("counts", nargs="*", type=int, help="transactions of each block")
    parser.add_argument("--stride", type=int, default=1, help="flip every so many-th bit")
    asked = parser.parse_args(arguments)
    counts, stride = tuple(asked.counts) or COUNTS, asked.stride
    started = time.monotonic()
    with start_chain() as node:
        _SHARED["log"] = AnchoredLog(node, counts)
    total = Tally()
    print("| transactions | receipts proven | bits flipped | nodes damaged | believed |")
    print("|---:|---:|---:|---:|---:|")
    with multiprocessing.get_context("fork").Pool(os.cpu_count()) as pool:
        for count in counts:
            places = [(count, index, stride) for index in range(count)]
            tally = sum(pool.imap_unordered(damage_one, places), Tally())
            print(_row(str(count), count, tally), flush=True)
            total += tally
    print(_row("all", sum(counts), total))
    for line in total.wrong[:20]:
        print(line)
    print(f"\n{time.monotonic() - started:.0f} s")
    return 1 if total.wrong else 0


def damage_one(place: tuple[int, int, int]) -> Tally:
    """Do everything to the receipt of one transaction."""
    count, index, stride = place
    log = _SHARED["log"]
    block = log.blocks[count]
    receipt = block[index]
    where = f"transaction {index} of {count}"
    wrong = []
    if not log.stands(receipt) or log.verdict(receipt) is not Verdict.PROVEN:
        wrong.append(f"{where} is not proven to begin with")
    flips = damages = 0
    for name, position, bits in widths(receipt, header=index == 0):
        chosen = range(bits) if name == "header" else range(index % stride, bits, stride)
        flips += len(chosen)
        wrong += [
            f"{where}: believed with bit {bit} of {name} {position} flipped"
            for bit in chosen
            if log.stands(flip(receipt, name, position, bit))
        ]
    neighbours = [block[other] for other in {(index - 1) % count, (index + 1) % count} - {index}]
    for damage in damaged_proofs(receipt, neighbours):
        damages += 1
        if log.stands(damage):
            wrong.append(f"{where}: believed with {len(damage.receipt_proof)} nodes")
    return Tally(flips=flips, damages=damages, wrong=tuple(wrong))


def _row(name: str, receipts: int, tally: Tally) -> str:
    return f"| {name} | {receipts:,} | {tally.flips:,} | {tally.damages:,} | {len(tally.wrong):,} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
