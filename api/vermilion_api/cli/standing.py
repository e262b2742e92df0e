"""How anchoring stands, as lines for people, from the answers of the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vermilion_api.problems import hint_for

__all__ = ["anchoring_lines", "waiting_lines"]

_Answer = Mapping[str, Any]
_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "log": "{size} entries, {final} under a final anchor, oldest without one: {oldest}",
        "oldest": "entry {index}, published {time}",
        "none": "none",
        "chain": "chain {chainId}  {contract}  final {finalSize}, {unanchored} entries behind",
        "why": "{why} [{code}]",
        "since": " since {since}",
        "expected": "expected to be final: {until}",
        "pace": "last {anchors} anchors: {minedSeconds} s to a block, {finalSeconds} s to final",
        "last": "last anchor: {gas} gas, {paid} wei, {each} wei for each of {documents} documents",
        "alarm": "ALARM {alarm}",
        "vanished": "{vanished} final anchors vanished from the chain",
        "job": "job {number}  size {size}  {state}{since}",
        "attempt": "nonce {nonce}  size {size}  at most {maxFeeWei} wei a gas, tip"
        " {priorityFeeWei}, gas limit {gasLimit}",
        "signed": "{transaction}  signed {signedAt}  {standing}",
        "entries": "entries {first} to {last}: {state}, no final anchor yet",
        "entry": "entry {first}: {state}, no final anchor yet",
        "newest": "newest entry: {state}, no final anchor yet",
        "on": "chain {chainId}: ",
        "lag": "{authority} ({roots}): {missing} anchored checkpoints not time-stamped yet",
        "unknown": "unknown",
    },
    "zh-CN": {
        "log": "共 {size} 条,已最终锚定 {final} 条,最早未锚定:{oldest}",
        "oldest": "第 {index} 条,发布于 {time}",
        "none": "无",
        "chain": "链 {chainId}  {contract}  已最终锚定 {finalSize},尚差 {unanchored} 条",
        "why": "{why} [{code}]",
        "since": ",自 {since} 起",
        "expected": "预计最终确认:{until}",
        "pace": "最近 {anchors} 次锚定:入块用时 {minedSeconds} 秒,最终确认用时 {finalSeconds} 秒",
        "last": "上次锚定:{gas} gas,{paid} wei,共 {documents} 份文件,每份 {each} wei",
        "alarm": "警报 {alarm}",
        "vanished": "有 {vanished} 次最终锚定已从链上消失",
        "job": "任务 {number}  大小 {size}  {state}{since}",
        "attempt": "nonce {nonce}  大小 {size}  每 gas 至多 {maxFeeWei} wei,小费"
        " {priorityFeeWei},gas 上限 {gasLimit}",
        "signed": "{transaction}  签署于 {signedAt}  {standing}",
        "entries": "第 {first} 至 {last} 条:{state},尚无最终锚定",
        "entry": "第 {first} 条:{state},尚无最终锚定",
        "newest": "最新条目:{state},尚无最终锚定",
        "on": "链 {chainId}:",
        "lag": "{authority}({roots}):{missing} 个已锚定检查点尚无时间戳",
        "unknown": "未知",
    },
}


def waiting_lines(pending: _Answer, language: str) -> list[str]:
    """Return what an entry waits for, and until when: one line, and two for each chain."""
    words = _WORDS[language]
    which = "newest" if "first" not in pending else "entries"
    if which == "entries" and pending["first"] == pending["last"]:
        which = "entry"
    head = words[which].format(**pending)
    lines = [f"  {head}"]
    if pending["why"]["code"] not in {chain["why"]["code"] for chain in pending["chains"]}:
        lines[0] += f": {_why(pending['why'], language)}"
    for chain in pending["chains"]:
        on = words["on"].format(**chain)
        lines.append(f"    {on}{_why(chain['why'], language)}")
        lines.append(f"      {_until(chain, language)}")
    return lines


def anchoring_lines(found: _Answer, language: str) -> list[str]:
    """Return how each chain stands, and the newest jobs with their transactions."""
    words = _WORDS[language]
    oldest = words["none"]
    if found["oldestUnanchoredIndex"] is not None:
        index, time = found["oldestUnanchoredIndex"], found["oldestUnanchored"]
        oldest = words["oldest"].format(index=index, time=time or words["unknown"])
    lines = [words["log"].format(size=found["size"], final=found["finalSize"], oldest=oldest)]
    for chain in found["chains"]:
        lines += _chain_lines(chain, language)
        jobs = [each for each in found["anchors"] if _same_target(each, chain)]
        lines += _job_lines(jobs, language)
    lines += [words["lag"].format(**each) for each in found["authorities"] if each["missing"]]
    return lines


def _chain_lines(chain: _Answer, language: str) -> list[str]:
    words, why = _WORDS[language], chain["why"]
    lines = [words["chain"].format(**chain), f"  {_why(why, language)}"]
    if not why["code"].startswith("wait.") and (hint := hint_for(why["code"], language)):
        lines.append(f"  {hint}")
    if chain["unanchored"]:
        lines.append(f"  {_until(chain, language)}")
    if chain["pace"] is not None:
        lines.append("  " + words["pace"].format(**chain["pace"]))
    if (last := chain["last"]) is not None:
        unknown = words["unknown"]
        lines.append(
            "  "
            + words["last"].format(
                gas=unknown if last["gasUsed"] is None else last["gasUsed"],
                paid=last["paidWei"] or unknown,
                each=last["paidPerDocumentWei"] or unknown,
                documents=last["documents"],
            )
        )
    if chain["alarm"] is not None:
        lines.append("  " + words["alarm"].format(**chain))
        lines.append(f"  {hint_for(chain['alarm'], language)}")
    if chain["vanished"]:
        lines.append("  " + words["vanished"].format(**chain))
    return lines


def _job_lines(jobs: Sequence[_Answer], language: str) -> list[str]:
    words, lines = _WORDS[language], []
    for job in jobs:
        since = words["since"].format(since=job["since"]) if job["since"] else ""
        lines.append("  " + words["job"].format(**{**job, "since": since}))
        for attempt in job["attempts"]:
            lines.append("    " + words["attempt"].format(**attempt))
            lines.append("      " + words["signed"].format(**attempt))
    return lines


def _why(why: _Answer, language: str) -> str:
    words = _WORDS[language]
    text = words["why"].format(why=why["zh" if language == "zh-CN" else "en"], code=why["code"])
    if why["note"]:
        text += f": {why['note']}"
    return text + (words["since"].format(since=why["since"]) if why["since"] else "")


def _until(waiting: _Answer, language: str) -> str:
    until = waiting["expectedAt"]
    if until is None:
        unknown = waiting["unknown"]
        short = _WORDS[language]["unknown"]
        until = unknown["zh" if language == "zh-CN" else "en"] if unknown else short
    return _WORDS[language]["expected"].format(until=until)


def _same_target(job: _Answer, chain: _Answer) -> bool:
    return all(job[name] == chain[name] for name in ("chainId", "contract", "log"))
