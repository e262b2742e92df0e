"""The double behind the anchorer's port: a node that answers at once, and the truth.

Faults are not made here: see `anchor_simulation.faults`.
"""

from __future__ import annotations

from collections.abc import Sequence

from chain_double.blocks import Block
from chain_double.chain import ChainDouble
from chain_double.contract import (
    LogState,
    Reverted,
    call_contract,
    encode_anchor,
    encode_register,
)
from chain_double.transactions import Refused
from vermilion_anchor.ports import (
    AnchorEvent,
    BlockData,
    ChainHead,
    FeeHistory,
    TransactionReceipt,
)
from vermilion_ledger.errors import ConflictError, NotFoundError, UnavailableError
from vermilion_ledger.evm.receipt import ANCHORED_TOPIC

__all__ = ["DoubleClient"]

_REVERTS = {
    "LogAlreadyRegistered": "chain.log-registered",
    "NotOwner": "chain.not-owner",
    "NotPublisher": "chain.not-publisher",
    "UnknownLog": "chain.unknown-log",
}
_FEE_BLOCKS = 10


class DoubleClient:
    """A node of a `ChainDouble`; implements `vermilion_anchor.ports.ChainClient`.

    Attributes:
        lag: How many blocks this node is behind the newest.
    """

    def __init__(self, chain: ChainDouble) -> None:
        self.chain = chain
        self.lag = 0
        self.name = "double"

    def chain_id(self) -> int:
        return self.chain.chain_id

    def code(self, address: bytes) -> bytes:
        return self._latest().state.codes.get(address, b"")

    def balance(self, address: bytes) -> int:
        return self._latest().state.balances.get(address, 0)

    def nonce(self, address: bytes) -> int:
        return self._latest().state.nonces.get(address, 0)

    def set_development_balance(self, address: bytes, wei: int) -> None:
        self.chain.latest.state.balances[address] = wei

    def fee_history(self) -> FeeHistory:
        latest, rewards = self._latest(), []
        for number in range(max(0, latest.number - _FEE_BLOCKS + 1), latest.number + 1):
            block = self.chain.block(number)
            if block is not None and block.transactions:
                rewards.append(_median_tip(block))
        return FeeHistory(base_fee=self.chain.peek_base_fee(latest), rewards=tuple(rewards))

    # --- the contract ---

    def head(self, contract: bytes, log: bytes) -> ChainHead:
        state = self._logs(contract).get(log)
        if state is None:
            return ChainHead(size=0, root=bytes(32), block_number=0, block_time=0)
        return ChainHead(
            size=state.size,
            root=state.root,
            block_number=state.block_number,
            block_time=state.block_time,
        )

    def anchor_data(self, *, log: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bytes:
        return encode_anchor(log, size, root, proof)

    def register_data(self, *, origin_hash: bytes, publisher: bytes) -> bytes:
        return encode_register(origin_hash, publisher)

    def anchored_events(
        self, contract: bytes, log: bytes, *, block_number: int
    ) -> Sequence[AnchorEvent]:
        block = self._canonical(block_number)
        if block is None:
            return ()
        return tuple(
            AnchorEvent(
                size=int.from_bytes(event.data[:32], "big"),
                root=event.data[32:],
                transaction=transaction.hash,
                block_number=block.number,
                block_hash=block.hash,
            )
            for transaction, outcome in zip(block.transactions, block.outcomes, strict=True)
            for event in outcome.events
            if transaction.to == contract and event.topics == (ANCHORED_TOPIC, log)
        )

    def estimate_gas(self, *, sender: bytes, to: bytes | None, data: bytes) -> int:
        zeros = data.count(0)
        gas = 21_000 + 4 * zeros + 16 * (len(data) - zeros)
        if to is None:
            return gas + 82_000 + 200 * len(data)
        latest = self._latest()
        if to not in latest.state.contracts:
            return gas
        try:
            effect = call_contract(
                latest.state.contracts[to],
                sender=sender,
                data=data,
                number=latest.number,
                time=latest.time,
            )
        except Reverted as exc:
            code = _REVERTS.get(str(exc), "chain.reverted")
            raise ConflictError(code, f"the call would revert: {exc}") from exc
        return gas + effect.gas

    # --- transactions ---

    def send(self, raw: bytes) -> str:
        try:
            self.chain.add(raw)
        except Refused as exc:
            return str(exc)
        return "accepted"

    def has_transaction(self, transaction: bytes) -> bool:
        return self.chain.is_waiting(transaction) or self.chain.place(transaction) is not None

    def receipt(self, transaction: bytes) -> TransactionReceipt | None:
        place = self.chain.place(transaction)
        if place is None or place[0].number > self._latest().number:
            return None
        block, at = place
        return TransactionReceipt(
            transaction=transaction,
            transaction_index=at,
            block_number=block.number,
            block_hash=block.hash,
            is_success=block.outcomes[at].is_success,
            contract=block.outcomes[at].contract,
        )

    def receipts(self, block_hash: bytes) -> Sequence[bytes]:
        block = self.chain.block_by_hash(block_hash)
        if block is None:
            raise UnavailableError("chain.bad-answer", "the double does not know that block")
        return block.receipts

    # --- blocks ---

    def block_number(self) -> int:
        return self._latest().number

    def block(self, which: int | str) -> BlockData | None:
        latest = self._latest().number
        lag = self.chain.finalized_lag
        heights = {
            "latest": latest,
            "safe": max(0, latest - lag // 2),
            "finalized": max(0, latest - lag),
            "earliest": 0,
        }
        number = heights.get(which) if isinstance(which, str) else which
        found = None if number is None else self._canonical(number)
        return None if found is None else _data(found)

    def block_by_hash(self, block_hash: bytes) -> BlockData | None:
        found = self.chain.block_by_hash(block_hash)
        return None if found is None else _data(found)

    # --- below: looking ---

    def _latest(self) -> Block:
        found = self.chain.block(max(0, self.chain.height - self.lag))
        return found if found is not None else self.chain.latest

    def _canonical(self, number: int) -> Block | None:
        return self.chain.block(number) if number <= self._latest().number else None

    def _logs(self, contract: bytes) -> dict[bytes, LogState]:
        logs = self._latest().state.contracts.get(contract)
        if logs is None:
            raise NotFoundError("chain.no-contract", f"no contract at 0x{contract.hex()}")
        return logs


def _median_tip(block: Block) -> int:
    """Return the tip at half of the gas used."""
    tips = sorted(
        (transaction.tip(block.base_fee), outcome.gas_used)
        for transaction, outcome in zip(block.transactions, block.outcomes, strict=True)
    )
    seen = 0
    for tip, gas in tips:
        seen += gas
        if 2 * seen >= block.gas_used:
            return tip
    return 0


def _data(block: Block) -> BlockData:
    return BlockData(number=block.number, hash=block.hash, time=block.time, header=block.header)
