"""归档 and after: details of what happens to a document that is kept.

归档, 移交, 查阅, 下载, 打印, 复制, 格式转换, 撤销, 取代, 销毁. Data only. What
``regrade`` has is in `docs/formats/grades.md`.
"""

from __future__ import annotations

from vermilion_ledger.event_details.kinds import (
    COUNT,
    DIGEST,
    PROSE,
    RECORD,
    TEXT,
    Member,
    words,
)

__all__ = ["KEEPING"]

_PACKAGE = Member(name="package", kind=DIGEST, meaning="SHA-256 of the package it lies in")
_TOOL = Member(name="tool", kind=TEXT, meaning="program and release that did it")

KEEPING: dict[str, tuple[Member, ...]] = {
    "access": (
        Member(
            name="how",
            kind=words("view", "download", "print", "copy"),
            meaning="查阅, 下载, 打印 or 复制",
            required=True,
        ),
        Member(name="copies", kind=COUNT, meaning="how many were made"),
        Member(name="purpose", kind=PROSE, meaning="what for"),
        Member(name="zone", kind=TEXT, meaning="where: room, network zone or work place"),
    ),
    "archive": (
        Member(name="place", kind=TEXT, meaning="where it is kept, such as its 档号"),
        Member(name="keep", kind=TEXT, meaning="for how long (保管期限)"),
        _PACKAGE,
    ),
    "transfer": (
        Member(name="holder", kind=TEXT, meaning="who keeps it from now on"),
        Member(name="list", kind=DIGEST, meaning="SHA-256 of the list of what was handed over"),
        _PACKAGE,
    ),
    "fixity": (
        Member(
            name="outcome",
            kind=words("pass", "fail"),
            meaning="whether the kept bytes still have the digest",
            required=True,
        ),
        Member(name="found", kind=DIGEST, meaning="SHA-256 that was found instead"),
        _TOOL,
    ),
    "convert": (
        Member(
            name="from",
            kind=DIGEST,
            meaning="SHA-256 of the recorded version it was made from",
            required=True,
        ),
        Member(name="fromFormat", kind=TEXT, meaning="format of that, such as `PDF 1.7`"),
        Member(name="toFormat", kind=TEXT, meaning="format of what was made, such as `OFD`"),
        _TOOL,
    ),
    "regrade": (),
    "revoke": (Member(name="reason", kind=PROSE, meaning="why", required=True),),
    "supersede": (
        Member(name="by", kind=RECORD, meaning="the record that takes its place", required=True),
    ),
    "dispose": (
        Member(name="reason", kind=PROSE, meaning="why it may go"),
        Member(name="basis", kind=TEXT, meaning="the retention rule it follows from (处置依据)"),
        Member(name="appraisal", kind=DIGEST, meaning="SHA-256 of the appraisal (鉴定意见书)"),
    ),
}
