"""Notes and checkpoints: keys, signing, and the forms of witnesses."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

import office
from vermilion_ledger.checkpoint import (
    Checkpoint,
    SignedCheckpoint,
    parse_checkpoint_unverified,
    sign_checkpoint,
    verify_signatures,
)
from vermilion_ledger.encoding import encode_base64
from vermilion_ledger.errors import InputError, LimitError, SignatureError
from vermilion_ledger.note import (
    COSIGNATURE,
    ED25519,
    ML_DSA_44,
    NoteSignature,
    VerifierKey,
    encode_note,
    parse_note,
    parse_vkey,
)
from vermilion_ledger.schemes import ed25519

CHECKPOINT = Checkpoint(origin=office.ORIGIN, size=1024, root=office.secret("root"))
ML_DSA_SEED = office.secret("ml-dsa")
EXAMPLE_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"


def log_key() -> VerifierKey:
    public = ed25519.public_key_of(office.LOG_SEED)
    return VerifierKey(name=office.ORIGIN, kind=ED25519, public=public)


def ml_dsa_key(name: str) -> VerifierKey:
    private = MLDSA44PrivateKey.from_seed_bytes(ML_DSA_SEED)
    return VerifierKey(name=name, kind=ML_DSA_44, public=private.public_key().public_bytes_raw())


def signed(*lines: NoteSignature, checkpoint: Checkpoint = CHECKPOINT) -> SignedCheckpoint:
    return parse_checkpoint_unverified(encode_note(checkpoint.text, lines).encode())


def ml_dsa_line(name: str, *, seconds: int = 0, size: int = 1024) -> NoteSignature:
    """C2SP tlog-cosignature: the subtree message of a whole tree."""
    message = (
        b"subtree/v1\n\x00"
        + bytes([len(name)])
        + name.encode()
        + seconds.to_bytes(8, "big")
        + bytes([len(office.ORIGIN)])
        + office.ORIGIN.encode()
        + (0).to_bytes(8, "big")
        + size.to_bytes(8, "big")
        + CHECKPOINT.root
    )
    signature = MLDSA44PrivateKey.from_seed_bytes(ML_DSA_SEED).sign(message)
    blob = seconds.to_bytes(8, "big") + signature
    return NoteSignature(name=name, key_id=ml_dsa_key(name).key_id, blob=blob)


def test_a_signed_checkpoint_verifies_under_the_key_of_its_origin() -> None:
    note = sign_checkpoint(CHECKPOINT, office.LOG_SEED)

    parsed = parse_checkpoint_unverified(note.encode())

    assert parsed.checkpoint == CHECKPOINT
    assert verify_signatures(parsed, [log_key()]) == {log_key()}
    assert verify_signatures(parsed, []) == frozenset()


def test_a_checkpoint_is_signed_with_a_seed_of_32_bytes_only() -> None:
    with pytest.raises(InputError) as caught:
        sign_checkpoint(CHECKPOINT, bytes(31))

    assert caught.value.code == "key.size"


@pytest.mark.parametrize("name", [office.ORIGIN, "witness.example.org"])
def test_an_ml_dsa_line_is_over_the_tree_and_its_signer(name: str) -> None:
    key = ml_dsa_key(name)

    assert verify_signatures(signed(ml_dsa_line(name)), [key]) == {key}
    assert verify_signatures(signed(ml_dsa_line(name, seconds=2**40)), [key]) == {key}
    assert parse_vkey(key.encode()) == key


def test_an_ml_dsa_line_of_another_tree_is_refused() -> None:
    key = ml_dsa_key(office.ORIGIN)

    with pytest.raises(SignatureError):
        verify_signatures(signed(ml_dsa_line(office.ORIGIN, size=1023)), [key])


def test_an_ml_dsa_line_of_another_signer_is_refused() -> None:
    line, key = ml_dsa_line("witness.example.org"), ml_dsa_key(office.ORIGIN)
    moved = NoteSignature(name=key.name, key_id=key.key_id, blob=line.blob)

    with pytest.raises(SignatureError):
        verify_signatures(signed(moved), [key])


def test_an_ml_dsa_line_of_half_a_signature_is_refused() -> None:
    line, key = ml_dsa_line(office.ORIGIN), ml_dsa_key(office.ORIGIN)
    cut = NoteSignature(name=key.name, key_id=key.key_id, blob=line.blob[:1000])

    with pytest.raises(SignatureError):
        verify_signatures(signed(cut), [key])


def test_an_ml_dsa_signer_with_a_name_above_255_bytes_is_refused() -> None:
    key = ml_dsa_key("w" * 256)
    line = NoteSignature(name=key.name, key_id=key.key_id, blob=bytes(2428))

    with pytest.raises(SignatureError, match="name is too long"):
        verify_signatures(signed(line), [key])


def test_a_small_order_key_signs_nothing() -> None:
    for kind in (ED25519, COSIGNATURE):
        key = VerifierKey(name="w", kind=kind, public=bytes(32))
        line = NoteSignature(name="w", key_id=key.key_id, blob=bytes(8 + 64))
        with pytest.raises(SignatureError) as caught:
            verify_signatures(signed(line), [key])
        assert caught.value.code == "note.bad-signature"


def test_a_line_counts_by_name_and_key_id_together() -> None:
    note = sign_checkpoint(CHECKPOINT, office.LOG_SEED)
    parsed = parse_checkpoint_unverified(note.encode())
    namesake = VerifierKey(name=office.ORIGIN, kind=COSIGNATURE, public=log_key().public)

    assert namesake.key_id != log_key().key_id
    assert verify_signatures(parsed, [namesake]) == frozenset()


def test_the_example_of_c2sp_has_its_key_id() -> None:
    assert parse_vkey(EXAMPLE_VKEY).key_id.hex() == "530d903a"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"kind": 2}, "vkey.kind"),
        ({"public": bytes(31)}, "vkey.size"),
        ({"name": ""}, "note.key-name"),
        ({"name": "a b"}, "note.key-name"),
        ({"name": "a+b"}, "note.key-name"),
        ({"name": "a\u2003b"}, "note.key-name"),
        ({"name": "a\ud800"}, "note.key-name"),
    ],
)
def test_a_malformed_verifier_key_does_not_exist(changes: dict[str, object], code: str) -> None:
    members: dict[str, object] = {"name": "w", "kind": ED25519, "public": bytes(32)}

    with pytest.raises(InputError) as caught:
        VerifierKey(**(members | changes))  # type: ignore[arg-type]

    assert caught.value.code == code


@pytest.mark.parametrize(
    "changes",
    [
        {"size": 0},
        {"size": 2**53},
        {"root": bytes(31)},
        {"origin": "with space"},
        {"origin": "o" * 256},
    ],
)
def test_a_malformed_checkpoint_does_not_exist(changes: dict[str, object]) -> None:
    members: dict[str, object] = {"origin": "o", "size": 1, "root": bytes(32)}

    with pytest.raises(InputError):
        Checkpoint(**(members | changes))  # type: ignore[arg-type]


def test_the_signature_lines_are_counted_before_they_are_read() -> None:
    line = f"— w {encode_base64(bytes(9))}\n"

    with pytest.raises(LimitError, match="65 exceeds the limit of 64"):
        parse_note(("text\n\n" + line * 64 + "not a line\n").encode())
