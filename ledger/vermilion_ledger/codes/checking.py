"""Codes of what `vermilion fsck` finds, and of taking a ledger out and in again."""

from __future__ import annotations

from vermilion_ledger.codes.advice import Advice

__all__ = ["CODES"]

_STOP = Advice(
    en="Stop the ledger, copy everything as it is, then follow docs/how-to/check-and-repair.md.",
    zh="请停止账本并原样备份全部数据,然后按 docs/how-to/check-and-repair.md 处理。",
)
_REWRITE = Advice(
    en="Take the file from an export (log/): it is made anew from the envelopes.",
    zh="请从导出目录(log/)取回该文件:它由信封重新生成。",
)
_HARMLESS = Advice(
    en="Nothing needs to be done: it is brought up at the next checkpoint or start.",
    zh="无需处理:下一个检查点或下次启动时会自动补齐。",
)

CODES: dict[str, Advice] = {
    "fsck.ahead": Advice(
        en="Sign nothing: more was signed than is stored here. Restore a newer backup.",
        zh="切勿签署:已签署的内容多于此处所存。请恢复更新的备份。",
    ),
    "fsck.behind": _HARMLESS,
    "fsck.checkpoint": _STOP,
    "fsck.database": Advice(
        en="Restore the database from a backup: SQLite finds its own file damaged.",
        zh="请从备份恢复数据库:SQLite 发现其文件已损坏。",
    ),
    "fsck.entry-disputed": _STOP,
    "fsck.envelope": _STOP,
    "fsck.file-differs": _REWRITE,
    "fsck.file-missing": _REWRITE,
    "fsck.file-stray": Advice(
        en="Move the file away: no reader of the log asks for it.",
        zh="请将该文件移走:日志的读者不会用到它。",
    ),
    "fsck.halted": Advice(
        en="Repair what is named, then start the sequencer again: it checks before it signs.",
        zh="请先修复所列问题,再启动排序器:它会在签署前重新检查。",
    ),
    "fsck.head": _STOP,
    "fsck.options": Advice(
        en="See `vermilion fsck --help`.",
        zh="请参阅 `vermilion fsck --help`。",
    ),
    "fsck.root-differs": _STOP,
    "fsck.row-differs": _STOP,
    "fsck.row-missing": _STOP,
    "fsck.row-stray": _STOP,
    "fsck.sequence": _STOP,
    "fsck.state": _STOP,
    "fsck.unpublished": _HARMLESS,
}
