"""Checkpoints: what a log says of itself, signed as a note.

Follows C2SP tlog-checkpoint without extension lines, and tlog-cosignature
for the ML-DSA-44 form and for witnesses (FORMATS section 6).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from vermilion_ledger.encoding import encode_base64, parse_base64
from vermilion_ledger.errors import InputError, LimitError, SignatureError
from vermilion_ledger.limits import ORIGIN_SIZE_MAX, TREE_SIZE_MAX
from vermilion_ledger.note import (
    COSIGNATURE,
    ED25519,
    ML_DSA_44,
    Note,
    NoteSignature,
    VerifierKey,
    check_key_name,
    encode_note,
    parse_note,
)

__all__ = [
    "Checkpoint",
    "SignedCheckpoint",
    "parse_checkpoint_unverified",
    "sign_checkpoint",
    "verify_signatures",
]

_DECIMAL = re.compile(r"(?:0|[1-9][0-9]{0,15})\Z")
_SECONDS_MAX = 2**63 - 1  # tlog-cosignature, section "Format"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The state of a log: ``size`` leaves under ``root``.

    Attributes:
        origin: Schema-less URL of the log, at most 255 bytes.
        size: Number of leaves, 1 to 2^53-1.
        root: RFC 9162 root hash, 32 bytes.
    """

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        check_key_name(self.origin)
        if len(self.origin.encode()) > ORIGIN_SIZE_MAX:
            raise LimitError(
                "checkpoint.origin",
                "origin bytes",
                found=len(self.origin.encode()),
                limit=ORIGIN_SIZE_MAX,
            )
        if not 1 <= self.size <= TREE_SIZE_MAX:
            raise InputError("checkpoint.size", f"size {self.size} is not in 1 to 2^53-1")
        if len(self.root) != 32:
            raise InputError("checkpoint.root", f"a root of {len(self.root)} bytes")

    @property
    def text(self) -> str:
        """The signed text: three lines, each with its line feed."""
        return f"{self.origin}\n{self.size}\n{encode_base64(self.root)}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCheckpoint:
    """A checkpoint with the note it was read from."""

    checkpoint: Checkpoint
    note: Note


def parse_checkpoint_unverified(data: bytes) -> SignedCheckpoint:
    """Read a checkpoint without looking at its signatures.

    For the verifier, which checks signatures as a step of its own, and for
    tests. Everybody else wants `verify_signatures` as well.

    Raises:
        InputError: Not a note, not three lines, a size that is not a canonical
            decimal, a root that is not 32 bytes of canonical base64.
        LimitError: A bound of the note or of the origin was exceeded.
    """
    note = parse_note(data)
    lines = note.text[:-1].split("\n")
    if len(lines) != 3:
        raise InputError("checkpoint.lines", f"{len(lines)} lines of text, not 3")
    origin, size, root = lines
    if not _DECIMAL.match(size):
        raise InputError("checkpoint.size", f"{size[:24]!a} is not a canonical decimal")
    return SignedCheckpoint(
        checkpoint=Checkpoint(
            origin=origin,
            size=int(size),
            root=parse_base64(root, size_max=32, what="checkpoint root"),
        ),
        note=note,
    )


def verify_signatures(
    signed: SignedCheckpoint, keys: Iterable[VerifierKey]
) -> frozenset[VerifierKey]:
    """Return the given keys that signed; lines of unknown signers are ignored.

    Raises:
        SignatureError: A line names a known key and its signature is bad
            (C2SP signed-note: such a note is rejected as a whole).
    """
    known = {(key.name, key.key_id): key for key in keys}
    found = set()
    for line in signed.note.signatures:
        key = known.get((line.name, line.key_id))
        if key is not None:
            _verify_line(signed, line, key)
            found.add(key)
    return frozenset(found)


