"""What is secret in SM2, computed by the program ``openssl``.

No library that this project has can sign with SM2, and arithmetic with Python's
integers would tell whoever measures it something of the key. OpenSSL 3 does it
in constant time, and is there on any server. The key goes to it through a pipe:
it stands neither in a file nor in the list of processes.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from vermilion_ledger.errors import UnavailableError

__all__ = ["sign_sm2", "sm2_public_key"]

_TIMEOUT_SECONDS = 30
# PKCS#8 (RFC 5958) around ECPrivateKey (RFC 5915), as far as the 32 secret bytes
_PKCS8 = bytes.fromhex("3041020100301306072a8648ce3d020106082a811ccf5501822d042730250201010420")
_PUBLIC_KEY_SIZE = 65
_KEY = "<key>"  # stands in the arguments for where the key is read from


def sign_sm2(private_key: bytes, message: bytes, *, identity: bytes) -> bytes:
    """Return ``r ‖ s`` of a 32-byte private key; the nonce is OpenSSL's own.

    Raises:
        UnavailableError: ``scheme.no-openssl``: no such program, or one without SM2.
    """
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    how = ("-rawin", "-digest", "sm3", "-pkeyopt", f"hexdistid:{identity.hex()}")
    command = ("pkeyutl", "-sign", "-inkey", _KEY, "-keyform", "DER", *how)
    signature = _run(command, private_key, message)
    try:
        r, s = decode_dss_signature(signature)
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    except (ValueError, OverflowError) as exc:
        raise UnavailableError("scheme.no-openssl", "openssl made no SM2 signature") from exc


def sm2_public_key(private_key: bytes) -> bytes:
    """Return the 65-byte uncompressed point of a 32-byte private key.

    Raises:
        UnavailableError: ``scheme.no-openssl``: no such program, or one without SM2.
    """
    command = ("pkey", "-in", _KEY, "-inform", "DER", "-pubout", "-outform", "DER")
    encoded = _run(command, private_key)
    public_key = encoded[-_PUBLIC_KEY_SIZE:]
    if len(public_key) != _PUBLIC_KEY_SIZE or public_key[0] != 4:
        raise UnavailableError("scheme.no-openssl", "openssl gave no SM2 public key")
    return public_key


def _run(command: Sequence[str], private_key: bytes, message: bytes = b"") -> bytes:
    """Return what ``openssl`` prints; it reads the key from a pipe, all of which fits in."""
    reading, writing = os.pipe()
    try:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(_PKCS8 + private_key)
        key = f"/dev/fd/{reading}"
        done = subprocess.run(  # noqa: S603 - a fixed program, and no shell
            ["openssl", *(key if word == _KEY else word for word in command)],  # noqa: S607
            input=message,
            capture_output=True,
            check=True,
            pass_fds=(reading,),
            timeout=_TIMEOUT_SECONDS,
        )
    except subprocess.CalledProcessError as exc:
        lines = exc.stderr.decode(errors="replace").strip().splitlines()
        told = lines[-1][:200] if lines else "no reason given"
        raise UnavailableError("scheme.no-openssl", f"openssl cannot use SM2: {told!a}") from exc
    except (OSError, ValueError, subprocess.TimeoutExpired) as exc:
        # A system without pipes that a program inherits gives a ValueError.
        raise UnavailableError("scheme.no-openssl", f"openssl does not run: {exc}") from exc
    finally:
        os.close(reading)
    return done.stdout
