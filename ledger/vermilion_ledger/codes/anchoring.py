"""Codes raised while anchoring, and while anchor evidence is read."""

from __future__ import annotations

from vermilion_ledger.codes.advice import Advice

__all__ = ["CODES"]

_DAMAGED = Advice(
    en="Fetch the evidence bundle again; these bytes are damaged or forged.",
    zh="请重新获取证据包;这些字节已损坏或系伪造。",
)
_NOT_ANCHORED = Advice(
    en="Do not accept this anchor; ask the ledger for a fresh bundle and compare.",
    zh="不要采信该锚定;请向账本索取新的证据包并比对。",
)
_OTHER_NODE = Advice(
    en="Wait for the next try, or point the anchorer at another node of the same chain.",
    zh="等待下次重试,或让锚定服务改用同一条链的另一个节点。",
)

CODES: dict[str, Advice] = {
    # --- bytes of a chain: RLP, tries, headers, receipts ---
    "rlp.integer-range": _DAMAGED,
    "rlp.not-canonical": _DAMAGED,
    "rlp.shape": _DAMAGED,
    "rlp.too-deep": _DAMAGED,
    "rlp.too-many-items": _DAMAGED,
    "rlp.trailing-bytes": _DAMAGED,
    "rlp.truncated": _DAMAGED,
    "trie.index-range": Advice(
        en="Report this as a defect: the block has no such transaction.",
        zh="请作为缺陷上报:该区块没有这笔交易。",
    ),
    "trie.malformed": _DAMAGED,
    "trie.no-value": _NOT_ANCHORED,
    "trie.node-mismatch": _NOT_ANCHORED,
    "trie.node-missing": _NOT_ANCHORED,
    "trie.node-unused": _NOT_ANCHORED,
    "trie.other-value": _NOT_ANCHORED,
    "trie.too-many-nodes": _DAMAGED,
    "header.shape": _DAMAGED,
    "header.too-large": _DAMAGED,
    "receipt.failed-transaction": _NOT_ANCHORED,
    "receipt.header": _NOT_ANCHORED,
    "receipt.integer-range": _DAMAGED,
    "receipt.malformed": _NOT_ANCHORED,
    "receipt.no-event": _NOT_ANCHORED,
    "receipt.other-contract": _NOT_ANCHORED,
    "receipt.other-event": _NOT_ANCHORED,
    "receipt.other-tree": _NOT_ANCHORED,
    "receipt.shape": _DAMAGED,
    "receipt.too-many": _DAMAGED,
    "receipt.type": Advice(
        en="Verify with a newer version of the verifier, which may know this kind of anchor.",
        zh="请使用较新版本的验证工具,它可能认识这种锚定。",
    ),
    "finality.malformed": Advice(
        en="Write the rule as confirmations:N (N from 1), finalized or immediate.",
        zh="请将规则写为 confirmations:N(N 不小于 1)、finalized 或 immediate。",
    ),
    # --- the node and the contract ---
    "chain.behind": Advice(
        en="Wait until the node has caught up; if it does not, name another node of the chain.",
        zh="请等待节点同步;若迟迟不同步,请改用同一链的其他节点。",
    ),
    "chain.artifact": Advice(
        en="Install Vermilion again; the contract artifact in this installation is damaged.",
        zh="请重新安装 Vermilion;本次安装中的合约文件已损坏。",
    ),
    "chain.bad-answer": _OTHER_NODE,
    "chain.disagreement": Advice(
        en="Compare the endpoints named: one is wrong, behind or on a fork. Final anchors wait.",
        zh="请比对所列的各个节点:其中有节点出错、落后或处于分叉;最终确认会暂缓,其余照常。",
    ),
    "chain.endpoint-trouble": Advice(
        en="See to the endpoint named, or take it out of `rpc`; the others are used meanwhile.",
        zh="请检查所列节点,或将其从 `rpc` 中移除;其间由其余节点代替。",
    ),
    "chain.log-registered": Advice(
        en="Nothing to do: the log is registered already and can be used.",
        zh="无需处理:该日志已登记,可直接使用。",
    ),
    "chain.no-contract": Advice(
        en="Compare the contract address with the deployment record, or deploy the contract.",
        zh="请核对合约地址与部署记录是否一致,或先部署合约。",
    ),
    "chain.no-finality": Advice(
        en="Use confirmations:N on this chain: its node does not say what is finalized.",
        zh="该链的节点不提供 finalized 信息,请改用 confirmations:N。",
    ),
    "chain.not-development": Advice(
        en="Send ether to the anchoring address yourself; only chain 31337 is funded for you.",
        zh="请自行向锚定地址转入以太币;只有 31337 链会自动充值。",
    ),
    "chain.not-mined": Advice(
        en="Run the command again: a log already registered is adopted.",
        zh="请再次执行该命令:已登记的日志会被沿用。",
    ),
    "chain.not-effective": Advice(
        en="Look who else acts for this log: another transaction undid the step at once.",
        zh="请查明还有谁在操作该日志:此步骤随即被另一笔交易撤销。",
    ),
    "chain.not-nominated": Advice(
        en="Let the owner run `vermilion anchor owner transfer` with this account's address.",
        zh="请由所有者对该账户地址执行 `vermilion anchor owner transfer`。",
    ),
    "chain.not-owner": Advice(
        en="Use the owner's key: name its files with --keystore and --password-file.",
        zh="请使用所有者的密钥:用 --keystore 与 --password-file 指明其文件。",
    ),
    "chain.not-publisher": Advice(
        en="Let the owner of the log run `vermilion anchor publisher add` with this account.",
        zh="请由日志所有者对该账户执行 `vermilion anchor publisher add`。",
    ),
    "chain.other-chain": Advice(
        en="Correct the node's address or the configured chain id: they belong to two chains.",
        zh="请更正节点地址或所配置的链编号:两者不属于同一条链。",
    ),
    "chain.other-contract": Advice(
        en="Correct the contract address: the code found there is not this version's contract.",
        zh="请更正合约地址:该处的代码不是本版本的合约。",
    ),
    "chain.other-genesis": Advice(
        en="Correct the node's address, or `genesis`: it is another chain of the same id.",
        zh="请更正节点地址或 `genesis`:那是编号相同的另一条链。",
    ),
    "chain.outvoted": Advice(
        en="Find out why this endpoint tells something else than the others of its chain.",
        zh="请查明该节点为何与同一条链的其他节点说法不一。",
    ),
    "chain.receipts-root": _OTHER_NODE,
    "chain.reverted": Advice(
        en="Run `vermilion anchor status`; the contract refused the call for the reason shown.",
        zh="请执行 `vermilion anchor status`;合约因所示原因拒绝了调用。",
    ),
    "chain.unknown-log": Advice(
        en="Register the log in this contract, or correct the contract address.",
        zh="请在该合约中登记日志,或更正合约地址。",
    ),
    "chain.unreachable": Advice(
        en="Start the node or correct its address; intake goes on and anchoring resumes by itself.",
        zh="请启动节点或更正其地址;收件不受影响,锚定会自动恢复。",
    ),
    "chain.zero-publisher": Advice(
        en="Give the address of the account that shall anchor.",
        zh="请给出负责锚定的账户地址。",
    ),
    # --- deployment records ---
    "deployment.differs": Advice(
        en="Leave --contract out to use the recorded one, or name another folder of records.",
        zh="请去掉 --contract 以采用已记录的合约,或指定另一个记录文件夹。",
    ),
    "deployment.exists": Advice(
        en="Compare both deployments: a record is never overwritten, and one is not needed.",
        zh="请核对两次部署;记录不会被覆盖,其中一次部署是多余的。",
    ),
    "deployment.other-chain": Advice(
        en="Name each file of the folder by the chain id that stands in it.",
        zh="请按文件内所载的链编号为该文件夹中的文件命名。",
    ),
    "deployment.unusable": Advice(
        en="Give the folder of the deployment records, one that this account may write.",
        zh="请指定部署记录所在的文件夹,且当前账户须有写入权限。",
    ),
    # --- the anchorer ---
    "anchor.fee-cap": Advice(
        en="Wait, or raise the fee cap: roots accumulate and nothing is lost.",
        zh="请等待或提高费用上限:树根会累积,不会丢失任何内容。",
    ),
    "anchor.final-reorged": Advice(
        en="Call a person: the chain dropped an anchor that was final. It is anchored anew by"
        " itself; ask for more confirmations, and hand out new bundles in place of those with it.",
        zh="请通知负责人:链上丢失了已最终确认的锚定。系统会自动重新锚定;请提高确认数,并重新发放含该锚定的证据包。",
    ),
    "anchor.head-conflict": Advice(
        en="Stop and call a person: the chain holds another tree than this ledger."
        " Look for a restored backup, a second ledger or a stolen key.",
        zh="请停止并通知负责人:链上的树与本账本不一致。请检查是否恢复过备份、存在第二个账本或密钥被盗。",
    ),
    "anchor.job-moved": Advice(
        en="Stop the second anchorer: one at a time works on a log.",
        zh="请停止第二个锚定服务:同一日志同时只能有一个。",
    ),
    "anchor.job-open": Advice(
        en="Stop the second anchorer: one at a time works on a log.",
        zh="请停止第二个锚定服务:同一日志同时只能有一个。",
    ),
    "anchor.low-balance": Advice(
        en="Send ether to the address shown before it runs out; anchoring goes on meanwhile.",
        zh="请在余额用尽前向所示地址转入以太币;其间锚定照常进行。",
    ),
    "anchor.nonce-moved": Advice(
        en="Nothing to do: another anchoring job took the nonce, and this one takes the next.",
        zh="无需处理:另一锚定任务占用了该 nonce,本任务会使用下一个。",
    ),
    "anchor.no-funds": Advice(
        en="Send ether to the address shown; anchoring then resumes by itself.",
        zh="请向所示地址转入以太币;锚定会自动恢复。",
    ),
    "anchor.origin": Advice(
        en="Use a schema-less URL of at most 255 bytes as the log's origin.",
        zh="日志来源请使用不带协议头、不超过 255 字节的网址。",
    ),
    "anchor.row": Advice(
        en="Restore the journal from a backup; one of its rows cannot be what was written.",
        zh="请从备份恢复日志库;其中一行不可能是写入时的内容。",
    ),
    "anchor.spend-cap": Advice(
        en="Wait, or raise the cap in the [[chain]] table: roots accumulate and nothing is lost.",
        zh="请等待,或提高 [[chain]] 表中的支出上限:树根会累积,不会丢失任何内容。",
    ),
    # --- signers ---
    "signer.bad-answer": Advice(
        en="Check that the address is that of a signer; the next try may fare better.",
        zh="请检查该地址是否为签名服务;下次重试或可成功。",
    ),
    "signer.bad-signature": Advice(
        en="Nothing was sent. Find out why the signer gave this before you go on.",
        zh="未发送任何交易。请先查明签名服务为何给出此结果,再继续操作。",
    ),
    "signer.certificate": Advice(
        en="Give PEM files: certificate and unencrypted key together, and the authority's.",
        zh="请提供 PEM 文件:证书与未加密的私钥须成对,另需签发机构证书。",
    ),
    "signer.module": Advice(
        en="Correct signer.module or --pkcs11: it names the PKCS#11 library of the token's maker.",
        zh="请更正 signer.module 或 --pkcs11:它应指向令牌厂商的 PKCS#11 库。",
    ),
    "signer.no-key": Advice(
        en="Correct the label, or make one key of that label and the wanted curve in the token.",
        zh="请更正标签,或在令牌中以该标签生成唯一一个所需曲线的密钥。",
    ),
    "signer.no-token": Advice(
        en="Plug the token in, or correct its label.",
        zh="请接入令牌,或更正其标签。",
    ),
    "signer.not-installed": Advice(
        en="Install Vermilion with its extra pkcs11.",
        zh="请安装带 pkcs11 附加组件的 Vermilion。",
    ),
    "signer.other-key": Advice(
        en="Nothing was sent. Correct signer.address, or let the signer use the key of it.",
        zh="未发送任何交易。请更正 signer.address,或让签名服务使用该地址的密钥。",
    ),
    "signer.other-transaction": Advice(
        en="Nothing was sent. Stop the signer and find out who changed what it signs.",
        zh="未发送任何交易。请停用该签名服务,并查明是谁改动了所签内容。",
    ),
    "signer.pin": Advice(
        en="Correct the PIN file before the next try: a few wrong ones lock the token.",
        zh="请在下次尝试前更正 PIN 文件:数次错误会锁定令牌。",
    ),
    "signer.refused": Advice(
        en="Read what the signer said: its rules, or its key, do not allow this.",
        zh="请查看签名服务的答复:其规则或密钥不允许此操作。",
    ),
    "signer.unreachable": Advice(
        en="Start the signer or wallet, or correct its address; anchoring then goes on by itself.",
        zh="请启动签名服务或钱包,或更正其地址;锚定会自动恢复。",
    ),
    "signer.url": Advice(
        en="Write https://host:port, or http for this machine alone, without any secret.",
        zh="请写成 https://主机:端口;仅本机可用 http,且不得含任何机密。",
    ),
    # --- key files ---
    "key.file-exists": Advice(
        en="Choose another file name: a key is never overwritten.",
        zh="请换一个文件名:密钥不会被覆盖。",
    ),
    "key.file-malformed": Advice(
        en="Check the keystore and its password file, or restore both from a backup.",
        zh="请检查密钥库文件及其口令文件,或从备份恢复两者。",
    ),
    "key.file-missing": Advice(
        en="Create the key with `vermilion keys new`, or correct the path.",
        zh="请用 `vermilion keys new` 创建密钥,或更正路径。",
    ),
    "key.file-readable": Advice(
        en="Run chmod 600 on the file: others may read it now. Replace the key if they did.",
        zh="请对该文件执行 chmod 600:目前他人可读。若已被读取,请更换密钥。",
    ),
    # --- a node of our own ---
    "node.binary-missing": Advice(
        en="Run `make setup`, which installs anvil, or set VERMILION_ANVIL to the native binary.",
        zh="请执行 `make setup` 安装 anvil,或将 VERMILION_ANVIL 设为其原生程序路径。",
    ),
    "node.failed": Advice(
        en="Read what the node said; if its state file is damaged, remove it and deploy anew.",
        zh="请查看节点的输出;若其状态文件已损坏,请删除该文件并重新部署。",
    ),
    "node.port-in-use": Advice(
        en="Stop the program that listens on that port, or choose another port.",
        zh="请停止占用该端口的程序,或选择另一个端口。",
    ),
}
