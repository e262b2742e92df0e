"""Runs the committed vectors, and the generator against them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from vectors.make_vectors import FOLDER, make_vectors
from vermilion_ledger.actor import Actor
from vermilion_ledger.bundle import parse_bundle
from vermilion_ledger.checkpoint import parse_checkpoint_unverified, verify_signatures
from vermilion_ledger.commitment import (
    commit,
    encode_entry,
    make_record_id,
    make_tag,
    parse_entry,
    parse_record_id,
)
from vermilion_ledger.encoding import (
    check_text,
    encode_base64,
    encode_json,
    encode_time,
    parse_base64,
    parse_hex,
    parse_json,
    parse_time,
    parse_wire_hex,
)
from vermilion_ledger.envelope import parse_envelope, split_intake, verify_intake
from vermilion_ledger.errors import EvidenceError, UnavailableError
from vermilion_ledger.keys import KeyRegistry, RegisteredKey, verify_actor_signature
from vermilion_ledger.merkle import hash_leaf, verify_consistency, verify_inclusion
from vermilion_ledger.note import encode_note, parse_note, parse_vkey
from vermilion_ledger.rules import encode_rules, parse_rules
from vermilion_ledger.schemes import SCHEME_NAMES, bls12381, make_keyid
from vermilion_ledger.schemes.webauthn import RelyingParty
from vermilion_ledger.statement import parse_statement

FILES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.glob("*/*.json"))


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _hashes(values: list[str]) -> list[bytes]:
    return [bytes.fromhex(value) for value in values]


def run_json(vector: dict[str, Any]) -> None:
    value = parse_json(_bytes(vector["bytes"]), size_max=8192, what="value")
    assert parse_json(encode_json(value), size_max=8192, what="value") == value


def run_hex(vector: dict[str, Any]) -> None:
    assert parse_hex(vector["text"], size=4, what="value").hex() == vector["text"]


def run_wire_hex(vector: dict[str, Any]) -> None:
    assert "0x" + parse_wire_hex(vector["text"], size=4, what="value").hex() == vector["text"]


def run_base64(vector: dict[str, Any]) -> None:
    assert encode_base64(parse_base64(vector["text"], size_max=8, what="value")) == vector["text"]


def run_time(vector: dict[str, Any]) -> None:
    assert encode_time(parse_time(vector["text"], what="value")) == vector["text"]


def run_text(vector: dict[str, Any]) -> None:
    assert check_text(vector["text"], size_max=200, what="value") == vector["text"]


def run_merkle_inclusion(vector: dict[str, Any]) -> None:
    verify_inclusion(
        bytes.fromhex(vector["leafHash"]),
        vector["index"],
        vector["size"],
        _hashes(vector["proof"]),
        bytes.fromhex(vector["root"]),
    )


def run_merkle_consistency(vector: dict[str, Any]) -> None:
    verify_consistency(
        vector["size1"],
        bytes.fromhex(vector["root1"]),
        vector["size2"],
        bytes.fromhex(vector["root2"]),
        _hashes(vector["proof"]),
    )


def run_note(vector: dict[str, Any]) -> None:
    data = _bytes(vector["note"])
    note = parse_note(data)
    assert encode_note(note.text, note.signatures).encode() == data


def run_checkpoint(vector: dict[str, Any]) -> None:
    signed = parse_checkpoint_unverified(_bytes(vector["note"]))
    assert signed.checkpoint.text == signed.note.text
    found = verify_signatures(signed, [parse_vkey(key) for key in vector["keys"]])
    assert {key.encode() for key in found} == set(vector["signedBy"])


def run_vkey(vector: dict[str, Any]) -> None:
    assert parse_vkey(vector["vkey"]).encode() == vector["vkey"]


def run_entry(vector: dict[str, Any]) -> None:
    commitment, tag = parse_entry(bytes.fromhex(vector["entry"]))
    key = bytes.fromhex(vector["recordKey"])
    assert make_tag(key, vector["sequence"]).hex() == vector["tag"] == tag.hex()
    salt, envelope_hash = bytes.fromhex(vector["salt"]), bytes.fromhex(vector["envelopeHash"])
    assert commit(salt, envelope_hash) == commitment
    assert encode_entry(commitment, tag).hex() == vector["entry"]
    assert hash_leaf(bytes.fromhex(vector["entry"])).hex() == vector["leafHash"]
    assert make_record_id(key) == vector["record"]


def run_record_id(vector: dict[str, Any]) -> None:
    assert parse_record_id(vector["record"]) == vector["record"]


def run_statement(vector: dict[str, Any]) -> None:
    data = _bytes(vector["statement"])
    assert parse_statement(data).encode() == data


def run_rules(vector: dict[str, Any]) -> None:
    assert encode_rules(parse_rules(vector["rules"])) == encode_json(vector["rules"])


def run_envelope(vector: dict[str, Any]) -> None:
    data, intake_key = _bytes(vector["envelope"]), bytes.fromhex(vector["intake"])
    envelope = parse_envelope(data)
    assert encode_json(envelope.to_json()) == data
    assert envelope.hash == hashlib.sha256(data).digest()
    intake, actors = split_intake(envelope, {make_keyid("ed25519", intake_key)})
    verify_intake(envelope, intake, actors, intake_key)
    parties = vector.get("parties", {})
    registry = KeyRegistry(
        keys={keyid: _key(keyid, key, parties.get(keyid)) for keyid, key in vector["keys"].items()}
    )
    for signature in actors:
        verify_actor_signature(signature, envelope.message, registry)


def _key(keyid: str, public_key: str, party: dict[str, str] | None) -> RegisteredKey:
    # The key id binds the scheme: of all schemes one alone gives it.
    (scheme,) = (
        scheme for scheme in SCHEME_NAMES if make_keyid(scheme, bytes.fromhex(public_key)) == keyid
    )
    return RegisteredKey(
        keyid=keyid,
        scheme=scheme,
        public_key=bytes.fromhex(public_key),
        owner=Actor(id=keyid),
        may=frozenset(),
        officer=False,
        registered=0,
        party=None if party is None else RelyingParty(rp_id=party["rpId"], origin=party["origin"]),
    )


def run_bls(vector: dict[str, Any]) -> None:
    keys = [bytes.fromhex(key) for key in vector["keys"]]
    for key, proof in zip(keys, vector["proofs"], strict=True):
        bls12381.verify_possession(key, bytes.fromhex(proof))
    message, signature = bytes.fromhex(vector["message"]), bytes.fromhex(vector["signature"])
    bls12381.verify_bytes(keys, message, signature)


def run_bundle(vector: dict[str, Any]) -> None:
    data = _bytes(vector["bundle"])
    assert parse_bundle(data).encode() == data


@pytest.mark.parametrize("name", FILES)
def test_a_committed_vector_is_judged_as_stated(name: str) -> None:
    vector = json.loads((FOLDER / name).read_text(encoding="ascii"))
    run = globals()["run_" + name.partition("/")[0].replace("-", "_")]

    if vector["accept"]:
        run(vector)
        return

    with pytest.raises(EvidenceError) as caught:
        run(vector)
    assert caught.value.code == vector["code"]
    assert isinstance(caught.value, UnavailableError) == (name == LATER_VERSION)


LATER_VERSION = "bundle/refuse-later-version.json"


def test_the_generator_writes_the_committed_vectors_bit_for_bit() -> None:
    made = make_vectors()

    assert sorted(made) == FILES
    assert {n: (FOLDER / n).read_text(encoding="ascii") for n in FILES} == made


def test_each_format_refuses_at_least_three_times_as_often_as_it_accepts() -> None:
    tally = Counter((Path(n).parent.name, Path(n).name.partition("-")[0]) for n in FILES)

    for folder in {Path(n).parent.name for n in FILES}:
        assert tally[folder, "refuse"] >= 3 * tally[folder, "accept"], folder


def test_each_vector_says_why() -> None:
    for name in FILES:
        assert len(json.loads((FOLDER / name).read_text(encoding="ascii"))["why"]) > 4, name
