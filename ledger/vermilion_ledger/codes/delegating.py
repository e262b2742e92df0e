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
    "key.maybe-expired": Advice(
        en="Ask for a bundle under a later anchor; if it stays so, have the decision made again.",
        zh="请索取更晚锚定的证据包;若仍如此,请重新作出决定。",
    ),
}
