"""Codes raised while serving: settings, home folder, HTTP, commands."""

from __future__ import annotations

from vermilion_ledger.codes.advice import Advice

__all__ = ["CODES"]

_REQUEST = Advice(
    en="Correct the request as described in docs/reference/api.md.",
    zh="请按 docs/reference/api.md 更正请求。",
)
_SETTINGS = Advice(
    en="Correct vermilion.toml as described in docs/reference/settings.md.",
    zh="请按 docs/reference/settings.md 更正 vermilion.toml。",
)
_KEY_FILE = Advice(
    en="Restore the key file from its backup; a changed one is not used.",
    zh="请从备份恢复密钥文件;被改动的文件不予使用。",
)
_PREPARE = Advice(
    en="Prepare the statement again and sign it: it will quote a fresh block.",
    zh="请重新准备陈述并签名:它将引用新的区块。",
)
_ADDRESS = Advice(
    en="Check the address; start the ledger with `vermilion up` if it is this machine.",
    zh="请检查地址;若为本机,请用 `vermilion up` 启动账本。",
)

CODES: dict[str, Advice] = {
    "anchor.chain-exists": Advice(
        "Remove the chain from vermilion.toml first if another contract shall take its place.",
        "如需改用另一合约,请先从 vermilion.toml 中删去该链。",
    ),
    # --- commands and their files ---
    "install.extras": Advice(
        en='Install the server parts: pip install "vermilion[server]".',
        zh='请安装服务端组件:pip install "vermilion[server]"。',
    ),
    "internal": Advice(
        en="Report this as a defect with the trace id; VERMILION_DEBUG=1 shows more.",
        zh="请连同追踪编号作为缺陷上报;设置 VERMILION_DEBUG=1 可查看详情。",
    ),
    "input.missing": Advice(
        en="Check the path of the file and that it may be read.",
        zh="请检查文件路径及读取权限。",
    ),
    "output.unwritable": Advice(
        en="Choose a folder that exists and may be written.",
        zh="请选择存在且可写的文件夹。",
    ),
    "home.unusable": Advice(
        en="Choose another --home, or make the folder writable and check the disk.",
        zh="请更换 --home,或使该文件夹可写并检查磁盘。",
    ),
    "settings.malformed": _SETTINGS,
    "settings.missing": Advice(
        en="Make the home folder with `vermilion migrate` or `vermilion up`.",
        zh="请用 `vermilion migrate` 或 `vermilion up` 创建主目录。",
    ),
    "settings.unknown": _SETTINGS,
    "settings.value": _SETTINGS,
    "key.in-use": Advice(
        en="Nothing needs to be done: see log_ml_dsa_from in vermilion.toml for its start.",
        zh="无需操作:起始位置见 vermilion.toml 中的 log_ml_dsa_from。",
    ),
    "key.malformed": _KEY_FILE,
    "key.none": Advice(
        en="Name the key file that signs with --key, that of a root with --root.",
        zh="请用 --key 指定签名的密钥文件,根密钥用 --root。",
    ),
    "key.scheme": Advice(
        en="Choose a scheme that `vermilion keys new --help` names.",
        zh="请选择 `vermilion keys new --help` 列出的签名方案。",
    ),
    "key.shared": _KEY_FILE,
    "serve.address": Advice(
        en="Choose an address and a port of this machine that you may use.",
        zh="请选择本机可用的地址和端口。",
    ),
    "serve.child-ended": Advice(
        en="Read the lines above; everything was stopped, and nothing acknowledged is lost.",
        zh="请查看上方信息;已全部停止,已确认的内容不会丢失。",
    ),
    "serve.not-a-ledger": _ADDRESS,
    "serve.one-process": Advice(
        en="Name a PostgreSQL database_url and run the sequencer apart, or serve in one process.",
        zh="请配置 PostgreSQL 的 database_url 并单独运行定序器,或只用一个进程提供服务。",
    ),
    "serve.overloaded": Advice(
        en="Repeat the request after the seconds that Retry-After names; nothing was saved.",
        zh="请在 Retry-After 所示秒数后重试;系统未保存任何内容。",
    ),
    "serve.port-in-use": Advice(
        en="Stop the program that holds the port, or choose another with --port.",
        zh="请停止占用该端口的程序,或用 --port 更换端口。",
    ),
    "serve.unreachable": _ADDRESS,
    "serve.url": _ADDRESS,
    "up.child-ended": Advice(
        en="Read the error above; `up` stopped everything, and nothing acknowledged is lost.",
        zh="请查看上方错误;`up` 已全部停止,已确认的内容不会丢失。",
    ),
    "up.not-ready": Advice(
        en="Read the lines above; start again, or run the parts one by one to see which waits.",
        zh="请查看上方信息;可重新启动,或逐个运行各部分以查明原因。",
    ),
    "anchor.no-chain": Advice(
        en="Add a [[chain]] table to vermilion.toml, or use `vermilion up` with a local node.",
        zh="请在 vermilion.toml 中添加 [[chain]] 表,或用 `vermilion up` 启动本地节点。",
    ),
    "anchor.several-chains": Advice(
        en="Say which one: --chain with its id and, where that is not enough, --contract.",
        zh="请指明其中一个:用 --chain 给出链编号,仍不唯一时再加 --contract。",
    ),
    "anchor.not-final": Advice(
        en="Wait and look again with `vermilion anchor status`; the journal goes on.",
        zh="请稍候再用 `vermilion anchor status` 查看;锚定会继续进行。",
    ),
    "statement.not-as-asked": Advice(
        en="Do not sign; ask who prepared it, a colleague or the ledger, why it differs.",
        zh="请勿签名;请向准备者(同事或账本运营方)查问其为何与所要求的不同。",
    ),
    # --- HTTP ---
    "request.digest": _REQUEST,
    "request.form": _REQUEST,
    "request.malformed": _REQUEST,
    "request.media-type": _REQUEST,
    "request.method": _REQUEST,
    "request.no-route": _REQUEST,
    "request.too-large": Advice(
        en="Send less at once: split a bulk request, or send a digest instead of the file.",
        zh="请减少单次发送量:拆分批量请求,或只发送摘要。",
    ),
    "request.too-many-records": Advice(
        en="Split the request: at most 10,000 records at once.",
        zh="请拆分请求:一次最多 10,000 条。",
    ),
    "request.wait": _REQUEST,
    "request.withhold": _REQUEST,
    "idempotency.key": Advice(
        en="Use 1 to 255 visible ASCII characters, such as a UUID.",
        zh="请使用 1 至 255 个可见 ASCII 字符,例如 UUID。",
    ),
    "idempotency.running": Advice(
        en="Wait for the first request, or repeat this one in a moment.",
        zh="请等待第一个请求完成,或稍后重试。",
    ),
    "grade.refused": Advice(
        en="Keep it out of this ledger: nothing about it was stored.",
        zh="请勿将其录入本账本:系统未存储任何相关内容。",
    ),
    "intake.not-sequenced": Advice(
        en="It is saved. Repeat the request with the same Idempotency-Key to learn its index.",
        zh="内容已保存。请以相同的 Idempotency-Key 重试以获取序号。",
    ),
    "envelope.intake-signed": Advice(
        en="Send the envelope with the signatures of its actors only.",
        zh="请只发送带有行为人签名的信封。",
    ),
    "record.no-such-version": Advice(
        en="Look the versions up with `vermilion status RECORD`, or give name and digest.",
        zh="请用 `vermilion status RECORD` 查看版本,或提供名称和摘要。",
    ),
    "record.not-document": Advice(
        en="Fetch the public records from /v1/registry.",
        zh="公开案卷请从 /v1/registry 获取。",
    ),
    "seen.not-on-chain": _PREPARE,
    "seen.other-chain": _PREPARE,
    "seen.unavailable": Advice(
        en="Start the node, or wait for it; registrations are taken meanwhile.",
        zh="请启动节点或等待其恢复;其间仍可登记。",
    ),
}
