"""What the report says to people, in English and Chinese. Codes are never translated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vermilion_ledger.findings import Severity
from vermilion_verify.report import (
    NOT_PROVEN_AFTER,
    NOT_PROVEN_CERTIFICATE,
    NOT_PROVEN_CONTENT,
    NOT_PROVEN_FINDINGS,
    NOT_PROVEN_LEFT_OUT,
    NOT_PROVEN_REVOCATION,
    NOT_PROVEN_TERM,
    NOT_PROVEN_UNREVOKED,
    CheckStatus,
    Verdict,
)

__all__ = ["LANGUAGES", "TEXTS", "Phrase", "choose_language"]

LANGUAGES = ("en", "zh-CN")


@dataclass(frozen=True, slots=True)
class Phrase:
    """One sentence in both languages."""

    en: str
    zh: str

    def say(self, language: str) -> str:
        """Return the sentence in a language; English where it is unknown."""
        return self.zh if language == "zh-CN" else self.en


def choose_language(stated: str | None, environment: Mapping[str, str]) -> str:
    """Return the language asked for, else that of the environment's locale."""
    if stated in LANGUAGES:
        return str(stated)
    locale = environment.get("LC_ALL") or environment.get("LC_MESSAGES") or environment.get("LANG")
    return "zh-CN" if (locale or "").lower().startswith("zh") else "en"


