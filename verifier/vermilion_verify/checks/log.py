"""Who vouches for the checkpoint: the log's keys and its witnesses."""

from __future__ import annotations

from collections.abc import Iterable

from vermilion_ledger.checkpoint import verify_signatures
from vermilion_ledger.errors import InputError, VerificationError
from vermilion_ledger.note import VerifierKey
from vermilion_verify.case import Case
from vermilion_verify.outcome import Absent, Detail, Unknown

__all__ = ["check_checkpoint_signature", "check_witness_quorum"]


def check_checkpoint_signature(case: Case) -> Detail:
    """Check the log's signatures on the checkpoint (FORMATS sections 6 and 11).

    Raises:
        VerificationError: Another origin, a bad signature of a known log key,
            or of some kind of log key in force nobody signed.
    """
    signed, policy = case.bundle.signed_checkpoint, case.policy
    origin = signed.checkpoint.origin
    if origin != policy.origin:
        raise VerificationError("checkpoint.other-origin", f"the log is {origin[:80]!a}")
    found = _signers(case, [item.key for item in policy.log_keys])
    in_force = [item for item in policy.log_keys if item.is_in_force(case.size - 1)]
    if not in_force:
        raise VerificationError("checkpoint.no-key", f"no log key is in force at {case.size - 1}")
    for kind in sorted({item.key.kind for item in in_force}):
        if not any(item.key in found for item in in_force if item.key.kind == kind):
            raise VerificationError(
                "checkpoint.unsigned", f"no log key of type 0x{kind:02x} in force signed"
            )
    return {"origin": origin, "size": case.size, "root": signed.checkpoint.root.hex()}


def check_witness_quorum(case: Case) -> Detail:
    """Check the cosignatures of witnesses, counted by name.

    Raises:
        VerificationError: A known witness's signature is bad.
        Unknown: Fewer witnesses than the policy demands cosigned.
        Absent: The policy demands none.
    """
    policy = case.policy
    names = sorted({key.name for key in _signers(case, policy.witness_keys)})
    if policy.witness_quorum == 0:
        raise Absent("the policy demands no witness")
    if len(names) < policy.witness_quorum:
        message = f"{len(names)} of {policy.witness_quorum} witnesses cosigned"
        raise Unknown("witness.quorum", message, {"witnesses": names})
    return {"witnesses": names, "quorum": policy.witness_quorum}


def _signers(case: Case, keys: Iterable[VerifierKey]) -> frozenset[VerifierKey]:
    try:
        return verify_signatures(case.bundle.signed_checkpoint, keys)
    except InputError as exc:  # a key of the policy that the scheme refuses
        raise VerificationError(exc.code, exc.message) from exc
