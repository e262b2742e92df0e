"""Rows of final anchors: the receipt, and beside it what a node said that it cost.

Insert-only, both of them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, and_, insert, select

from vermilion_ledger.anchor_rows import AnchorTarget, FinalAnchor
from vermilion_ledger.store import schema
from vermilion_ledger.store.moments import decode_moment, encode_moment

__all__ = ["insert_final", "read_final", "select_finals"]

_finals = schema.anchor_receipts.c
_payments = schema.anchor_payments.c


def select_finals() -> Select[Any]:
    """Final anchors, each with what it cost."""
    return select(schema.anchor_receipts, _payments.gas_used, _payments.gas_price).outerjoin(
        schema.anchor_payments,
        and_(
            _payments.chain_id == _finals.chain_id,
            _payments.block_hash == _finals.block_hash,
            _payments.transaction_hash == _finals.transaction_hash,
        ),
    )


def insert_final(connection: Connection, anchor: FinalAnchor) -> None:
    """Insert an anchor, unless the same (chain, block hash, transaction and log index) is there."""
    same = select(_finals.size).where(
        _finals.chain_id == anchor.target.chain_id,
        _finals.block_hash == anchor.block_hash,
        _finals.transaction_index == anchor.transaction_index,
        _finals.log_index == anchor.log_index,
    )
    if connection.execute(same).first() is None:
        connection.execute(insert(schema.anchor_receipts).values(_values(anchor)))
        _insert_payment(connection, anchor)


def read_final(row: Any) -> FinalAnchor:
    """Return the anchor of a row of `select_finals`."""
    return FinalAnchor(
        target=AnchorTarget(chain_id=row.chain_id, contract=row.contract, log=row.log),
        size=row.size,
        root=row.root,
        transaction=row.transaction_hash,
        transaction_index=row.transaction_index,
        log_index=row.log_index,
        block_number=row.block_number,
        block_hash=row.block_hash,
        block_time=decode_moment(row.block_time),
        header=row.header,
        receipt=row.receipt,
        gas_used=row.gas_used,
        gas_price=row.gas_price,
    )


def _insert_payment(connection: Connection, anchor: FinalAnchor) -> None:
    if anchor.gas_used is None or anchor.gas_price is None:
        return
    values = {
        "chain_id": anchor.target.chain_id,
        "block_hash": anchor.block_hash,
        "transaction_hash": anchor.transaction,
    }
    same = select(_payments.gas_used).where(*(_payments[name] == values[name] for name in values))
    if connection.execute(same).first() is None:  # one transaction may anchor several logs
        values |= {"gas_used": anchor.gas_used, "gas_price": anchor.gas_price}
        connection.execute(insert(schema.anchor_payments).values(values))


def _values(anchor: FinalAnchor) -> dict[str, Any]:
    return {
        "chain_id": anchor.target.chain_id,
        "contract": anchor.target.contract,
        "log": anchor.target.log,
        "size": anchor.size,
        "root": anchor.root,
        "transaction_hash": anchor.transaction,
        "transaction_index": anchor.transaction_index,
        "log_index": anchor.log_index,
        "block_number": anchor.block_number,
        "block_hash": anchor.block_hash,
        "block_time": encode_moment(anchor.block_time),
        "header": anchor.header,
        "receipt": anchor.receipt,
    }
