"""Block headers that were offered for a statement's ``seen`` (FORMATS section 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, Update, bindparam, select, update

from vermilion_ledger.anchor_rows import ChainBlock
from vermilion_ledger.errors import ConflictError
from vermilion_ledger.store import schema
from vermilion_ledger.store.bulk import chunks, insert_rows
from vermilion_ledger.store.engine import looking, reading, writing
from vermilion_ledger.store.moments import decode_moment, encode_moment

__all__ = ["OFFER_GRAIN", "SqlBlockStore"]

OFFER_GRAIN = timedelta(minutes=1)
"""A block that was offered as lately as this is not written again."""
_COLUMNS = ("chain_id", "hash", "number", "header", "time", "offered_at")
_blocks = schema.blocks.c
_BLOCK = select(schema.blocks).where(
    _blocks.chain_id == bindparam("chain"), _blocks.hash == bindparam("hash")
)


class SqlBlockStore:
    """A header once offered can be put into a bundle for ever; the moment of the offer rises."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def save(self, block: ChainBlock, *, offered_at: datetime) -> None:
        """Keep a block and when it was offered last, within a minute. Durable on return."""
        kept = self.load(block.chain_id, block.hash)
        if kept is not None and offered_at < kept[1] + OFFER_GRAIN:
            return
        try:
            with writing(self._engine) as connection:
                if kept is None:
                    insert_rows(connection, schema.blocks, _COLUMNS, [_row(block, offered_at)])
                else:
                    connection.execute(_renewed(block, encode_moment(offered_at)))
        except ConflictError:
            return  # another process kept the same header between look and insert

    def load(self, chain_id: int, block_hash: bytes) -> tuple[ChainBlock, datetime] | None:
        """Return a block and when it was offered last, or None."""
        with looking(self._engine) as connection:
            row = connection.execute(_BLOCK, {"chain": chain_id, "hash": block_hash}).first()
        return None if row is None else (_block(row), decode_moment(row.offered_at))

    def load_headers(self, block_hashes: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """Return the raw headers of those of the blocks that are kept."""
        found: dict[bytes, bytes] = {}
        with reading(self._engine) as connection:
            for part in chunks(block_hashes):
                query = select(_blocks.hash, _blocks.header).where(_blocks.hash.in_(part))
                found.update((row[0], row[1]) for row in connection.execute(query))
        return found

    def load_newest(self, chain_id: int) -> tuple[ChainBlock, datetime] | None:
        """Return the block of a chain offered last and when, or None."""
        query = (
            select(schema.blocks)
            .where(_blocks.chain_id == chain_id)
            .order_by(_blocks.offered_at.desc(), _blocks.number.desc())
            .limit(1)
        )
        with reading(self._engine) as connection:
            row = connection.execute(query).first()
        return None if row is None else (_block(row), decode_moment(row.offered_at))


def _row(block: ChainBlock, offered_at: datetime) -> tuple[Any, ...]:
    return (
        block.chain_id,
        block.hash,
        block.number,
        block.header,
        encode_moment(block.time),
        encode_moment(offered_at),
    )


def _renewed(block: ChainBlock, offered_at: int) -> Update:
    """Return the statement; another process may have offered it later still."""
    return (
        update(schema.blocks)
        .where(_blocks.chain_id == block.chain_id, _blocks.hash == block.hash)
        .where(_blocks.offered_at < offered_at)
        .values(offered_at=offered_at)
    )


def _block(row: Any) -> ChainBlock:
    return ChainBlock(
        chain_id=row.chain_id,
        number=row.number,
        hash=row.hash,
        time=decode_moment(row.time),
        header=row.header,
    )
