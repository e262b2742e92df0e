"""Signatures of people: how many a core verifies in a second, scheme by scheme.

Counted in seconds of the processor, since what else runs on the machine tells
nothing about a scheme. Each verification parses the public key anew, as one of
a key seen for the first time does. Signatures are those of the tests' devices.
"""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Callable

from measure import ROUNDS, Figure, rate, scaled, take_turns

from vermilion_ledger.envelope import make_envelope
from vermilion_ledger.keys import verify_actor_signature
from vermilion_ledger.schemes import sm2

_COUNTS = {
    "ed25519": 2_000,
    "ecdsa-p256": 2_000,
    "secp256k1-eip712": 500,  # most of it is typed data and addresses, in Python
    "webauthn-es256": 2_000,
    "sm2-sm3": 50,
    "bls12381-g2-pop": 50,
    "ml-dsa-44": 500,
}
_SIGNED_COUNT = 5  # by a program that is started each time


def run(*, scale: float = 1.0) -> list[Figure]:
    """Measure and return the figures."""
    contenders = {name: _verifier(name, scaled(n, scale)) for name, n in _COUNTS.items()}
    taken = take_turns(contenders, rounds=ROUNDS)
    figures = [
        Figure(what=f"{name}, verified", value=statistics.median(rates), unit="per second and core")
        for name, rates in taken.items()
    ]
    if shutil.which("openssl"):
        seconds = min(_sign_with_openssl() for _ in range(scaled(_SIGNED_COUNT, scale)))
        figures.append(
            Figure(what="sm2-sm3, signed by the program openssl", value=1000 * seconds, unit="ms")
        )
    return figures


def _verifier(scheme: str, count: int) -> Callable[[], float]:
    """Return what verifies a signature so many times and tells the rate."""
    import office

    person = office.Person(name="somebody", scheme=scheme)
    envelope = person.sign(
        make_envelope(office.statement("approve", seen=office.SEEN).encode(), ())
    )
    signature, message = envelope.signatures[0], envelope.message
    registry = office.registry_of(person)

    def verify() -> float:
        start = time.process_time()
        for _ in range(count):
            verify_actor_signature(signature, message, registry)
        return rate(count, time.process_time() - start)

    return verify


def _sign_with_openssl() -> float:
    """Return the wall seconds of one signature; the least of some, since programs are started."""
    start = time.perf_counter()
    sm2.sign(bytes(range(1, 33)), b"message")
    return time.perf_counter() - start
