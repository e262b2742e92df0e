"""Nonces of the registrar: random to everybody, recognisable to us.

A ledger accepts a (key, nonce) pair once (FORMATS section 3). To look up the
nonce of every registration would cost an index as large as the log, so those
that the registrar draws are told apart by themselves: each is twelve random
bytes behind four zeros, put through a permutation that only this intake key
knows (AES-128, FIPS 197, one block). A statement by somebody else with such a
nonce is refused as a repetition; a random one has it once in 2^32.
"""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from vermilion_api.services.drawing import RandomBlock

__all__ = ["NONCE_SIZE", "RegistrarNonces"]

NONCE_SIZE = 16  # bytes, as a block of AES
_MARK = bytes(4)
_PURPOSE = b"vermilion/registrar-nonce/v1\x00"


class RegistrarNonces:
    """The nonces that belong to one intake key. Safe to share between threads."""

    def __init__(self, intake_seed: bytes, random: RandomBlock | None = None) -> None:
        self._random = random or RandomBlock()
        key = hashlib.sha256(_PURPOSE + intake_seed).digest()[:NONCE_SIZE]
        # Blocks are all different and independent: a permutation is all that is wanted.
        self._cipher = Cipher(AES(key), ECB())  # noqa: S305

    def draw(self, count: int) -> list[bytes]:
        """Return fresh nonces."""
        size = NONCE_SIZE - len(_MARK)
        drawn = self._random.take(size * count)
        plain = b"".join(_MARK + drawn[at : at + size] for at in range(0, len(drawn), size))
        data = self._cipher.encryptor().update(plain)
        return [data[at : at + NONCE_SIZE] for at in range(0, len(data), NONCE_SIZE)]

    def is_ours(self, nonce: bytes) -> bool:
        """Tell whether a nonce is one that the registrar may have drawn."""
        return self._cipher.decryptor().update(nonce).startswith(_MARK)
