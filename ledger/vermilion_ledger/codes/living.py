"""Codes of the life of a document: details at intake, recipients, flows, and findings.

Codes ``finding.…`` are raised by nobody: reports, `/v1/records/{record}` and
the commands tell them, and the advice says what is to be done.
"""

from __future__ import annotations

from vermilion_ledger.codes.advice import Advice

__all__ = ["CODES"]

_FLOW = Advice(
    en="Use `outgoing` or `incoming`; the templates are part of the release.",
    zh="请使用 `outgoing`(发文)或 `incoming`(收文);模板随版本发布。",
)

CODES: dict[str, Advice] = {
    # --- intake ---
    "detail.option": Advice(
        en="Leave the option out; docs/formats/events.md lists the members of each event.",
        zh="请去掉该选项;各事件的成员见 docs/formats/events.md。",
    ),
    "detail.schema": Advice(
        en="Correct the member that is named; docs/formats/events.md lists those of each event.",
        zh="请更正所指成员;各事件的成员见 docs/formats/events.md。",
    ),
    "detail.twice": Advice(
        en="Give the member once: by its option, or within --detail.",
        zh="同一成员只能给出一次:用选项,或写入 --detail。",
    ),
    "flow.malformed": _FLOW,
    "flow.unknown": _FLOW,
    "record.no-such-entry": Advice(
        en="Look the entry up with `vermilion status RECORD`: the first number is its sequence.",
        zh="请用 `vermilion status 案卷号` 查看条目;行首数字即卷内序号。",
    ),
    # --- recipients ---
    "recipient.commitment": Advice(
        en="Ask whoever dispatched the document for the line again; this one opens nothing.",
        zh="请向发送方重新索取该行;此行无法打开承诺。",
    ),
    "recipient.none": Advice(
        en="Name a recipient of this dispatch, or give --copy with the commitment itself.",
        zh="请指明本次分送的收文单位,或用 --copy 直接给出承诺值。",
    ),
    # --- findings ---
    "finding.changed-after-sign-off": Advice(
        en="Have the changed text signed off again by whoever signed it off; recall what went out.",
        zh="请将更改后的文本送原签发人重新签发;已发出的应收回。",
    ),
    "finding.converted-not-checked": Advice(
        en="Compare the converted file with its source, and record a review or a fixity event.",
        zh="请将转换后的文件与原文件核对,并记录 review 或 fixity 事件。",
    ),
    "finding.fixity-failed": Advice(
        en="Restore the file from another copy, check it again, and record that it passed.",
        zh="请从其他副本恢复文件并复检,合格后予以记录。",
    ),
    "finding.missing": Advice(
        en="Make up for the step, and record it; if it took place elsewhere, say so in a review.",
        zh="请补办该步骤并予以记录;如已在别处办理,请以 review 事件说明。",
    ),
    "finding.out-of-order": Advice(
        en="Ask why the later step was not waited for, and record the answer as a review.",
        zh="请查明为何未等前一步骤完成,并以 review 事件记录说明。",
    ),
    "finding.overdue": Advice(
        en="Urge whoever has to see to it, and record the answer with its outcome.",
        zh="请向承办人催办,并记录办理结果。",
    ),
    "finding.regraded": Advice(
        en="Treat the document by its higher grade until a security officer has regraded it anew.",
        zh="在保密管理员重新定级之前,请按较高的密级管理该文件。",
    ),
    "finding.undelivered": Advice(
        en="Ask the recipients for their receipt, or dispatch it again; receipts are `receive`.",
        zh="请向收文单位核实签收情况,或重新分送;签收以 receive 事件记录。",
    ),
    "finding.used-after-revocation": Advice(
        en="Recall what went out after the revocation, and tell its recipients.",
        zh="请收回撤销之后发出的文件,并通知收文单位。",
    ),
}
