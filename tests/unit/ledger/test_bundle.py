"""Bundles: what the closing covers, headers, anchors, and their order."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

import office
from office import INTAKE_PUBLIC, RECORD_KEY, WANG, filled_log
from vermilion_ledger.bundle import EvidenceBundle, closing_message, parse_bundle
from vermilion_ledger.commitment import make_tag
from vermilion_ledger.encoding import encode_json
from vermilion_ledger.errors import InputError, LimitError, SignatureError
from vermilion_ledger.evm.header import parse_header
from vermilion_ledger.evm.receipt import AnchorHints, AnchorReceipt
from vermilion_ledger.evm.rlp import encode_integer, encode_rlp
from vermilion_ledger.limits import BUNDLE_SIZE_MAX
from vermilion_ledger.records import Status
from vermilion_ledger.schemes import ed25519
from vermilion_ledger.statement import Seen


def header(number: int, *, extra: bytes = b"") -> bytes:
    fields = [b"\x01" * 32, b"", b"", b"", b"", b"\x02" * 32, b"", b"", encode_integer(number)]
    return encode_rlp([*fields, b"", b"", encode_integer(1_795_248_000), extra, b"", b""])


def anchor(number: int = 50, **changes: Any) -> AnchorReceipt:
    made = AnchorReceipt(
        chain_id=31337,
        contract=bytes(20),
        log=bytes(32),
        size=1,
        root=bytes(32),
        transaction_index=0,
        log_index=0,
        header=header(number),
        receipt=b"",
        receipt_proof=(),
    )
    return replace(made, **changes)


def quoting_log(*headers: bytes) -> office.Log:
    """A log whose record quotes the blocks of some headers."""
    log = filled_log()
    for raw in headers:
        block = parse_header(raw)
        seen = Seen(chain_id=31337, number=block.number, hash=block.hash)
        log.add(office.envelope(office.statement("seal", seen=seen), WANG))
    return log


def refusal(bundle: EvidenceBundle) -> str:
    with pytest.raises(InputError) as caught:
        parse_bundle(encode_json(bundle.to_json()))
    return caught.value.code


def by_hash(*headers: bytes) -> tuple[bytes, ...]:
    return tuple(sorted(headers, key=lambda raw: parse_header(raw).hash))


def verify_closing(bundle: EvidenceBundle) -> None:
    ed25519.verify_bytes(INTAKE_PUBLIC, closing_message(bundle), bundle.closing.sig)


def test_a_bundle_comes_back_as_it_was_written() -> None:
    headers = by_hash(header(42), header(43))
    made = quoting_log(*headers).bundle(
        headers=headers,
        anchors=(anchor(50, hints=AnchorHints(finality="immediate")), anchor(51)),
        timestamps=(b"\x30\x00", b"\x30\x01"),
    )

    assert parse_bundle(made.encode()) == made


# --- closing


def test_the_ledgers_word_survives_parsing() -> None:
    verify_closing(parse_bundle(filled_log().bundle().encode()))


def test_hints_may_change_under_the_ledgers_word() -> None:
    made = filled_log().bundle(anchors=(anchor(hints=AnchorHints(observed_block=7)),))

    verify_closing(replace(made, anchors=(anchor(),)))
    verify_closing(replace(made, anchors=(anchor(hints=AnchorHints(finality="x")),)))


def test_cosignatures_may_be_added_under_the_ledgers_word() -> None:
    made = filled_log().bundle()
    note = made.note + "— witness.example.org AAAAAAAAAAAA\n"

    cosigned = parse_bundle(encode_json(made.to_json() | {"checkpoint": note}))

    verify_closing(cosigned)
    assert cosigned.note == note


@pytest.mark.parametrize(
    "change",
    [
        lambda b: replace(b, closing=replace(b.closing, entries=3)),
        lambda b: replace(b, closing=replace(b.closing, digest=bytes(32))),
        lambda b: replace(b, closing=replace(b.closing, status=Status.REVOKED)),
        lambda b: replace(b, entries=b.entries[:1]),
        lambda b: replace(b, keys=b.keys[:1]),
        lambda b: replace(b, anchors=(anchor(),)),
        lambda b: replace(b, timestamps=(b"\x30",)),
        lambda b: replace(b, headers=(header(1),)),
        lambda b: replace(b, record_key=None),
        lambda b: replace(b, signed_checkpoint=quoting_log(header(9)).bundle().signed_checkpoint),
    ],
)
def test_nobody_else_can_cut_or_change_a_bundle(change: Any) -> None:
    made = change(filled_log().bundle())

    with pytest.raises(SignatureError):
        verify_closing(made)


# --- headers


def test_a_quoted_block_comes_with_its_header() -> None:
    assert refusal(quoting_log(header(42)).bundle()) == "bundle.header-missing"


def test_a_header_that_nobody_quotes_is_refused() -> None:
    headers = by_hash(header(42), header(43))

    assert refusal(quoting_log(header(42)).bundle(headers=headers)) == "bundle.header-unquoted"


def test_a_header_of_another_block_of_that_number_is_missing_the_quoted_one() -> None:
    made = quoting_log(header(42)).bundle(headers=(header(42, extra=b"x"),))

    assert refusal(made) == "bundle.header-missing"


def test_headers_are_sorted_by_hash_and_single() -> None:
    headers = by_hash(header(42), header(43))
    log = quoting_log(*headers)

    assert refusal(log.bundle(headers=headers[::-1])) == "bundle.order"
    assert refusal(log.bundle(headers=(headers[0], *headers))) == "bundle.order"


def test_blocks_that_key_events_quote_have_their_headers_too() -> None:
    log = filled_log()
    block = parse_header(header(42))
    seen = Seen(chain_id=31337, number=42, hash=block.hash)
    made = replace(office.key_revocation(WANG), seen=seen)
    log.add(office.envelope(made, office.ROOT), office.REGISTRY_KEY)

    assert refusal(log.bundle()) == "bundle.header-missing"
    assert parse_bundle(log.bundle(headers=(header(42),)).encode()).headers == (header(42),)


# --- order and bounds


@pytest.mark.parametrize(
    "anchors",
    [
        (anchor(51), anchor(50)),
        (anchor(), anchor()),
        (anchor(chain_id=2), anchor(chain_id=1)),
        (anchor(transaction_index=1), anchor(transaction_index=0)),
        (anchor(log_index=1), anchor(log_index=0)),
    ],
)
def test_anchors_are_sorted_without_doubles(anchors: tuple[AnchorReceipt, ...]) -> None:
    assert refusal(filled_log().bundle(anchors=anchors)) == "bundle.order"


def test_entries_beyond_the_record_or_left_out_with_the_key_are_refused() -> None:
    made = filled_log().bundle()

    assert refusal(replace(made, entries=made.entries[1:])) == "bundle.first-entry"
    assert refusal(replace(made, entries=made.entries[:1])) == "bundle.entries-left-out"
    closing = replace(made.closing, entries=1)
    assert refusal(replace(made, closing=closing)) == "bundle.sequence-range"


def test_a_bundle_above_8_mib_is_refused_unread() -> None:
    with pytest.raises(LimitError):
        parse_bundle(b" " * (BUNDLE_SIZE_MAX + 1))


def test_a_bundle_that_breaks_its_own_shape_is_not_written() -> None:
    made = filled_log().bundle()

    with pytest.raises(InputError):
        replace(made, entries=()).encode()


def test_an_envelope_in_a_bundle_is_judged_as_strictly_as_alone() -> None:
    value = json.loads(filled_log().bundle().encode())
    value["entries"][0]["envelope"]["signatures"] *= 2

    with pytest.raises(InputError) as caught:
        parse_bundle(encode_json(value))

    assert caught.value.code == "envelope.repeated-signer"


def test_the_tags_of_an_excerpt_come_back() -> None:
    made = filled_log().bundle(record_key=None)
    tagged = replace(
        made,
        entries=tuple(replace(e, tag=make_tag(RECORD_KEY, e.sequence)) for e in made.entries),
    )

    assert parse_bundle(tagged.encode()).entries == tagged.entries
