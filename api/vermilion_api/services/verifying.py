"""Verifying on behalf of a caller, with the library that everybody can run.

The report is that of `vermilion_verify` under this ledger's own trust policy.
The caller need not believe it; the answer says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vermilion_api.services.bundles import BundleDesk
from vermilion_api.services.progress import ProgressDesk
from vermilion_api.services.records import RecordDesk
from vermilion_ledger.ports import Clock
from vermilion_verify.blocks import BlockJudge
from vermilion_verify.case import Document
from vermilion_verify.evm import RpcEndpoint
from vermilion_verify.policy import TrustPolicy, parse_trust_policy
from vermilion_verify.verify import Question, no_record_report, verify_bundle

if TYPE_CHECKING:  # X.509 is loaded where an authority is named
    from vermilion_ledger.timestamp.authority import Authority

__all__ = ["VerifyDesk"]

_NOTE = (
    "computed by the ledger itself under its own trust policy;"
    " run vermilion-verify with a policy handed over in person to believe nobody"
)
_RECORD_COUNT_MAX = 16  # records that one digest query verifies


class VerifyDesk:
    """Runs the verifier. Safe to share between threads."""

    def __init__(
        self,
        *,
        policy_text: str,
        bundles: BundleDesk,
        records: RecordDesk,
        progress: ProgressDesk,
        clock: Clock,
        authorities: Sequence[Authority] = (),
        issuers: Sequence[Authority] = (),
    ) -> None:
        self._policy_text = policy_text
        self._authorities = tuple(authorities)
        self._issuers = tuple(issuers)
        self._bundles = bundles
        self._records = records
        self._progress = progress
        self._clock = clock

    def verify(self, document: Document, bundle: bytes) -> dict[str, Any]:
        """Return the report on a document and its bundle."""
        policy = parse_trust_policy(self._policy_text.encode(), folder=Path())
        report = verify_bundle(
            bundle,
            document,
            policy,
            judge=_judge(policy),
            question=Question(now=self._clock()),
            authorities=self._authorities,
            issuers=self._issuers,
        )
        return {**report.to_json(), "note": _NOTE}

    def look_up(self, document: Document) -> dict[str, Any]:
        """Return the report of each record that has a digest; ``no_record`` if none has."""
        found = self._records.find(document.sha256, self._progress.standing())["records"]
        if not found:
            return {**no_record_report(document).to_json(), "records": [], "note": _NOTE}
        reports = []
        for record in found[:_RECORD_COUNT_MAX]:
            bundle = self._bundles.bundle(record["record"])
            reports.append({"record": record["record"], **self.verify(document, bundle)})
        return {"records": reports, "found": len(found), "note": _NOTE}


def _judge(policy: TrustPolicy) -> BlockJudge:
    addresses = dict.fromkeys(url for chain in policy.chains for url in chain.rpc)
    return BlockJudge({}, [RpcEndpoint(url, timeout_seconds=5.0) for url in addresses])
