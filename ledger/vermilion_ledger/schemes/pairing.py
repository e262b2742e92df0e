"""The pairing on BLS12-381 behind one small protocol, and which library does it.

Two libraries stand behind it: arkworks (native, part of a base install) and
py-ecc (pure Python, the reference and the fallback; about a thousand times
slower). They agree bit for bit, which a differential test shows. What is
canonical is decided before either is asked, by `bls12381`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from vermilion_ledger.errors import UnavailableError

__all__ = ["Pairing", "load_pairing"]


class Pairing(Protocol):
    """Keys in G1, signatures in G2, suite ``BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_``.

    Keys are 48 bytes, signatures 96, both compressed and canonical by their
    form; a scalar is in [1, r). Whether the bytes are a point of the group is
    asked here, of each of them, every time.
    """

    @property
    def name(self) -> str:
        """What the library is called."""
        ...

    def check_key(self, key: bytes) -> None:
        """Refuse a key that is not a point of G1.

        Raises:
            InputError: ``key.not-in-group``.
        """
        ...

    def make_key(self, scalar: int) -> bytes:
        """Return the public key of a private scalar (SkToPk)."""
        ...

    def sign(self, scalar: int, message: bytes) -> bytes:
        """Return the signature over a message (CoreSign)."""
        ...

    def prove(self, scalar: int) -> bytes:
        """Return the proof of possession of a private scalar (PopProve)."""
        ...

    def join(self, signatures: Sequence[bytes]) -> bytes:
        """Return the sum of signatures (Aggregate).

        Raises:
            SignatureError: ``signature.bad``: one is not a point of G2.
        """
        ...

    def verify(self, keys: Sequence[bytes], message: bytes, signature: bytes) -> None:
        """Check one signature by all of the keys over one message (FastAggregateVerify).

        Raises:
            InputError: ``key.not-in-group``.
            SignatureError: ``signature.bad``.
        """
        ...

    def verify_proof(self, key: bytes, proof: bytes) -> None:
        """Check a proof of possession (PopVerify).

        Raises:
            InputError: ``key.not-in-group``.
            SignatureError: ``signature.bad``.
        """
        ...


def load_pairing() -> Pairing:
    """Return the fastest library that is installed.

    Raises:
        UnavailableError: ``scheme.unsupported``: neither is.
    """
    try:
        from vermilion_ledger.schemes.pairing_arkworks import ArkworksPairing
    except ImportError:
        pass
    else:
        return ArkworksPairing()
    try:
        from vermilion_ledger.schemes.pairing_py_ecc import PyEccPairing
    except ImportError as exc:
        raise UnavailableError(
            "scheme.unsupported", "neither py-arkworks-bls12381 nor py-ecc is installed"
        ) from exc
    return PyEccPairing()
