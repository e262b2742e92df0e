"""A chain in memory: a pool with a node's rules, blocks, reorganisations, loss.

Nothing happens by itself: whoever drives the double mines, drops and
reorganises. The same calls give the same hashes.
"""

from __future__ import annotations

from collections.abc import Sequence

from chain_double.blocks import (
    GAS_LIMIT,
    Block,
    Outcome,
    State,
    build_block,
    execute,
    next_base_fee,
)
from chain_double.transactions import Refused, Transaction, read_transaction
from vermilion_anchor.artifact import load_artifact

__all__ = ["ChainDouble"]


class ChainDouble:
    """One chain, as all its honest nodes see it.

    Attributes:
        chain_id: EIP-155 chain id.
        height: Number of the newest block.
        pool: What waits, by sender and nonce.
        base_fee_next: Set to have the next block cost this, in wei per gas.
        finalized_lag: How many blocks the ``finalized`` block lies behind.
        pool_max: Transactions that the pool holds; the cheapest is evicted.
    """

    def __init__(
        self,
        *,
        chain_id: int = 31337,
        time: int = 1_800_000_000,
        balances: dict[bytes, int] | None = None,
        finalized_lag: int = 64,
        history: int | None = None,
    ) -> None:
        """Begin with a block 0.

        Args:
            chain_id: EIP-155 chain id.
            time: Time of block 0, in seconds since 1970.
            balances: Wei of accounts in block 0.
            finalized_lag: As the attribute.
            history: Blocks remembered; None remembers all.
        """
        self.chain_id = chain_id
        self.pool: dict[tuple[bytes, int], Transaction] = {}
        self.base_fee_next: int | None = None
        self.finalized_lag = finalized_lag
        self.pool_max = 1000
        self._history = history
        self._built = 0
        artifact = load_artifact()
        self._creations = {artifact.creation_code: artifact.runtime_code}
        self._known: dict[bytes, Block] = {}  # by hash, orphans too
        self._places: dict[bytes, tuple[Block, int]] = {}  # canonical transactions by hash
        self._blocks: dict[int, Block] = {}
        state = State(balances=dict(balances or {}))
        self.height = -1
        self._append((), state, number=0, time=time, base_fee=10**9)

    @property
    def latest(self) -> Block:
        """The newest block."""
        return self._blocks[self.height]

    def block(self, number: int) -> Block | None:
        """Return the canonical block of a height."""
        return self._blocks.get(number)

    def block_by_hash(self, block_hash: bytes) -> Block | None:
        """Return a block, canonical or orphaned."""
        return self._known.get(block_hash)

    def place(self, transaction: bytes) -> tuple[Block, int] | None:
        """Return where a transaction was mined on the canonical chain."""
        return self._places.get(transaction)

    # --- the pool ---

    def add(self, raw: bytes) -> Transaction:
        """Take a transaction into the pool.

        Raises:
            Refused: As a node refuses it.
        """
        transaction = read_transaction(raw)
        state, key = self.latest.state, (transaction.sender, transaction.nonce)
        if transaction.chain_id != self.chain_id:
            raise Refused("invalid chain id for signer")
        if transaction.gas_limit < transaction.intrinsic_gas:
            raise Refused("intrinsic gas too low")
        if transaction.nonce < state.nonces.get(transaction.sender, 0):
            raise Refused("nonce too low")
        cost = transaction.gas_limit * transaction.max_fee
        if state.balances.get(transaction.sender, 0) < cost:
            raise Refused("insufficient funds for gas * price + value")
        waiting = self.pool.get(key)
        if waiting is not None and waiting.hash == transaction.hash:
            raise Refused("already known")
        if waiting is not None and not transaction.may_replace(waiting):
            raise Refused("replacement transaction underpriced")
        self.pool[key] = transaction
        if len(self.pool) > self.pool_max:
            cheapest = min(self.pool, key=lambda each: self.pool[each].priority_fee)
            del self.pool[cheapest]
        return transaction

    def is_waiting(self, transaction: bytes) -> bool:
        """Whether the pool has a transaction."""
        return any(each.hash == transaction for each in self.pool.values())

    def drop(self, transaction: bytes) -> None:
        """Lose a waiting transaction, silently."""
        self.pool = {key: each for key, each in self.pool.items() if each.hash != transaction}

    # --- blocks ---

    def mine(self, count: int = 1, *, seconds: int = 12) -> None:
        """Mine blocks from the pool, each so long after the one before."""
        for _ in range(count):
            base_fee = self._take_base_fee()
            self._build(self._choose(base_fee), time=self.latest.time + seconds, base_fee=base_fee)
            self._clean()

    def reorganise(
        self,
        depth: int,
        blocks: Sequence[Sequence[bytes]],
        *,
        is_pooled: bool = False,
    ) -> None:
        """Replace the newest blocks by others, at least as many.

        Args:
            depth: How many blocks vanish.
            blocks: Signed transactions of each new block; one that fits no more is left out.
            is_pooled: Whether nodes put what vanished back into their pools.
        """
        if not 0 < depth <= self.height or len(blocks) < depth:
            raise ValueError(f"no reorganisation of depth {depth} into {len(blocks)} blocks")
        seconds: list[int] = []
        gone: list[Transaction] = []
        for _ in range(depth):
            old = self._blocks.pop(self.height)
            self.height -= 1
            seconds.append(old.time - self.latest.time)
            gone.extend(old.transactions)
            for transaction in old.transactions:
                del self._places[transaction.hash]
        for at, raws in enumerate(blocks):
            chosen = [read_transaction(raw) for raw in raws]
            time = self.latest.time + seconds[-1 - at % depth]
            self._build(chosen, time=time, base_fee=self._take_base_fee())
        if is_pooled:
            for transaction in gone:
                key = (transaction.sender, transaction.nonce)
                self.pool.setdefault(key, transaction)
        self._clean()

    def peek_base_fee(self, block: Block) -> int:
        """Return the base fee of the block after one."""
        if block.number == self.height and self.base_fee_next is not None:
            return self.base_fee_next
        return next_base_fee(block)

    # --- below: building ---

    def _take_base_fee(self) -> int:
        fee, self.base_fee_next = self.peek_base_fee(self.latest), None
        return fee

    def _choose(self, base_fee: int) -> list[Transaction]:
        """Return what a producer takes from the pool: each account's in order, best tip first."""
        nonces = dict(self.latest.state.nonces)
        chosen: list[Transaction] = []
        while True:
            fitting = [
                each
                for (sender, nonce), each in self.pool.items()
                if nonce == nonces.get(sender, 0) and each.tip(base_fee) >= 0
            ]
            if not fitting:
                return chosen
            best = max(fitting, key=lambda each: (each.tip(base_fee), each.hash))
            nonces[best.sender] = best.nonce + 1
            chosen.append(best)

    def _build(self, chosen: Sequence[Transaction], *, time: int, base_fee: int) -> None:
        state, number = self.latest.state.copy(), self.height + 1
        done: list[tuple[Transaction, Outcome]] = []
        room = GAS_LIMIT
        for transaction in chosen:
            cost = transaction.gas_limit * transaction.max_fee
            if (
                transaction.nonce != state.nonces.get(transaction.sender, 0)
                or transaction.tip(base_fee) < 0
                or state.balances.get(transaction.sender, 0) < cost
                or transaction.gas_limit > room
            ):
                continue
            outcome = execute(
                transaction,
                state,
                number=number,
                time=time,
                base_fee=base_fee,
                creations=self._creations,
            )
            room -= outcome.gas_used
            done.append((transaction, outcome))
        self._append(done, state, number=number, time=time, base_fee=base_fee)

    def _append(
        self,
        done: Sequence[tuple[Transaction, Outcome]],
        state: State,
        *,
        number: int,
        time: int,
        base_fee: int,
    ) -> None:
        self._built += 1
        block = build_block(
            self._blocks.get(number - 1),
            done,
            state,
            number=number,
            time=time,
            base_fee=base_fee,
            salt=self._built.to_bytes(8, "big"),
        )
        self._blocks[number] = self._known[block.hash] = block
        self.height = number
        for at, transaction in enumerate(block.transactions):
            self._places[transaction.hash] = (block, at)
        if self._history is not None and number >= self._history:
            self._forget(number - self._history)

    def _forget(self, number: int) -> None:
        old = self._blocks.pop(number)
        del self._known[old.hash]
        for transaction in old.transactions:
            del self._places[transaction.hash]

    def _clean(self) -> None:
        """Drop what can never be mined any more."""
        nonces = self.latest.state.nonces
        self.pool = {
            (sender, nonce): each
            for (sender, nonce), each in self.pool.items()
            if nonce >= nonces.get(sender, 0)
        }
