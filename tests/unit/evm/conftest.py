"""Synthetic blocks whose receipts are anchor events, built by our own encoders.

Real blocks of a real node are in tests/integration/anchor; here every field
can be made wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from vermilion_ledger.evm.receipt import ANCHORED_TOPIC, AnchorReceipt
from vermilion_ledger.evm.rlp import Item, encode_integer, encode_rlp
from vermilion_ledger.evm.trie import build_ordered_trie

CONTRACT = bytes(range(20))
LOG = b"\x11" * 32
ROOT = b"\x22" * 32
SIZE = 1024


def make_header(receipts_root: bytes, *, number: int = 42, time: int = 1_700_000_000) -> list[Item]:
    """The 21 fields of a header since Prague."""
    return [
        b"\x01" * 32,
        b"\x02" * 32,
        b"\x03" * 20,
        b"\x04" * 32,
        b"\x05" * 32,
        receipts_root,
        bytes(256),
        b"",
        encode_integer(number),
        encode_integer(30_000_000),
        encode_integer(21_000),
        encode_integer(time),
        b"",
        b"\x06" * 32,
        bytes(8),
        encode_integer(10**9),
        b"\x07" * 32,
        b"",
        b"",
        b"\x08" * 32,
        b"\x09" * 32,
    ]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Everything that goes into one block with one anchor event, each part replaceable."""

    kind: bytes = b"\x02"
    status: bytes = b"\x01"
    address: bytes = CONTRACT
    topics: Sequence[Item] = (ANCHORED_TOPIC, LOG)
    data: bytes = SIZE.to_bytes(32, "big") + ROOT
    before: int = 0
    after: int = 0
    extra: tuple[Item, ...] = ()
    log_extra: tuple[Item, ...] = ()
    logs: Sequence[Item] | None = None
    count: int = 1
    index: int = 0

    def receipt_bytes(self) -> bytes:
        other = (b"\x77" * 20, (b"\x33" * 32,), b"other")
        event = (self.address, tuple(self.topics), self.data, *self.log_extra)
        logs = (*[other] * self.before, event, *[other] * self.after)
        fields = (
            self.status,
            encode_integer(21_000),
            bytes(256),
            logs if self.logs is None else self.logs,
            *self.extra,
        )
        return self.kind + encode_rlp(fields)

    def build(self, **changes: Any) -> AnchorReceipt:
        wanted = self.receipt_bytes()
        receipts = [
            b"\x02" + encode_rlp((b"\x01", encode_integer(21_000 * (i + 1)), bytes(256), ()))
            for i in range(self.count)
        ]
        receipts[self.index] = wanted
        trie = build_ordered_trie(receipts)
        receipt = AnchorReceipt(
            chain_id=31337,
            contract=CONTRACT,
            log=LOG,
            size=SIZE,
            root=ROOT,
            transaction_index=self.index,
            log_index=self.before,
            header=encode_rlp(make_header(trie.root)),
            receipt=wanted,
            receipt_proof=trie.prove(self.index),
        )
        return replace(receipt, **changes)


@pytest.fixture(scope="session")
def sample() -> type[Sample]:
    return Sample


@pytest.fixture(scope="session")
def header_fields() -> Callable[..., list[Item]]:
    return make_header
