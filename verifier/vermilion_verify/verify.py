"""One verification: run every check in order and come to a verdict.

The only place where a `VerificationError` becomes a row of a report. Steps
and precedence are those of FORMATS section 12.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vermilion_ledger.bundle import EvidenceBundle, parse_bundle
from vermilion_ledger.commitment import make_tag
from vermilion_ledger.errors import InputError, UnavailableError, VerificationError
from vermilion_ledger.events import DECISION_EVENTS
from vermilion_ledger.logged import LoggedEnvelope
from vermilion_ledger.numbers import Disclosure
from vermilion_ledger.records import Status
from vermilion_verify.blocks import BlockJudge
from vermilion_verify.case import Case, Document
from vermilion_verify.checks import CHECKS
from vermilion_verify.checks.completeness import holds_closing
from vermilion_verify.checks.keys import find_trouble
from vermilion_verify.checks.time import as_of_time, bound_event
from vermilion_verify.lapses import find_case_lapses
from vermilion_verify.numbering import describe_number
from vermilion_verify.outcome import Absent, DetailedError, Unknown
from vermilion_verify.policy import TrustPolicy
from vermilion_verify.registry import RegistryFile
from vermilion_verify.report import (
    NOT_PROVEN_AFTER,
    NOT_PROVEN_CERTIFICATE,
    NOT_PROVEN_CONTENT,
    NOT_PROVEN_FINDINGS,
    NOT_PROVEN_LEFT_OUT,
    NOT_PROVEN_REVOCATION,
    NOT_PROVEN_TERM,
    NOT_PROVEN_UNREVOKED,
    CheckResult,
    CheckStatus,
    Report,
    Verdict,
)
from vermilion_verify.verdict import decide_verdict
from vermilion_verify.walk import LogWalk, read_log_entries

if TYPE_CHECKING:
    from vermilion_ledger.actor import Actor
    from vermilion_ledger.timestamp.authority import Authority

__all__ = ["Question", "no_record_report", "verify_bundle"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of a bundle, beside the document and the policy.

    Attributes:
        now: The verifier's clock, UTC; compared with the policy's ``max_age``.
        as_of: The checkpoint is asked to be at least as new as this.
        registry_file: All key and policy events; needs `log_entries`.
        log_entries: File of the log's 65-byte entries, one after another.
        number: A document number that the record is said to have.
    """

    now: datetime
    as_of: datetime | None = None
    registry_file: RegistryFile | None = None
    log_entries: Path | None = None
    number: Disclosure | None = None


def verify_bundle(
    data: bytes,
    document: Document,
    policy: TrustPolicy,
    *,
    judge: BlockJudge,
    question: Question,
    authorities: Sequence[Authority] = (),
    issuers: Sequence[Authority] = (),
) -> Report:
    """Verify a bundle for a document under a policy.

    Args:
        data: The bundle's bytes, as received.
        document: The file in question, by its digests.
        policy: What the verifier believes.
        judge: Who vouches for blocks.
        question: Freshness, and what an auditor brings along.
        authorities: Those of the policy, read by `load_authorities`; a
            time-stamp of anybody else is ignored.
        issuers: Those of the policy's ``[certificates]``, read by `load_issuers`;
            without them no certificate holds where the policy names roots.

    Raises:
        InputError: A registry file without log entries, or malformed log entries.
        VerificationError: ``number.not-here``: the number is not this record's.
        NotFoundError: The log entries are not there.
        UnavailableError: They cannot be read; ``number.left-out``.
    """
    if question.registry_file is not None and question.log_entries is None:
        raise InputError("registry.without-log", "a registry file is judged with the log's entries")
    parsed: list[EvidenceBundle] = []
    first = _run("bundle.parse", lambda: _parse(data, parsed))
    if not parsed:
        return _unreadable(first, document)
    case = Case(
        bundle=parsed[0],
        document=document,
        policy=policy,
        judge=judge,
        now=question.now,
        authorities=tuple(authorities),
        issuers=tuple(issuers),
        as_of=question.as_of,
        registry_file=question.registry_file,
        walk=_read_walk(parsed[0], policy, question),
    )
    checks = [first]
    checks += [_run(name, functools.partial(check, case)) for name, check in CHECKS.items()]
    report = _report(case, tuple(checks))
    if question.number is None:
        return report
    is_refuted = report.verdict is Verdict.REFUTED
    number = describe_number(case, question.number, is_refuted=is_refuted)
    return replace(report, document={**report.document, "number": number})


