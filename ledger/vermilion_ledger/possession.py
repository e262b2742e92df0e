"""Proofs of possession: whoever registers a key that adds up has its private half.

FORMATS section 3: the registration of a ``bls12381-g2-pop`` key carries
``pop``. Without it somebody could register their own key minus another's (a
rogue key), and sign alone for both. The proof is a signature, and is treated
as the other signatures are: a ledger checks it once, at intake; a verifier
with every bundle. Certificates, where a registration has some, are about its very key.
"""

from __future__ import annotations

from vermilion_ledger.encoding import parse_base64
from vermilion_ledger.errors import InputError, SignatureError, VerificationError
from vermilion_ledger.logged import LoggedEnvelope
from vermilion_ledger.schemes import load_scheme

__all__ = ["check_certified_key", "check_possession"]

_PROOF_SIZE_MAX = 96  # bytes


def check_possession(event: LoggedEnvelope) -> None:
    """Check the proof that a key event carries; events without one are let through.

    Which registrations carry one is a matter of their form (`details`).

    Raises:
        VerificationError: ``key-event.possession``: the proof is by another key, or none.
        UnavailableError: This build has not got the scheme.
    """
    detail = event.statement.detail
    if event.statement.event != "register" or "pop" not in detail:
        return
    proof = parse_base64(detail["pop"], size_max=_PROOF_SIZE_MAX, what="pop")
    try:
        load_scheme(detail["scheme"]).verify_possession(bytes.fromhex(detail["key"]), proof)
    except (InputError, SignatureError) as exc:
        raise VerificationError(
            "key-event.possession",
            f"leaf {event.index}: nobody proved to possess the key: {exc.message}",
        ) from exc


def check_certified_key(event: LoggedEnvelope) -> None:
    """Check that a registration's certificates can be read and are about its key.

    Who vouches for them is for a verifier and its trust policy.

    Raises:
        InputError: ``certificate.malformed``.
        VerificationError: ``certificate.other-key``.
    """
    detail = event.statement.detail
    if event.statement.event == "register" and "certificates" in detail:
        from vermilion_ledger.certificates.material import read_material

        read_material(detail)
