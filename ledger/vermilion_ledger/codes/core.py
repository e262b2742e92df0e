"""Codes of the formats and proofs: what every reader and every signer may meet."""

from __future__ import annotations

from vermilion_ledger.codes.advice import Advice

__all__ = ["CODES"]

_RESEND = Advice(
    en="Correct the named member and send it again; the same bytes will never be taken.",
    zh="请更正所指成员后重新发送;相同的字节永远不会被接受。",
)
_SHORTER = Advice(
    en="Make it shorter, or split it; the bound is part of the format.",
    zh="请缩短内容或拆分;该上限是格式的一部分。",
)
_STRICT_JSON = Advice(
    en="Write strict I-JSON (RFC 7493): each name once, integers only, UTF-8 without a mark.",
    zh="请写严格的 I-JSON(RFC 7493):名称不重复、只用整数、UTF-8 且无字节序标记。",
)
_CANONICAL = Advice(
    en="Send the exact bytes that were prepared or fetched; do not format them again.",
    zh="请发送所准备或所取得的原始字节,不要重新排版。",
)
_DAMAGED = Advice(
    en="Fetch the evidence bundle again; these bytes are damaged or forged.",
    zh="请重新获取证据包;这些字节已损坏或系伪造。",
)
_NOT_PROVEN = Advice(
    en="Do not accept this proof; ask the ledger for a fresh bundle and compare.",
    zh="不要采信该证明;请向账本索取新的证据包并比对。",
)
_DEFECT = Advice(
    en="Report this as a defect, with the message.",
    zh="请将此信息作为缺陷上报。",
)
_NOTE = Advice(
    en="Fetch the checkpoint again from the log; it is not a C2SP signed note.",
    zh="请从日志重新获取检查点;它不是 C2SP 签名笔记。",
)
_VKEY = Advice(
    en="Copy the verifier key whole from the trust policy that was handed over.",
    zh="请从当面交付的信任策略中完整复制验证密钥。",
)
_STATEMENT = Advice(
    en="Have the statement prepared by the ledger, and sign those bytes.",
    zh="请由账本准备陈述,并对其字节签名。",
)
_OTHER_PLACE = Advice(
    en="Prepare the statement for this ledger and this record, and sign it again.",
    zh="请为本账本和本案卷准备陈述并重新签名。",
)
_PREPARE_AGAIN = Advice(
    en="Read the record, prepare the statement anew, and sign what stands there now.",
    zh="请查看案卷现状,重新准备陈述后再签名。",
)
_DETAIL = Advice(
    en="Give the event the detail that docs/formats/events.md lists for it.",
    zh="请按 docs/formats/events.md 为该事件填写明细。",
)
_RULES = Advice(
    en="Correct the list of rules as in docs/how-to/write-rules.md, and adopt it again.",
    zh="请按 docs/how-to/write-rules.md 更正规则列表后重新采纳。",
)
_ROOTS = Advice(
    en="Let the roots that the trust policy names sign, as its quorum asks; register roots first.",
    zh="请由信任策略指定的根密钥按法定数量签名;根密钥须先行注册。",
)
_KEY_EVENT = Advice(
    en="Use `vermilion keys register` or `keys revoke`, which fill in the key event.",
    zh="请使用 `vermilion keys register` 或 `keys revoke` 填写密钥事件。",
)
_BAD_KEY = Advice(
    en="Make a new key with `vermilion keys new`; this one must not be used.",
    zh="请用 `vermilion keys new` 生成新密钥;此密钥不得使用。",
)
_SIGN_AGAIN = Advice(
    en="Sign the prepared bytes again with the key that is named, and send that.",
    zh="请用所指密钥对准备好的字节重新签名后发送。",
)
_ENVELOPE = Advice(
    en="Build the envelope as docs/formats/README.md says: each key signs once.",
    zh="请按 docs/formats/README.md 构造信封:每个密钥只签一次。",
)

