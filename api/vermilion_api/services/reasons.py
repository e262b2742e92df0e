"""Why an entry has no final anchor yet, as a sentence in both languages.

A reason has a code of `vermilion_ledger.codes`, whose advice is the next step.
An error in the anchorer's way is told by its own code; its message goes out
only where it is about our own anchoring: those of nodes, signers and stores
name hosts, which are nobody's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Reason"]

_ABOUT_US = "anchor."
_TEXTS: Mapping[str, tuple[str, str]] = {
    # --- where an entry stands ---
    "anchor.no-chain": (
        "this ledger anchors on no chain",
        "本账本未配置任何链",
    ),
    "wait.begin": (
        "the next anchor is due; the anchorer begins with its next step",
        "下一次锚定已到期,锚定服务即将开始",
    ),
    "wait.checkpoint": (
        "the entry is in the log and waits for the next checkpoint",
        "条目已入日志,等待下一个检查点",
    ),
    "wait.courier": (
        "an order is with the courier, and no answer that says it is final was imported yet",
        "锚定指令已交由信使传递,尚未导入证明其最终确认的回执",
    ),
    "wait.due": (
        "the next anchor is not due until {due}",
        "下一次锚定要到 {due} 才到期",
    ),
    "wait.idle": (
        "everything published is under a final anchor",
        "已发布的内容均已最终锚定",
    ),
    "wait.next-anchor": (
        "an anchor of the first {size} entries is under way; the one after it covers this entry",
        "前 {size} 条的锚定正在进行;其后的一次锚定将涵盖本条目",
    ),
    "wait.order": (
        "this chain is anchored by courier, and no order covers the entry yet",
        "该链由信使传递锚定,尚无指令涵盖本条目",
    ),
    "wait.sequencer": (
        "no sequencer runs, so that no checkpoint is published",
        "定序服务未运行,无法发布检查点",
    ),
    # --- where its anchor stands ---
    "wait.dropped": (
        "the transaction can no longer be mined; another one is going to be signed",
        "原交易已无法被打包,将重新签署一笔",
    ),
    "wait.mined": (
        "the transaction is in block {block} and waits for finality ({finality})",
        "交易已进入区块 {block},等待最终确认({finality})",
    ),
    "wait.planned": (
        "the anchor is planned; its transaction is going to be signed",
        "锚定已列入计划,即将签署交易",
    ),
    "wait.reorged": (
        "the chain dropped the block of the transaction; it is sent again",
        "链已舍弃该交易所在区块,将重新发送",
    ),
    "wait.sent": (
        "transaction number {attempts} of this anchor was sent and waits for a block",
        "本次锚定的第 {attempts} 笔交易已发送,等待进入区块",
    ),
    "wait.signed": (
        "the transaction is signed and is going to be sent",
        "交易已签署,即将发送",
    ),
    "wait.stuck": (
        "the transaction waits for a block, and a dearer one would pass the fee cap",
        "交易仍在等待进入区块,而更高的费用将超过上限",
    ),
    # --- what is in the way ---
    "anchor.fee-cap": (
        "blocks cost more than the fee cap allows",
        "当前区块费用高于所设上限",
    ),
    "anchor.no-funds": (
        "the anchoring account has too little to pay for a transaction",
        "锚定账户余额不足以支付交易",
    ),
    "anchor.silent": (
        "the anchorer has said nothing since {told}; its last word was {code}",
        "锚定服务自 {told} 起没有消息;其最后状态为 {code}",
    ),
    "anchor.spend-cap": (
        "the anchor would cost more than the caps on spending allow",
        "本次锚定的花费将超过所设支出上限",
    ),
    "chain.bad-answer": (
        "the node's answers make no sense",
        "节点的应答无法理解",
    ),
    "chain.behind": (
        "the node lags behind its chain",
        "节点落后于所在的链",
    ),
    "chain.disagreement": (
        "the nodes of the chain contradict one another",
        "该链的各节点互相矛盾",
    ),
    "chain.unreachable": (
        "the node of the chain is out of reach",
        "无法连接该链的节点",
    ),
    # --- why no time can be told ---
    "expect.blocked": (
        "unknown as long as this is in the way",
        "障碍排除之前无法预计",
    ),
    "expect.courier": (
        "unknown: nobody can say when the courier comes back",
        "无法预计:取决于信使何时返回",
    ),
    "expect.no-history": (
        "unknown before the first anchor on this chain is final",
        "该链首次锚定最终确认之前无法预计",
    ),
    "expect.overdue": (
        "unknown: it takes longer than most anchors before it",
        "无法预计:用时已超过以往多数锚定",
    ),
}
_OTHER = ("the anchorer reports {code}", "锚定服务报告 {code}")
_NEVER = (
    "the anchorer has never said anything",
    "锚定服务从未有过消息",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason; `to_json` has the sentence in both languages.

    Attributes:
        code: What to look up.
        values: What stands in the sentence.
        note: The anchorer's own words, where an error is in the way.
        since: Since when, as it stands in answers; None where nobody noted it.
    """

    code: str
    values: Mapping[str, object] = field(default_factory=dict)
    note: str = ""
    since: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the members of an answer."""
        en, zh = _TEXTS.get(self.code, _OTHER)
        if self.code == "anchor.silent" and not self.values:
            en, zh = _NEVER
        values = {"code": self.code, **self.values}
        shown = self.note if self.code.startswith(_ABOUT_US) else ""
        return {
            "code": self.code,
            "en": en.format(**values),
            "zh": zh.format(**values),
            "note": shown or None,
            "since": self.since,
        }
