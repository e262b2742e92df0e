"""What the anchorer needs of the outside: a chain, a journal, a view of the log, a signer.

Protocols only, in the package of their consumer. `vermilion_anchor.evm`
implements the chain, `vermilion_ledger.store` the journal, and the composition
root joins them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vermilion_ledger.anchor_rows import (
    AnchorAttempt,
    AnchorJob,
    AnchorTarget,
    FinalAnchor,
    JobState,
    MinedIn,
)

__all__ = [
    "AnchorEvent",
    "AnchorPorts",
    "BlockData",
    "ChainClient",
    "ChainHead",
    "Clock",
    "FeeHistory",
    "JournalStore",
    "LogView",
    "Signer",
    "TransactionFields",
    "TransactionReceipt",
]


class Clock(Protocol):
    """Tells the time; passed in everywhere."""

    def __call__(self) -> datetime:
        """Return the present moment, aware and in UTC."""
        ...


class JournalStore(Protocol):
    """The durable journal of anchoring: every save returns only after it is durable.

    A save compares ``job.revision`` with the stored one and raises
    ConflictError ``anchor.job-moved`` where they differ, so that a second
    anchorer started by mistake stops instead of sending twice. Every method may
    raise UnavailableError while the store is out of reach.
    """

    def load_open(self, target: AnchorTarget) -> AnchorJob | None:
        """Return the one open job of a target, with all its attempts."""
        ...

    def plan(self, target: AnchorTarget, *, size: int, root: bytes, now: datetime) -> AnchorJob:
        """Open a job in state `planned`.

        Raises:
            ConflictError: ``anchor.job-open``: the target has an open job.
        """
        ...

    def reserve_nonce(self, job: AnchorJob, address: bytes, *, nonce_min: int) -> int:
        """Return the lowest nonce from ``nonce_min`` on that is no other open job's.

        From then on it is this job's, until the job is closed; asked again, the
        same is returned unless a lower one became free.

        Raises:
            ConflictError: ``anchor.nonce-moved``: another process was faster; retry.
        """
        ...

    def save_signed(self, job: AnchorJob, attempt: AnchorAttempt) -> AnchorJob:
        """Append an attempt and set the state `signed`, in one transaction.

        ``job.size`` and ``job.root`` are saved as well: they are the attempt's.
        Nothing is sent before this has returned.

        Raises:
            ConflictError: ``anchor.job-moved``.
        """
        ...

    def has_attempt(self, transaction: bytes) -> bool:
        """Tell whether a transaction was signed for any job of any target already."""
        ...

    def save_state(
        self, job: AnchorJob, state: JobState, *, mined: MinedIn | None = None
    ) -> AnchorJob:
        """Set the state; ``mined`` is given exactly with `JobState.MINED` and cleared otherwise.

        ``job.size`` and ``job.root`` are saved as well: of several attempts that of the one mined.

        Raises:
            ConflictError: ``anchor.job-moved``.
        """
        ...

    def save_receipt(self, job: AnchorJob, anchor: FinalAnchor) -> None:
        """Store a final anchor and close its job as `final`, in one transaction.

        An anchor is stored once: the same (chain, block hash, transaction
        index, log index) again changes nothing but the job, and that its
        block counts as vanished no more.

        Raises:
            ConflictError: ``anchor.job-moved``.
        """
        ...

    def save_vanished(self, anchor: FinalAnchor, *, now: datetime) -> None:
        """Remember that the block of a final anchor is on its chain no more."""
        ...

    def load_vanished(self, target: AnchorTarget) -> FinalAnchor | None:
        """Return the anchor of the largest size whose block vanished; None without one."""
        ...

    def load_final(self, target: AnchorTarget, *, size: int | None = None) -> FinalAnchor | None:
        """Return the final anchor of that size, or of the largest size; None without one.

        Anchors whose block vanished are left out.
        """
        ...

    def load_costs(self, target: AnchorTarget, *, since: datetime) -> Mapping[int, int]:
        """Return by nonce what the attempts signed since then may cost at most, in wei.

        Of several attempts of a nonce the dearest counts, since one alone can be mined.
        """
        ...


class LogView(Protocol):
    """Read access to our own log, as far as it is published."""

    def newest(self) -> tuple[int, bytes] | None:
        """Return size and root of the newest published checkpoint; None before the first."""
        ...

    def root_at(self, size: int) -> bytes:
        """Return the root that the tree had with ``size`` leaves, at most the newest size."""
        ...

    def consistency(self, old_size: int, new_size: int) -> Sequence[bytes]:
        """Return the RFC 9162 proof between two sizes, ``0 < old_size <= new_size``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionFields:
    """An EIP-1559 call, complete, before it is signed; fees in wei."""

    chain_id: int
    nonce: int
    to: bytes | None
    data: bytes
    gas_limit: int
    max_fee: int
    priority_fee: int

    @property
    def cost_max(self) -> int:
        """What it may cost at most, in wei."""
        return self.gas_limit * self.max_fee


