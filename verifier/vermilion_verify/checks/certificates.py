"""Do certificates vouch for the keys of people? A part of ``key.validity``.

docs/formats/certificates.md: judged at the time of the earliest final anchor that
covers a key's registration, by roots that the trust policy names, with the
revocation data that the registration kept. Nothing is fetched, and no clock asked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vermilion_ledger.errors import VerificationError
from vermilion_ledger.keys import touched_key
from vermilion_ledger.logged import LoggedEnvelope
from vermilion_verify.case import Case
from vermilion_verify.checks.time import is_pending
from vermilion_verify.outcome import Detail, Unknown

__all__ = ["check_certificates"]


def check_certificates(case: Case) -> Detail:
    """Check the certificates of every key that signs an entry of the record.

    Raises:
        VerificationError: ``certificate.missing``: the policy requires one; or why
            one does not vouch for its key.
        InputError: ``certificate.malformed``.
        Unknown: ``certificate.no-time``: no final anchor bounds a registration,
            and the verdict does not wait for one.
    """
    signing = {keyid for entry in case.entries for keyid in entry.signers}
    found = []
    for event in case.key_events:
        if (
            event.statement.event == "register"
            and (keyid := touched_key(event.statement)) in signing
        ):
            signing.discard(keyid)
            if "certificates" in event.statement.detail:
                found.append({"keyid": keyid, **_judge(case, event)})
            elif case.policy.certificates_required:
                raise VerificationError(
                    "certificate.missing", f"key {keyid[:16]}… has no certificate, and needs one"
                )
    return {"certificates": found} if found else {}


def _judge(case: Case, event: LoggedEnvelope) -> dict[str, Any]:
    """Return what a registration's certificates say, and what became of them."""
    detail = event.statement.detail
    if not case.policy.certificate_roots:
        return {"owner": detail["owner"], "status": "not checked"}
    # X.509 is loaded where there is a certificate to judge, which costs a start.
    from vermilion_ledger.certificates.material import read_material
    from vermilion_ledger.certificates.path import check_material

    material = read_material(detail)
    first = case.earliest_anchors.first(event.index)
    if first is None:
        if is_pending(case):
            return {"owner": detail["owner"], "status": "not checked before an anchor"}
        raise Unknown("certificate.no-time", f"no final anchor covers leaf {event.index}")
    certified = check_material(material, case.issuers, first.block_time)
    return {
        "owner": detail["owner"],
        "status": "checked",
        "subject": certified.subject,
        "authority": Path(certified.authority).name,
        "revocation": certified.revocation,
    }
