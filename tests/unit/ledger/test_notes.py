"""Notes and checkpoints: keys, signing, and the forms of witnesses."""

from __future__ import annotations

from dataclasses import replace

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
TIME = 1_795_100_000
EXAMPLE_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"


def log_key() -> VerifierKey:
    public = ed25519.public_key_of(office.LOG_SEED)
    return VerifierKey(name=office.ORIGIN, kind=ED25519, public=public)


def ml_dsa_key(name: str) -> VerifierKey:
    private = MLDSA44PrivateKey.from_seed_bytes(ML_DSA_SEED)
    return VerifierKey(name=name, kind=ML_DSA_44, public=private.public_key().public_bytes_raw())


def signed(*lines: NoteSignature, checkpoint: Checkpoint = CHECKPOINT) -> SignedCheckpoint:
    return parse_checkpoint_unverified(encode_note(checkpoint.text, lines).encode())


def ml_dsa_line(name: str, *, seconds: int = 0, start: int = 0, size: int = 1024) -> NoteSignature:
    """C2SP tlog-cosignature: the subtree message of a whole tree."""
    message = (
        b"subtree/v1\n\x00"
        + bytes([len(name)])
        + name.encode()
        + seconds.to_bytes(8, "big")
        + bytes([len(office.ORIGIN)])
        + office.ORIGIN.encode()
        + start.to_bytes(8, "big")
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


def both_keys() -> set[VerifierKey]:
    return {log_key(), ml_dsa_key(office.ORIGIN)}


def test_a_log_with_two_keys_signs_with_both_the_ed25519_line_first() -> None:
    note = sign_checkpoint(CHECKPOINT, office.LOG_SEED, ml_dsa_seed=ML_DSA_SEED, seconds=TIME)

    parsed = parse_checkpoint_unverified(note.encode())

    assert parsed.checkpoint == CHECKPOINT
    assert [len(line.blob) for line in parsed.note.signatures] == [64, 8 + 2420]
    assert parsed.note.signatures[1].blob[:8] == TIME.to_bytes(8, "big")
    assert verify_signatures(parsed, both_keys()) == both_keys()


def test_the_ed25519_line_is_the_same_with_and_without_a_second_key() -> None:
    alone = sign_checkpoint(CHECKPOINT, office.LOG_SEED)
    both = sign_checkpoint(CHECKPOINT, office.LOG_SEED, ml_dsa_seed=ML_DSA_SEED, seconds=TIME)

    assert both.startswith(alone)


@pytest.mark.parametrize("key", [log_key(), ml_dsa_key(office.ORIGIN)])
def test_a_reader_who_knows_one_kind_of_key_ignores_the_other(key: VerifierKey) -> None:
    note = sign_checkpoint(CHECKPOINT, office.LOG_SEED, ml_dsa_seed=ML_DSA_SEED)

    assert verify_signatures(parse_checkpoint_unverified(note.encode()), [key]) == {key}


@pytest.mark.parametrize("seconds", [0, 1, 2**63 - 1])
def test_a_time_of_63_bits_stands_in_a_signature(seconds: int) -> None:
    note = sign_checkpoint(CHECKPOINT, office.LOG_SEED, ml_dsa_seed=ML_DSA_SEED, seconds=seconds)

    assert len(verify_signatures(parse_checkpoint_unverified(note.encode()), both_keys())) == 2


@pytest.mark.parametrize("seconds", [-1, 2**63, 2**64])
def test_a_time_that_no_signature_can_say_is_not_signed(seconds: int) -> None:
    with pytest.raises(InputError) as caught:
        sign_checkpoint(CHECKPOINT, office.LOG_SEED, ml_dsa_seed=ML_DSA_SEED, seconds=seconds)

    assert caught.value.code == "checkpoint.time"


@pytest.mark.parametrize("size", [0, 31, 33])
def test_an_ml_dsa_seed_of_another_size_signs_nothing(size: int) -> None:
    with pytest.raises(InputError) as caught:
        sign_checkpoint(CHECKPOINT, office.LOG_SEED, ml_dsa_seed=bytes(size))

    assert caught.value.code == "key.size"


@pytest.mark.parametrize("kind", [COSIGNATURE, ML_DSA_44])
def test_a_cosignature_with_a_time_above_63_bits_is_refused(kind: int) -> None:
    key = ml_dsa_key("w") if kind == ML_DSA_44 else replace(log_key(), name="w", kind=kind)
    line = ml_dsa_line("w", seconds=2**63)
    if kind == COSIGNATURE:
        message = f"cosignature/v1\ntime {2**63}\n{CHECKPOINT.text}".encode()
        blob = (2**63).to_bytes(8, "big") + ed25519.sign(office.LOG_SEED, message)
        line = NoteSignature(name="w", key_id=key.key_id, blob=blob)

    with pytest.raises(SignatureError, match=r"above 2\^63-1"):
        verify_signatures(signed(line), [key])


def _damaged(blob: bytes) -> dict[str, bytes]:
    """What an attacker may make of a good type 0x06 blob."""
    return {
        "no time": blob[8:],
        "time alone": blob[:8],
        "nothing after half a time": blob[:4],
        "earlier time": (TIME - 1).to_bytes(8, "big") + blob[8:],
        "time zero": bytes(8) + blob[8:],
        "little-endian time": blob[:8][::-1] + blob[8:],
        "one byte short": blob[:-1],
        "one byte long": blob + b"\0",
        "first bit": blob[:8] + bytes([blob[8] ^ 0x80]) + blob[9:],
        "last bit": blob[:-1] + bytes([blob[-1] ^ 1]),
        "zeros": blob[:8] + bytes(2420),
    }


@pytest.mark.parametrize("damage", sorted(_damaged(bytes(2428))))
def test_a_damaged_ml_dsa_line_spoils_the_note_beside_a_good_ed25519_line(damage: str) -> None:
    note = sign_checkpoint(CHECKPOINT, office.LOG_SEED, ml_dsa_seed=ML_DSA_SEED, seconds=TIME)
    good, second = parse_checkpoint_unverified(note.encode()).note.signatures
    bad = replace(second, blob=_damaged(second.blob)[damage])

    with pytest.raises(SignatureError) as caught:
        verify_signatures(signed(good, bad), both_keys())

    assert caught.value.code == "note.bad-signature"
    assert verify_signatures(signed(good, bad), [log_key()]) == {log_key()}


def test_an_ml_dsa_line_of_a_log_with_another_origin_is_refused() -> None:
    other = replace(CHECKPOINT, origin="log.example")
    note = sign_checkpoint(other, office.LOG_SEED, ml_dsa_seed=ML_DSA_SEED, seconds=TIME)
    theirs = parse_checkpoint_unverified(note.encode()).note.signatures[1]
    ours = ml_dsa_key(office.ORIGIN)
    renamed = NoteSignature(name=ours.name, key_id=ours.key_id, blob=theirs.blob)

    with pytest.raises(SignatureError):
        verify_signatures(signed(renamed), [ours])


def test_an_ml_dsa_line_over_a_part_of_the_tree_is_refused() -> None:
    line = ml_dsa_line(office.ORIGIN, start=512)

    with pytest.raises(SignatureError):
        verify_signatures(signed(line), [ml_dsa_key(office.ORIGIN)])


def test_an_ed25519_signature_is_no_ml_dsa_signature_and_the_other_way_round() -> None:
    ed, post_quantum = log_key(), ml_dsa_key(office.ORIGIN)
    note = sign_checkpoint(CHECKPOINT, office.LOG_SEED, ml_dsa_seed=ML_DSA_SEED)
    first, second = parse_checkpoint_unverified(note.encode()).note.signatures

    for line, key in ((second, ed), (first, post_quantum)):
        with pytest.raises(SignatureError):
            verify_signatures(signed(replace(line, key_id=key.key_id)), [key])


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
