"""Private keys on disk: seeds of the ledger and key files of people.

A file that anybody but its owner may read is refused, and none is ever
overwritten. Writing returns only after file and name are on disk.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from vermilion_ledger.actor import Actor, parse_actor
from vermilion_ledger.encoding import check_members, parse_hex, parse_json
from vermilion_ledger.errors import InputError
from vermilion_ledger.private_files import create_private_file, read_private_file
from vermilion_ledger.schemes import is_key_file_scheme, load_scheme, make_keyid
from vermilion_ledger.schemes.message import SignedMessage

__all__ = ["KeyFile", "create_key_file", "load_key_file", "load_seed", "write_seed"]

_FILE_SIZE_MAX = 64 * 1024  # bytes
_SEED_SIZE = 32  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFile:
    """A person's key as it stands in a key file.

    Attributes:
        private: 32 private bytes.
        public: Public key bytes of the scheme.
    """

    scheme: str
    private: bytes
    public: bytes
    owner: Actor

    @property
    def keyid(self) -> str:
        """Key id (FORMATS section 4)."""
        return make_keyid(self.scheme, self.public)

    def sign(self, message: SignedMessage) -> bytes:
        """Return the signature bytes of the scheme over a statement.

        Raises:
            InputError: ``statement.seen-missing``, for ``secp256k1-eip712``.
            UnavailableError: ``scheme.no-openssl``, for ``sm2-sm3``.
        """
        scheme = load_scheme(self.scheme)
        # Schemes with readable fields sign the message, all others its bytes.
        what = message if hasattr(scheme, "typed_data") else message.pae
        signature: bytes = scheme.sign(self.private, what)
        return signature


def load_seed(path: Path) -> bytes:
    """Return the 32 bytes that a seed file has as hex.

    Raises:
        NotFoundError: ``key.file-missing``.
        InputError: ``key.file-readable`` or ``key.malformed``.
    """
    text = read_private_file(path).decode("ascii", "replace").strip()
    try:
        return parse_hex(text, size=_SEED_SIZE, what=path.name)
    except InputError as exc:
        raise InputError("key.malformed", f"{path.name} is not 64 hex digits") from exc


def write_seed(path: Path, seed: bytes | None = None) -> bytes:
    """Write a seed as hex, a random one if none is given, and return it.

    Raises:
        ConflictError: ``key.file-exists``.
        NotFoundError: ``key.file-missing``: the folder cannot be written.
    """
    seed = secrets.token_bytes(_SEED_SIZE) if seed is None else seed
    create_private_file(path, seed.hex().encode() + b"\n")
    return seed


def create_key_file(path: Path, *, scheme: str, owner: Actor) -> KeyFile:
    """Make a new key for a person and write its file.

    Raises:
        InputError: ``key.scheme``: this build makes no keys of that scheme.
        ConflictError: ``key.file-exists``.
        UnavailableError: ``scheme.no-openssl``, for ``sm2-sm3``.
    """
    private = secrets.token_bytes(_SEED_SIZE)
    public = _public_key_of(scheme, private)
    key = KeyFile(scheme=scheme, private=private, public=public, owner=owner)
    value = {
        "scheme": scheme,
        "private": private.hex(),
        "public": public.hex(),
        "keyid": key.keyid,
        "owner": owner.to_json(),
    }
    create_private_file(path, json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n")
    return key


def load_key_file(path: Path) -> KeyFile:
    """Read a person's key file and check that its members belong together.

    Raises:
        NotFoundError: ``key.file-missing``.
        InputError: ``key.file-readable`` or ``key.malformed``.
        UnavailableError: ``scheme.no-openssl``, for ``sm2-sm3``.
    """
    data = read_private_file(path)
    try:
        members = check_members(
            parse_json(data, size_max=_FILE_SIZE_MAX, what=path.name),
            required=("scheme", "private", "public", "keyid", "owner"),
            what=path.name,
        )
        private = parse_hex(members["private"], size=_SEED_SIZE, what="private")
        public = _public_key_of(str(members["scheme"]), private)
        key = KeyFile(
            scheme=members["scheme"],
            private=private,
            public=public,
            owner=parse_actor(members["owner"], what="owner"),
        )
    except InputError as exc:
        raise InputError("key.malformed", f"{path.name}: {exc.message}") from exc
    if members["public"] != public.hex() or members["keyid"] != key.keyid:
        raise InputError("key.malformed", f"{path.name}: private and public part do not fit")
    return key


def _public_key_of(scheme: str, private: bytes) -> bytes:
    if not is_key_file_scheme(scheme):
        raise InputError("key.scheme", f"{scheme[:40]!a} keys cannot be made here")
    public: bytes = load_scheme(scheme).public_key_of(private)
    return public
