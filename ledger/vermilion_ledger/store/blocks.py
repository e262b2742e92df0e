"""Block headers that were offered for a statement's ``seen`` (FORMATS section 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, bindparam, select

from vermilion_ledger.anchor_rows import ChainBlock
from vermilion_ledger.errors import ConflictError
from vermilion_ledger.store import schema
from vermilion_ledger.store.bulk import chunks, insert_rows
from vermilion_ledger.store.engine import looking, reading, writing
from vermilion_ledger.store.moments import decode_moment, encode_moment

__all__ = ["SqlBlockStore"]

_blocks = schema.blocks.c
_BLOCK = select(schema.blocks).where(
    _blocks.chain_id == bindparam("chain"), _blocks.hash == bindparam("hash")
)


class SqlBlockStore:
    """Insert-only: a header once offered can be put into a bundle for ever."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def save(self, block: ChainBlock, *, offered_at: datetime) -> None:
        """Keep a block; nothing changes if it is there. Durable on return."""
        if self.load(block.chain_id, block.hash) is not None:
            return
        row = (
            block.chain_id,
            block.hash,
            block.number,
            block.header,
            encode_moment(block.time),
            encode_moment(offered_at),
        )
        try:
            with writing(self._engine) as connection:
                insert_rows(
                    connection,
                    schema.blocks,
                    ("chain_id", "hash", "number", "header", "time", "offered_at"),
                    [row],
                )
        except ConflictError:
            return  # another process kept the same header between look and insert

    def load(self, chain_id: int, block_hash: bytes) -> tuple[ChainBlock, datetime] | None:
        """Return a block and when it was first offered, or None."""
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


def _block(row: Any) -> ChainBlock:
    return ChainBlock(
        chain_id=row.chain_id,
        number=row.number,
        hash=row.hash,
        time=decode_moment(row.time),
        header=row.header,
    )
