"""Codes raised while reading documents and recording them from an archive."""

from __future__ import annotations

from vermilion_ledger.codes.advice import Advice

__all__ = ["CODES"]

CODES: dict[str, Advice] = {
    "actor.shape": Advice(
        en="Write the actor as id,name,post,unit; only the id is needed.",
        zh="请把行为人写成 编号,姓名,职务,部门；只有编号是必需的。",
    ),
    "digest.sm3-unavailable": Advice(
        en="Leave SM3 out, or use a Python whose OpenSSL has it: python -c 'import "
        'hashlib; hashlib.new("sm3")\'.',
        zh="请去掉 SM3 选项，或改用 OpenSSL 带有 SM3 的 Python。",
    ),
    "file.changed-while-read": Advice(
        en="Wait until nobody writes to the file, then run the same command again.",
        zh="请等文件不再被写入，然后重新运行同一命令。",
    ),
    "file.not-regular": Advice(
        en="Give a regular file; devices, pipes and sockets have no fixed content.",
        zh="请给出普通文件；设备、管道和套接字没有固定内容。",
    ),
    "file.path": Advice(
        en="Check the path: it holds a character that no file name can have.",
        zh="请检查路径：其中有文件名不可能包含的字符。",
    ),
    "file.read-failed": Advice(
        en="Check the disk or the network share, then run the same command again.",
        zh="请检查磁盘或网络共享，然后重新运行同一命令。",
    ),
    "file.symlink": Advice(
        en="Give the file itself, or follow links with --follow; a loop of links leads nowhere.",
        zh="请给出文件本身，或用 --follow 跟随链接；成环的链接没有终点。",
    ),
    "file.unreadable": Advice(
        en="Give the user who runs this the right to read the file, then run it again.",
        zh="请给运行此命令的用户该文件的读取权限，然后重新运行。",
    ),
    "file.vanished": Advice(
        en="Check the path; if the file was moved while this ran, run the command again.",
        zh="请检查路径；若文件在运行期间被移走，请重新运行。",
    ),
    "journal.damaged": Advice(
        en="Check the disk, move the journal aside and run again; files recorded "
        "before are then recorded once more.",
        zh="请检查磁盘，把该日志移开后重新运行；此前登记过的文件会再登记一次。",
    ),
    "journal.disk-full": Advice(
        en="Make room on the journal's disk and run the same command again; nothing "
        "acknowledged is lost.",
        zh="请为日志所在磁盘腾出空间，然后重新运行同一命令；已确认的内容不会丢失。",
    ),
    "journal.foreign": Advice(
        en="Give the path of a resume journal, or of a file that does not exist yet, to --journal.",
        zh="请让 --journal 指向续传日志，或尚不存在的文件。",
    ),
    "journal.in-use": Advice(
        en="Wait for the other run to end, or give this one its own --journal.",
        zh="请等待另一次运行结束，或用 --journal 为本次运行指定单独的日志。",
    ),
    "journal.other-ledger": Advice(
        en="For another ledger give another --journal; if it is the same one, it has "
        "lost a record it acknowledged: call its operator.",
        zh="若是另一个账本，请用 --journal 另行指定日志；"
        "若是同一账本，则它丢失了已确认的记录：请联系其运维人员。",
    ),
    "journal.other-url": Advice(
        en="Give the address the journal belongs to with --url, or another --journal.",
        zh="请用 --url 给出该日志所属的地址，或用 --journal 另行指定日志。",
    ),
    "journal.unwritable": Advice(
        en="Give the user who runs this the right to write there, or another place with --journal.",
        zh="请给运行此命令的用户该处的写入权限，或用 --journal 另行指定位置。",
    ),
    "name.unusable": Advice(
        en="Rename the file: UTF-8 without control characters, at most 1,024 bytes; "
        "then run again.",
        zh="请重命名文件：使用 UTF-8、不含控制字符、不超过 1024 字节；然后重新运行。",
    ),
    "server.answer-malformed": Advice(
        en="Check that --url names a Vermilion ledger and no proxy stands between; "
        "then run the same command again.",
        zh="请确认 --url 指向 Vermilion 账本且中间没有代理改动应答；然后重新运行同一命令。",
    ),
    "server.certificate": Advice(
        en="Check the address, or have the ledger's certificate issued by an authority "
        "this machine trusts.",
        zh="请检查地址，或让账本使用本机信任的机构签发的证书。",
    ),
    "server.not-ready": Advice(
        en="Wait until the ledger is ready (its /readyz says why it is not), then run "
        "the same command again.",
        zh="请等账本就绪（其 /readyz 会说明原因），然后重新运行同一命令。",
    ),
    "server.not-sequenced": Advice(
        en="Check that the ledger's sequencer runs, then run the same command again; "
        "nothing is recorded twice.",
        zh="请确认账本的定序器正在运行，然后重新运行同一命令；不会重复登记。",
    ),
    "server.unreachable": Advice(
        en="Check --url and that the ledger runs, then run the same command again; "
        "nothing is recorded twice.",
        zh="请检查 --url 并确认账本正在运行，然后重新运行同一命令；不会重复登记。",
    ),
    "server.url": Advice(
        en="Give an address like http://127.0.0.1:8460 or https://ledger.example.gov, "
        "without a password.",
        zh="请给出类似 http://127.0.0.1:8460 或 https://ledger.example.gov 的地址，其中不含密码。",
    ),
    "walk.loop": Advice(
        en="Remove the link, or run without --follow; the folder it leads to is recorded anyway.",
        zh="请删除该链接，或不用 --follow；链接所指的文件夹本来就会登记。",
    ),
    "walk.own-journal": Advice(
        en="Nothing needs doing: the run's own journal is no document.",
        zh="无需处理：本次运行自己的日志不是文档。",
    ),
    "walk.read-failed": Advice(
        en="Check the disk or the network share, then run the same command again.",
        zh="请检查磁盘或网络共享，然后重新运行同一命令。",
    ),
    "walk.symlink": Advice(
        en="To record what the link leads to, run again with --follow.",
        zh="若要登记链接所指的内容，请加上 --follow 重新运行。",
    ),
    "walk.unreadable": Advice(
        en="Give the user who runs this the right to read the folder, then run it again.",
        zh="请给运行此命令的用户该文件夹的读取权限，然后重新运行。",
    ),
    "walk.vanished": Advice(
        en="Check that the folder is still there or its disk still mounted, then run "
        "the same command again.",
        zh="请确认该文件夹仍在、其磁盘仍已挂载，然后重新运行同一命令。",
    ),
    "walk.visited": Advice(
        en="Nothing needs doing: another link has already led to this folder.",
        zh="无需处理：另一链接已通向该文件夹。",
    ),
}
