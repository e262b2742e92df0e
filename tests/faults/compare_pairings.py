"""Ask both pairing libraries the same questions; they must never differ.

``compare_pairings.py --number 200`` makes that many random sets of keys, lets
each library make keys, proofs, signatures and sums, compares the bytes, then
changes one bit somewhere and compares the answers. py-ecc takes about two
seconds a set.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

if __name__ == "__main__":
    root = Path(__file__).resolve().parents[2]
    sys.path[:0] = [str(root / "ledger")]

from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.schemes import bls12381
from vermilion_ledger.schemes.pairing import Pairing
from vermilion_ledger.schemes.pairing_arkworks import ArkworksPairing
from vermilion_ledger.schemes.pairing_py_ecc import PyEccPairing

__all__ = ["compare"]

_LIBRARIES: tuple[Pairing, ...] = (ArkworksPairing(), PyEccPairing())
_KEY_COUNT_MAX = 3


def compare(number: int, seed: int) -> Counter[str]:
    """Return how often each answer was given by both.

    Raises:
        AssertionError: They differ; the message says how to see it again.
    """
    chance = random.Random(seed)
    answers: Counter[str] = Counter()
    for place in range(number):
        try:
            answers += _compare_once(chance)
        except AssertionError as exc:
            raise AssertionError(f"seed {seed}, set {place}: {exc}") from exc
    return answers


def _compare_once(chance: random.Random) -> Counter[str]:
    seeds = [chance.randbytes(32) for _ in range(chance.randint(1, _KEY_COUNT_MAX))]
    message = chance.randbytes(chance.choice((0, 1, 63, 1000)))
    keys = [_same(partial(bls12381.public_key_of, each)) for each in seeds]
    parts = [_same(partial(bls12381.sign, each, message)) for each in seeds]
    proof = _same(partial(bls12381.prove_possession, seeds[0]))
    together = _same(partial(bls12381.join_signatures, parts))
    spoilt = chance.randrange(5)
    asked_keys = [_flip(keys[0], chance) if spoilt == 0 else keys[0], *keys[1:]]
    asked_message = message + b"\x00" if spoilt == 1 else message
    asked_signature = _flip(together, chance) if spoilt == 2 else together
    asked_proof = _flip(proof, chance) if spoilt == 3 else proof
    return Counter(
        (
            _answer(partial(bls12381.verify_bytes, asked_keys, asked_message, asked_signature)),
            _answer(partial(bls12381.verify_possession, keys[0], asked_proof)),
        )
    )


def _same(make: Callable[..., bytes]) -> bytes:
    made = [make(pairing=library) for library in _LIBRARIES]
    assert len(set(made)) == 1, f"made {[each.hex() for each in made]}"
    return made[0]


def _answer(ask: Callable[..., None]) -> str:
    """Return the code with which both refuse, or ``accepted``."""
    answers = []
    for library in _LIBRARIES:
        try:
            ask(pairing=library)
        except EvidenceError as exc:
            answers.append(exc.code)
        else:
            answers.append("accepted")
    assert len(set(answers)) == 1, f"answered {answers}"
    return answers[0]


def _flip(data: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(8 * len(data))
    changed = bytearray(data)
    changed[place // 8] ^= 1 << place % 8
    return bytes(changed)


def main(arguments: list[str]) -> int:
    """Compare, and print how often each answer was given."""
    parser = argparse.ArgumentParser(description="compare arkworks with py-ecc")
    parser.add_argument("--number", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    for answer, count in sorted(compare(asked.number, asked.seed).items()):
        print(f"{count:6}  {answer}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
