"""The anchoring key on disk: an encrypted V3 keystore and a password file.

A key can spend the anchorer's ether and append to its log; it cannot rewrite
anything. Files that others may read are refused all the same.
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

from vermilion_anchor.evm import AccountSigner, decrypt_key, encrypt_key
from vermilion_ledger.encoding import parse_hex
from vermilion_ledger.errors import ConflictError, InputError
from vermilion_ledger.private_files import create_private_file, read_private_file

__all__ = ["create_key", "load_address", "load_signer"]


def create_key(keystore: Path, password: Path) -> AccountSigner:
    """Make a new key and, if there is none yet, a random password; both only for the owner.

    Returns only after both files are on disk.

    Raises:
        ConflictError: ``key.file-exists``: a key is never overwritten.
        InputError: ``key.file-readable``: others may read the password file.
        NotFoundError: ``key.file-missing``: the folder does not exist.
    """
    if keystore.exists():
        raise ConflictError("key.file-exists", f"{keystore.name} exists already")
    if not password.exists():
        create_private_file(password, secrets.token_urlsafe(32).encode())
    word = read_private_file(password).decode("utf-8", "replace").strip()
    key = secrets.token_bytes(32)
    create_private_file(keystore, json.dumps(encrypt_key(key, word)).encode())
    return AccountSigner(key)


def load_signer(keystore: Path, password: Path) -> AccountSigner:
    """Read and decrypt a key.

    Raises:
        NotFoundError: ``key.file-missing``.
        InputError: ``key.file-readable`` where anyone but the owner may read
            a file; ``key.file-malformed`` where it holds no keystore of that password.
    """
    value = _load_keystore(keystore)
    return AccountSigner(
        decrypt_key(value, read_private_file(password).decode("utf-8", "replace").strip())
    )


def load_address(keystore: Path) -> bytes:
    """Read the 20-byte address that a keystore states, without its password.

    Only to be shown and looked up: nothing proves it before the key is decrypted.

    Raises:
        NotFoundError: ``key.file-missing``.
        InputError: ``key.file-readable`` or ``key.file-malformed``.
    """
    address = _load_keystore(keystore).get("address")
    try:
        return parse_hex(str(address).lower().removeprefix("0x"), size=20, what="address")
    except InputError as exc:
        raise InputError("key.file-malformed", f"{keystore.name} states no address") from exc


def _load_keystore(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(read_private_file(path))
    except ValueError as exc:
        raise InputError("key.file-malformed", f"{path.name} is not JSON") from exc
    if not isinstance(value, dict):
        raise InputError("key.file-malformed", f"{path.name} holds no keystore")
    return value
