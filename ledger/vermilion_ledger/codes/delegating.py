"""Codes of key histories: delegations, revocations in time, changing a key for another."""

from __future__ import annotations

from vermilion_ledger.codes.advice import Advice

__all__ = ["CODES"]

CODES: dict[str, Advice] = {
    "detail.delegation": Advice(
        en="Give until and onBehalfOf together, for somebody else than the owner, no officer.",
        zh="until 与 onBehalfOf 须同时给出,被代理人不得是持有人本人,且不得为 officer。",
    ),
    "key-event.delegated-may": Advice(
        en="Delegate only what the delegator's own valid keys may sign.",
        zh="只能委托被代理人自有有效密钥所获准签署的事件。",
    ),
    "key-event.delegator": Advice(
        en="Name the id of an owner who has a valid key of their own: `vermilion keys list`.",
        zh="请填写拥有自有有效密钥的持有人编号:`vermilion keys list`。",
    ),
    "key.after-revocation": Advice(
        en="Whoever signed this did so after the revocation, whatever date it claims: ask its owner"
        " for a decision with a key that is registered and not revoked.",
        zh="该签名在密钥吊销之后作出,与其所称日期无关:请持有人用已注册且未吊销的密钥重新签署。",
    ),
    "key.expired": Advice(
        en="The delegation had ended: let the delegator sign, or have a new delegation registered.",
        zh="委托已到期:请由被代理人签署,或注册新的委托。",
    ),
    "key.two-voices": Advice(
        en="Let one of them sign: the delegator, or one delegate, each by themselves.",
        zh="请仅由其中一人签署:被代理人本人,或一名代理人,并单独成一份信封。",
    ),
    "key.rotate-other": Advice(
        en="Make another new key: this one is registered already, with other powers or revoked.",
        zh="请另生成新密钥:此密钥已以其他权限注册或已吊销。",
    ),
    "key.rotate-owner": Advice(
        en="Make the new key with the id, name, post and unit of the old one's owner.",
        zh="请以旧密钥持有人的编号、姓名、职务与部门生成新密钥。",
    ),
    "key.rotate-revoked": Advice(
        en="Nothing is left to replace: register the new key with `vermilion keys register`.",
        zh="旧密钥已吊销,无可替换:请用 `vermilion keys register` 注册新密钥。",
    ),
    "key.rotate-root": Advice(
        en="Roots stand in the trust policy: name the new one there, and hand it over again.",
        zh="根密钥由信任策略规定:请在其中写入新根密钥并重新当面交付。",
    ),
    "key.rotate-unverified": Advice(
        en="Give --root of one that registered the old key, or use `register` and then `revoke`.",
        zh="请用 --root 指定当初注册旧密钥的根密钥,或先 `register` 再 `revoke`。",
    ),
    "key.since": Advice(
        en="Write a leaf index, 2026-12-31, or 2026-12-31T16:00:00Z.",
        zh="请填写叶序号,或 2026-12-31,或 2026-12-31T16:00:00Z。",
    ),
    "key.unnamed": Advice(
        en="Name the key with --key FILE, or with --keyid beside --statement.",
        zh="请用 --key 指定密钥文件,或在使用 --statement 时用 --keyid 指定编号。",
    ),
    "key.maybe-expired": Advice(
        en="Ask for a bundle under a later anchor; if it stays so, have the decision made again.",
        zh="请索取更晚锚定的证据包;若仍如此,请重新作出决定。",
    ),
}
