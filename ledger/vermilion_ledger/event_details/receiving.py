"""收文: details of what happens from receipt until a document is answered.

《党政机关公文处理工作条例》, article 24: 签收, 登记, 初审, 承办, 传阅, 催办, 答复; and
督查. Data only.
"""

from __future__ import annotations

from vermilion_ledger.event_details.kinds import (
    DIGEST,
    ENTRY,
    PROSE,
    TEXT,
    TIME,
    Member,
    words,
)

__all__ = ["RECEIVING"]

_OWNER = Member(name="owner", kind=TEXT, meaning="who has to see to it: a person or a unit")
_DUE = Member(name="due", kind=TIME, meaning="until when it has to be answered")
_ANSWERED = Member(name="of", kind=ENTRY, meaning="the entry whose task this one answers")

RECEIVING: dict[str, tuple[Member, ...]] = {
    "receive": (
        Member(name="of", kind=ENTRY, meaning="the `dispatch` that is received"),
        Member(name="copy", kind=DIGEST, meaning="which of its commitments is received"),
        Member(name="sender", kind=TEXT, meaning="who sent it, where another house did"),
        Member(name="state", kind=words("whole", "damaged"), meaning="how it arrived"),
    ),
    "handle": (
        _ANSWERED,
        _OWNER,
        _DUE,
        Member(name="task", kind=PROSE, meaning="what there is to do (拟办意见)"),
        Member(
            name="outcome",
            kind=words("done", "replied", "returned"),
            meaning="办结, 答复 or 退回; it answers a task",
        ),
        Member(name="reason", kind=PROSE, meaning="why it is returned"),
    ),
    "urge": (
        Member(name="of", kind=ENTRY, meaning="the task that is urged"),
        Member(name="note", kind=PROSE, meaning="what was said"),
    ),
    "supervise": (
        _ANSWERED,
        _OWNER,
        _DUE,
        Member(name="matter", kind=PROSE, meaning="what is supervised"),
        Member(
            name="outcome",
            kind=words("done", "returned"),
            meaning="how it ended; it answers a task",
        ),
    ),
}
