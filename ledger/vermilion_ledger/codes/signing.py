"""Codes raised while keys on curves and the signatures of passkeys are checked."""

from __future__ import annotations

from vermilion_ledger.codes.advice import Advice

__all__ = ["CODES"]

_BAD_KEY = Advice(
    en="Make a new key with `vermilion keys new`; this one must not be used.",
    zh="请用 `vermilion keys new` 生成新密钥;此密钥不得使用。",
)
_OTHER_STATEMENT = Advice(
    en="Let the device sign the statement that is sent: nothing but its hash is the challenge.",
    zh="请让设备对所提交的声明本身签名:挑战值只能是该声明的哈希。",
)
_OTHER_SITE = Advice(
    en="Sign on the page for which the key was registered, opened by itself in the browser.",
    zh="请在注册该密钥的页面上签名,并在浏览器中单独打开该页面。",
)
_NOT_VERIFIED = Advice(
    en="Sign again, and unlock the device by finger, face or PIN when it asks.",
    zh="请重新签名,并在设备提示时以指纹、面容或 PIN 验证身份。",
)

CODES: dict[str, Advice] = {
    # --- keys on curves ---
    "key.off-curve": _BAD_KEY,
    "key.range": _BAD_KEY,
    "scheme.no-openssl": Advice(
        en="Install OpenSSL 3 with SM2, so that `openssl list -public-key-algorithms` names it.",
        zh="请安装带 SM2 的 OpenSSL 3,使 `openssl list -public-key-algorithms` 中列有 SM2。",
    ),
    # --- devices ---
    "device.options": Advice(
        en="Name one device whole: --pkcs11 with --token, --label and --pin, or --wallet.",
        zh="请完整指定一个设备:--pkcs11 须带 --token、--label 和 --pin,或使用 --wallet。",
    ),
    "wallet.no-account": Advice(
        en="Unlock the account in the wallet, and name it with --address.",
        zh="请在钱包中解锁该账户,并以 --address 指定。",
    ),
    "wallet.other-chain": Advice(
        en="Switch the wallet to the chain whose block the statement quotes, and sign again.",
        zh="请将钱包切换到声明所引用区块所在的链,然后重新签名。",
    ),
    # --- passkeys ---
    "webauthn.authenticator-data": _OTHER_STATEMENT,
    "webauthn.challenge": _OTHER_STATEMENT,
    "webauthn.cross-origin": _OTHER_SITE,
    "webauthn.origin": _OTHER_SITE,
    "webauthn.rp-id": _OTHER_SITE,
    "webauthn.type": _OTHER_STATEMENT,
    "webauthn.user-absent": _NOT_VERIFIED,
    "webauthn.user-unverified": _NOT_VERIFIED,
}
