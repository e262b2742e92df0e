"""The anchoring key on disk: an encrypted V3 keystore and a password file.

A key can spend the anchorer's ether and append to its log; it cannot rewrite
anything. Files that others may read are refused all the same.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
from pathlib import Path

from vermilion_anchor.evm import AccountSigner, decrypt_key, encrypt_key
from vermilion_ledger.errors import ConflictError, InputError, NotFoundError

__all__ = ["create_key", "load_signer"]

_FILE_SIZE_MAX = 64 * 1024  # bytes; a keystore has about 500


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
        _write(password, secrets.token_urlsafe(32).encode())
    word = _read(password).decode("utf-8", "replace").strip()
    key = secrets.token_bytes(32)
    _write(keystore, json.dumps(encrypt_key(key, word)).encode())
    return AccountSigner(key)


def load_signer(keystore: Path, password: Path) -> AccountSigner:
    """Read and decrypt a key.

    Raises:
        NotFoundError: ``key.file-missing``.
        InputError: ``key.file-readable`` where anyone but the owner may read
            a file; ``key.file-malformed`` where it holds no keystore of that password.
    """
    try:
        value = json.loads(_read(keystore))
    except ValueError as exc:
        raise InputError("key.file-malformed", f"{keystore.name} is not JSON") from exc
    if not isinstance(value, dict):
        raise InputError("key.file-malformed", f"{keystore.name} holds no keystore")
    return AccountSigner(decrypt_key(value, _read(password).decode("utf-8", "replace").strip()))


def _read(path: Path) -> bytes:
    """Read a secret through one descriptor, so that what was checked is what is read."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise InputError(
                    "key.file-readable", f"{path.name} has mode {stat.S_IMODE(mode):04o}, not 0600"
                )
            return file.read(_FILE_SIZE_MAX)
    except OSError as exc:
        raise NotFoundError("key.file-missing", f"{path.name}: {exc.strerror}") from exc


def _write(path: Path, data: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as exc:
        raise ConflictError("key.file-exists", f"{path.name} exists already") from exc
    except OSError as exc:
        raise NotFoundError("key.file-missing", f"{path.name}: {exc.strerror}") from exc
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the name must survive a crash as well as the bytes
    finally:
        os.close(folder)
