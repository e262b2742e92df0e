"""Signed EIP-1559 transactions, as a node reads them: fields, hash and who signed."""

from __future__ import annotations

from dataclasses import dataclass

import coincurve

from vermilion_ledger.evm.keccak import keccak256
from vermilion_ledger.evm.rlp import Item, decode_rlp, encode_rlp, parse_integer

__all__ = ["Refused", "Transaction", "read_transaction"]

_WORD_MAX = 2**256 - 1
_BASE_GAS, _ZERO_GAS, _BYTE_GAS, _CREATE_GAS = 21_000, 4, 16, 32_000


class Refused(Exception):  # noqa: N818 - what a node says, not an error of ours
    """What a node answers to a transaction that it does not take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One signed call; fees in wei per gas."""

    chain_id: int
    nonce: int
    priority_fee: int
    max_fee: int
    gas_limit: int
    to: bytes | None
    data: bytes
    sender: bytes
    raw: bytes
    hash: bytes

    @property
    def intrinsic_gas(self) -> int:
        """What it costs before anything is executed (Yellow Paper, appendix G)."""
        zeros = self.data.count(0)
        gas = _BASE_GAS + zeros * _ZERO_GAS + (len(self.data) - zeros) * _BYTE_GAS
        return gas if self.to is not None else gas + _CREATE_GAS

    def tip(self, base_fee: int) -> int:
        """What the block's producer gets per gas; negative where the base fee is not paid."""
        return min(self.priority_fee, self.max_fee - base_fee)

    def may_replace(self, other: Transaction) -> bool:
        """Whether both fees are a tenth above those of a transaction with the same nonce."""
        return (
            10 * self.max_fee >= 11 * other.max_fee
            and 10 * self.priority_fee >= 11 * other.priority_fee
        )


def read_transaction(raw: bytes) -> Transaction:
    """Read and check a signature; nothing is compared with any chain yet."""
    if raw[:1] != b"\x02":
        raise Refused("transaction type not supported")
    items = decode_rlp(raw[1:], what="transaction")
    if isinstance(items, bytes) or len(items) != 12:
        raise Refused("rlp: wrong number of members")
    chain_id, nonce, priority_fee, max_fee, gas_limit = (
        parse_integer(item, maximum=_WORD_MAX, what="a number") for item in items[:5]
    )
    to, data = _octets(items[5]), _octets(items[7])
    if priority_fee > max_fee:
        raise Refused("max priority fee per gas higher than max fee per gas")
    parity, r, s = (parse_integer(item, maximum=_WORD_MAX, what="a scalar") for item in items[9:])
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([parity])
    digest = keccak256(b"\x02" + encode_rlp(items[:9]))
    key = coincurve.PublicKey.from_signature_and_message(signature, digest, hasher=None)
    return Transaction(
        chain_id=chain_id,
        nonce=nonce,
        priority_fee=priority_fee,
        max_fee=max_fee,
        gas_limit=gas_limit,
        to=to or None,
        data=data,
        sender=keccak256(key.format(compressed=False)[1:])[12:],
        raw=raw,
        hash=keccak256(raw),
    )


def _octets(item: Item) -> bytes:
    if not isinstance(item, bytes):
        raise Refused("rlp: a list where bytes are due")
    return item
