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

_ANOTHER_EXPORT = Advice(
    en="Take another copy of the export, or write it again; nothing was put in place.",
    zh="请换用导出的其他副本,或重新导出;未写入任何内容。",
)

CODES: dict[str, Advice] = {
    "export.differs": _ANOTHER_EXPORT,
    "export.exists": Advice(
        en="Name a folder or a file that is not there yet: an export is never written over.",
        zh="请指定尚不存在的文件夹或文件:导出不会覆盖已有内容。",
    ),
    "export.later-version": Advice(
        en="Install the release that wrote the export, or a newer one.",
        zh="请安装写出该导出的版本或更新的版本。",
    ),
    "export.malformed": _ANOTHER_EXPORT,
    "export.missing": Advice(
        en="Name the folder that has export.json in it.",
        zh="请指定包含 export.json 的文件夹。",
    ),
    "export.not-empty": Advice(
        en="Import into a new home folder and empty databases; no ledger is written over.",
        zh="请导入到新的主目录和空数据库;不会覆盖已有账本。",
    ),
    "export.not-sqlite": Advice(
        en="Copy PostgreSQL with pg_dump, or export into a folder.",
        zh="PostgreSQL 请用 pg_dump 备份,或导出到文件夹。",
    ),
    "export.options": Advice(
        en="See `vermilion export --help`.",
        zh="请参阅 `vermilion export --help`。",
    ),
    "export.other-ledger": Advice(
        en="Put settings and keys of the exported ledger into the home folder, or none at all.",
        zh="请在主目录中放入被导出账本的设置和密钥,或都不放。",
    ),
    "export.unreadable": Advice(
        en="Run `vermilion fsck` and repair the named table first.",
        zh="请先运行 `vermilion fsck` 并修复所列的表。",
    ),
    "export.unsound": _ANOTHER_EXPORT,
    "export.unwritable": Advice(
        en="Choose a folder that can be written and has space.",
        zh="请选择可写且空间充足的文件夹。",
    ),
    "export.without-salts": Advice(
        en="Rebuild from an export with salts; this one is for auditors.",
        zh="请使用含盐值的导出重建;此导出仅供审计。",
    ),
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
