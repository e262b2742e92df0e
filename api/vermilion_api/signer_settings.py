"""The ``[signer]`` table of the settings: where the anchoring key is.

Paths are relative to the home folder. Passwords, PINs and keys are files that
only their owner may read, never settings.
"""

from __future__ import annotations

from dataclasses import dataclass

from vermilion_api.setting import setting
from vermilion_ledger.encoding import parse_wire_hex
from vermilion_ledger.errors import InputError

__all__ = ["SignerSettings"]

_NEEDED = {
    "keystore": (),
    "remote": ("address", "url"),
    "pkcs11": ("address", "module", "token", "label"),
}
_TIMEOUT_MAX = 60.0  # seconds; the anchorer does nothing else meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerSettings:
    """The ``[signer]`` table; without one the key is in `keys/anchor.json`."""

    kind: str = setting(
        "keystore",
        "word",
        "`keystore`: `keys/anchor.json`; `remote`: a signer over HTTP; `pkcs11`: a token.",
    )
    address: str = setting(
        "", "0x address", "Address of the key. Needed unless `keystore`; if given, it must fit."
    )
    url: str = setting("", "URL", "`remote`: JSON-RPC endpoint that answers `eth_signTransaction`.")
    timeout_seconds: float = setting(10.0, "seconds", "`remote`: longest wait for an answer.")
    authority: str = setting(
        "", "PEM file", "`remote`: who may vouch for it; empty takes the system's authorities."
    )
    certificate: str = setting("", "PEM file", "`remote`: certificate that we show.")
    key: str = setting("", "PEM file", "`remote`: private key of that certificate, mode 0600.")
    module: str = setting("", "library", "`pkcs11`: library of the token's maker.")
    token: str = setting("", "label", "`pkcs11`: label of the token.")
    label: str = setting("", "label", "`pkcs11`: label of the private key.")
    pin: str = setting("keys/anchor.pin", "file", "`pkcs11`: holds the user's PIN, mode 0600.")

    def __post_init__(self) -> None:
        if self.kind not in _NEEDED:
            raise InputError("settings.value", f"signer.kind is no such word: {self.kind[:40]!a}")
        for name in _NEEDED[self.kind]:
            if not getattr(self, name):
                raise InputError("settings.value", f"a {self.kind} signer needs signer.{name}")
        if self.address:
            parse_wire_hex(self.address, size=20, what="signer.address")
        if not 0 < self.timeout_seconds <= _TIMEOUT_MAX:
            raise InputError("settings.value", "signer.timeout_seconds is out of range")