TEXTS: Mapping[str, Phrase] = {
    # checks
    "bundle.parse": Phrase("the bundle is well formed", "证据包格式正确"),
    "document.digest": Phrase("the file is a recorded version", "文件与所记录的版本一致"),
    "entry.commitment": Phrase(
        "entries were formed from salts and envelopes", "条目由盐值与信封构成"
    ),
    "entry.tag": Phrase("the record key fits the record", "卷密钥与本卷相符"),
    "log.inclusion": Phrase("every entry is in the log", "每个条目均在日志之中"),
    "checkpoint.signature": Phrase("the log signed the checkpoint", "检查点由日志签名"),
    "witness.quorum": Phrase("enough witnesses cosigned", "见证方联署足数"),
    "statement.binding": Phrase(
        "statements belong to this record and place", "陈述属于本卷及其位置"
    ),
    "signature.intake": Phrase("the ledger answers for each envelope", "账本为每个信封签收负责"),
    "signature.actor": Phrase("people's signatures hold", "人员签名有效"),
    "key.validity": Phrase("keys were valid at their place in the log", "密钥在日志位置上有效"),
    "approval.rule": Phrase("those decided who had to", "应审批者均已审批"),
    "record.completeness": Phrase("the record is whole", "本卷完整"),
    "anchor.receipt": Phrase("anchors lead to their blocks", "锚定收据指向其区块"),
    "anchor.block": Phrase("the blocks are on the chain", "区块在链上"),
    "anchor.finality": Phrase("enough chains are final", "足够的链已最终确定"),
    "timestamp.token": Phrase("time-stamps hold", "时间戳有效"),
    "time.interval": Phrase("the times fit together", "时间区间相容"),
    # statuses
    CheckStatus.PASS.value: Phrase("pass", "通过"),
    CheckStatus.FAIL.value: Phrase("FAIL", "不通过"),
    CheckStatus.UNKNOWN.value: Phrase("unknown", "无法判定"),
    CheckStatus.ABSENT.value: Phrase("not asked", "不适用"),
    # verdicts
    f"verdict.{Verdict.PROVEN}": Phrase(
        "PROVEN: these exact bytes are the recorded version.", "已证实:文件与存证记录逐字节一致。"
    ),
    f"verdict.{Verdict.PENDING}": Phrase(
        "PENDING: recorded, waiting for a final anchor.", "待确认:已存证,等待最终锚定。"
    ),
    f"verdict.{Verdict.SUPERSEDED}": Phrase(
        "SUPERSEDED: a genuine version, but a newer one exists.",
        "已被取代:版本属实,但已有更新版本。",
    ),
    f"verdict.{Verdict.REVOKED}": Phrase(
        "REVOKED: it matches, but it was withdrawn.", "已撤销:内容相符,但已被撤销。"
    ),
    f"verdict.{Verdict.REFUTED}": Phrase(
        "REFUTED: the evidence contradicts this file or itself.",
        "已否证:证据与文件或证据自身相矛盾。",
    ),
    f"verdict.{Verdict.NO_RECORD}": Phrase(
        "NO RECORD: nothing was found. This alone does not mean that it is false.",
        "未查到记录:不代表文件为伪造。",
    ),
    f"verdict.{Verdict.CANNOT_TELL}": Phrase(
        "CANNOT TELL: something needed is not at hand; see the checks above.",
        "无法判定:缺少所需依据,见上列各项。",
    ),
    # not proven
    NOT_PROVEN_CONTENT: Phrase(NOT_PROVEN_CONTENT, "内容属实"),
    NOT_PROVEN_AFTER: Phrase(
        "that nothing happened in this record after the checkpoint", "检查点之后本卷再无变化"
    ),
    NOT_PROVEN_FINDINGS: Phrase(NOT_PROVEN_FINDINGS, "被省略的条目中再无其他问题"),
    NOT_PROVEN_LEFT_OUT: Phrase(NOT_PROVEN_LEFT_OUT, "账本自身未遗漏本卷条目"),
    NOT_PROVEN_REVOCATION: Phrase(NOT_PROVEN_REVOCATION, "账本未遗漏密钥撤销"),
    NOT_PROVEN_TERM: Phrase(NOT_PROVEN_TERM, "登记没有更早的锚定(限期由最早的锚定起算)"),
    # rules
    "rule.count": Phrase("{} needed", "须 {} 人"),
    "rule.post": Phrase("post {}", "职务 {}"),
    "rule.unit": Phrase("unit {}", "单位 {}"),
    "rule.after": Phrase("after {}", "在 {} 之后"),
    "rule.notBy": Phrase("by nobody who signed {}", "签署 {} 者回避"),
    "rule.within": Phrase("within {}", "限期 {}"),
    "rule.until": Phrase("until {}", "至 {}"),
    "rule.met": Phrase("met", "已满足"),
    "rule.missing": Phrase("{} missing", "尚缺 {} 人"),
    "rule.open": Phrase("cannot tell", "无法判定"),
    "decided.counted": Phrase("counts", "有效"),
    "decided.rejected": Phrase("rejected", "不同意"),
    "decided.other-post": Phrase("another post or unit", "职务或单位不符"),
    "decided.excluded": Phrase("may not decide, by what they signed", "因本人签署的事项须回避"),
    "decided.out-of-order": Phrase("out of order", "次序不符"),
    "decided.late": Phrase("too late", "已逾期"),
    "decided.undecided": Phrase("in time or not, cannot tell", "无法判定是否按期"),
    NOT_PROVEN_CERTIFICATE: Phrase(NOT_PROVEN_CERTIFICATE, "随密钥留存的证书可证明其持有人"),
    NOT_PROVEN_UNREVOKED: Phrase(NOT_PROVEN_UNREVOKED, "登记密钥时其证书未被吊销"),
    # labels
    "checking": Phrase("Checking {name} ({size})", "正在核验 {name}({size})"),
    "size": Phrase("{} bytes", "{} 字节"),
    "interval": Phrase("First recorded", "首次存证"),
    "not-before": Phrase(
        "not before {time} (block {number} of chain {chainId})",
        "不早于 {time}(链 {chainId} 区块 {number})",
    ),
    "not-after": Phrase(
        "not after {time} (block {number} of chain {chainId})",
        "不晚于 {time}(链 {chainId} 区块 {number})",
    ),
    "no-bound": Phrase("no bound is proven", "未证明任何时间界限"),
    "timestamp": Phrase("Time-stamp", "时间戳"),
    "stamped": Phrase("not after {time}, says {authority}", "不晚于 {time}(由 {authority} 签发)"),
    "certificate": Phrase("Certificate", "证书"),
    "certified": Phrase(
        "{subject}, for {owner}, vouched for by {authority}; revocation data: {revocation}",
        "{subject}(持有人 {owner}),由 {authority} 签发;吊销数据:{revocation}",
    ),
    "certificate-unchecked": Phrase("kept for {owner}, not checked", "为 {owner} 留存,未核验"),
    "revocation.good": Phrase("in force then", "当时有效"),
    "revocation.stale": Phrase("of another time", "并非当时"),
    "revocation.missing": Phrase("none", "无"),
    "approved": Phrase("approved", "同意"),
    "rejected": Phrase("rejected", "不同意"),
    "finding": Phrase("Finding at entry {sequence}", "发现(第 {sequence} 条)"),
    "perhaps": Phrase("perhaps", "可能"),
    Severity.CRITICAL.value: Phrase("critical", "严重"),
    Severity.WARNING.value: Phrase("warning", "警告"),
    Severity.NOTICE.value: Phrase("notice", "提示"),
    "does-not-prove": Phrase("This does not prove", "本结论不证明"),
    "next-step": Phrase("next step", "下一步"),
    "error": Phrase("error", "错误"),
    "decision": Phrase("Decision", "审批"),
    "on-behalf-of": Phrase("on behalf of {owner}", "代 {owner}"),
    # what may be wrong with the key of a decision
    "key.after-revocation": Phrase(
        "signed after the revocation of the key, whatever date it claims",
        "在密钥吊销之后签署(与其所称日期无关)",
    ),
    "key.expired": Phrase(
        "signed after the delegation had ended, whatever date it claims",
        "在委托到期之后签署(与其所称日期无关)",
    ),
    "key.in-doubt": Phrase(
        "signed when somebody else may have had the key", "签署时密钥可能已被他人掌握"
    ),
    "key.maybe-expired": Phrase(
        "not known to be from before the delegation ended", "无法确认是在委托到期之前签署"
    ),
    "key.not-valid": Phrase("signed before the key was registered", "在密钥注册之前签署"),
    "recorded-by": Phrase("Recorded by", "登记人"),
    "as-stated": Phrase("as stated by the ledger", "据账本所述"),
    "number": Phrase("Document number", "发文字号"),
    "number.given": Phrase("the number of this record", "为本卷字号"),
    "number.replaced": Phrase("an earlier number, replaced since", "为本卷原字号,已被更正"),
    "number.unknown": Phrase(
        "given to this record; whether it was replaced cannot be told",
        "曾赋予本卷;是否已被更正无法判定",
    ),
    "number.unproven": Phrase(
        "not proven, as the bundle is refuted", "证据包已被否证,字号未获证实"
    ),
    "not-checked": Phrase("Nothing above was checked.", "以上内容均未经核验。"),
    # headers
    "headers-collected": Phrase(
        "Chain {chainId}, final up to block {height} ({names}): {added} added, {known} known.",
        "链 {chainId},最终确定至区块 {height}({names}):新增 {added} 个,已有 {known} 个。",
    ),
    "headers-contradicted": Phrase(
        "WARNING: a bundle names {hash} as block {number} of chain {chainId}, and the chain has"
        " another. With this list that bundle is refuted.",
        "警告:有证据包称链 {chainId} 的区块 {number} 为 {hash},与链上不符;以此列表核验将被否证。",
    ),
    "headers-single": Phrase(
        "WARNING: {name} alone was asked, and nobody contradicted it. Whoever runs it decides what"
        " this list proves. Ask a second one that does not belong to the first.",
        "警告:仅询问了 {name},无人可以反驳。其运营者可左右此列表;请另询问一个互不隶属的节点。",
    ),
}