CODES: dict[str, Advice] = {
    # --- text, numbers, JSON ---
    "base64.malformed": _RESEND,
    "base64.too-long": _SHORTER,
    "hex.malformed": _RESEND,
    "hex.too-long": _SHORTER,
    "text.control-character": Advice(
        en="Remove control and direction characters from the text.",
        zh="请去除文本中的控制字符和方向字符。",
    ),
    "text.empty": _RESEND,
    "text.shape": _RESEND,
    "text.too-long": _SHORTER,
    "time.malformed": Advice(
        en="Write the time as YYYY-MM-DDTHH:MM:SSZ, in UTC.",
        zh="请将时间写为 YYYY-MM-DDTHH:MM:SSZ(UTC)。",
    ),
    "json.bad-character": _STRICT_JSON,
    "json.byte-order-mark": _STRICT_JSON,
    "json.duplicate-key": Advice(
        en="Name each member once: which of the two was meant cannot be known.",
        zh="每个成员只能出现一次:无法判断您指的是哪一个。",
    ),
    "json.integer-range": _STRICT_JSON,
    "json.malformed": _STRICT_JSON,
    "json.missing-member": _RESEND,
    "json.not-canonical": _CANONICAL,
    "json.not-count": _RESEND,
    "json.not-integer": _STRICT_JSON,
    "json.not-utf8": _STRICT_JSON,
    "json.shape": _RESEND,
    "json.too-deep": _SHORTER,
    "json.too-large": _SHORTER,
    "json.unknown-member": Advice(
        en="Remove the member, or check its spelling; unknown ones are never ignored.",
        zh="请删除该成员或检查拼写;未知成员不会被忽略。",
    ),
    # --- proofs and entries ---
    "entry.malformed": _DAMAGED,
    "entry.sequence": _DAMAGED,
    "entry.size": _DAMAGED,
    "merkle.frontier": _DEFECT,
    "merkle.hash-size": _DAMAGED,
    "merkle.index-range": _DAMAGED,
    "merkle.proof-length": _DAMAGED,
    "merkle.root-mismatch": _NOT_PROVEN,
    "merkle.size-order": _DAMAGED,
    "merkle.size-range": _DAMAGED,
    "merkle.tile-size": _DEFECT,
    # --- notes and checkpoints ---
    "checkpoint.lines": _NOTE,
    "checkpoint.origin": _SHORTER,
    "checkpoint.root": _NOTE,
    "checkpoint.size": _NOTE,
    "checkpoint.time": Advice(
        en="Set the clock of the machine that signs; its time cannot stand in a signature.",
        zh="请校正签名机器的时钟;其时间无法写入签名。",
    ),
    "note.bad-signature": _NOT_PROVEN,
    "note.control-character": _NOTE,
    "note.key-name": Advice(
        en="Choose a name without spaces and without a plus sign.",
        zh="请使用不含空格和加号的名称。",
    ),
    "note.no-signatures": _NOTE,
    "note.not-utf8": _NOTE,
    "note.repeated-signature": _NOTE,
    "note.signature-line": _NOTE,
    "note.too-large": _NOTE,
    "note.too-many-signatures": _NOTE,
    "note.unfinished-line": _NOTE,
    "note.windows-line-end": Advice(
        en="Fetch the file again as binary: something changed its line ends.",
        zh="请以二进制方式重新获取文件:其换行符被改动了。",
    ),
    "vkey.id": _VKEY,
    "vkey.kind": _VKEY,
    "vkey.malformed": _VKEY,
    "vkey.size": _VKEY,
    # --- bundles ---
    "bundle.checkpoint": _DAMAGED,
    "bundle.closing-entries": _DAMAGED,
    "bundle.closing-status": _DAMAGED,
    "bundle.entries-left-out": _DAMAGED,
    "bundle.first-entry": _DAMAGED,
    "bundle.header-missing": _DAMAGED,
    "bundle.header-unquoted": _DAMAGED,
    "bundle.later-version": Advice(
        en="Install a newer verifier; this one does not know that version.",
        zh="请安装较新的验证工具;当前版本不认识该格式版本。",
    ),
    "bundle.media-type": Advice(
        en="Give the .evidence.json file that the ledger handed out.",
        zh="请提供账本签发的 .evidence.json 文件。",
    ),
    "bundle.order": _DAMAGED,
    "bundle.sequence-range": _DAMAGED,
    "bundle.shape": _DAMAGED,
    "bundle.timestamp-type": _DAMAGED,
    # --- statements ---
    "statement.decision-order": Advice(
        en="Read what you decided since, prepare a new statement, and decide again.",
        zh="请查看您此后作出的决定,重新准备陈述后再作决定。",
    ),
    "statement.event": _STATEMENT,
    "statement.not-owner": Advice(
        en="Let somebody do this who signed in this record before, or an officer.",
        zh="请由曾在本案卷签名的人或专员办理。",
    ),
    "statement.other-family": _OTHER_PLACE,
    "statement.other-ledger": _OTHER_PLACE,
    "statement.other-policy": Advice(
        en="Name the policy that the record was registered with, or prepare the statement anew.",
        zh="请使用案卷登记时指定的策略,或重新准备陈述。",
    ),
    "statement.other-record": _OTHER_PLACE,
    "statement.predicate-type": _STATEMENT,
    "statement.prior-differs": _PREPARE_AGAIN,
    "statement.prior-later": _PREPARE_AGAIN,
    "statement.prior-missing": _PREPARE_AGAIN,
    "statement.prior-refused": Advice(
        en="Leave prior out of a registration: nothing comes before it.",
        zh="登记事件不应带 prior:在它之前没有任何条目。",
    ),
    "statement.prior-unknown": _PREPARE_AGAIN,
    "statement.register-place": Advice(
        en="Register once and first; use version, correct or convert afterwards.",
        zh="登记只能有一次且在最前;之后请使用 version、correct 或 convert。",
    ),
    "statement.seen-missing": Advice(
        en="Quote a block: have the statement prepared with the key that will sign.",
        zh="请引用区块:准备陈述时请指明将要签名的密钥。",
    ),
    "statement.subject": _STATEMENT,
    "statement.type": _STATEMENT,
    "statement.unrecorded-digest": Advice(
        en="Record this version first, or name a version that the record has.",
        zh="请先登记该版本,或指定案卷中已有的版本。",
    ),
    "statement.unsigned": Advice(
        en="Sign the statement with a registered key that may sign this event.",
        zh="请用获准签署该事件的已注册密钥签名。",
    ),
    "record.malformed-id": Advice(
        en="Copy the record id whole: rec_ and 32 characters.",
        zh="请完整复制案卷编号:rec_ 加 32 个字符。",
    ),
    "record.no-version": _DAMAGED,
    "record.not-in-checkpoint": Advice(
        en="Ask again after the next checkpoint, or leave the size out.",
        zh="请在下一个检查点之后再试,或不指定大小。",
    ),
    "seen.header-lost": _DEFECT,
    "detail.decision": _DETAIL,
    "detail.key": _DETAIL,
    "detail.may": _DETAIL,
    "detail.officer": _DETAIL,
    "detail.shape": _DETAIL,
    "duration.malformed": Advice(
        en="Write a duration of fixed length such as P30D or PT12H.",
        zh="请填写固定时长,例如 P30D 或 PT12H。",
    ),
    "rules.after": _RULES,
    "rules.count": _RULES,
    "rules.event": _RULES,
    "rules.shape": _RULES,
    "rules.too-many": _RULES,
    "rules.within": _RULES,
    # --- envelopes and signatures ---
    "envelope.aggregate": _ENVELOPE,
    "envelope.payload-type": _ENVELOPE,
    "envelope.repeated-signer": Advice(
        en="A key signs once: submit what is there, or let another key sign it.",
        zh="每个密钥只签一次:请直接提交,或由另一密钥签名。",
    ),
    "envelope.signatures": _ENVELOPE,
    "envelope.too-many-signatures": _ENVELOPE,
    "join.alone": Advice(
        en="Sign first, with --key and --output; then join the files with --aggregate.",
        zh="请先用 --key 与 --output 签名,再用 --aggregate 合并文件。",
    ),
    "join.nothing": Advice(
        en="Give at least two files, each with somebody's signature on the statement.",
        zh="请至少给出两个文件,每个文件含一人对该陈述的签名。",
    ),
    "join.other-statement": Advice(
        en="Join signatures on one statement only: have everybody sign the same file.",
        zh="只能合并对同一陈述的签名:请所有人对同一文件签名。",
    ),
    "intake.not-one": _NOT_PROVEN,
    "intake.retired": Advice(
        en="Submit it again: the ledger's key that took it in had retired before it got its place.",
        zh="请重新提交:接收该内容的账本密钥在其入列之前已停用。",
    ),
    "intake.scheme": _NOT_PROVEN,
    "scheme.unknown": Advice(
        en="Use one of the schemes of docs/how-to/choose-a-signature-scheme.md.",
        zh="请使用 docs/how-to/choose-a-signature-scheme.md 所列的签名方案。",
    ),
    "scheme.unsupported": Advice(
        en="Use another scheme here, or install what this one needs: py-arkworks-bls12381 for BLS.",
        zh="请改用其他签名方案,或安装该方案所需的软件包:BLS 需要 py-arkworks-bls12381。",
    ),
    "signature.bad": _SIGN_AGAIN,
    "signature.not-canonical": _SIGN_AGAIN,
    "signature.other-scheme": _SIGN_AGAIN,
    "signature.size": _SIGN_AGAIN,
    # --- keys and policies ---
    "key.identity": _BAD_KEY,
    "key.in-doubt": Advice(
        en="Register a new key; this one counts as compromised from that index on.",
        zh="请注册新密钥;此密钥自该序号起被视为已泄露。",
    ),
    "key.may-not": Advice(
        en="Sign with a key that may sign this event, or have such a key registered.",
        zh="请使用获准签署该事件的密钥,或先注册这样的密钥。",
    ),
    "key.not-canonical": _BAD_KEY,
    "key.not-in-group": _BAD_KEY,
    "key.not-valid": Advice(
        en="Sign with a key that is registered and not revoked.",
        zh="请使用已注册且未吊销的密钥签名。",
    ),
    "key.other-actor": Advice(
        en="Name the owner of a signing key as the actor.",
        zh="请将签名密钥的持有人写为行为人。",
    ),
    "key.registered-twice": Advice(
        en="Use the key as it is registered, or make a new one: a key is admitted once.",
        zh="请使用已注册的密钥或生成新密钥:同一密钥只能注册一次。",
    ),
    "key.size": _BAD_KEY,
    "key.small-order": _BAD_KEY,
    "key.unknown": Advice(
        en="Have the key registered by the roots first: `vermilion keys register`.",
        zh="请先由根密钥注册该密钥:`vermilion keys register`。",
    ),
    "key.zero-address": _BAD_KEY,
    "key-event.actor": _KEY_EVENT,
    "key-event.compromised-since": Advice(
        en="Name a leaf index between the registration and this revocation.",
        zh="请填写介于注册与本次吊销之间的叶序号。",
    ),
    "key-event.new-key": Advice(
        en="Let the new key sign its own registration as well.",
        zh="新密钥也须为自己的注册签名。",
    ),
    "key-event.possession": Advice(
        en="Register the key with the proof that its own holder makes: `vermilion keys register`.",
        zh="请附上由密钥持有人本人生成的持有证明进行注册:`vermilion keys register`。",
    ),
    "key-event.prior": _KEY_EVENT,
    "key-event.quorum": _ROOTS,
    "key-event.root-powers": Advice(
        en="Register the root with nothing it may sign; use another key for records.",
        zh="根密钥注册时不得带任何签署权限;案卷请用其他密钥。",
    ),
    "key-event.root-signers": Advice(
        en="Let the root alone sign its own registration.",
        zh="根密钥的注册只能由其自身签名。",
    ),
    "key-event.stranger": _ROOTS,
    "key-event.subject": _KEY_EVENT,
    "key-event.unknown-key": Advice(
        en="Look the key id up with `vermilion keys list`.",
        zh="请用 `vermilion keys list` 查询密钥编号。",
    ),
    "policy-event.prior": _STATEMENT,
    "policy-event.stranger": _ROOTS,
    "policy-event.subject": _STATEMENT,
    "policy.not-in-force": Advice(
        en="Adopt the policy first, then register: `vermilion policy adopt FILE --key ROOT`.",
        zh="请先采纳策略再登记:`vermilion policy adopt FILE --key ROOT`。",
    ),
}
