"""A finding: a lapse in the life of a document, as a row for people and programs.

A finding never changes a verdict. It has a code of `vermilion_ledger.codes`,
whose advice is the next step; the sentences here say what was found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

__all__ = ["Finding", "Severity", "make_finding"]


class Severity(StrEnum):
    """How much a finding matters; earlier members matter more."""

    CRITICAL = "critical"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One lapse.

    Attributes:
        code: Stable, ``finding.<name>``.
        severity: How much it matters.
        sequence: The entry of the record that it is about.
        certain: False where entries that are not at hand, or the bounds of a
            time, leave room for the contrary.
        detail: What the sentence says, for programs.
        en: What was found, in English.
        zh: The same in Chinese.
    """

    code: str
    severity: Severity
    sequence: int
    certain: bool
    en: str
    zh: str
    detail: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the member of ``findings`` (`docs/formats/events.md`)."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "sequence": self.sequence,
            "certain": self.certain,
            "detail": dict(self.detail),
            "en": self.en,
            "zh": self.zh,
        }


_TEXTS: Mapping[str, tuple[str, str]] = {
    "finding.changed-after-sign-off": (
        "changed after the sign-off of entry {signedOff}; entry {used} used it without another",
        "第 {signedOff} 条签发之后内容已更改,第 {used} 条未经重新签发即使用新文本",
    ),
    "finding.converted-not-checked": (
        "converted, and entry {used} used the result before anybody checked it",
        "格式转换后未经核对,第 {used} 条即使用转换结果",
    ),
    "finding.fixity-failed": (
        "the kept bytes no longer had their digest, and no later check found them whole",
        "保存的文件与摘要不符,此后未见复检合格",
    ),
    "finding.missing": (
        "{before} took place, and no {step} is recorded",
        "已有{before},但未见{step}",
    ),
    "finding.out-of-order": (
        "{before} took place before {step}",
        "{before}早于{step}",
    ),
    "finding.overdue": (
        "due {due}, answered later by entry {answer}",
        "期限为 {due},第 {answer} 条逾期办结",
    ),
    "finding.regraded": (
        "the grade was changed against the rules for that ({problem})",
        "密级变更不合规定({problem})",
    ),
    "finding.undelivered": (
        "dispatched to {count}, of whom {missing} sent no receipt",
        "分送 {count} 份,其中 {missing} 份未见签收",
    ),
    "finding.used-after-revocation": (
        "revoked by entry {revoked}, and used afterwards",
        "已由第 {revoked} 条撤销,此后仍被使用",
    ),
}
_UNANSWERED = ("due {due}, and no answer is recorded", "期限为 {due},未见办结")
_UNUSED = (
    "changed after the sign-off of entry {signedOff}, and not signed off again yet",
    "第 {signedOff} 条签发之后内容已更改,尚未重新签发",
)


def make_finding(
    code: str,
    severity: Severity,
    sequence: int,
    *,
    certain: bool,
    detail: Mapping[str, Any],
    zh: Mapping[str, str] | None = None,
    en: Mapping[str, str] | None = None,
) -> Finding:
    """Return a finding with its sentences.

    Args:
        code: One of the registry's.
        severity: How much it matters.
        sequence: The entry that it is about.
        certain: Whether nothing leaves room for the contrary.
        detail: Values of the sentence, by name.
        zh: Words that stand in the Chinese sentence instead of values.
        en: Words that stand in the English sentence instead of values.
    """
    texts = _TEXTS[code]
    if code == "finding.overdue" and "answer" not in detail:
        texts = _UNANSWERED
    elif code == "finding.changed-after-sign-off" and "used" not in detail:
        texts = _UNUSED
    return Finding(
        code=code,
        severity=severity,
        sequence=sequence,
        certain=certain,
        detail=detail,
        en=texts[0].format_map({**detail, **(en or {})}),
        zh=texts[1].format_map({**detail, **(zh or {})}),
    )
