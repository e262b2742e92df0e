"""Codes raised while storing."""

from __future__ import annotations

from vermilion_ledger.codes.advice import Advice

__all__ = ["CODES"]

_STOP_AND_COMPARE = Advice(
    en="Stop, keep a copy of the database as it is, and compare it with a backup and the chain.",
    zh="请停止运行,原样保留数据库副本,并与备份和链上锚定比对。",
)
_ASK_AGAIN = Advice(
    en="Try again in a moment; what was not acknowledged may be submitted again safely.",
    zh="请稍后重试;未得到确认的提交可以放心再次提交。",
)

CODES: dict[str, Advice] = {
    "idempotency.other-body": Advice(
        en="Use a new Idempotency-Key for a different request.",
        zh="不同的请求请使用新的 Idempotency-Key。",
    ),
    "intake.batch-size": Advice(
        en="Split the batch into smaller ones.",
        zh="请将该批次拆分后分别提交。",
    ),
    "intake.closed": Advice(
        en="The server is stopping; submit again once it is back.",
        zh="服务正在停止,请待恢复后再提交。",
    ),
    "intake.empty": Advice(
        en="Submit at least one envelope.",
        zh="请至少提交一个信封。",
    ),
    "intake.no-sequencer": Advice(
        en="Nothing was saved. Ask again in a few seconds: the sequencer starts, or another leads.",
        zh="未保存任何内容。请数秒后重试:排序器正在启动,或由另一进程主持。",
    ),
    "intake.overloaded": _ASK_AGAIN,
    "log.behind-head": Advice(
        en="The database is older than what was signed: restore a newer backup, sign nothing.",
        zh="数据库落后于已签署的检查点:请恢复更新的备份,切勿继续签署。",
    ),
    "log.beyond-size": Advice(
        en="Ask for a size that the log has reached.",
        zh="请查询日志已达到的大小。",
    ),
    "log.entry-mismatch": _STOP_AND_COMPARE,
    "log.gap": _STOP_AND_COMPARE,
    "log.head-moved": Advice(
        en="Another sequencer published meanwhile: stop this one.",
        zh="另一个排序器已发布新的检查点:请停止本排序器。",
    ),
    "log.no-checkpoint": Advice(
        en="Wait until the log has published a checkpoint, or ask for a published size.",
        zh="请等待日志发布检查点,或查询已发布的大小。",
    ),
    "log.no-tile": Advice(
        en="Ask for tiles within the newest published checkpoint.",
        zh="请查询最新已发布检查点范围内的瓦片。",
    ),
    "log.range": Advice(
        en="Give a start that is not below 0 and an end that is not below the start.",
        zh="起点不得小于 0,终点不得小于起点。",
    ),
    "log.recovering": Advice(
        en=(
            "Reading goes on; nothing is taken in or signed. Run `vermilion fsck`, restore what it"
            " names, then start the sequencer again: see docs/how-to/check-and-repair.md."
        ),
        zh=(
            "读取不受影响;暂停接收和签署。请运行 `vermilion fsck`,恢复其指出的内容,"
            "再重新启动排序器:见 docs/how-to/check-and-repair.md。"
        ),
    ),
    "log.root-mismatch": _STOP_AND_COMPARE,
    "log.tile-mismatch": _STOP_AND_COMPARE,
    "record.unknown": Advice(
        en="Check the record id; this ledger has none of that name.",
        zh="请核对案卷编号;本账本中没有该案卷。",
    ),
    "sequencer.fenced": Advice(
        en="A newer sequencer has taken over: stop this one and find out why two were started.",
        zh="新的排序器已接管:请停止本排序器,并查明为何启动了两个。",
    ),
    "sequencer.lease-held": Advice(
        en="Stop the other sequencer, or wait until its lease has run out.",
        zh="请停止另一个排序器,或等待其租约到期。",
    ),
    "sequencer.not-started": Advice(
        en="Acquire the lease and start the sequencer before using it.",
        zh="请先取得租约并启动排序器。",
    ),
    "statement.nonce-reused": Advice(
        en="Prepare the statement again: each signature needs a new nonce.",
        zh="请重新生成声明:每次签名都需要新的随机数。",
    ),
    "store.append-only": Advice(
        en="Evidence is never changed or deleted; record a correcting event instead.",
        zh="证据不可修改或删除;请改为登记更正事件。",
    ),
    "store.busy": _ASK_AGAIN,
    "store.conflict": _ASK_AGAIN,
    "store.corrupt": _STOP_AND_COMPARE,
    "store.disk-full": Advice(
        en="Free or add disk space; nothing acknowledged is lost and intake goes on by itself.",
        zh="请释放或扩充磁盘空间;已确认的内容不会丢失,接收会自动恢复。",
    ),
    "store.failed": Advice(
        en="Look at the server's log and report this; it is a fault of the program.",
        zh="请查看服务器日志并报告;这是程序缺陷。",
    ),
    "store.newer-schema": Advice(
        en="Start the release that wrote this database, or a newer one.",
        zh="请启动写入该数据库的版本或更新的版本。",
    ),
    "store.not-allowed": Advice(
        en="Run each process under its own database role and apply the grants again.",
        zh="请以各自的数据库角色运行各进程,并重新执行授权。",
    ),
    "store.not-migrated": Advice(
        en="Run `vermilion migrate`.",
        zh="请运行 `vermilion migrate`。",
    ),
    "store.pragma-refused": Advice(
        en="Put the database file on a local disk whose SQLite supports WAL.",
        zh="请将数据库文件放在支持 WAL 的本地磁盘上。",
    ),
    "store.roles": Advice(
        en="Use PostgreSQL with one role for each process.",
        zh="请使用 PostgreSQL,并为各进程分别设置角色。",
    ),
    "store.setting-refused": Advice(
        en="Set the named PostgreSQL setting to what is needed and restart the server.",
        zh="请按要求修改所列 PostgreSQL 设置并重启数据库。",
    ),
    "store.unreachable": Advice(
        en="Check that the database runs and can be reached, then try again.",
        zh="请检查数据库是否运行且可连接,然后重试。",
    ),
    "store.url": Advice(
        en="Give sqlite:////path/to/file or postgresql://user@host/name.",
        zh="请填写 sqlite:////路径/文件 或 postgresql://用户@主机/库名。",
    ),
    "submission.malformed": Advice(
        en="Correct the named value; the same bytes will never be stored.",
        zh="请更正所列的值;相同的数据不会被保存。",
    ),
    "tiles.create-only": Advice(
        en="Keep the log where a file can be created once only: a local disk, or an S3 store "
        "that honours If-None-Match.",
        zh="请将日志存放在能保证文件只创建一次的位置:本地磁盘,或支持 If-None-Match 的 S3 存储。",
    ),
    "tiles.credentials": Advice(
        en="Write aws_access_key_id and aws_secret_access_key under [default] in that file.",
        zh="请在该文件的 [default] 下写入 aws_access_key_id 与 aws_secret_access_key。",
    ),
    "tiles.differ": Advice(
        en="Stop, keep a copy of the named file, and run `vermilion fsck`.",
        zh="请停止运行,保留所列文件的副本,并运行 `vermilion fsck`。",
    ),
    "tiles.disk-full": Advice(
        en="Free or add space where the log's files are; publishing goes on by itself.",
        zh="请释放或扩充日志文件所在的空间;发布会自动恢复。",
    ),
    "tiles.no-full": Advice(
        en="Keep the partial tile until its full tile is written.",
        zh="请保留不完整瓦片,直至完整瓦片写入。",
    ),
    "tiles.not-installed": Advice(
        en='Install the driver for S3-compatible stores: pip install "vermilion[s3]".',
        zh='请安装 S3 兼容存储的驱动:pip install "vermilion[s3]"。',
    ),
    "tiles.path": Advice(
        en="Name a file of the log as C2SP tlog-tiles writes it, such as tile/0/x001/067.",
        zh="请按 C2SP tlog-tiles 的写法给出日志文件名,例如 tile/0/x001/067。",
    ),
    "tiles.unreachable": Advice(
        en="Check that the folder or bucket of the log's files can be read and written, then "
        "try again.",
        zh="请检查存放日志文件的文件夹或存储桶是否可读写,然后重试。",
    ),
    "tiles.url": Advice(
        en="Give nothing, file:///path/to/folder or s3://bucket/prefix?endpoint=...&region=...",
        zh="请留空,或填写 file:///文件夹路径 或 s3://桶/前缀?endpoint=...&region=...。",
    ),
}