def no_record_report(document: Document) -> Report:
    """Return the answer to a query for which there is no record."""
    return Report(
        verdict=Verdict.NO_RECORD,
        checks=(),
        as_of_size=None,
        as_of_time=None,
        interval={"notBefore": None, "notAfter": None},
        document={"sha256": document.sha256.hex()},
        approvals=(),
        not_proven=(NOT_PROVEN_CONTENT, NOT_PROVEN_AFTER),
    )


def _parse(data: bytes, parsed: list[EvidenceBundle]) -> dict[str, Any]:
    parsed.append(parse_bundle(data))
    return {"bytes": len(data)}


def _run(name: str, check: Callable[[], dict[str, Any]]) -> CheckResult:
    """Turn what a check returns or raises into a row of the report."""
    try:
        return CheckResult(id=name, status=CheckStatus.PASS, detail=check())
    except (VerificationError, InputError) as exc:
        more = exc.detail if isinstance(exc, DetailedError) else {}
        return CheckResult(
            id=name,
            status=CheckStatus.FAIL,
            detail={"code": exc.code, "message": exc.message, **more},
        )
    except UnavailableError as exc:
        return CheckResult(
            id=name, status=CheckStatus.UNKNOWN, detail={"code": exc.code, "message": exc.message}
        )
    except Unknown as exc:
        detail = {"code": exc.code, "message": exc.message, **exc.detail}
        return CheckResult(id=name, status=CheckStatus.UNKNOWN, detail=detail)
    except Absent as exc:
        return CheckResult(id=name, status=CheckStatus.ABSENT, detail={"message": exc.message})


def _read_walk(bundle: EvidenceBundle, policy: TrustPolicy, question: Question) -> LogWalk | None:
    """Read the log's entries once, looking for every tag that is asked about."""
    if question.log_entries is None:
        return None
    wanted = [] if bundle.record_key is None else [(bundle.record_key, len(bundle.entries))]
    indices: set[int] = set()
    size = bundle.signed_checkpoint.checkpoint.size
    if (registry := question.registry_file) is not None:
        keys, policies = registry.keys_below(size), registry.policies_below(size)
        wanted += [(policy.registry.key, len(keys)), (policy.policies.key, len(policies))]
        indices.update(event.index for event in (*keys, *policies))
    tags = {make_tag(key, sequence) for key, count in wanted for sequence in range(count + 1)}
    return read_log_entries(question.log_entries, size=size, tags=tags, indices=indices)


def _report(case: Case, checks: tuple[CheckResult, ...]) -> Report:
    verdict = decide_verdict(
        {check.id: check.status for check in checks},
        status=case.status,
        anchors_required=case.policy.anchors_required,
        timestamps_required=case.policy.timestamps_required,
        completeness_needed=(
            case.has_rules
            or case.document.sha256 != case.bundle.closing.digest
            or not holds_closing(case)
        ),
    )
    first = case.history.first_recorded(case.document.sha256)
    nothing: dict[str, Any] = {"notBefore": None, "notAfter": None}
    return Report(
        verdict=verdict,
        checks=checks,
        as_of_size=case.size,
        as_of_time=as_of_time(case),
        interval=bound_event(case, first) if first is not None else nothing,
        document=_describe_document(case, first),
        approvals=tuple(_describe_approval(case, entry) for entry in _decisions(case)),
        not_proven=_not_proven(case, checks),
        clock=case.now if case.policy.max_age is not None else None,
        findings=find_case_lapses(case),
    )