def sign_checkpoint(
    checkpoint: Checkpoint,
    private_key: bytes,
    *,
    ml_dsa_seed: bytes | None = None,
    seconds: int = 0,
) -> str:
    """Return the checkpoint as a note signed by the log's keys, the Ed25519 line first.

    Args:
        checkpoint: What to sign; its origin is the signer's name.
        private_key: The 32 bytes of the Ed25519 seed.
        ml_dsa_seed: The 32 bytes of the ML-DSA-44 seed, where the log has one.
        seconds: When it is signed, in POSIX seconds. Only the ML-DSA-44 line
            says it; 0 says nothing about time (C2SP tlog-cosignature).

    Raises:
        InputError: A seed is not 32 bytes, or the time not within 0 to 2^63-1.
    """
    from vermilion_ledger.schemes import ed25519

    if not 0 <= seconds <= _SECONDS_MAX:
        raise InputError("checkpoint.time", f"time {seconds} is not within 0 to 2^63-1")
    key = VerifierKey(
        name=checkpoint.origin, kind=ED25519, public=ed25519.public_key_of(private_key)
    )
    blob = ed25519.sign(private_key, checkpoint.text.encode())
    lines = [NoteSignature(name=key.name, key_id=key.key_id, blob=blob)]
    if ml_dsa_seed is not None:
        lines.append(_sign_ml_dsa(checkpoint, ml_dsa_seed, seconds=seconds))
    return encode_note(checkpoint.text, lines)


def _sign_ml_dsa(checkpoint: Checkpoint, seed: bytes, *, seconds: int) -> NoteSignature:
    from vermilion_ledger.schemes import ml_dsa_44

    key = VerifierKey(name=checkpoint.origin, kind=ML_DSA_44, public=ml_dsa_44.public_key_of(seed))
    message = _encode_subtree(checkpoint, key.name, seconds=seconds)
    blob = seconds.to_bytes(8, "big") + ml_dsa_44.sign(seed, message)
    return NoteSignature(name=key.name, key_id=key.key_id, blob=blob)


def _verify_line(signed: SignedCheckpoint, line: NoteSignature, key: VerifierKey) -> None:
    text = signed.note.text.encode()
    if key.kind == ED25519:
        _verify(key, text, line.blob)
        return
    if len(line.blob) <= 8:
        raise SignatureError("note.bad-signature", f"{key.name}: the cosignature has no time")
    seconds, signature = int.from_bytes(line.blob[:8], "big"), line.blob[8:]
    if seconds > _SECONDS_MAX:
        raise SignatureError("note.bad-signature", f"{key.name}: time {seconds} is above 2^63-1")
    if key.kind == COSIGNATURE:  # tlog-cosignature: header, time, then the note's text
        _verify(key, f"cosignature/v1\ntime {seconds}\n".encode() + text, signature)
    else:
        if len(key.name.encode()) > ORIGIN_SIZE_MAX:
            raise SignatureError("note.bad-signature", "the cosigner's name is too long")
        _verify(key, _encode_subtree(signed.checkpoint, key.name, seconds=seconds), signature)


def _verify(key: VerifierKey, message: bytes, signature: bytes) -> None:
    from vermilion_ledger.schemes import ed25519, ml_dsa_44

    scheme = ml_dsa_44 if key.kind == ML_DSA_44 else ed25519
    try:
        scheme.verify_bytes(key.public, message, signature)
    except (InputError, SignatureError) as exc:
        raise SignatureError("note.bad-signature", f"{key.name}: {exc.message}") from exc


def _encode_subtree(checkpoint: Checkpoint, cosigner: str, *, seconds: int) -> bytes:
    """Return what a type 0x06 line signs: the tree from 0 to its size ("subtree/v1")."""
    name, origin = cosigner.encode(), checkpoint.origin.encode()
    return (
        b"subtree/v1\n\x00"
        + bytes([len(name)])
        + name
        + seconds.to_bytes(8, "big")
        + bytes([len(origin)])
        + origin
        + (0).to_bytes(8, "big")
        + checkpoint.size.to_bytes(8, "big")
        + checkpoint.root
    )
