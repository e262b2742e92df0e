"""Codes raised while certificates beside registered keys are read and judged."""

from __future__ import annotations

from vermilion_ledger.codes.advice import Advice

__all__ = ["CODES"]

_GIVE_OTHERS = Advice(
    en="Give the certificates of this very key, leaf first, and revocation data about them.",
    zh="请提供该密钥本身的证书(末级证书在前)及与之相关的吊销列表或 OCSP 响应。",
)
_NOT_VOUCHED = Advice(
    en="Do not rely on this key's certificate; ask the office and whoever issued it.",
    zh="请勿采信该密钥的证书;请向签发机构及该单位核实。",
)
_MEND_ROOTS = Advice(
    en="Name a PEM file with the root certificate, obtained from its authority itself.",
    zh="请指定含根证书的 PEM 文件,并直接向签发机构索取。",
)

CODES: dict[str, Advice] = {
    # --- a registration ---
    "certificate.malformed": _GIVE_OTHERS,
    "certificate.other-key": _GIVE_OTHERS,
    "detail.certificates": _GIVE_OTHERS,
    # --- what a verifier finds ---
    "certificate.key-usage": _NOT_VOUCHED,
    "certificate.missing": Advice(
        en="Ask for approvals by keys with certificates, or do not require them in the policy.",
        zh="请要求以带证书的密钥审批,或在信任策略中不作要求。",
    ),
    "certificate.no-time": Advice(
        en="Verify with the hashes of the anchoring blocks, or ask the ledger for a later bundle.",
        zh="请使用锚定区块的哈希核验,或向账本索取更新的证据包。",
    ),
    "certificate.not-valid-then": _NOT_VOUCHED,
    "certificate.path": _NOT_VOUCHED,
    "certificate.revocation-data": _NOT_VOUCHED,
    "certificate.revoked": _NOT_VOUCHED,
    "certificate.unknown-authority": Advice(
        en="Name the authority's root in [certificates] of the trust policy, if you believe it.",
        zh="若信任该签发机构,请在信任策略的 [certificates] 中加入其根证书。",
    ),
    # --- a trust policy ---
    "certificate.roots": _MEND_ROOTS,
    "certificate.roots-missing": _MEND_ROOTS,
    "certificate.roots-unreadable": _MEND_ROOTS,
}
