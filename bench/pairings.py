"""Approvals given apart and joined: bytes and time, with both pairing libraries.

Processor time of one core, as nothing here waits: what else runs does not count.
"""

from __future__ import annotations

import hashlib
import statistics
import time
from collections.abc import Callable, Mapping, Sequence

from measure import Figure, rate, scaled, take_turns

from vermilion_ledger.encoding import encode_base64, encode_json
from vermilion_ledger.schemes import bls12381
from vermilion_ledger.schemes.pairing import Pairing
from vermilion_ledger.schemes.pairing_arkworks import ArkworksPairing
from vermilion_ledger.schemes.pairing_py_ecc import PyEccPairing

COUNTS = (1, 10, 100)
MESSAGE = b"DSSEv1 28 application/vnd.in-toto+json 700 " + bytes(700)
_FAST_REPEATS = 20
_ROUNDS = 3


def run(*, scale: float = 1.0) -> list[Figure]:
    """Measure and return the figures."""
    figures: list[Figure] = []
    seeds = [hashlib.sha256(b"bench %d" % number).digest() for number in range(max(COUNTS))]
    keys = [bls12381.public_key_of(seed) for seed in seeds]
    parts = [bls12381.sign(seed, MESSAGE) for seed in seeds]
    for count in COUNTS:
        figures += _sizes(keys[:count], parts[:count])
    for pairing, repeats in (
        (ArkworksPairing(), scaled(_FAST_REPEATS, scale)),
        (PyEccPairing(), 1),  # a hundred apart take a minute
    ):
        for count in COUNTS:
            figures += _times(pairing, keys[:count], parts[:count], repeats)
        figures += _possession(pairing, seeds[0], keys[0], repeats)
    return figures


def _sizes(keys: list[bytes], parts: list[bytes]) -> list[Figure]:
    count = len(keys)
    keyids = [hashlib.sha256(key).hexdigest() for key in keys]
    apart = [
        {"keyid": keyid, "scheme": bls12381.NAME, "sig": encode_base64(part)}
        for keyid, part in zip(keyids, parts, strict=True)
    ]
    figures = [
        Figure(what=f"{count} apart: members of `signatures`", value=_size(apart), unit="bytes")
    ]
    if count > 1:
        sig = encode_base64(bls12381.join_signatures(parts))
        joint = [{"keyids": sorted(keyids), "scheme": bls12381.NAME, "sig": sig}]
        figures.append(
            Figure(what=f"{count} joined: the one member", value=_size(joint), unit="bytes")
        )
    return figures


def _size(members: Sequence[Mapping[str, object]]) -> int:
    return len(encode_json([*members])) - 2  # without the brackets of the list


def _times(pairing: Pairing, keys: list[bytes], parts: list[bytes], repeats: int) -> list[Figure]:
    count = len(keys)
    together = bls12381.join_signatures(parts)

    def apart() -> None:
        for _ in range(repeats):
            for key, part in zip(keys, parts, strict=True):
                bls12381.verify_bytes([key], MESSAGE, part, pairing=pairing)

    def joined() -> None:
        for _ in range(repeats):
            bls12381.verify_bytes(keys, MESSAGE, together, pairing=pairing)

    def join() -> None:
        for _ in range(repeats):
            bls12381.join_signatures(parts, pairing=pairing)

    asked: dict[str, Callable[[], None]] = {"apart": apart}
    if count > 1:
        asked |= {"joined": joined, "join": join}
    seconds = _take(asked)
    names = {"apart": "verified apart", "joined": "verified joined", "join": "joining"}
    figures = [
        Figure(
            what=f"{pairing.name}, {count}: {names[name]}",
            value=1000 * found / repeats,
            unit="ms",
        )
        for name, found in seconds.items()
    ]
    if count == 1:
        value = rate(repeats, seconds["apart"])
        figures.append(
            Figure(what=f"{pairing.name}: verifications", value=value, unit="per second and core")
        )
    return figures


def _possession(pairing: Pairing, seed: bytes, key: bytes, repeats: int) -> list[Figure]:
    proof = bls12381.prove_possession(seed)

    def sign() -> None:
        for _ in range(repeats):
            bls12381.sign(seed, MESSAGE, pairing=pairing)

    def possess() -> None:
        for _ in range(repeats):
            bls12381.verify_possession(key, proof, pairing=pairing)

    seconds = _take({"signing": sign, "a proof of possession verified": possess})
    return [
        Figure(what=f"{pairing.name}: {name}", value=1000 * found / repeats, unit="ms")
        for name, found in seconds.items()
    ]


def _take(contenders: Mapping[str, Callable[[], None]]) -> dict[str, float]:
    """Return the median processor seconds of each contender."""

    def timed(contender: Callable[[], None]) -> Callable[[], float]:
        def run() -> float:
            start = time.process_time()
            contender()
            return time.process_time() - start

        return run

    taken = take_turns({name: timed(each) for name, each in contenders.items()}, rounds=_ROUNDS)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}
