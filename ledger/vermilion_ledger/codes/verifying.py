"""Codes raised while verifying."""

from __future__ import annotations

from vermilion_ledger.codes.advice import Advice

__all__ = ["CODES"]

_ASK_FOR_ANOTHER_BUNDLE = Advice(
    en="Do not rely on this bundle; ask the ledger for a new one and compare the two.",
    zh="请勿采信该证据包;请向账本索取新的证据包并加以比对。",
)
_KEEP_AS_EVIDENCE = Advice(
    en="Keep bundle, registry and log entries as they are: they show what the ledger withheld.",
    zh="请原样保存证据包、登记文件与日志条目:它们可证明账本有所隐瞒。",
)
_WHOLE_BUNDLE = Advice(
    en="Ask the ledger for the bundle of the whole record; in this one entries are left out.",
    zh="请向账本索取包含整卷条目的证据包;本证据包省略了部分条目。",
)
_CHECK_PATH = Advice(
    en="Check the path, and that the file was copied to this machine.",
    zh="请检查路径,并确认文件已复制到本机。",
)
_CHECK_RIGHTS = Advice(
    en="Check that this is a file and that you may read it.",
    zh="请确认该路径是文件且您有读取权限。",
)
_MEND_POLICY = Advice(
    en="Correct the trust policy, or ask for it again in person; never take it from a server.",
    zh="请更正信任策略,或当面重新索取;切勿从服务器下载。",
)
_MEND_LIST = Advice(
    en="Write one line per block: <chain id> <number> 0x<64 lower-case hex digits>.",
    zh="每行一个区块:<链编号> <高度> 0x<64 位小写十六进制>。",
)
_LOOK_UP_BLOCK = Advice(
    en="Look the hash up at a source you trust, then add it to --header-hashes or give --rpc.",
    zh="请在可信来源查询该哈希,再写入 --header-hashes 文件或使用 --rpc。",
)
_COMPARE_CHAIN = Advice(
    en="Look the block up at a second source; if both disagree with the bundle, do not rely on it.",
    zh="请在另一来源核对该区块;若均与证据包不符,请勿采信。",
)
_FETCH_REGISTRY = Advice(
    en="Fetch the registry file again from the ledger's /v1/registry.",
    zh="请重新从账本的 /v1/registry 获取登记文件。",
)
_TRY_LATER = Advice(
    en="Try again when the chain has gone on; nothing was written.",
    zh="请待链继续出块后重试;未写入任何内容。",
)
_ANOTHER_NODE = Advice(
    en="Take another node: this one tells of blocks what cannot be.",
    zh="请换一个节点:该节点给出的区块不可能成立。",
)

