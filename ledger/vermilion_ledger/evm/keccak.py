"""Keccak-256 as Ethereum uses it: the padding of before SHA-3 was fixed."""

from __future__ import annotations

__all__ = ["keccak256"]


def keccak256(data: bytes) -> bytes:
    """Return the Keccak-256 hash of bytes.

    >>> keccak256(b"").hex()[:16]
    'c5d2460186f7233c'
    """
    from Crypto.Hash import keccak  # half of the verifier's start-up: only where it is needed

    return keccak.new(data=data, digest_bits=256).digest()
