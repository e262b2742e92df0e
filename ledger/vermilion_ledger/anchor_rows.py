"""The rows of the anchoring journal, shared by the anchorer and its store.

Pure data: `vermilion_anchor` writes these through its `JournalStore` port and
a store under `vermilion_ledger.store` keeps them. An `AnchorJob` is the work
towards one anchor of one tree size; a `FinalAnchor` is its result, with the
receipt of FORMATS section 8 that goes into evidence bundles; a
`StoredTimestamp` is another clock's word on the same checkpoint.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vermilion_ledger.errors import InputError
from vermilion_ledger.limits import JSON_INTEGER_MAX, TREE_SIZE_MAX

__all__ = [
    "AnchorAttempt",
    "AnchorJob",
    "AnchorTarget",
    "ChainBlock",
    "FinalAnchor",
    "JobState",
    "MinedIn",
    "StoredTimestamp",
]

_HASH_SIZE = 32
_ADDRESS_SIZE = 20


class JobState(StrEnum):
    """Where a job stands; `FINAL` and `SUPERSEDED` are closed, all others open."""

    PLANNED = "planned"
    SIGNED = "signed"
    SENT = "sent"
    STUCK = "stuck"
    """Sent and waiting for long, and a dearer transaction would pass the cap."""
    DROPPED = "dropped"
    """The nonce signed for no longer fits: another transaction is to be signed."""
    MINED = "mined"
    REORGED = "reorged"
    """The block it was in is on the chain no more: to be mined again."""
    FINAL = "final"
    SUPERSEDED = "superseded"
    """Another publisher anchored a larger tree first; nothing was anchored here."""

    @property
    def is_open(self) -> bool:
        """Whether work remains to be done."""
        return self not in {JobState.FINAL, JobState.SUPERSEDED}


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorTarget:
    """One log in one contract on one chain: what a journal is about.

    Attributes:
        chain_id: EIP-155 chain id.
        contract: 20-byte address of the `EvidenceAnchor` contract.
        log: 32-byte identifier of the log in that contract.
    """

    chain_id: int
    contract: bytes
    log: bytes

    def __post_init__(self) -> None:
        """Refuse an address or identifier of another length."""
        if not 1 <= self.chain_id <= JSON_INTEGER_MAX:
            raise InputError("anchor.row", f"chain id {self.chain_id} is out of range")
        _check_size(self.contract, _ADDRESS_SIZE, "contract address")
        _check_size(self.log, _HASH_SIZE, "log identifier")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorAttempt:
    """One signed transaction of a job, stored before anything is sent.

    Attributes:
        nonce: Nonce of the sending account.
        gas_limit: In gas.
        max_fee: ``maxFeePerGas`` in wei.
        priority_fee: ``maxPriorityFeePerGas`` in wei.
        raw: Signed EIP-2718 bytes, sent again unchanged after a loss.
        transaction: Keccak-256 of ``raw``.
        signed_block: Number of the newest block when it was signed.
        signed_at: UTC moment of signing.
    """

    nonce: int
    gas_limit: int
    max_fee: int
    priority_fee: int
    raw: bytes
    transaction: bytes
    signed_block: int
    signed_at: datetime

    def __post_init__(self) -> None:
        """Refuse a hash of another length, or nothing to send."""
        _check_size(self.transaction, _HASH_SIZE, "transaction hash")
        if not self.raw:
            raise InputError("anchor.row", "a signed transaction of 0 bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class MinedIn:
    """The block that included an anchoring transaction, when it was last looked at.

    Attributes:
        transaction: Hash of the transaction, ours or another publisher's.
        block_number: Height of the block.
        block_hash: Its hash; compared again before the anchor counts as final.
    """

    transaction: bytes
    block_number: int
    block_hash: bytes

    def __post_init__(self) -> None:
        """Refuse hashes of another length."""
        _check_size(self.transaction, _HASH_SIZE, "transaction hash")
        _check_size(self.block_hash, _HASH_SIZE, "block hash")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorJob:
    """The work towards one anchor. At most one job of a target is open.

    Attributes:
        number: Given by the journal, rising.
        target: What is anchored where.
        size: Tree size to be anchored: as planned, then as signed last, then as mined.
        root: Root of that tree.
        state: Where the job stands.
        attempts: Every transaction ever signed for it, oldest first; none is
            ever dropped, as any of them may still be mined.
        mined: Set exactly in the states `MINED` and `FINAL`.
        revision: Rises with each saved change; a save names the revision it
            was read at, so that two anchorers cannot overwrite one another.
        planned_at: UTC moment of planning.
    """

    number: int
    target: AnchorTarget
    size: int
    root: bytes
    state: JobState
    attempts: tuple[AnchorAttempt, ...] = ()
    mined: MinedIn | None = None
    revision: int = 0
    planned_at: datetime

    def __post_init__(self) -> None:
        """Refuse a tree that cannot be and a mined job without its block."""
        _check_size(self.root, _HASH_SIZE, "root")
        if not 1 <= self.size <= TREE_SIZE_MAX:
            raise InputError("anchor.row", f"tree size {self.size} is out of range")
        if (self.mined is not None) != (self.state in {JobState.MINED, JobState.FINAL}):
            raise InputError("anchor.row", f"state {self.state} and mined {self.mined} disagree")


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalAnchor:
    """An anchor that is final on its chain, with the proof of it.

    Attributes:
        target: What was anchored where.
        size: Tree size anchored.
        root: Root of that tree.
        transaction: Hash of the anchoring transaction.
        transaction_index: Position of the transaction in its block.
        log_index: Position of the event within the receipt.
        block_number: Height of the block.
        block_hash: Keccak-256 of ``header``.
        block_time: Time of the block, UTC.
        header: Raw RLP of the block header.
        receipt: Canonical JSON of the anchor receipt (FORMATS section 8)
            without ``consistency``, which depends on the bundle's checkpoint.
        gas_used: Gas of the transaction, as a node said; None where none did.
        gas_price: What was paid, in wei per gas, as a node said.
    """

    target: AnchorTarget
    size: int
    root: bytes
    transaction: bytes
    transaction_index: int
    log_index: int
    block_number: int
    block_hash: bytes
    block_time: datetime
    header: bytes
    receipt: bytes
    gas_used: int | None = None
    gas_price: int | None = None

    def __post_init__(self) -> None:
        """Refuse hashes of another length."""
        _check_size(self.root, _HASH_SIZE, "root")
        _check_size(self.transaction, _HASH_SIZE, "transaction hash")
        _check_size(self.block_hash, _HASH_SIZE, "block hash")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainBlock:
    """A block that a statement may quote as ``seen``, with its raw header.

    Attributes:
        chain_id: EIP-155 chain id.
        number: Height.
        hash: Keccak-256 of ``header``.
        time: Time of the block, UTC.
        header: Raw RLP of the header.
    """

    chain_id: int
    number: int
    hash: bytes
    time: datetime
    header: bytes

    def __post_init__(self) -> None:
        """Refuse a hash of another length."""
        _check_size(self.hash, _HASH_SIZE, "block hash")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTimestamp:
    """A time-stamp over a checkpoint whose anchor is final (FORMATS section 9).

    Attributes:
        size: Tree size of the checkpoint.
        authority: Address of the authority, by which it is never asked twice.
        token: DER, verified before it was stored.
        time: The moment that it states, UTC.
    """

    size: int
    authority: str
    token: bytes
    time: datetime

    def __post_init__(self) -> None:
        """Refuse a checkpoint that cannot be, and a token of no bytes."""
        if not 1 <= self.size <= TREE_SIZE_MAX or not self.authority or not self.token:
            raise InputError("anchor.row", f"a time-stamp of size {self.size} has no content")


def _check_size(value: bytes, size: int, what: str) -> None:
    if len(value) != size:
        raise InputError("anchor.row", f"{what} of {len(value)} bytes, not {size}")
