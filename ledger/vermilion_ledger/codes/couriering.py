"""Codes raised where anchors travel by courier."""

from __future__ import annotations

from vermilion_ledger.codes.advice import Advice

__all__ = ["CODES"]

_ASK_AGAIN = Advice(
    en="Take the file from its source again; this copy is damaged or was altered.",
    zh="请从来源重新取得该文件;此副本已损坏或被改动。",
)
_NEXT_ORDER = Advice(
    en="Take the answer back, and export again with --replace and --status; nothing was sent.",
    zh="请将答复带回,并以 --replace 和 --status 重新导出;未发送任何交易。",
)
_TWO_LISTS = Advice(
    en="Do not accept the answer before you know which of the two is right: ask at a third node.",
    zh="在查明孰是孰非之前请勿采信该答复:请向第三个节点求证。",
)

CODES: dict[str, Advice] = {
    "courier.block-differs": _TWO_LISTS,
    "courier.block-not-listed": Advice(
        en="Collect the block's hash from nodes you trust (`vermilion-verify headers`, or the list"
        " of `anchor carry --list`), and name that list with --headers.",
        zh="请从可信节点收集该区块哈希(`vermilion-verify headers`,或 `anchor carry --list` 的列表),"
        "并以 --headers 指明。",
    ),
    "courier.call": _ASK_AGAIN,
    "courier.contradiction": _ASK_AGAIN,
    "courier.damaged": _ASK_AGAIN,
    "courier.fee-too-low": Advice(
        en="Offer at least an eighth more in both fees, or leave them to --status.",
        zh="两项费用均须至少提高八分之一,或交由 --status 决定。",
    ),
    "courier.fees": Advice(
        en="Give --max-fee and --priority-fee together, the first at least as large.",
        zh="请同时给出 --max-fee 与 --priority-fee,且前者不小于后者。",
    ),
    "courier.file-missing": Advice(
        en="Correct the path of the courier's file.",
        zh="请更正信使文件的路径。",
    ),
    "courier.gas-limit": Advice(
        en="Take the answer back, and export again with --replace and a larger --gas-limit;"
        " nothing was sent.",
        zh="请将答复带回,并以 --replace 和更大的 --gas-limit 重新导出;未发送任何交易。",
    ),
    "courier.head": Advice(
        en="Leave --head-size out: journal and --status know the contract's head.",
        zh="请去掉 --head-size:日志库与 --status 已知合约的当前头。",
    ),
    "courier.kind": Advice(
        en="Give an order to `anchor carry`, and an answer to `anchor import` and --status.",
        zh="`anchor carry` 需要指令文件;`anchor import` 与 --status 需要答复文件。",
    ),
    "courier.no-chain": Advice(
        en="Set courier = true, and no rpc, in the [[chain]] table that is anchored by courier.",
        zh="请在由信使锚定的 [[chain]] 表中设置 courier = true,且不设 rpc。",
    ),
    "courier.no-fees": Advice(
        en="Give --status with the last answer, or --max-fee and --priority-fee.",
        zh="请以 --status 给出上次答复,或给出 --max-fee 与 --priority-fee。",
    ),
    "courier.no-job": Advice(
        en="Nothing to do if the anchor is in the journal already; else compare the order with it.",
        zh="若该锚定已在日志库中则无需处理;否则请核对指令与日志库。",
    ),
    "courier.no-nonce": Advice(
        en="Give --status with the last answer, or --nonce; `anchor export --ask` finds it out.",
        zh="请以 --status 给出上次答复,或给出 --nonce;可用 `anchor export --ask` 查询。",
    ),
    "courier.no-transaction": Advice(
        en="Export an order without --ask: this file is an inquiry.",
        zh="请不带 --ask 导出指令:此文件只是查询。",
    ),
    "courier.nonce": Advice(
        en="If it is lower, send what comes before; if higher, export again with --replace and"
        " --status. Nothing was sent.",
        zh="若账户序号较低,请先发送之前的交易;若较高,请以 --replace 和 --status 重新导出。"
        "未发送任何交易。",
    ),
    "courier.not-final": Advice(
        en="Carry the same order again later, or take the answer back and export with --replace.",
        zh="请稍后再次携带同一指令,或将答复带回并以 --replace 导出。",
    ),
    "courier.not-signed": Advice(
        en="Let the cold wallet sign, and run `anchor import ORDER --signed FILE --out SIGNED`.",
        zh="请由冷钱包签名,再执行 `anchor import ORDER --signed FILE --out SIGNED`。",
    ),
    "courier.nothing-new": Advice(
        en="Nothing to do: every published checkpoint is under an anchor.",
        zh="无需处理:所有已发布的检查点均已锚定。",
    ),
    "courier.other-target": Advice(
        en="Choose the chain of the file with --chain or --contract, or take the right file.",
        zh="请用 --chain 或 --contract 选择该文件所属的链,或换用正确的文件。",
    ),
    "courier.out": Advice(
        en="Name the file for the signed order with --out.",
        zh="请用 --out 指明已签名指令的文件。",
    ),
    "courier.overtaken": Advice(
        en="Take the answer back: another publisher anchored a larger tree. Export again.",
        zh="请将答复带回:另一发布者已锚定更大的树。请重新导出。",
    ),
    "courier.receipt": _ASK_AGAIN,
    "courier.stale-head": _NEXT_ORDER,
    "courier.too-many": _ASK_AGAIN,
    "courier.wei": _ASK_AGAIN,
}
