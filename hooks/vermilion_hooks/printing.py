"""Telling people and programs how a run goes; writes only where it is told to.

Owns the words of `vermilion record` (FORMATS section 13): one printer for
text, one for JSON lines. Whatever came from a file name is shown with its
control characters escaped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from vermilion_hooks.outcomes import AlreadyRecorded, Outcome, Recorded, Summary
from vermilion_hooks.walk import Failed, Skipped
from vermilion_ledger.codes import all_codes
from vermilion_ledger.digest import show_path

__all__ = ["JsonPrinter", "Printer", "TextPrinter", "WriteLine"]

WriteLine = Callable[[str], None]
"""Writes one line, given without its end, and flushes it."""

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "recorded": "recorded  {record}  index {index}  {path}",
        "changed": "recorded  {record}  index {index}  {path}  (changed: a new record)",
        "known": "already recorded  {record}  {path}",
        "skipped": "skipped [{code}]  {path}",
        "failed": "error[{code}]: {message}\n  {hint}",
        "summary": "{recorded} recorded ({changed} of them changed), {known} already recorded, "
        "{skipped} skipped, {failed} failed",
        "interrupted": "Stopped. Nothing acknowledged is lost; run the same command again "
        "to go on (journal {journal}).",
    },
    "zh": {
        "recorded": "已登记  {record}  序号 {index}  {path}",
        "changed": "已登记  {record}  序号 {index}  {path}  （内容已变更：新记录）",
        "known": "此前已登记  {record}  {path}",
        "skipped": "跳过 [{code}]  {path}",
        "failed": "错误[{code}]：{message}\n  {hint}",
        "summary": "登记 {recorded} 个（其中 {changed} 个内容已变更），此前已登记 {known} 个，"
        "跳过 {skipped} 个，失败 {failed} 个",
        "interrupted": "已停止。已确认的内容不会丢失；重新运行同一命令即可继续（日志 {journal}）。",
    },
}


class Printer(Protocol):
    """Tells of one run."""

    def show(self, outcome: Outcome) -> None:
        """Tell what became of one file."""

    def finish(self, summary: Summary) -> None:
        """Tell how the whole run went."""


class TextPrinter:
    """Lines for people."""

    def __init__(self, write: WriteLine, *, language: str, terse: bool) -> None:
        """Choose where and how much.

        Args:
            write: Takes the lines.
            language: ``zh`` or anything that starts with it; else English.
            terse: Leave out files that went as expected; a progress bar shows them.
        """
        self._write = write
        self._language = "zh" if language.lower().startswith("zh") else "en"
        self._terse = terse

    def show(self, outcome: Outcome) -> None:
        """Tell what became of one file."""
        expected = isinstance(outcome, AlreadyRecorded) or (
            isinstance(outcome, Recorded) and not outcome.changed
        )
        if not (self._terse and expected):
            values = _describe(outcome, self._language)
            word = "changed" if values.get("changed") else values["outcome"]
            self._line(word, values)

    def finish(self, summary: Summary) -> None:
        """Tell how the whole run went."""
        self._line("summary", _count(summary))

    def interrupted(self, journal: str) -> None:
        """Tell how to go on after Ctrl-C."""
        self._line("interrupted", {"journal": show_path(journal)})

    def _line(self, word: str, values: Mapping[str, Any]) -> None:
        self._write(_WORDS[self._language][word].format(**values).rstrip())


class JsonPrinter:
    """One JSON object per line: each file, at last the summary."""

    def __init__(self, write: WriteLine, *, language: str) -> None:
        """Choose where; ``language`` is that of the hints."""
        self._write = write
        self._language = language

    def show(self, outcome: Outcome) -> None:
        """Write what became of one file."""
        self._line(_describe(outcome, self._language))

    def finish(self, summary: Summary) -> None:
        """Write how the whole run went."""
        self._line({"outcome": "summary", **_count(summary)})

    def _line(self, value: Mapping[str, Any]) -> None:
        self._write(json.dumps(value, ensure_ascii=False))


def _count(summary: Summary) -> dict[str, int]:
    return {
        name: getattr(summary, name)
        for name in ("recorded", "changed", "known", "skipped", "failed")
    }


def _describe(outcome: Outcome, language: str) -> dict[str, Any]:
    path = show_path(outcome.path)
    match outcome:
        case Recorded() | AlreadyRecorded():
            values: dict[str, Any] = {
                "outcome": "recorded" if isinstance(outcome, Recorded) else "known",
                "path": path,
                "sha256": outcome.sha256.hex(),
                "record": outcome.acknowledged.record,
                "index": outcome.acknowledged.index,
            }
            if isinstance(outcome, Recorded):
                values |= {"changed": outcome.changed, "resumed": outcome.resumed}
            return values
        case Skipped():
            return {"outcome": "skipped", "path": path, "code": outcome.code}
        case Failed():
            advice = all_codes().get(outcome.error.code)
            hint = "" if advice is None else advice.zh if language[:2] == "zh" else advice.en
            return {
                "outcome": "failed",
                "path": path,
                "code": outcome.error.code,
                "message": outcome.error.message,
                "hint": hint,
            }