class Signer(Protocol):
    """Holds one key of the anchoring chain, or asks for it. May be used by several threads."""

    @property
    def address(self) -> bytes:
        """The 20-byte address of the key."""
        ...

    def sign(self, fields: TransactionFields) -> bytes:
        """Return the signed EIP-2718 bytes of a transaction.

        The caller compares them with ``fields`` and ``address`` and believes nothing.

        Raises:
            UnavailableError: The key is out of reach, or refused to sign; retry.
            SignatureError: What came back is no signature of that key.
            InputError: ``signer.pin``: a person is needed.
            NotFoundError: ``signer.no-key``: the key is gone.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainHead:
    """What the contract says was anchored last; size 0 before the first anchor."""

    size: int
    root: bytes
    block_number: int
    block_time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorEvent:
    """An `Anchored` event, as the node tells it: believed only after a receipt proof."""

    size: int
    root: bytes
    transaction: bytes
    block_number: int
    block_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionReceipt:
    """Where a transaction was mined, whether it succeeded, and what contract it created.

    ``gas_used`` and ``gas_price`` (wei per gas, as paid) are remarks of a node.
    """

    transaction: bytes
    transaction_index: int
    block_number: int
    block_hash: bytes
    is_success: bool
    contract: bytes | None = None
    gas_used: int | None = None
    gas_price: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockData:
    """A canonical block: its hash and the raw header that hashes to it; time in seconds."""

    number: int
    hash: bytes
    time: int
    header: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeHistory:
    """What recent blocks cost, in wei per gas.

    Attributes:
        base_fee: Base fee of the next block.
        rewards: Median priority fee of each recent block that had transactions.
    """

    base_fee: int
    rewards: tuple[int, ...]


class ChainClient(Protocol):
    """One node of one chain. Every method may raise UnavailableError ``chain.unreachable``."""

    def chain_id(self) -> int:
        """Return the chain id of the node, asked anew after each reconnection."""
        ...

    def code(self, address: bytes) -> bytes:
        """Return the runtime code at an address; empty where there is none."""
        ...

    def head(self, contract: bytes, log: bytes) -> ChainHead:
        """Return the contract's head of a log.

        Raises:
            NotFoundError: ``chain.no-contract``.
        """
        ...

    def anchor_data(self, *, log: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bytes:
        """Return the ABI-encoded call of ``anchor``."""
        ...

    def register_data(self, *, origin_hash: bytes, publisher: bytes) -> bytes:
        """Return the ABI-encoded call of ``register``."""
        ...

    def estimate_gas(self, *, sender: bytes, to: bytes | None, data: bytes) -> int:
        """Return the gas a call would use now.

        Raises:
            ConflictError: The call would revert: ``chain.unknown-log``,
                ``chain.not-publisher``, ``chain.not-owner``, ``chain.not-nominated``,
                ``chain.log-registered`` or ``chain.reverted``.
        """
        ...

    def fee_history(self) -> FeeHistory:
        """Return what recent blocks cost."""
        ...

    def set_development_balance(self, address: bytes, wei: int) -> None:
        """Give an account of a development node its balance; real nodes refuse."""
        ...

    def balance(self, address: bytes) -> int:
        """Return the balance of an account in wei."""
        ...

    def nonce(self, address: bytes) -> int:
        """Return the number of *mined* transactions of an account."""
        ...

    def send(self, raw: bytes) -> str:
        """Hand a signed transaction to the node; return what it said, for the log only.

        Returning means nothing: whether the node took it is read back. An
        answer such as "already known" is no error.
        """
        ...

    def has_transaction(self, transaction: bytes) -> bool:
        """Tell whether the node knows a transaction, waiting or mined."""
        ...

    def receipt(self, transaction: bytes) -> TransactionReceipt | None:
        """Return the receipt on the canonical chain; None if it is not mined."""
        ...

    def receipts(self, block_hash: bytes) -> Sequence[bytes]:
        """Return every EIP-2718 receipt of a block, in order."""
        ...

    def block(self, which: int | str) -> BlockData | None:
        """Return the canonical block of a height or tag; None where there is none."""
        ...

    def block_by_hash(self, block_hash: bytes) -> BlockData | None:
        """Return a block by its hash; None where the node does not know it."""
        ...

    def block_number(self) -> int:
        """Return the height of the newest block."""
        ...

    def anchored_events(
        self, contract: bytes, log: bytes, *, block_number: int
    ) -> Sequence[AnchorEvent]:
        """Return the `Anchored` events of a log in one block."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorPorts:
    """What an anchorer works with; used by one thread."""

    chain: ChainClient
    journal: JournalStore
    log: LogView
    signer: Signer
    clock: Clock
