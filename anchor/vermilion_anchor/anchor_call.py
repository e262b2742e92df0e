"""The call of ``anchor``, encoded and read back without a node or its libraries.

Follows FORMATS section 7 and the Solidity ABI specification (words of 32
bytes, a dynamic array behind its offset). A transaction that travels as a file
says in its data alone what it would anchor: here is where that is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vermilion_ledger.errors import InputError
from vermilion_ledger.evm.keccak import keccak256
from vermilion_ledger.limits import PROOF_LENGTH_MAX, TREE_SIZE_MAX

__all__ = ["AnchorCall", "encode_anchor_call", "parse_anchor_call"]

_SIGNATURE = b"anchor(bytes32,uint64,bytes32,bytes32[])"
_SELECTOR, _WORD = 4, 32
_HEAD_WORDS = 5  # log, size, root, offset of the proof, its length
_OFFSET = (4 * _WORD).to_bytes(_WORD, "big")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorCall:
    """What a transaction asks of the contract.

    Attributes:
        log: 32-byte identifier of the log.
        size: Tree size to be anchored.
        root: Root of that tree.
        proof: RFC 9162 consistency proof from the contract's head; empty for a first anchor.
    """

    log: bytes
    size: int
    root: bytes
    proof: tuple[bytes, ...]


def encode_anchor_call(log: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bytes:
    """Return the ABI-encoded call."""
    words = [log, _number(size), root, _OFFSET, _number(len(proof)), *proof]
    return keccak256(_SIGNATURE)[:_SELECTOR] + b"".join(words)


def parse_anchor_call(data: bytes) -> AnchorCall:
    """Read a call; only what `encode_anchor_call` would write is one.

    Raises:
        InputError: ``courier.call``: another function, another layout, or no tree.
    """
    words = [data[at : at + _WORD] for at in range(_SELECTOR, len(data), _WORD)]
    proof = tuple(words[_HEAD_WORDS:])
    is_whole = len(data) % _WORD == _SELECTOR
    if not is_whole or len(words) < _HEAD_WORDS or len(proof) > PROOF_LENGTH_MAX:
        raise InputError("courier.call", f"{len(data)} bytes are no call of anchor")
    call = AnchorCall(
        log=words[0], size=int.from_bytes(words[1], "big"), root=words[2], proof=proof
    )
    if not 1 <= call.size <= TREE_SIZE_MAX:
        raise InputError("courier.call", f"tree size {call.size} is out of range")
    if encode_anchor_call(call.log, call.size, call.root, call.proof) != data:
        raise InputError("courier.call", "the data is no call of anchor")
    return call


def _number(value: int) -> bytes:
    return value.to_bytes(_WORD, "big")
