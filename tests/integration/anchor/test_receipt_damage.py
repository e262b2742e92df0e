"""Damage to real anchor receipts of every transaction index: none is ever proven.

Blocks of 1 to 300 transactions, each an anchor, made by a real node. Here every
node dropped and doubled, and a steady sample of flipped bits; ``make receipts``
flips them all.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from anchored_kit import COUNTS, AnchoredLog, damaged_proofs, flip, widths
from chain import start_chain
from vermilion_ledger.evm.receipt import AnchorReceipt
from vermilion_verify.report import Verdict

FLIPS = 6  # of each receipt


@pytest.fixture(scope="module")
def anchored() -> AnchoredLog:
    with start_chain() as node:
        return AnchoredLog(node)


@pytest.fixture(params=COUNTS, ids=[f"{count} transactions" for count in COUNTS])
def block(anchored: AnchoredLog, request: pytest.FixtureRequest) -> tuple[AnchorReceipt, ...]:
    return anchored.blocks[request.param]


def neighbours(block: tuple[AnchorReceipt, ...], index: int) -> tuple[AnchorReceipt, ...]:
    """The receipts before and after, around the corner; make receipts takes both."""
    places = {(index - 1) % len(block), (index + 1) % len(block)} - {index}
    return tuple(block[place] for place in sorted(places))


def edges(block: tuple[AnchorReceipt, ...]) -> Iterator[AnchorReceipt]:
    """The receipts at which the form of the key or of the path changes."""
    for index in sorted({0, 1, 15, 16, 127, 128, 255, 256, len(block) - 1}):
        if index < len(block):
            yield block[index]


def test_the_receipt_of_every_transaction_stands(
    anchored: AnchoredLog, block: tuple[AnchorReceipt, ...]
) -> None:
    assert [receipt.transaction_index for receipt in block] == list(range(len(block)))
    assert all(anchored.stands(receipt) for receipt in block)


def test_a_document_is_proven_by_any_of_them(
    anchored: AnchoredLog, block: tuple[AnchorReceipt, ...]
) -> None:
    for receipt in edges(block):
        assert anchored.verdict(receipt) is Verdict.PROVEN


def test_no_dropped_doubled_or_foreign_node_is_believed(
    anchored: AnchoredLog, block: tuple[AnchorReceipt, ...]
) -> None:
    standing = [
        (index, damage.receipt_proof)
        for index, receipt in enumerate(block)
        for damage in damaged_proofs(receipt, neighbours(block, index)[:1])
        if anchored.stands(damage)
    ]

    assert standing == []


def test_no_flipped_bit_is_believed(
    anchored: AnchoredLog, block: tuple[AnchorReceipt, ...]
) -> None:
    chosen = random.Random(len(block))
    standing = []
    for receipt in block:
        fields = list(widths(receipt, header=True))
        for name, position, bits in chosen.choices(fields, [f[2] for f in fields], k=FLIPS):
            bit = chosen.randrange(bits)
            if anchored.stands(flip(receipt, name, position, bit)):
                standing.append((receipt.transaction_index, name, position, bit))

    assert standing == []


def test_no_damage_is_proven_even_if_the_ledger_closes_over_it(
    anchored: AnchoredLog, block: tuple[AnchorReceipt, ...]
) -> None:
    chosen = random.Random(len(block))
    for receipt in edges(block):
        fields = list(widths(receipt, header=True))
        for name, position, bits in fields:
            damage = flip(receipt, name, position, chosen.randrange(bits))
            assert anchored.verdict(damage) is not Verdict.PROVEN
