"""`EvidenceAnchor` (FORMATS section 7) in Python: calls, heads, events, reverts.

Transfers of ownership are left out: no anchorer makes one. The gas of a call is
near the compiled contract's, and depends on the head as there: what was
estimated for one head may be too little for another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.evm.keccak import keccak256
from vermilion_ledger.evm.receipt import ANCHORED_TOPIC
from vermilion_ledger.merkle import verify_consistency

__all__ = [
    "Effect",
    "Event",
    "LogState",
    "Reverted",
    "call_contract",
    "encode_anchor",
    "encode_register",
    "encode_set_publisher",
]

_ANCHOR, _REGISTER, _SET_PUBLISHER = (
    keccak256(signature)[:4]
    for signature in (
        b"anchor(bytes32,uint64,bytes32,bytes32[])",
        b"register(bytes32,address)",
        b"setPublisher(bytes32,address,bool)",
    )
)
_REGISTERED_TOPIC = keccak256(b"LogRegistered(bytes32,address,bytes32)")
_PUBLISHER_TOPIC = keccak256(b"PublisherSet(bytes32,address,bool)")
_FIRST_GAS, _NEXT_GAS, _HASH_GAS, _SAME_GAS, _REGISTER_GAS = 52_000, 18_000, 700, 7_000, 75_000


class Reverted(Exception):  # noqa: N818 - an outcome, not an error of ours
    """The call reverts, with the name of a custom error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a call emitted."""

    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LogState:
    """What the contract keeps of a log."""

    owner: bytes
    publishers: frozenset[bytes]
    size: int = 0
    root: bytes = bytes(32)
    block_number: int = 0
    block_time: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a call does: the log it changes, what that becomes, events, execution gas."""

    log: bytes
    state: LogState
    events: tuple[Event, ...]
    gas: int


def encode_anchor(log: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bytes:
    """Return the call of ``anchor``."""
    return b"".join(
        (_ANCHOR, log, _word(size), root, _word(128), _word(len(proof)), *proof),
    )


def encode_register(origin_hash: bytes, publisher: bytes) -> bytes:
    """Return the call of ``register``."""
    return _REGISTER + origin_hash + publisher.rjust(32, b"\0")


def encode_set_publisher(log: bytes, publisher: bytes, *, is_allowed: bool) -> bytes:
    """Return the call of ``setPublisher``."""
    return _SET_PUBLISHER + log + publisher.rjust(32, b"\0") + _word(is_allowed)


def call_contract(
    logs: dict[bytes, LogState], *, sender: bytes, data: bytes, number: int, time: int
) -> Effect:
    """Return what a call would do in a block; nothing is changed.

    Raises:
        Reverted: As the contract does.
    """
    selector, words = data[:4], [data[at : at + 32] for at in range(4, len(data), 32)]
    if selector == _ANCHOR:
        log, size, root, proof = words[0], int.from_bytes(words[1], "big"), words[2], words[5:]
        return _anchor(logs, sender, log, size, root, proof, number, time)
    if selector == _REGISTER:
        return _register(logs, sender, words[0], words[1][12:])
    if selector == _SET_PUBLISHER:
        return _set_publisher(logs, sender, words[0], words[1][12:], bool(words[2][31]))
    raise Reverted("no such function")


def _anchor(
    logs: dict[bytes, LogState],
    sender: bytes,
    log: bytes,
    size: int,
    root: bytes,
    proof: Sequence[bytes],
    number: int,
    time: int,
) -> Effect:
    state = logs.get(log)
    if state is None:
        raise Reverted("UnknownLog")
    if sender not in state.publishers:
        raise Reverted("NotPublisher")
    if state.size == 0:
        if size == 0:
            raise Reverted("EmptyTree")
        if proof:
            raise Reverted("UnexpectedProof")
        gas = _FIRST_GAS
    else:
        if size < state.size:
            raise Reverted("SizeBelowHead")
        if size == state.size:
            if root != state.root:
                raise Reverted("RootConflict")
            return Effect(log=log, state=state, events=(), gas=_SAME_GAS)
        try:
            verify_consistency(state.size, state.root, size, root, proof)
        except EvidenceError as exc:
            raise Reverted("InconsistentTree") from exc
        gas = _NEXT_GAS + _HASH_GAS * len(proof)
    changed = replace(state, size=size, root=root, block_number=number, block_time=time)
    event = Event(topics=(ANCHORED_TOPIC, log), data=_word(size) + root)
    return Effect(log=log, state=changed, events=(event,), gas=gas)


def _register(
    logs: dict[bytes, LogState], sender: bytes, origin_hash: bytes, publisher: bytes
) -> Effect:
    log = keccak256(sender.rjust(32, b"\0") + origin_hash)
    if publisher == bytes(20):
        raise Reverted("ZeroPublisher")
    if log in logs:
        raise Reverted("LogAlreadyRegistered")
    registered = Event(topics=(_REGISTERED_TOPIC, log, sender.rjust(32, b"\0")), data=origin_hash)
    state = LogState(owner=sender, publishers=frozenset({publisher}))
    allowed = _publisher_event(log, publisher, is_allowed=True)
    return Effect(log=log, state=state, events=(registered, allowed), gas=_REGISTER_GAS)


def _set_publisher(
    logs: dict[bytes, LogState], sender: bytes, log: bytes, publisher: bytes, is_allowed: bool
) -> Effect:
    state = logs.get(log)
    if state is None:
        raise Reverted("UnknownLog")
    if sender != state.owner:
        raise Reverted("NotOwner")
    if publisher == bytes(20):
        raise Reverted("ZeroPublisher")
    changed = state.publishers | {publisher} if is_allowed else state.publishers - {publisher}
    event = _publisher_event(log, publisher, is_allowed=is_allowed)
    state = replace(state, publishers=changed)
    return Effect(log=log, state=state, events=(event,), gas=_FIRST_GAS)


def _publisher_event(log: bytes, publisher: bytes, *, is_allowed: bool) -> Event:
    topics = (_PUBLISHER_TOPIC, log, publisher.rjust(32, b"\0"))
    return Event(topics=topics, data=_word(is_allowed))


def _word(value: int) -> bytes:
    return value.to_bytes(32, "big")
