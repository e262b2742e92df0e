"""C2SP signed notes, read strictly and signed.

Follows C2SP signed-note v1.0.0 and, for witnesses, tlog-cosignature: key
types 0x01 (Ed25519 over the text), 0x04 (timestamped Ed25519 cosignature)
and 0x06 (ML-DSA-44 over the tree). Limits are those of FORMATS section 6.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from vermilion_ledger.encoding import encode_base64, parse_base64
from vermilion_ledger.errors import InputError, LimitError
from vermilion_ledger.limits import NOTE_SIGNATURE_COUNT_MAX, NOTE_SIZE_MAX

__all__ = [
    "COSIGNATURE",
    "ED25519",
    "ML_DSA_44",
    "Note",
    "NoteSignature",
    "VerifierKey",
    "check_key_name",
    "encode_note",
    "parse_note",
    "parse_vkey",
]

ED25519 = 0x01
COSIGNATURE = 0x04
ML_DSA_44 = 0x06
_KEY_SIZES = {ED25519: 32, COSIGNATURE: 32, ML_DSA_44: 1312}
_SIGNATURE_START = "— "  # U+2014 and a space
_CONTROLS = re.compile("[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """A public key of a note: who, of which kind.

    Attributes:
        name: Name of the signer, as it stands on the signature line.
        kind: One of `ED25519`, `COSIGNATURE`, `ML_DSA_44`.
        public: Raw public key bytes.
    """

    name: str
    kind: int
    public: bytes

    def __post_init__(self) -> None:
        check_key_name(self.name)
        if self.kind not in _KEY_SIZES:
            raise InputError("vkey.kind", f"key type 0x{self.kind:02x} is not supported")
        if len(self.public) != _KEY_SIZES[self.kind]:
            raise InputError("vkey.size", f"a key of {len(self.public)} bytes")

    @property
    def key_id(self) -> bytes:
        """Four bytes: ``SHA-256(name ‖ 0x0A ‖ type ‖ key)[:4]``."""
        data = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return hashlib.sha256(data).digest()[:4]

    def encode(self) -> str:
        """Return the vkey text ``<name>+<hex key id>+<base64(type ‖ key)>``."""
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(bytes([self.kind]) + self.public)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSignature:
    """One signature line: ``blob`` is what follows the four bytes of the key id."""

    name: str
    key_id: bytes
    blob: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A signed note: ``text`` ends in a line feed and is what is signed."""

    text: str
    signatures: tuple[NoteSignature, ...]


def parse_vkey(text: str) -> VerifierKey:
    """Read a vkey strictly (C2SP signed-note, section "Verifier keys").

    Raises:
        InputError: Bad form, unknown type, or a key id that does not fit.
    """
    name, plus, rest = text.partition("+")
    key_id, plus_too, encoded = rest.partition("+")
    if not plus or not plus_too:
        raise InputError("vkey.malformed", "a vkey is name+id+key")
    data = parse_base64(encoded, size_max=1 + 1312, what="vkey")
    if not data:
        raise InputError("vkey.malformed", "the key is empty")
    key = VerifierKey(name=name, kind=data[0], public=data[1:])
    if key.key_id.hex() != key_id:
        raise InputError("vkey.id", f"the key id is {key.key_id.hex()}, stated is {key_id[:16]}")
    return key


def parse_note(data: bytes) -> Note:
    """Split a note into its text and its signatures; check no signature.

    Raises:
        InputError: Not UTF-8, a control other than line feed (so also a
            Windows line end), no blank line before the signatures, a malformed
            or repeated signature line.
        LimitError: More than 64 KiB or 64 signature lines.
    """
    if len(data) > NOTE_SIZE_MAX:
        raise LimitError("note.too-large", "note bytes", found=len(data), limit=NOTE_SIZE_MAX)
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise InputError("note.not-utf8", f"the note is not UTF-8 at byte {exc.start}") from exc
    if control := _CONTROLS.search(whole):
        code = "note.windows-line-end" if control[0] == "\r" else "note.control-character"
        raise InputError(code, f"the note has U+{ord(control[0]):04X} at {control.start()}")
    body, gap, tail = whole.rpartition("\n\n")
    if not gap or not body or not tail:
        raise InputError("note.no-signatures", "no text, a blank line, then signatures")
    if not tail.endswith("\n"):
        raise InputError("note.unfinished-line", "the last line has no line feed")
    lines = tail[:-1].split("\n")
    if len(lines) > NOTE_SIGNATURE_COUNT_MAX:
        raise LimitError(
            "note.too-many-signatures",
            "signature lines",
            found=len(lines),
            limit=NOTE_SIGNATURE_COUNT_MAX,
        )
    if len(set(lines)) != len(lines):
        raise InputError("note.repeated-signature", "a signature line stands there twice")
    return Note(text=body + "\n", signatures=tuple(_parse_signature(line) for line in lines))


def encode_note(text: str, signatures: Sequence[NoteSignature]) -> str:
    """Return the note of a text (ending in a line feed) and its signatures."""
    lines = "".join(
        f"{_SIGNATURE_START}{line.name} {encode_base64(line.key_id + line.blob)}\n"
        for line in signatures
    )
    return f"{text}\n{lines}"


def check_key_name(name: str) -> None:
    """Check a signer's name: not empty, UTF-8, no space of any kind, no ``+``.

    Raises:
        InputError: The name breaks the rule.
    """
    if not name or "+" in name or any(c.isspace() or "\ud800" <= c <= "\udfff" for c in name):
        raise InputError("note.key-name", f"{name[:40]!a} cannot name a signer")


def _parse_signature(line: str) -> NoteSignature:
    if not line.startswith(_SIGNATURE_START):
        raise InputError("note.signature-line", f"not a signature line: {line[:20]!a}")
    name, space, encoded = line[len(_SIGNATURE_START) :].partition(" ")
    if not space:
        raise InputError("note.signature-line", "a signature line is — name base64")
    check_key_name(name)
    blob = parse_base64(encoded, size_max=NOTE_SIZE_MAX, what="note signature")
    if len(blob) <= 4:
        raise InputError("note.signature-line", "a signature of no bytes")
    return NoteSignature(name=name, key_id=blob[:4], blob=blob[4:])
