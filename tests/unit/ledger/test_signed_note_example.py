"""The known answer of C2SP signed-note, section "Example": another implementation's note."""

from __future__ import annotations

import pytest

from vermilion_ledger.encoding import encode_base64
from vermilion_ledger.errors import EvidenceError, SignatureError
from vermilion_ledger.note import Note, parse_note, parse_vkey
from vermilion_ledger.schemes import ed25519

VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SIGNATURE = (
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
)
TEXT = "This is an example message.\n"
NOTE = f"{TEXT}\n\N{EM DASH} example.com/foo {SIGNATURE}\n".encode()


def verify(note: Note) -> None:
    """Check a note of one line by the example's key."""
    key = parse_vkey(VKEY)
    (line,) = note.signatures
    if (line.name, line.key_id) != (key.name, key.key_id):
        raise SignatureError("note.bad-signature", "another key")
    ed25519.verify_bytes(key.public, note.text.encode(), line.blob)


@pytest.mark.parametrize("at", range(len(NOTE)))
def test_no_other_byte_anywhere_verifies(at: int) -> None:
    for bit in range(8):
        changed = bytearray(NOTE)
        changed[at] ^= 1 << bit

        with pytest.raises(EvidenceError):
            verify(parse_note(bytes(changed)))


def test_the_example_verifies_and_is_written_back_as_it_was() -> None:
    note = parse_note(NOTE)

    verify(note)

    assert note.text == TEXT
    (line,) = note.signatures
    assert line.name == "example.com/foo"
    assert line.key_id.hex() == "530d903a"
    assert encode_base64(line.key_id + line.blob) == SIGNATURE
