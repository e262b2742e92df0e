"""Codes raised while document numbers are read, given and disclosed, and grades are looked at."""

from __future__ import annotations

from vermilion_ledger.codes.advice import Advice

__all__ = ["CODES"]

_WRITE = Advice(
    en="Write it as 机关代字〔YYYY〕N号, such as 国办发〔2026〕5号: no 第, no leading zeros.",
    zh="请按“机关代字〔YYYY〕N号”书写,例如 国办发〔2026〕5号:不加“第”,序号不编虚位。",
)
_THROUGH_BOOK = Advice(
    en="Give the number with `vermilion number assign`; the statement carries its commitment only.",
    zh="请用 `vermilion number assign` 编号;声明中只含其承诺值。",
)
_FILE = Advice(
    en="Ask for the number file again: `vermilion number disclose RECORD -o FILE` writes it.",
    zh="请重新索取发文字号文件:由 `vermilion number disclose RECORD -o FILE` 生成。",
)
_OTHER = Advice(
    en="Take another number, or leave it out and name the office: the next free one is given.",
    zh="请更换字号,或不填字号而指明机关代字:系统将给出下一个可用字号。",
)

_REGRADE = Advice(
    en="Look the present grade up with `vermilion status RECORD` and prepare the event again.",
    zh="请用 `vermilion status RECORD` 查看现行密级后重新准备事件。",
)

CODES: dict[str, Advice] = {
    # --- grades; grade.refused stands with serving ---
    "grade.marked": Advice(
        en="Keep it out of this ledger; where the mark is a mistake, have the file renamed first.",
        zh="请勿将其录入本账本;如属误标,请先由有权人员更正文件名。",
    ),
    "grade.step-up": Advice(
        en="Sign in again at the office's gateway, then ask once more.",
        zh="请在单位网关重新验证身份后再次请求。",
    ),
    "grade.name": Advice(
        en="Send the name document-<first 16 hex digits of its SHA-256>; clients do so.",
        zh="名称只能是 document-<SHA-256 前 16 位十六进制>;客户端会自动使用该名称。",
    ),
    "grade.own-record": Advice(
        en="Leave the record of refusals alone; write what you have to say into another record.",
        zh="请勿向拒收记录卷提交事件;请写入其他卷。",
    ),
    "grade.unknown": Advice(
        en="Use one of the grades in docs/formats/grades.md.",
        zh="请使用 docs/formats/grades.md 所列的密级标识。",
    ),
    "grade.detail": Advice(
        en="State from, to and reason in the detail of the event.",
        zh="请在事件的 detail 中写明 from、to 和 reason。",
    ),
    "grade.from": _REGRADE,
    "grade.same": _REGRADE,
    "grade.officer": Advice(
        en="Let a security officer sign, whose key is registered with officer: true.",
        zh="请由安全保密员签名,其密钥须以 officer: true 登记。",
    ),
    "grade.drafter": Advice(
        en="Let another security officer sign: whoever recorded a version may not regrade it.",
        zh="请由另一名安全保密员签名:登记过版本的人不得变更其密级。",
    ),
    # --- document numbers ---
    "number.clear": _THROUGH_BOOK,
    "number.detail": _THROUGH_BOOK,
    "number.unassigned": _THROUGH_BOOK,
    "number.shape": _WRITE,
    "number.office": _WRITE,
    "number.year": _WRITE,
    "number.serial": _WRITE,
    "number.leading-zero": _WRITE,
    "number.ordinal": _WRITE,
    "number.salt": _FILE,
    "number.not-opened": _FILE,
    "number.taken": _OTHER,
    "number.busy": Advice(
        en="Repeat the request: many are being numbered for this office right now.",
        zh="请重试:该机关此刻有大量文件正在编号。",
    ),
    "number.second": Advice(
        en="See what it has with `vermilion status RECORD`; correct it with --replace.",
        zh="请用 `vermilion status RECORD` 查看现状;如需更正请加 --replace。",
    ),
    "number.replaces": Advice(
        en="Ask again: the record has another number by now, or none to be replaced.",
        zh="请重新查询:本卷的字号已变更,或尚无可替换的字号。",
    ),
    "number.book-differs": Advice(
        en="Hand nothing out; restore the book from a backup and find out who changed it.",
        zh="请勿出示该字号;请从备份恢复编号簿,并查明改动者。",
    ),
    "number.unknown": Advice(
        en="Look the book up with `vermilion number list`; a forgotten number is not opened again.",
        zh="请用 `vermilion number list` 查阅编号簿;已销毁的字号无法再次出示。",
    ),
    "number.reason": Advice(
        en="Say in one line why the number is void.",
        zh="请用一行文字说明该字号作废的原因。",
    ),
    "number.not-here": Advice(
        en="Do not believe the number: this record was given another one, or none.",
        zh="请勿采信该字号:本卷的字号并非如此,或从未编号。",
    ),
    "number.left-out": Advice(
        en="Ask for a bundle with all entries: the one that gave the number may be left out.",
        zh="请索取包含全部条目的证据包:赋予字号的条目可能未包含在内。",
    ),
    "number.missing": Advice(
        en="Check the path of the number file.",
        zh="请检查发文字号文件的路径。",
    ),
    "number.unreadable": Advice(
        en="Check that the number file may be read.",
        zh="请检查发文字号文件的读取权限。",
    ),
}
