"""发文: details of what happens from sign-off until a document has left the house.

《党政机关公文处理工作条例》, article 25: 复核, 登记, 印制, 核发. Data only. What
``number`` has is in `docs/formats/numbers.md`.
"""

from __future__ import annotations

from vermilion_ledger.event_details.kinds import (
    COUNT,
    DIGEST,
    TEXT,
    TIME,
    Member,
    list_of,
    words,
)

__all__ = ["RECIPIENT_COUNT_MAX", "SENDING"]

RECIPIENT_COUNT_MAX = 400  # commitments; a statement of 32 KiB holds them

SENDING: dict[str, tuple[Member, ...]] = {
    "number": (),
    "seal": (
        Member(name="seal", kind=TEXT, meaning="name of the seal that was put to it"),
        Member(name="certificate", kind=DIGEST, meaning="SHA-256 of the seal's certificate, DER"),
    ),
    "issue": (
        Member(name="copies", kind=COUNT, meaning="how many were printed"),
        Member(name="press", kind=TEXT, meaning="who printed them"),
    ),
    "dispatch": (
        Member(
            name="to",
            kind=list_of(DIGEST, count_max=RECIPIENT_COUNT_MAX),
            meaning="a commitment to the name of each recipient, in any order",
        ),
        Member(
            name="mode",
            kind=words("send", "circulate"),
            meaning="分送 out of the house, or 传阅 within; absent counts as `send`",
        ),
        Member(name="channel", kind=TEXT, meaning="by which way it went"),
        Member(name="due", kind=TIME, meaning="until when receipts are expected"),
    ),
}
