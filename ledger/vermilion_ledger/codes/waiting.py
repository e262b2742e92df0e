"""Codes of what an entry waits for until its anchor is final, and why no time can be told.

Nobody raises them: `/v1/records/{record}`, `/v1/log`, `/v1/anchors` and the
commands tell them. Where an error is in the way, its own code is told.
"""

from __future__ import annotations

from vermilion_ledger.codes.advice import Advice

__all__ = ["CODES"]

_NOTHING_TO_DO = Advice(
    en="Nothing to do: this goes on by itself.",
    zh="无需处理:会自动继续。",
)

CODES: dict[str, Advice] = {
    "anchor.silent": Advice(
        en="Start `vermilion anchorer`, or look into its log: nothing is anchored without it.",
        zh="请启动 `vermilion anchorer`,或查看其日志:没有它便不会锚定。",
    ),
    "expect.blocked": Advice(
        en="See to what is in the way; a time is told again once anchoring goes on.",
        zh="请先排除所示障碍;锚定恢复后会再次给出时间。",
    ),
    "expect.courier": Advice(
        en="Carry the order out and the answer back; no machine knows when that happens.",
        zh="请将指令送出并取回回执;何时完成,系统无从得知。",
    ),
    "expect.no-history": Advice(
        en="Wait for the first final anchor on this chain: times are told from what others took.",
        zh="请等待该链上第一次锚定最终确认:时间是根据以往用时推算的。",
    ),
    "expect.overdue": Advice(
        en="Wait, or look at the attempts with `vermilion anchor status`: it takes unusually long.",
        zh="请等待,或用 `vermilion anchor status` 查看各次尝试:本次用时长于多数。",
    ),
    "wait.begin": _NOTHING_TO_DO,
    "wait.checkpoint": _NOTHING_TO_DO,
    "wait.dropped": _NOTHING_TO_DO,
    "wait.courier": Advice(
        en="Carry the order, then run `vermilion anchor import` with the answer.",
        zh="请传递锚定指令,然后用 `vermilion anchor import` 导入回执。",
    ),
    "wait.due": Advice(
        en="Wait, or run `vermilion anchor now`; anchor_interval_seconds sets the pace.",
        zh="请等待,或执行 `vermilion anchor now`;间隔由 anchor_interval_seconds 设定。",
    ),
    "wait.idle": _NOTHING_TO_DO,
    "wait.mined": Advice(
        en="Wait: the finality rule in the [[chain]] table says how many blocks must follow.",
        zh="请等待:须等多少个后续区块由 [[chain]] 表中的最终性规则决定。",
    ),
    "wait.next-anchor": _NOTHING_TO_DO,
    "wait.order": Advice(
        en="Write one with `vermilion anchor export`, and give it to the courier.",
        zh="请用 `vermilion anchor export` 生成锚定指令,交由信使传递。",
    ),
    "wait.planned": _NOTHING_TO_DO,
    "wait.reorged": _NOTHING_TO_DO,
    "wait.sent": _NOTHING_TO_DO,
    "wait.sequencer": Advice(
        en="Start the sequencer: `vermilion serve` with SQLite, else `vermilion sequencer`.",
        zh="请启动定序服务:使用 SQLite 时为 `vermilion serve`,否则为 `vermilion sequencer`。",
    ),
    "wait.signed": _NOTHING_TO_DO,
    "wait.stuck": Advice(
        en="Wait until blocks are cheaper, or raise the fee cap in the [[chain]] table.",
        zh="请等待费用下降,或提高 [[chain]] 表中的费用上限。",
    ),
}
