"""A SoftHSM token in a folder of its own, with keys in it. Not a test."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

__all__ = ["PIN", "Token", "make_token"]

PIN = "271828"
_MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)


@dataclass(frozen=True)
class Token:
    """A token and the folder of its files."""

    module: Path
    label: str
    folder: Path

    def put_key(
        self, label: str, key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey, number: int
    ) -> None:
        """Import a private key under a label."""
        path = self.folder / f"{number}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        _run(
            *("--import", path, "--token", self.label, "--label", label),
            *("--id", f"{number:02x}", "--pin", PIN),
        )


def make_token(folder: Path, label: str) -> Token:
    """Make a token; from now on this process's SoftHSM has it alone."""
    module = next((Path(each) for each in _MODULES if Path(each).exists()), None)
    if module is None or shutil.which("softhsm2-util") is None:
        # a package of the system, which no lock file can install (CONTRIBUTING.md)
        pytest.skip("SoftHSM is not installed (package softhsm2)")
    tokens = folder / "tokens"
    tokens.mkdir()
    settings = folder / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\n")
    os.environ["SOFTHSM2_CONF"] = str(settings)
    _run("--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "31415926")
    return Token(module, label, folder)


def _run(*arguments: str | Path) -> None:
    subprocess.run(
        ["softhsm2-util", *map(str, arguments)], check=True, capture_output=True, timeout=60
    )