CODES: dict[str, Advice] = {
    "anchor.block-unknown": _LOOK_UP_BLOCK,
    "anchor.consistency": _ASK_FOR_ANOTHER_BUNDLE,
    "anchor.not-vouched": _LOOK_UP_BLOCK,
    "anchor.other-block": _COMPARE_CHAIN,
    "anchor.other-root": Advice(
        en="Keep the bundle: the log has shown two trees of one size, or the anchor is another's.",
        zh="请保存该证据包:日志在同一大小出现两棵树,或该锚定不属于此日志。",
    ),
    "audit.empty": Advice(
        en="Name the folder that has the documents; folders inside it are not searched.",
        zh="请指定存放文件的文件夹;不会搜索其中的子文件夹。",
    ),
    "audit.missing": _CHECK_PATH,
    "audit.unreadable": _CHECK_RIGHTS,
    "bundle.missing": _CHECK_PATH,
    "bundle.not-closed": _ASK_FOR_ANOTHER_BUNDLE,
    "bundle.unreadable": _CHECK_RIGHTS,
    "checkpoint.no-key": Advice(
        en="Ask for the current trust policy in person: no log key in yours covers this size.",
        zh="请当面索取最新的信任策略:现有策略中没有适用于该大小的日志密钥。",
    ),
    "checkpoint.other-origin": Advice(
        en="Use the trust policy of the ledger that issued this bundle.",
        zh="请使用签发该证据包的账本的信任策略。",
    ),
    "checkpoint.unsigned": Advice(
        en="Do not rely on this bundle; the log's key has not signed its checkpoint.",
        zh="请勿采信该证据包;其检查点未经日志密钥签名。",
    ),
    "closing.digest": _ASK_FOR_ANOTHER_BUNDLE,
    "closing.signature": Advice(
        en="The bundle was changed after it was issued; ask the ledger for it again.",
        zh="该证据包在签发后被改动;请向账本重新索取。",
    ),
    "closing.status": _ASK_FOR_ANOTHER_BUNDLE,
    "document.not-in-part": _WHOLE_BUNDLE,
    "document.other-bytes": Advice(
        en="Check that this is the right file; a file saved again by a program is another file.",
        zh="请确认文件无误;经程序另存的文件即为另一文件。",
    ),
    "document.other-sm3": Advice(
        en="Do not rely on this document: its two digests are not of the same bytes.",
        zh="请勿采信该文件:其两个摘要并非出自同一内容。",
    ),
    "document.sm3-not-computed": Advice(
        en="Verify again with a Python whose OpenSSL has SM3.",
        zh="请使用 OpenSSL 支持 SM3 的 Python 重新核验。",
    ),
    "headers.conflict": Advice(
        en="Find out which of the two lists of block hashes is right before using either.",
        zh="请先查明两份区块哈希列表中哪一份正确。",
    ),
    "headers.disagreement": Advice(
        en="Find out which node is wrong at a third source; until then believe none of them.",
        zh="请通过第三个来源查明哪个节点有误;在此之前均不可采信。",
    ),
    "headers.malformed": _MEND_LIST,
    "headers.missing": _CHECK_PATH,
    "headers.no-block": _TRY_LATER,
    "headers.no-finality": Advice(
        en="Name how many blocks must follow, with --confirmations or in the trust policy.",
        zh="请用 --confirmations 或在信任策略中指定所需的后续区块数。",
    ),
    "headers.not-final": _TRY_LATER,
    "headers.nothing": Advice(
        en="Name bundles, heights with --block, or a trust policy whose log has been anchored.",
        zh="请指定证据包、用 --block 指定高度,或提供日志已锚定的信任策略。",
    ),
    "headers.one-endpoint": Advice(
        en="Name a second node that does not belong to the first, or say --single and mind it.",
        zh="请另指定一个互不隶属的节点;或明知风险而使用 --single。",
    ),
    "headers.other-block": _ANOTHER_NODE,
    "headers.other-chain": Advice(
        en="Name nodes of the chain that the anchors are on; trust show tells its id.",
        zh="请指定锚定所在链的节点;链编号可用 trust show 查看。",
    ),
    "headers.other-code": Advice(
        en="Check the policy's contract and the node's chain; until they fit believe no anchor.",
        zh="请核对策略中的合约与节点所在的链;在相符之前请勿采信锚定。",
    ),
    "headers.repeated": Advice(
        en="Leave one line for each height of a chain.",
        zh="每条链的每个高度只保留一行。",
    ),
    "headers.too-large": Advice(
        en="Keep only the blocks that your bundles need in the list.",
        zh="列表中只保留证据包所需的区块。",
    ),
    "headers.too-many": Advice(
        en="Collect fewer blocks at a time, or begin later with --since.",
        zh="请减少单次收集的区块数,或用 --since 从更高的高度开始。",
    ),
    "headers.unreadable": _CHECK_RIGHTS,
    "headers.unwritable": Advice(
        en="Check that the folder of the list exists, that you may write there, and its disk.",
        zh="请确认列表所在文件夹存在、可写,且磁盘有空间。",
    ),
    "history.unwritable": Advice(
        en="Check that the folder of the file exists, that you may write there, and its disk.",
        zh="请确认文件所在文件夹存在、可写,且磁盘有空间。",
    ),
    "headers.which-chain": Advice(
        en="Say with --chain of which chain the nodes and heights are, one chain at a time.",
        zh="请用 --chain 指明节点与高度属于哪条链,每次一条链。",
    ),
    "headers.wrong-hash": _ANOTHER_NODE,
    "intake.not-in-force": Advice(
        en="Ask for the current trust policy in person; if it says the same, refuse the bundle.",
        zh="请当面索取最新的信任策略;若仍不符,请拒绝该证据包。",
    ),
    "key.intake-registered": Advice(
        en="Report this to the ledger's operator: an intake key must never be anybody's own.",
        zh="请告知账本运营方:接收密钥不得登记为任何人的密钥。",
    ),
    "key.other-owner": Advice(
        en="Do not rely on this statement: it names somebody else than its signer.",
        zh="请勿采信该声明:其所称行为人与签名人不符。",
    ),
    "log-entries.missing": _CHECK_PATH,
    "log-entries.size": Advice(
        en="Fetch the log's entries again; the file ends in the middle of one.",
        zh="请重新获取日志条目;该文件在条目中间截断。",
    ),
    "log-entries.unreadable": _CHECK_RIGHTS,
    "record.left-out": _WHOLE_BUNDLE,
    "record.other-key": _ASK_FOR_ANOTHER_BUNDLE,
    "record.public": Advice(
        en="Ask for the bundle of a document; this is the ledger's own record of keys or policies.",
        zh="请索取文件的证据包;这是账本自身的密钥或策略案卷。",
    ),
    "registry.differs": _KEEP_AS_EVIDENCE,
    "registry.gap": _FETCH_REGISTRY,
    "registry.held-back": _KEEP_AS_EVIDENCE,
    "registry.media-type": _FETCH_REGISTRY,
    "registry.missing": _CHECK_PATH,
    "registry.not-in-log": _KEEP_AS_EVIDENCE,
    "registry.order": _FETCH_REGISTRY,
    "registry.shape": _FETCH_REGISTRY,
    "registry.unreadable": _CHECK_RIGHTS,
    "registry.without-log": Advice(
        en="Give --log-entries as well: a registry file is judged by the log.",
        zh="请同时提供 --log-entries:登记文件须以日志为准。",
    ),
    "rpc.answer": Advice(
        en="Check that the address is that of an Ethereum JSON-RPC node.",
        zh="请确认该地址是以太坊 JSON-RPC 节点。",
    ),
    "rpc.cut-short": Advice(
        en="Try again; if the answer breaks off again, take another node.",
        zh="请重试;若应答再次中断,请换一个节点。",
    ),
    "rpc.unreachable": Advice(
        en="Try another node, or look the block up and use --header-hashes.",
        zh="请换一个节点,或查询区块后使用 --header-hashes。",
    ),
    "rpc.url": Advice(
        en="Give the node's address as http://… or https://….",
        zh="请以 http://… 或 https://… 填写节点地址。",
    ),
    "rules.left-out": _WHOLE_BUNDLE,
    "rules.undecided": Advice(
        en="Verify with more trusted block hashes; if it stays, none can show that it was in time.",
        zh="请用更多可信区块哈希再次核验;仍无法判定的,即无从证明是否按期审批。",
    ),
    "rules.unmet": Advice(
        en="Ask those named as missing for their decision; without it the paper is not approved.",
        zh="请向尚缺的审批人取得决定;缺少时该文件未获批准。",
    ),
    "seen.contradicted": _COMPARE_CHAIN,
    "seen.not-below-anchor": _ASK_FOR_ANOTHER_BUNDLE,
    "seen.other-number": _ASK_FOR_ANOTHER_BUNDLE,
    "signature.missing": Advice(
        en="Do not rely on this record: an event that needs a person's signature has none.",
        zh="请勿采信该案卷:应由人员签名的事件没有签名。",
    ),
    "statement.left-out": _WHOLE_BUNDLE,
    "time.bounds-cross": Advice(
        en="Check the clocks of both chains: one says later than what the other says earlier.",
        zh="请核对两条链的时钟:一链的下限晚于另一链的上限。",
    ),
    "time.not-fresh": Advice(
        en="Ask the ledger for a newer bundle of the same record.",
        zh="请向账本索取同一案卷的更新证据包。",
    ),
    "trust.chain-repeated": _MEND_POLICY,
    "trust.log-key": _MEND_POLICY,
    "trust.malformed": _MEND_POLICY,
    "trust.missing": _CHECK_PATH,
    "trust.quorum": _MEND_POLICY,
    "trust.record-key": _MEND_POLICY,
    "trust.shared-key": _MEND_POLICY,
    "trust.shared-record": _MEND_POLICY,
    "trust.too-large": _MEND_POLICY,
    "trust.unreadable": _CHECK_RIGHTS,
    "trust.version": Advice(
        en="Use a verifier of the release for which this trust policy was written.",
        zh="请使用与该信任策略版本相符的核验程序。",
    ),
    "trust.witness-key": _MEND_POLICY,
    "walk.entry-left-out": _KEEP_AS_EVIDENCE,
    "walk.other-log": Advice(
        en="Fetch the log's entries again; if they still differ, the log has shown two histories.",
        zh="请重新获取日志条目;若仍不一致,则日志出现了两个版本。",
    ),
    "walk.tag-place": _KEEP_AS_EVIDENCE,
    "witness.quorum": Advice(
        en="Ask the ledger for a checkpoint that more witnesses have cosigned.",
        zh="请向账本索取有更多见证方联署的检查点。",
    ),
}
