"""Codes raised while a record is destroyed."""

from __future__ import annotations

from vermilion_ledger.codes.advice import Advice

__all__ = ["CODES"]

CODES: dict[str, Advice] = {
    "erase.few": Advice(
        en="Erase more records at a time; `--few` does it though their entries can be told apart.",
        zh="请累积更多案卷后一并销毁;如接受其条目可被识别,请使用 `--few`。",
    ),
    "erase.in-use": Advice(
        en="Stop every process of the ledger and every backup under way, then repeat.",
        zh="请停止账本的所有进程以及正在进行的备份,然后重试。",
    ),
    "erase.list": Advice(
        en="Give record ids, or a file with one record id a line.",
        zh="请给出案卷编号,或每行一个案卷编号的文件。",
    ),
    "erase.moved": Advice(
        en="Something was added to the record meanwhile: look at it, and repeat if it is to go.",
        zh="其间该案卷有新增内容:请查看,确需销毁时再重试。",
    ),
    "erase.not-anchored": Advice(
        en="This ledger anchors on no chain: `--now` erases what is published, and proves less.",
        zh="此账本未锚定到任何链:`--now` 将销毁已发布的内容,但可证明的更少。",
    ),
    "erase.not-disposed": Advice(
        en="Let an owner or officer sign `vermilion dispose RECORD`; any later event holds it up.",
        zh="请由经办人或专员签署 `vermilion dispose RECORD`;其后的任何事件都会暂停销毁。",
    ),
    "erase.not-final": Advice(
        en="Wait until `vermilion status RECORD` says that its last entry is final.",
        zh="请等到 `vermilion status RECORD` 显示其最后一条目已最终确认。",
    ),
    "erase.public-record": Advice(
        en="The key record and the policy record are public for good; erase documents only.",
        zh="密钥案卷与策略案卷永久公开;只能销毁文件案卷。",
    ),
    "erase.queued": Advice(
        en="Start the ledger until nothing of the record waits, then stop it and repeat.",
        zh="请启动账本,待该案卷无排队内容后停止账本并重试。",
    ),
    "erase.reason": Advice(
        en="Give the ground alone, such as the retention rule: the reason is kept for good.",
        zh="只写依据,例如保管期限条款:理由将永久保存。",
    ),
    "fsck.sweep-due": Advice(
        en="Stop the ledger and run `vermilion erase --finish`; on SQLite a start does it.",
        zh="请停止账本并运行 `vermilion erase --finish`;使用 SQLite 时启动账本即可完成。",
    ),
}
