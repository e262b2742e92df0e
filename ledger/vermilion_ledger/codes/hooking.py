"""Codes raised while reading documents and recording them from an archive."""

from __future__ import annotations

from vermilion_ledger.codes.advice import Advice

__all__ = ["CODES"]

CODES: dict[str, Advice] = {
    "digest.sm3-unavailable": Advice(
        en="Leave SM3 out, or use a Python whose OpenSSL has it: python -c 'import hashlib; "
        'hashlib.new("sm3")\'.',
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
}
