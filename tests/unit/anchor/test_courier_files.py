"""The courier's files: round trips, and every change that a reader must notice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vermilion_anchor.anchor_call import encode_anchor_call, parse_anchor_call
from vermilion_anchor.courier import CourierAnswer, CourierAttempt, CourierOrder, CourierStatus
from vermilion_anchor.courier_files import encode_answer, encode_order, parse_answer, parse_order
from vermilion_anchor.eip1559 import encode_unsigned, parse_signed, parse_unsigned
from vermilion_anchor.evm import AccountSigner
from vermilion_anchor.ports import TransactionFields
from vermilion_ledger.anchor_rows import AnchorTarget
from vermilion_ledger.encoding import encode_json
from vermilion_ledger.errors import EvidenceError, InputError
from vermilion_ledger.evm.finality import parse_finality
from vermilion_ledger.evm.keccak import keccak256
from vermilion_ledger.evm.receipt import AnchorHints, AnchorReceipt
from vermilion_ledger.evm.rlp import encode_integer, encode_rlp

SIGNER = AccountSigner(b"\x42" * 32)
TARGET = AnchorTarget(chain_id=31337, contract=b"\x01" * 20, log=b"\x02" * 32)
MOMENT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
FIELDS = TransactionFields(
    chain_id=31337,
    nonce=7,
    to=TARGET.contract,
    data=encode_anchor_call(TARGET.log, 1024, b"\x03" * 32, (b"\x04" * 32,)),
    gas_limit=91_500,
    max_fee=2 * 10**9,
    priority_fee=10**8,
)
RAW = SIGNER.sign(FIELDS)
ATTEMPT = CourierAttempt(transaction=keccak256(RAW), size=1024, root=b"\x03" * 32)
EARLIER = CourierAttempt(transaction=b"\x05" * 32, size=1000, root=b"\x06" * 32)
ORDER = CourierOrder(
    target=TARGET,
    code_hash=b"\x07" * 32,
    finality=parse_finality("confirmations:3"),
    account=SIGNER.address,
    fields=FIELDS,
    raw=RAW,
    attempts=(EARLIER, ATTEMPT),
    created_at=MOMENT,
)
INQUIRY = replace(ORDER, fields=None, raw=None, attempts=())
UNSIGNED = replace(ORDER, raw=None, attempts=())


def header(number: int) -> bytes:
    fields = [bytes(32)] * 8 + [encode_integer(number), b"", b"", encode_integer(1_800_000_000)]
    return encode_rlp([*fields, b"", bytes(32), bytes(8), b""])


RECEIPT = AnchorReceipt(
    chain_id=31337,
    contract=TARGET.contract,
    log=TARGET.log,
    size=1024,
    root=b"\x03" * 32,
    transaction_index=0,
    log_index=0,
    header=header(42),
    receipt=b"\x02\xc0",
    receipt_proof=(b"\xc0",),
    hints=AnchorHints(transaction=ATTEMPT.transaction),
)
ANSWER = CourierAnswer(
    order=hashlib.sha256(b"order").digest(),
    target=TARGET,
    account=SIGNER.address,
    status=CourierStatus(
        height=80,
        head_size=1024,
        head_root=b"\x03" * 32,
        nonce=8,
        balance=10**21,
        base_fee=10**9,
        priority_fee=0,
        header=header(77),
    ),
    receipt=RECEIPT,
    gas_used=46_051,
    gas_price=10**9 + 7,
    endpoints=("localhost:8545", "node.example.org:443"),
    created_at=MOMENT,
)
BARE = replace(
    ANSWER,
    receipt=None,
    gas_used=None,
    gas_price=None,
    status=replace(ANSWER.status, header=None, head_size=0, head_root=bytes(32)),
)


def resealed(data: bytes, change: Callable[[dict[str, Any]], Any]) -> bytes:
    """What somebody writes who knows how the checksum is made."""
    members = json.loads(data)
    change(members)
    members.pop("checksum", None)
    made = hashlib.sha256(b"vermilion/courier/v1\0" + encode_json(members)).hexdigest()
    return encode_json({**members, "checksum": made})


def refused(parse: Callable[[bytes], object], data: bytes) -> str:
    with pytest.raises(EvidenceError) as caught:
        parse(data)
    return caught.value.code


@pytest.mark.parametrize(
    "order", [ORDER, INQUIRY, UNSIGNED, replace(UNSIGNED, attempts=(EARLIER,))]
)
def test_an_order_comes_back_as_it_was(order: CourierOrder) -> None:
    data = encode_order(order)

    assert parse_order(data) == order
    assert encode_order(parse_order(data)) == data


@pytest.mark.parametrize("answer", [ANSWER, BARE])
def test_an_answer_comes_back_as_it_was(answer: CourierAnswer) -> None:
    assert parse_answer(encode_answer(answer)) == answer


def test_the_lines_are_those_of_the_headers() -> None:
    members = json.loads(encode_answer(ANSWER))

    assert members["blocks"] == [
        f"31337 42 0x{keccak256(header(42)).hex()}",
        f"31337 77 0x{keccak256(header(77)).hex()}",
    ]


@pytest.mark.parametrize(
    ("data", "parse"), [(encode_order(ORDER), parse_order), (encode_answer(ANSWER), parse_answer)]
)
def test_no_bit_may_differ_unnoticed(data: bytes, parse: Callable[[bytes], object]) -> None:
    for place in range(0, len(data), 3):
        altered = bytearray(data)
        altered[place] ^= 1 << place % 7
        assert refused(parse, bytes(altered))


@pytest.mark.parametrize("cut", [0, 1, 2, 100, -1])
@pytest.mark.parametrize(
    ("data", "parse"), [(encode_order(ORDER), parse_order), (encode_answer(ANSWER), parse_answer)]
)
def test_a_file_of_another_length_is_refused(
    data: bytes, parse: Callable[[bytes], object], cut: int
) -> None:
    assert refused(parse, data[:cut])
    assert refused(parse, data + b" " * (abs(cut) + 1))


def _paths(members: dict[str, Any], within: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    return [
        path
        for name, value in members.items()
        for path in (
            _paths(value, (*within, name)) if isinstance(value, dict) else [(*within, name)]
        )
    ]


ORDER_PATHS = _paths(json.loads(encode_order(ORDER)))
FREE = {"createdAt", "codeHash", "finality"}  # nothing else in the order is about these


def _altered(value: Any) -> Any:
    """Another value of the same form: one digit differs."""
    if isinstance(value, int):
        return value + 1
    if isinstance(value, list):
        return [*value[:-1], {**value[-1], "size": value[-1]["size"] + 1}]
    if value.startswith("confirmations"):
        return "confirmations:4"
    return value[:-2] + ("5Z" if value.endswith("Z") else f"{int(value[-2:], 16) ^ 1:02x}")


@pytest.mark.parametrize(
    "path", [p for p in ORDER_PATHS if p[0] not in FREE | {"checksum", "mediaType"}]
)
def test_a_member_that_contradicts_another_is_refused(path: tuple[str, ...]) -> None:
    def change(members: dict[str, Any]) -> None:
        for name in path[:-1]:
            members = members[name]
        members[path[-1]] = _altered(members[path[-1]])

    assert refused(parse_order, resealed(encode_order(ORDER), change))


@pytest.mark.parametrize("name", ["chainId", "contract", "log", "blocks"])
def test_an_answer_that_contradicts_its_receipt_is_refused(name: str) -> None:
    def change(members: dict[str, Any]) -> None:
        members[name] = members[name][1:] if name == "blocks" else _altered(members[name])

    assert refused(parse_answer, resealed(encode_answer(ANSWER), change)) == "courier.contradiction"


WRONG: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "kind": (lambda m: m.update(mediaType="application/json"), "courier.kind"),
    "later": (lambda m: m.update(mediaType=m["mediaType"].replace("v1", "v2")), "courier.kind"),
    "unknown": (lambda m: m.update(more=1), "json.unknown-member"),
    "missing": (lambda m: m.pop("account"), "json.missing-member"),
    "chain": (lambda m: m.update(chainId=0), "anchor.row"),
    "odd": (lambda m: m.update(account=m["account"][:-1]), "hex.malformed"),
    "rule": (lambda m: m.update(finality="soon"), "finality.malformed"),
    "attempts": (lambda m: m.update(attempts={}), "json.shape"),
    "many": (lambda m: m.update(attempts=m["attempts"] * 600), "courier.too-many"),
    "inquiry": (lambda m: m.pop("transaction"), "courier.contradiction"),
    "unwatched": (lambda m: m.update(attempts=m["attempts"][:1]), "courier.contradiction"),
    "call": (
        lambda m: m["transaction"].update(
            unsigned="0x" + encode_unsigned(replace(FIELDS, data=b"\x01" * 200)).hex()
        ),
        "courier.call",
    ),
    "legacy": (lambda m: m["transaction"].update(unsigned="0x01c0"), "rlp.shape"),
    "wallet": (
        lambda m: m.update(signed="0x" + AccountSigner(b"\x43" * 32).sign(FIELDS).hex()),
        "signer.other-key",
    ),
    "dearer": (
        lambda m: m.update(signed="0x" + SIGNER.sign(replace(FIELDS, max_fee=10**12)).hex()),
        "signer.other-transaction",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_an_order_out_of_form_is_refused(name: str) -> None:
    change, code = WRONG[name]

    assert refused(parse_order, resealed(encode_order(ORDER), change)) == code


@pytest.mark.parametrize("amount", ["01", "-1", "", "1e3", 5, "9" * 79])
def test_wei_have_one_form(amount: object) -> None:
    def change(members: dict[str, Any]) -> None:
        members["status"]["balance"] = amount

    assert refused(parse_answer, resealed(encode_answer(ANSWER), change)) == "courier.wei"


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_an_orderly_way(data: bytes) -> None:
    for parse in (parse_order, parse_answer, parse_anchor_call, parse_unsigned, parse_signed):
        with pytest.raises(InputError):
            parse(data)


@given(
    size=st.integers(1, 2**53 - 1),
    proof=st.lists(st.binary(min_size=32, max_size=32), max_size=63),
)
def test_a_call_comes_back_and_a_longer_one_does_not(size: int, proof: list[bytes]) -> None:
    data = encode_anchor_call(TARGET.log, size, b"\x08" * 32, proof)

    call = parse_anchor_call(data)

    assert (call.log, call.size, call.proof) == (TARGET.log, size, tuple(proof))
    for other in (data + b"\0", data + bytes(32), data[:-1], b"\0" + data[1:]):
        with pytest.raises(InputError):
            parse_anchor_call(other)


@pytest.mark.parametrize("size", [0, 2**53])
def test_a_call_of_a_tree_that_cannot_be_is_refused(size: int) -> None:
    data = encode_anchor_call(TARGET.log, size, b"\x08" * 32, ())

    assert refused(parse_anchor_call, data) == "courier.call"


def test_what_is_signed_reads_back_as_what_was_asked_for() -> None:
    assert parse_signed(RAW) == parse_unsigned(encode_unsigned(FIELDS)) == FIELDS


@pytest.mark.parametrize("place", [6, 8])
def test_a_transaction_with_ether_or_an_access_list_is_refused(place: int) -> None:
    items: list[Any] = [b"\x01", b"", b"", b"", b"", b"\x01" * 20, b"", b"", ()]
    items[place] = b"\x01" if place == 6 else ((b"\x01" * 20, ()),)

    assert refused(parse_unsigned, b"\x02" + encode_rlp(items)) == "rlp.shape"