def _unreadable(first: CheckResult, document: Document) -> Report:
    verdict = decide_verdict(
        {first.id: first.status},
        status=Status.CURRENT,
        anchors_required=1,
        timestamps_required=0,
        completeness_needed=True,
    )
    return Report(
        verdict=verdict,
        checks=(first,),
        as_of_size=None,
        as_of_time=None,
        interval={"notBefore": None, "notAfter": None},
        document={"sha256": document.sha256.hex()},
        approvals=(),
        not_proven=(NOT_PROVEN_CONTENT, NOT_PROVEN_AFTER),
    )


def _describe_document(case: Case, first: LoggedEnvelope | None) -> dict[str, Any]:
    value: dict[str, Any] = {"sha256": case.document.sha256.hex(), "record": case.bundle.record_id}
    if case.document.sm3 is not None:
        value["sm3"] = case.document.sm3.hex()
    if first is not None:
        value["name"] = first.statement.subject.name
        value["status"] = case.status.value
        value["recordedBy"] = {
            "sequence": first.sequence,
            "index": first.index,
            "event": first.statement.event,
            "actor": first.statement.actor.to_json(),
            "signed": bool(first.actors),
        }
    return value


def _decisions(case: Case) -> list[LoggedEnvelope]:
    return [
        entry
        for entry in case.entries
        if entry.statement.event in DECISION_EVENTS
        and entry.statement.subject.sha256 == case.document.sha256
    ]


def _describe_approval(case: Case, entry: LoggedEnvelope) -> dict[str, Any]:
    statement, trouble = entry.statement, find_trouble(case, entry)
    return {
        "sequence": entry.sequence,
        "index": entry.index,
        "event": statement.event,
        "step": statement.detail.get("step"),
        "decision": statement.detail.get("decision"),
        "actor": statement.actor.to_json(),
        "keys": [
            _describe_key(case, keyid, signature.scheme, trouble.get(keyid), statement.actor)
            for signature in entry.actors
            for keyid in signature.keyids
        ],
        "claimedTime": statement.time,
        "interval": bound_event(case, entry),
    }


def _describe_key(
    case: Case, keyid: str, scheme: str, trouble: str | None, actor: Actor
) -> dict[str, Any]:
    """Return a signing key: whose, if not the actor's; for whom; why not, if it was not good."""
    value: dict[str, Any] = {"keyid": keyid, "scheme": scheme}
    key = case.registry.keys.get(keyid)
    if key is not None and key.owner != actor:
        value["owner"] = key.owner.to_json()
    if key is not None and key.on_behalf_of is not None:
        value["onBehalfOf"] = key.on_behalf_of
    if trouble is not None:
        value["trouble"] = trouble
    return value


def _not_proven(case: Case, checks: Sequence[CheckResult]) -> tuple[str, ...]:
    certificates = [
        each for check in checks for each in check.detail.get("certificates", ()) if each
    ]
    sentences = [NOT_PROVEN_CONTENT, NOT_PROVEN_AFTER]
    if case.walk is None or case.bundle.record_key is None:
        sentences.append(NOT_PROVEN_LEFT_OUT)
    if case.registry_file is None:
        sentences.append(NOT_PROVEN_REVOCATION)
    if not case.is_complete:
        sentences.append(NOT_PROVEN_FINDINGS)
    if any(rule.within is not None for rules in case.rule_lists for rule in rules):
        sentences.append(NOT_PROVEN_TERM)
    if any(each["status"] != "checked" for each in certificates):
        sentences.append(NOT_PROVEN_CERTIFICATE)
    if any(each.get("revocation", "good") != "good" for each in certificates):
        sentences.append(NOT_PROVEN_UNREVOKED)
    return tuple(sentences)
