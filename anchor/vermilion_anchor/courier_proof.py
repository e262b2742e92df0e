"""What an answer proves: a final anchor, once a list that the office trusts has its block.

Follows FORMATS section 8. No node is asked, and nothing that the courier says is
believed: the receipt passes the verifier's own check, and the block's hash must stand
in the list.
"""

from __future__ import annotations

from collections.abc import Mapping

from vermilion_ledger.anchor_rows import AnchorTarget, ChainBlock, FinalAnchor
from vermilion_ledger.encoding import encode_json
from vermilion_ledger.errors import VerificationError
from vermilion_ledger.evm.header import parse_header
from vermilion_ledger.evm.receipt import (
    AnchorReceipt,
    encode_anchor_receipt,
    verify_anchor_receipt,
)

__all__ = ["check_listed", "prove_anchor", "read_block"]


def prove_anchor(receipt: AnchorReceipt) -> FinalAnchor:
    """Return what a receipt proves, if its block is on the chain.

    Raises:
        VerificationError: As for `vermilion_ledger.evm.receipt.verify_anchor_receipt`;
            ``courier.receipt``: it is not as the journal keeps it.
    """
    proven = verify_anchor_receipt(receipt)
    transaction = receipt.hints.transaction if receipt.hints is not None else None
    if transaction is None or receipt.consistency is not None:
        raise VerificationError(
            "courier.receipt", "the receipt names no transaction, or has a consistency proof"
        )
    return FinalAnchor(
        target=AnchorTarget(chain_id=proven.chain_id, contract=proven.contract, log=proven.log),
        size=proven.size,
        root=proven.root,
        transaction=transaction,
        transaction_index=receipt.transaction_index,
        log_index=receipt.log_index,
        block_number=proven.block_number,
        block_hash=proven.block_hash,
        block_time=proven.block_time,
        header=receipt.header,
        receipt=encode_json(encode_anchor_receipt(receipt)),
    )


def read_block(chain_id: int, header: bytes) -> ChainBlock:
    """Return the block of a raw header, to be quoted as ``seen`` once it is listed."""
    found = parse_header(header)
    return ChainBlock(
        chain_id=chain_id, number=found.number, hash=found.hash, time=found.time, header=header
    )


def check_listed(
    listed: Mapping[tuple[int, int], bytes], chain_id: int, number: int, block_hash: bytes
) -> None:
    """Check that a block stands in a list of trusted hashes.

    Raises:
        VerificationError: ``courier.block-not-listed``; ``courier.block-differs``:
            the list has another hash at that height.
    """
    trusted = listed.get((chain_id, number))
    if trusted is None:
        raise VerificationError(
            "courier.block-not-listed",
            f"no line of the list is about block {number} of chain {chain_id}",
        )
    if trusted != block_hash:
        raise VerificationError(
            "courier.block-differs",
            f"block {number} is 0x{block_hash.hex()} in the answer, 0x{trusted.hex()} in the list",
        )
