"""Any bytes to any parser: a value or an `InputError`, never anything else."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import office
from vermilion_ledger.bundle import parse_bundle
from vermilion_ledger.checkpoint import parse_checkpoint_unverified, sign_checkpoint
from vermilion_ledger.commitment import parse_entry, parse_record_id
from vermilion_ledger.encoding import (
    encode_json,
    parse_base64,
    parse_count,
    parse_hex,
    parse_json,
    parse_time,
    parse_wire_hex,
)
from vermilion_ledger.envelope import parse_envelope
from vermilion_ledger.errors import EvidenceError, InputError, UnavailableError
from vermilion_ledger.evm.header import parse_header
from vermilion_ledger.evm.receipt import parse_anchor_receipt
from vermilion_ledger.evm.rlp import decode_rlp
from vermilion_ledger.note import parse_note, parse_vkey
from vermilion_ledger.rules import parse_rules
from vermilion_ledger.statement import parse_statement

STATEMENT = office.statement("approve", seen=office.SEEN).encode()
REGISTRATION = office.key_registration(office.WANG).encode()
BUNDLE = office.filled_log().bundle()
ENVELOPE = BUNDLE.entries[0].envelope.data
NOTE = sign_checkpoint(BUNDLE.signed_checkpoint.checkpoint, office.LOG_SEED).encode()

PARSERS: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "json": (lambda data: parse_json(data, size_max=100_000, what="value"), STATEMENT),
    "note": (parse_note, NOTE),
    "checkpoint": (parse_checkpoint_unverified, NOTE),
    "statement": (parse_statement, STATEMENT),
    "key-statement": (parse_statement, REGISTRATION),
    "envelope": (parse_envelope, ENVELOPE),
    "bundle": (parse_bundle, BUNDLE.encode()),
    "entry": (parse_entry, bytes(65)),
    "rlp": (lambda data: decode_rlp(data, what="value"), bytes.fromhex("c6836361748001")),
    "header": (parse_header, b"\xf8\x40" + bytes(64)),
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
TEXTS: dict[str, Callable[[Any], object]] = {
    "hex": lambda value: parse_hex(value, size=4, what="value"),
    "wire-hex": lambda value: parse_wire_hex(value, size_max=8, what="value"),
    "base64": lambda value: parse_base64(value, size_max=8, what="value"),
    "time": lambda value: parse_time(value, what="value"),
    "count": lambda value: parse_count(value, what="value"),
    "record-id": parse_record_id,
    "rules": parse_rules,
    "anchor-receipt": parse_anchor_receipt,
}


def reads_or_refuses(parse: Callable[[Any], object], value: Any) -> None:
    """The only other answer is that a bundle of a later version cannot be read."""
    refused: EvidenceError | None = None
    try:
        parse(value)
    except (InputError, UnavailableError) as exc:
        refused = exc
    assert refused is None or len(refused.message) < 1000
    assert not isinstance(refused, UnavailableError) or refused.code == "bundle.later-version"


@pytest.mark.parametrize("name", sorted(PARSERS))
@given(data=st.binary(max_size=200))
def test_arbitrary_bytes_are_read_or_refused(name: str, data: bytes) -> None:
    reads_or_refuses(PARSERS[name][0], data)


@pytest.mark.parametrize("name", sorted(PARSERS))
@given(place=st.floats(0, 1), junk=st.binary(max_size=4), cut=st.integers(0, 4))
def test_damaged_good_bytes_are_read_or_refused(
    name: str, place: float, junk: bytes, cut: int
) -> None:
    parse, good = PARSERS[name]
    at = int(place * len(good))

    reads_or_refuses(parse, good[:at] + junk + good[at + cut :])


@pytest.mark.parametrize("name", ["bundle", "envelope", "json", "key-statement", "statement"])
@given(data=st.data())
def test_a_good_object_with_any_value_anywhere_is_read_or_refused(
    name: str, data: st.DataObject
) -> None:
    parse, good = PARSERS[name]
    value = json.loads(good)
    inside = value
    while True:
        keys = sorted(inside) if isinstance(inside, dict) else range(len(inside))
        key: Any = data.draw(st.sampled_from(list(keys)))
        if not isinstance(inside[key], dict | list) or not inside[key] or data.draw(st.booleans()):
            break
        inside = inside[key]
    inside[key] = data.draw(JSON)

    try:
        damaged = encode_json(value)
    except InputError:
        return
    reads_or_refuses(parse, damaged)


@pytest.mark.parametrize("name", sorted(TEXTS))
@given(value=JSON | st.text(alphabet="0123456789abcdefx=+/TZ:-rec_", max_size=40))
def test_any_json_value_is_read_or_refused(name: str, value: Any) -> None:
    reads_or_refuses(TEXTS[name], value)


@given(st.text(max_size=60) | st.builds("{}+{}+{}".format, st.text(), st.text(), st.text()))
def test_any_text_is_a_vkey_or_refused(text: str) -> None:
    reads_or_refuses(parse_vkey, text)


@given(st.binary(max_size=300))
def test_what_json_reads_python_reads_alike(data: bytes) -> None:
    try:
        value = parse_json(data, size_max=300, what="value")
    except InputError:
        return

    assert json.loads(data) == value
    assert parse_json(encode_json(value), size_max=4096, what="value") == value
