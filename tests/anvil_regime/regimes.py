"""What a real chain is made to do: reorganise, grow dear, stall, lose; and the anchorer to die.

Each regime drives a `Bench` for one round and leaves it settled. A round is
told by its number alone.
"""

from __future__ import annotations

import json
import urllib.request
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any

from anvil_regime.bench import FEE_CAP, GWEI, Bench, BrokenPromiseError
from chain_double.contract import encode_anchor
from vermilion_anchor.deploy import fund_development_account
from vermilion_anchor.evm import AccountSigner
from vermilion_anchor.ports import TransactionFields
from vermilion_anchor.spending import SpendPolicy
from vermilion_ledger.anchor_rows import JobState

__all__ = ["DEPTH_MAX", "WAYS", "flood", "kill", "reorganise", "spike", "tally"]

DEPTH_MAX = 64
WAYS = ("dropped", "moved", "replaced", "past finality")
_FLOOD = 2500  # transactions at once, with which Anvil stalls and then forgets
_STRANGER = AccountSigner(b"\x51" * 32)


def reorganise(bench: Bench, number: int) -> str:
    """Anchor, reorganise at some point of it, and settle; return what was done to the anchor."""
    random = Random(number)
    depth, way = 1 + number % DEPTH_MAX, WAYS[random.choice((0, 0, 0, 1, 1, 1, 2, 2, 2, 3))]
    bench.chain.mine(2)
    bench.log.grow(random.randint(1, 5))
    before = bench.chain.client.block_number()
    is_deep = way == "past finality"
    anchorer = bench.anchorer(f"confirmations:{max(1, depth // 2) if is_deep else depth}")
    if is_deep:
        bench.settle(anchorer, depth=depth)
        bench.may_vanish.add(bench.size)
    else:
        # how far it has come when the blocks vanish: signed, sent, mined, half final
        for _ in range(random.randint(3, 9)):
            if bench.step(anchorer).is_waiting:
                bench.chain.mine()
        bench.chain.mine(random.randint(0, max(0, depth - 2)))
    height = bench.chain.client.block_number()
    if height - before < depth:
        bench.chain.mine(depth - (height - before))
        height = bench.chain.client.block_number()
    is_hit = _reorganise(bench, depth, way, random)
    if is_deep:
        bench.chain.mine(2)  # what vanished is missed once the chain is as high again
    if random.random() < 0.5:
        anchorer = bench.anchorer(f"confirmations:{depth}")  # another process takes over
    bench.settle(anchorer, depth=depth)
    return way if is_hit else "nothing of ours was in it"


def _reorganise(bench: Bench, depth: int, way: str, random: Random) -> bool:
    """Reorganise; return whether an anchoring transaction of ours was in what vanished."""
    client, signer = bench.chain.client, bench.chain.signer
    kept = client.block_number() - depth
    job = bench.journal.list_all(limit=1)[0]
    undone = [
        attempt
        for attempt in job.attempts
        if (found := client.receipt(attempt.transaction)) and found.block_number > kept
    ]
    raw = None
    if way == "moved" and undone:
        raw = undone[-1].raw
    elif way == "replaced" and undone:
        raw = _replacement(bench, undone[-1].nonce, signer, random)
    moved = [] if raw is None else [["0x" + raw.hex(), random.randrange(depth)]]
    bench.chain.rpc("anvil_reorg", depth, moved)
    return bool(undone)


def _replacement(bench: Bench, nonce: int, signer: AccountSigner, random: Random) -> bytes | None:
    """Return what takes the anchor's place: the nonce used elsewhere, or another publisher."""
    target, client = bench.chain.target, bench.chain.client
    if random.random() < 0.5:
        return _sign(signer, nonce, signer.address, b"")
    job = bench.open_job()
    sizes = [int(event["data"][2:66], 16) for event in bench.chain.events()]
    if job is None or not sizes:
        return None
    old = max((size for size in sizes if size < job.size), default=0)
    proof = bench.log.consistency(old, job.size) if old else ()
    data = encode_anchor(target.log, job.size, job.root, proof)
    return _sign(bench.rival, client.nonce(bench.rival.address), target.contract, data)


def spike(bench: Bench, number: int, *, hours: float = 6.0, block_seconds: int = 60) -> str:
    """Make every block a thousand times dearer for hours, while the log grows."""
    random, rpc = Random(number), bench.chain.rpc
    spending = SpendPolicy(anchor_max=400_000 * FEE_CAP, day_max=400_000 * FEE_CAP)
    anchorer = bench.anchorer("confirmations:2", spending=spending)
    bench.log.grow(1)
    for _ in range(random.randint(0, 3)):  # planned, signed or sent when it begins
        bench.step(anchorer)
    states = set()
    for _ in range(round(hours * 3600 / block_seconds)):
        rpc("evm_increaseTime", block_seconds)
        rpc("anvil_setNextBlockBaseFeePerGas", hex(1000 * GWEI))
        rpc("evm_mine")
        if random.random() < 0.2:
            bench.log.grow(1)
        states.add(bench.step(anchorer).state)
    if JobState.MINED in states:
        raise BrokenPromiseError("an anchor was mined above the cap")
    rpc("anvil_setNextBlockBaseFeePerGas", hex(GWEI))
    rpc("evm_mine")
    bench.settle(anchorer, depth=2)
    return "dear"


