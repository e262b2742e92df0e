"""Codes raised while time-stamps are asked for, kept and checked."""

from __future__ import annotations

from vermilion_ledger.codes.advice import Advice

__all__ = ["CODES"]

_DAMAGED = Advice(
    en="Fetch the evidence bundle again; this time-stamp is damaged or no time-stamp.",
    zh="请重新获取证据包;该时间戳已损坏或并非时间戳。",
)
_NOT_STAMPED = Advice(
    en="Do not rely on this time-stamp; ask the ledger for a fresh bundle and compare.",
    zh="请勿采信该时间戳;请向账本索取新的证据包并比对。",
)
_OTHER_CERTIFICATE = Advice(
    en="Ask the authority for a token signed with a certificate made for time-stamps, valid now.",
    zh="请向时间戳机构索取由专用且在有效期内的证书签发的时间戳。",
)
_WAIT = Advice(
    en="Nothing to do: it is asked again later. If it lasts, check the address with the authority.",
    zh="无需处理:稍后会自动重试。若持续出现,请与时间戳机构核对地址。",
)
_MEND_ROOTS = Advice(
    en="Name a PEM file with the authority's root certificate, obtained from the authority itself.",
    zh="请指定含该机构根证书的 PEM 文件,并直接向该机构索取。",
)

CODES: dict[str, Advice] = {
    # --- a token ---
    "der.malformed": _DAMAGED,
    "timestamp.algorithm": Advice(
        en="Verify with a newer release, which may know this algorithm, or with OpenSSL's ts.",
        zh="请使用较新版本核验,其可能支持该算法;或使用 OpenSSL 的 ts 命令。",
    ),
    "timestamp.certificate-id": _NOT_STAMPED,
    "timestamp.imprint": _NOT_STAMPED,
    "timestamp.key-usage": _OTHER_CERTIFICATE,
    "timestamp.malformed": _DAMAGED,
    "timestamp.not-valid-then": _OTHER_CERTIFICATE,
    "timestamp.path": _OTHER_CERTIFICATE,
    "timestamp.response": Advice(
        en="Take the token out of the response first: openssl ts -reply -in R -token_out -out T.",
        zh="请先从响应中取出时间戳:openssl ts -reply -in R -token_out -out T。",
    ),
    "timestamp.signature": _NOT_STAMPED,
    "timestamp.too-large": _DAMAGED,
    "timestamp.unknown-authority": Advice(
        en="Name this authority's root in the file of its [[tsa]] table or of the trust policy.",
        zh="请在 [[tsa]] 设置或信任策略所指定的文件中加入该机构的根证书。",
    ),
    # --- a trust policy ---
    "timestamp.missing": Advice(
        en="Ask the ledger for the bundle again later, or do not require it in the trust policy.",
        zh="请稍后向账本重新索取证据包,或在信任策略中不作要求。",
    ),
    "timestamp.roots": _MEND_ROOTS,
    "timestamp.roots-missing": _MEND_ROOTS,
    "timestamp.roots-unreadable": _MEND_ROOTS,
    # --- asking an authority ---
    "timestamp.answer": _WAIT,
    "timestamp.nonce": Advice(
        en="Do not use this address: it answered with a time-stamp made for another request.",
        zh="请勿使用该地址:其返回的是为其他请求签发的时间戳。",
    ),
    "timestamp.refused": _WAIT,
    "timestamp.unreachable": _WAIT,
}
