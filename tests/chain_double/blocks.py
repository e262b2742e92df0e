"""Blocks of the chain double: what is executed, and real RLP headers over it.

Headers have Prague's 21 fields, real tries of transactions and receipts and a
real bloom, so that the verifier's own code takes them. Only the state root is
made up: nothing here proves state.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from chain_double.contract import Event, LogState, Reverted, call_contract
from chain_double.transactions import Transaction
from vermilion_ledger.evm.keccak import keccak256
from vermilion_ledger.evm.rlp import Item, encode_integer, encode_rlp
from vermilion_ledger.evm.trie import EMPTY_TRIE_ROOT, build_ordered_trie

__all__ = ["GAS_LIMIT", "Block", "Outcome", "State", "build_block", "execute", "next_base_fee"]

GAS_LIMIT = 30_000_000
_NO_UNCLES = keccak256(encode_rlp(()))
_NO_REQUESTS = hashlib.sha256(b"").digest()


@dataclass(slots=True, kw_only=True)
class State:
    """Accounts and contracts after a block; `copy` before anything changes."""

    nonces: dict[bytes, int] = field(default_factory=dict)
    balances: dict[bytes, int] = field(default_factory=dict)
    codes: dict[bytes, bytes] = field(default_factory=dict)
    contracts: dict[bytes, dict[bytes, LogState]] = field(default_factory=dict)

    def copy(self) -> State:
        """Return a state that changes by itself."""
        return State(
            nonces=dict(self.nonces),
            balances=dict(self.balances),
            codes=dict(self.codes),
            contracts={address: dict(logs) for address, logs in self.contracts.items()},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a transaction in its block."""

    is_success: bool
    gas_used: int
    events: tuple[Event, ...] = ()
    contract: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block, what was in it, and the state after it."""

    number: int
    hash: bytes
    header: bytes
    time: int
    base_fee: int
    gas_used: int
    transactions: tuple[Transaction, ...]
    outcomes: tuple[Outcome, ...]
    receipts: tuple[bytes, ...]
    state: State


def execute(
    transaction: Transaction,
    state: State,
    *,
    number: int,
    time: int,
    base_fee: int,
    creations: dict[bytes, bytes],
) -> Outcome:
    """Run a transaction on a state, which it changes.

    Args:
        transaction: One that fits the state: nonce, fees and funds.
        state: Changed in place.
        number: Of the block.
        time: Of the block, in seconds.
        base_fee: Of the block, in wei per gas.
        creations: Runtime code by creation code, of every contract that can be made.
    """
    sender = transaction.sender
    state.nonces[sender] = transaction.nonce + 1
    outcome = _run(transaction, state, number=number, time=time, creations=creations)
    price = base_fee + transaction.tip(base_fee)
    state.balances[sender] -= outcome.gas_used * price
    return outcome


def _run(
    transaction: Transaction,
    state: State,
    *,
    number: int,
    time: int,
    creations: dict[bytes, bytes],
) -> Outcome:
    gas = transaction.intrinsic_gas
    if transaction.to is None:
        code = creations[transaction.data]
        gas += 200 * len(code) + 50_000
        if gas > transaction.gas_limit:
            return Outcome(is_success=False, gas_used=transaction.gas_limit)
        encoded = encode_rlp((transaction.sender, encode_integer(transaction.nonce)))
        address = keccak256(encoded)[12:]
        state.codes[address] = code
        state.contracts[address] = {}
        return Outcome(is_success=True, gas_used=gas, contract=address)
    logs = state.contracts.get(transaction.to)
    if logs is None:
        return Outcome(is_success=True, gas_used=gas)
    try:
        effect = call_contract(
            logs, sender=transaction.sender, data=transaction.data, number=number, time=time
        )
    except Reverted:
        return Outcome(is_success=False, gas_used=min(gas + 3_000, transaction.gas_limit))
    if gas + effect.gas > transaction.gas_limit:
        return Outcome(is_success=False, gas_used=transaction.gas_limit)
    logs[effect.log] = effect.state
    return Outcome(is_success=True, gas_used=gas + effect.gas, events=effect.events)


def build_block(
    parent: Block | None,
    done: Sequence[tuple[Transaction, Outcome]],
    state: State,
    *,
    number: int,
    time: int,
    base_fee: int,
    salt: bytes,
) -> Block:
    """Return the block over what was executed; ``salt`` tells apart what is otherwise equal."""
    receipts, blooms, gas_used = [], [], 0
    for transaction, outcome in done:
        gas_used += outcome.gas_used
        bloom = _bloom(transaction.to or b"", outcome.events)
        blooms.append(bloom)
        logs = tuple((transaction.to or b"", each.topics, each.data) for each in outcome.events)
        status = encode_integer(int(outcome.is_success))
        receipts.append(
            b"\x02" + encode_rlp((status, encode_integer(gas_used), _bits(bloom), logs))
        )
    transactions = tuple(transaction for transaction, _ in done)
    transactions_root = build_ordered_trie([each.raw for each in transactions]).root
    fields: tuple[Item, ...] = (
        parent.hash if parent else bytes(32),
        _NO_UNCLES,
        bytes(20),
        keccak256((parent.hash if parent else b"") + transactions_root),
        transactions_root,
        build_ordered_trie(receipts).root,
        _bits(*blooms),
        b"",
        encode_integer(number),
        encode_integer(GAS_LIMIT),
        encode_integer(gas_used),
        encode_integer(time),
        b"double",
        keccak256(salt),
        bytes(8),
        encode_integer(base_fee),
        EMPTY_TRIE_ROOT,
        b"",
        b"",
        bytes(32),
        _NO_REQUESTS,
    )
    header = encode_rlp(fields)
    return Block(
        number=number,
        hash=keccak256(header),
        header=header,
        time=time,
        base_fee=base_fee,
        gas_used=gas_used,
        transactions=transactions,
        outcomes=tuple(outcome for _, outcome in done),
        receipts=tuple(receipts),
        state=state,
    )


def next_base_fee(parent: Block) -> int:
    """Return the base fee after a block (EIP-1559)."""
    target = GAS_LIMIT // 2
    fee, used = parent.base_fee, parent.gas_used
    if used > target:
        return fee + max(fee * (used - target) // target // 8, 1)
    return fee - fee * (target - used) // target // 8


def _bloom(address: bytes, events: Iterable[Event]) -> int:
    """Return the bloom of a receipt as a number (Yellow Paper, section 4.3.1)."""
    bloom = 0
    for event in events:
        for value in (address, *event.topics):
            digest = keccak256(value)
            for at in (0, 2, 4):
                bloom |= 1 << (int.from_bytes(digest[at : at + 2], "big") & 2047)
    return bloom


def _bits(*blooms: int) -> bytes:
    joined = 0
    for bloom in blooms:
        joined |= bloom
    return joined.to_bytes(256, "big")