def flood(bench: Bench, number: int) -> str:
    """Send thousands of transactions at once: Anvil stops mining, and forgets the rest."""
    random, rpc = Random(number), bench.chain.rpc
    fund_development_account(bench.chain.client, _STRANGER.address)
    first = bench.chain.client.nonce(_STRANGER.address)
    raws = [_sign(_STRANGER, first + at, b"\x11" * 20, b"") for at in range(_FLOOD)]
    anchorer = bench.anchorer("confirmations:2")
    bench.log.grow(1)
    rpc("evm_setAutomine", True)
    half = random.randrange(_FLOOD)
    _send_all(bench.chain.node.url, raws[:half])
    for _ in range(3):
        bench.step(anchorer)
    _send_all(bench.chain.node.url, raws[half:])
    pool = rpc("txpool_status")
    is_stalled = int(pool["pending"], 16) > 0
    rpc("evm_mine")
    mined = bench.chain.client.nonce(_STRANGER.address) - first
    waiting = int(rpc("txpool_status")["pending"], 16)
    is_lost = mined + waiting < _FLOOD
    rpc("evm_setAutomine", False)
    rpc("anvil_dropAllTransactions")
    bench.settle(anchorer, depth=2)
    return "lost" if is_lost else "stalled" if is_stalled else "neither"


class KilledError(BaseException):
    """Stands for SIGKILL: nothing may catch it."""


class _Fuse:
    """Burns at the nth call of any port, before or after it took effect."""

    def __init__(self, nth: int, *, is_after: bool) -> None:
        self.nth, self.is_after = nth, is_after
        self.burnt = ""

    def wrap(self, port: Any) -> Any:
        return _Fused(port, self)


class _Fused:
    def __init__(self, port: Any, fuse: _Fuse) -> None:
        self._port, self._fuse = port, fuse

    def __getattr__(self, name: str) -> Any:
        found, fuse = getattr(self._port, name), self._fuse
        if not callable(found):
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            fuse.nth -= 1
            if fuse.nth == 0 and not fuse.is_after:
                fuse.burnt = name
                raise KilledError
            result = found(*args, **kwargs)
            if fuse.nth == 0:
                fuse.burnt = name
                raise KilledError
            return result

        return call


def kill(bench: Bench, number: int, *, span: int = 70) -> str:
    """Kill an anchorer at one of its calls, and the next one too; a third one finishes.

    Args:
        bench: Where.
        number: Of the round; leads through every call, before and after it.
        span: Calls of one life to choose from.
    """
    random = Random(number)
    bench.log.grow(random.randint(1, 3))
    places = []
    for nth in (1 + number // 2 % span, random.randint(1, span)):
        fuse = _Fuse(nth, is_after=bool(number % 2))
        anchorer = bench.anchorer("confirmations:1", wrap=fuse.wrap)
        try:
            for _ in range(12):
                if bench.step(anchorer).is_waiting:
                    bench.chain.mine()
        except KilledError:
            places.append(fuse.burnt)
        if random.random() < 0.5:
            bench.chain.mine()
    bench.settle(bench.anchorer("confirmations:1"), depth=1)
    return places[0] if places else "survived"


def _sign(signer: AccountSigner, nonce: int, to: bytes, data: bytes) -> bytes:
    return signer.sign(
        TransactionFields(
            chain_id=31337,
            nonce=nonce,
            to=to,
            data=data,
            gas_limit=200_000 if data else 21_000,
            max_fee=100 * GWEI,
            priority_fee=GWEI,
        )
    )


def _send_all(url: str, raws: Sequence[bytes]) -> None:
    """Send in few requests: only quickly enough is it a flood."""
    for at in range(0, len(raws), 500):
        call = {"jsonrpc": "2.0", "method": "eth_sendRawTransaction"}
        calls = [
            call | {"id": number, "params": ["0x" + raw.hex()]}
            for number, raw in enumerate(raws[at : at + 500])
        ]
        request = urllib.request.Request(
            url, json.dumps(calls).encode(), {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=60).read()


def tally(outcomes: Sequence[str]) -> str:
    """Return how often each outcome was, in words."""
    return ", ".join(f"{count} {name}" for name, count in Counter(outcomes).most_common())
