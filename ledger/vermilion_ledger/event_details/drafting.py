"""拟制: details of what happens until a document is signed off.

《党政机关公文处理工作条例》, articles 18 to 22: 起草, 审核, 签发. Data only.
"""

from __future__ import annotations

from vermilion_ledger.event_details.kinds import (
    COUNT,
    DIGEST,
    PROSE,
    SOURCE,
    STEP,
    TEXT,
    Member,
    list_of,
    words,
)

__all__ = ["DRAFTING"]

_DERIVED_FROM = Member(
    name="derivedFrom",
    kind=list_of(SOURCE, count_max=64),
    meaning="what this version was made from",
)
_FORMAT = Member(
    name="format", kind=TEXT, meaning="name of the file's format, such as `OFD` or `PDF/A-2b`"
)
_OPINION = Member(name="opinion", kind=PROSE, meaning="what was remarked")
_DECISION = (
    Member(
        name="step", kind=STEP, meaning="which step is decided; `sign-off` is 签发", required=True
    ),
    Member(
        name="decision",
        kind=words("approved", "rejected"),
        meaning="what was decided",
        required=True,
    ),
    Member(
        name="policy",
        kind=DIGEST,
        meaning="the rules that the record was registered under; there exactly if it names some",
    ),
    _OPINION,
)

DRAFTING: dict[str, tuple[Member, ...]] = {
    "register": (
        Member(name="policy", kind=DIGEST, meaning="SHA-256 of the canonical rules it is under"),
        Member(
            name="flow",
            kind=words("outgoing", "incoming"),
            meaning="the steps that are expected: 发文 or 收文",
        ),
        Member(name="size", kind=COUNT, meaning="bytes of the file"),
        _FORMAT,
        _DERIVED_FROM,
    ),
    "version": (
        _DERIVED_FROM,
        _FORMAT,
        Member(name="note", kind=PROSE, meaning="what was changed"),
    ),
    "correct": (
        _DERIVED_FROM,
        _FORMAT,
        Member(name="reason", kind=PROSE, meaning="what was wrong"),
    ),
    "review": (
        Member(
            name="step",
            kind=STEP,
            meaning="absent or `review`: 审核, of a received document 初审; `recheck`: 复核",
        ),
        Member(
            name="decision",
            kind=words("approved", "rejected", "returned"),
            meaning="how it came out; absent counts as approved, `returned` is 退回",
        ),
        Member(name="reason", kind=PROSE, meaning="why it is returned or rejected"),
        _OPINION,
    ),
    "approve": _DECISION,
    "countersign": _DECISION,
}
