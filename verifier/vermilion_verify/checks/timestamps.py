"""Time-stamps: whether they hold, and whether there are enough (FORMATS sections 9 and 11)."""

from __future__ import annotations

from vermilion_ledger.encoding import encode_time
from vermilion_ledger.errors import VerificationError
from vermilion_verify.case import Case
from vermilion_verify.outcome import Absent, Detail, Unknown

__all__ = ["check_timestamp_token"]


def check_timestamp_token(case: Case) -> Detail:
    """Check every time-stamp, and count the authorities whose word holds.

    Raises:
        VerificationError: One of them does not hold, or is malformed.
        Unknown: Fewer authorities than the policy requires, or none of the
            time-stamps can be checked here.
        Absent: None is required, and none is of an authority that the policy names.
    """
    found, required = case.timestamps, case.policy.timestamps_required
    for failure in found.failures:
        raise VerificationError(failure.code, failure.message) from failure
    detail: Detail = {
        "timestamps": [
            {
                "authority": token.signer,
                "notAfter": encode_time(token.latest),
                "serial": str(token.serial),
                "policy": token.policy,
            }
            for token in found.verified
        ],
        "authorities": len(found.authorities),
        "required": required,
        "ignored": found.ignored,
    }
    if len(found.authorities) < required:
        raise Unknown(
            "timestamp.missing",
            f"{len(found.authorities)} of {required} required authorities stamped this",
            detail,
        )
    if found.verified:
        return detail
    for error in found.unknown:
        raise Unknown(error.code, error.message, detail)
    if found.ignored:
        raise Absent(f"{found.ignored} time-stamps, of nobody whom the policy names")
    raise Absent("no time-stamp is there, and none is asked for")
