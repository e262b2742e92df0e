"""What is written comes back, for any content; a flipped bit never does."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

import office
from vermilion_ledger.actor import Actor
from vermilion_ledger.bundle import closing_message, parse_bundle
from vermilion_ledger.checkpoint import (
    Checkpoint,
    parse_checkpoint_unverified,
    sign_checkpoint,
    verify_signatures,
)
from vermilion_ledger.commitment import (
    commit,
    encode_entry,
    is_record_id,
    make_record_id,
    make_tag,
    parse_entry,
)
from vermilion_ledger.encoding import (
    encode_base64,
    encode_json,
    encode_parsed,
    encode_text,
    encode_time,
    parse_base64,
    parse_json,
)
from vermilion_ledger.envelope import parse_envelope
from vermilion_ledger.errors import EvidenceError, InputError, LimitError
from vermilion_ledger.events import RECORD_EVENTS
from vermilion_ledger.limits import JSON_DEPTH_MAX
from vermilion_ledger.merkle import hash_leaf, verify_inclusion
from vermilion_ledger.note import (
    ED25519,
    NoteSignature,
    VerifierKey,
    encode_note,
    parse_note,
    parse_vkey,
)
from vermilion_ledger.rules import Rule, encode_rules, parse_rules
from vermilion_ledger.schemes import ed25519
from vermilion_ledger.statement import Prior, Seen, Statement, Subject, parse_statement

HASHES = st.binary(min_size=32, max_size=32)
COUNTS = st.integers(0, 2**53 - 1)
# Letters, digits, punctuation and symbols of any script; controls are refused elsewhere.
WORDS = st.text(
    st.characters(categories=("L", "N", "P", "S"), exclude_characters="+"), min_size=1, max_size=40
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
ACTORS = st.builds(Actor, id=WORDS, name=WORDS, post=st.just(""), unit=WORDS)
STATEMENTS = st.builds(
    office.statement,
    event=st.sampled_from(sorted(RECORD_EVENTS - {"approve", "countersign"})),
    subject=st.builds(Subject, name=WORDS, sha256=HASHES, sm3=st.none() | HASHES),
    ledger=WORDS,
    record=st.builds(make_record_id, HASHES),
    actor=ACTORS,
    time=st.datetimes().map(encode_time),
    nonce=st.binary(min_size=16, max_size=16),
    seen=st.none() | st.builds(Seen, chain_id=COUNTS, number=COUNTS, hash=HASHES),
    prior=st.none() | st.builds(Prior, sequence=COUNTS, envelope=HASHES),
)
RULES = st.lists(
    st.builds(
        Rule,
        event=st.sampled_from(sorted(RECORD_EVENTS)),
        count=st.integers(1, 100),
        step=st.none() | WORDS,
        post=st.none() | WORDS,
        not_by=st.none() | st.sampled_from(sorted(RECORD_EVENTS)),
        within=st.none() | st.integers(1, 36_525).map("P{}D".format),
    ),
    max_size=8,
)
LINES = st.tuples(WORDS, st.binary(min_size=5, max_size=80))
BUNDLE = office.filled_log().bundle()
ENCODED = BUNDLE.encode()


@given(VALUES)
def test_canonical_json_comes_back(value: Any) -> None:
    data = encode_json(value)

    assert parse_json(data, size_max=len(data), what="value") == value
    assert encode_json(parse_json(data, size_max=len(data), what="value")) == data


@given(st.binary(max_size=99))
def test_base64_comes_back(data: bytes) -> None:
    assert parse_base64(encode_base64(data), size_max=len(data), what="value") == data


@given(STATEMENTS)
def test_a_statement_comes_back(made: Statement) -> None:
    assert parse_statement(made.encode()) == made
    assert parse_statement(made.encode()).encode() == made.encode()


@given(STATEMENTS, st.permutations([office.WANG, office.LI, office.ZHAO]), st.integers(0, 3))
def test_an_envelope_comes_back(made: Statement, people: list[office.Person], count: int) -> None:
    signed = office.envelope(made, *people[:count])

    assert parse_envelope(signed.data) == signed
    assert len(signed.signatures) == count + 1


@given(RULES)
def test_rules_come_back(rules: list[Rule]) -> None:
    data = encode_rules(rules)

    assert parse_rules(parse_json(data, size_max=len(data), what="rules")) == tuple(rules)


@given(HASHES, HASHES, HASHES, COUNTS)
def test_an_entry_comes_back(salt: bytes, envelope: bytes, key: bytes, sequence: int) -> None:
    pair = commit(salt, envelope), make_tag(key, sequence)

    assert parse_entry(encode_entry(*pair)) == pair
    assert is_record_id(make_record_id(key))


@given(
    st.lists(
        st.tuples(WORDS, st.binary(min_size=5, max_size=80)), min_size=1, max_size=64, unique=True
    )
)
def test_a_note_comes_back(lines: list[tuple[str, bytes]]) -> None:
    signatures = [NoteSignature(name=n, key_id=b[:4], blob=b[4:]) for n, b in lines]
    text = encode_note("a\n\nb\n", signatures)

    note = parse_note(text.encode())

    assert note.text == "a\n\nb\n"
    assert list(note.signatures) == signatures


@given(WORDS, st.integers(1, 2**53 - 1), HASHES, HASHES)
def test_a_signed_checkpoint_comes_back_and_verifies(
    origin: str, size: int, root: bytes, seed: bytes
) -> None:
    checkpoint = Checkpoint(origin=origin, size=size, root=root)
    key = VerifierKey(name=origin, kind=ED25519, public=ed25519.public_key_of(seed))

    signed = parse_checkpoint_unverified(sign_checkpoint(checkpoint, seed).encode())

    assert signed.checkpoint == checkpoint
    assert verify_signatures(signed, [key]) == {key}
    assert parse_vkey(key.encode()) == key


def _holds(data: bytes) -> bool:
    """Whether the closing, each inclusion proof and each intake signature of a bundle hold."""
    try:
        bundle = parse_bundle(data)
        ed25519.verify_bytes(office.INTAKE_PUBLIC, closing_message(bundle), bundle.closing.sig)
        log = VerifierKey(
            name=office.ORIGIN, kind=ED25519, public=ed25519.public_key_of(office.LOG_SEED)
        )
        if verify_signatures(bundle.signed_checkpoint, [log]) != {log}:
            return False
        checkpoint = bundle.signed_checkpoint.checkpoint
        for entry in bundle.entries:
            tag = make_tag(bundle.record_key or b"", entry.sequence)
            leaf = hash_leaf(encode_entry(commit(entry.salt, entry.envelope.hash), tag))
            verify_inclusion(leaf, entry.index, checkpoint.size, entry.proof, checkpoint.root)
    except EvidenceError:
        return False
    return True


@given(st.integers(0, len(ENCODED) * 8 - 1))
def test_a_flipped_bit_of_a_bundle_never_holds(bit: int) -> None:
    damaged = bytearray(ENCODED)
    damaged[bit // 8] ^= 1 << bit % 8

    assert _holds(ENCODED)
    assert not _holds(bytes(damaged))


@given(st.integers(0, 1), HASHES)
def test_another_salt_never_opens_an_entry(place: int, salt: bytes) -> None:
    entries = list(BUNDLE.entries)
    entries[place] = replace(entries[place], salt=salt)

    assert not _holds(encode_json(replace(BUNDLE, entries=tuple(entries)).to_json()))


TRICKY = st.text(
    st.sampled_from('a"\\/\x00\x1f\x7f\x80\b\f\n\r\té\ue000\uffee\U00010000\U0010fff0印')
)
OBJECTS = st.recursive(
    TRICKY | st.integers(-(2**53) + 1, 2**53 - 1) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TRICKY, inner, max_size=5),
    max_leaves=12,
)


@given(OBJECTS)
def test_the_quick_canonical_writer_agrees_with_the_reference(value: Any) -> None:
    data = json.dumps(value).encode()
    parsed = parse_json(data, size_max=len(data), what="value")

    assert encode_parsed(parsed) == rfc8785.dumps(value)


@given(TRICKY)
def test_the_quick_writer_of_text_agrees_with_the_reference(text: str) -> None:
    assert encode_text(text) == rfc8785.dumps(text)


@given(st.integers(0, 40), st.integers(0, 40))
def test_what_is_nested_too_deep_is_refused_whatever_stands_beside(deep: int, beside: int) -> None:
    value = b"[" * deep + b"0" + b"]" * deep if deep else b"0"
    data = b"[" + b"".join((*([b"{},"] * beside), value)) + b"]"

    if deep + 1 > JSON_DEPTH_MAX:
        with pytest.raises(LimitError):
            parse_json(data, size_max=len(data), what="value")
    else:
        parse_json(data, size_max=len(data), what="value")


@given(OBJECTS, st.sampled_from(["\ud800", "\udfff", "\ufdd0", "\ufdef", "\ufffe", "\U0010ffff"]))
def test_a_bad_character_is_found_however_it_is_written(value: Any, bad: str) -> None:
    for escaped in (True, False):
        text = json.dumps([value, {f"a{bad}": 1}], ensure_ascii=escaped)
        data = text.encode("utf-8", "surrogatepass")
        with pytest.raises(InputError):
            parse_json(data, size_max=len(data), what="value")
