from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vermilion_ledger.encoding import encode_json, parse_json
from vermilion_ledger.errors import InputError, VerificationError
from vermilion_ledger.evm.keccak import keccak256
from vermilion_ledger.evm.receipt import (
    ANCHORED_TOPIC,
    AnchorHints,
    encode_anchor_receipt,
    parse_anchor_receipt,
    verify_anchor_receipt,
)
from vermilion_ledger.evm.rlp import Item, decode_rlp, encode_rlp
from vermilion_ledger.evm.trie import build_ordered_trie

Sample = Callable[..., Any]
Fields = Callable[..., list[Item]]
SIZE_WORD, ROOT = (1024).to_bytes(32, "big"), b"\x22" * 32


def code_of(receipt: Any) -> str:
    with pytest.raises(VerificationError) as error:
        verify_anchor_receipt(receipt)
    return error.value.code


def flip(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_the_event_of_the_contract_is_proven(sample: Sample) -> None:
    receipt = sample().build()

    anchor = verify_anchor_receipt(receipt)

    assert (anchor.size, anchor.root, anchor.chain_id) == (1024, ROOT, 31337)
    assert (anchor.contract, anchor.log) == (receipt.contract, receipt.log)
    assert anchor.block_hash == keccak256(receipt.header)
    assert anchor.block_number == 42
    assert anchor.block_time == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


@pytest.mark.parametrize("kind", [b"", b"\x01", b"\x02", b"\x03", b"\x04"])
def test_legacy_and_the_four_typed_receipts_are_read(sample: Sample, kind: bytes) -> None:
    verify_anchor_receipt(sample(kind=kind).build())


@pytest.mark.parametrize(
    "kind", [b"\x00", b"\x05", b"\x7e", b"\x7f", b"\x80", b"\xbf", b"\x02\x02"]
)
def test_other_types_are_refused(sample: Sample, kind: bytes) -> None:
    assert code_of(sample(kind=kind).build()) == "receipt.malformed"


@pytest.mark.parametrize("count", [1, 2, 16, 17, 128, 129, 300])
def test_the_receipt_is_found_at_every_kind_of_position(sample: Sample, count: int) -> None:
    for index in {0, 1, 127, 128, 129, 255, 256, count // 2, count - 1} & set(range(count)):
        receipt = sample(count=count, index=index).build()
        verify_anchor_receipt(receipt)
        assert code_of(replace(receipt, transaction_index=index + 1)).startswith("trie.")


@pytest.mark.parametrize("status", [b"", b"\x02", b"\x01\x01", b"\x00" * 32, b"\x01" * 32])
def test_a_failed_transaction_is_refused(sample: Sample, status: bytes) -> None:
    assert code_of(sample(status=status).build()) == "receipt.failed-transaction"


def test_a_status_that_is_a_list_is_refused(sample: Sample) -> None:
    assert code_of(sample(status=()).build()) == "receipt.failed-transaction"


@pytest.mark.parametrize(
    "address", [b"\x01" * 20, bytes(range(1, 21)), b"", bytes(range(20)) + b"\0"]
)
def test_another_emitter_is_refused(sample: Sample, address: bytes) -> None:
    assert code_of(sample(address=address).build()) == "receipt.other-contract"


@pytest.mark.parametrize(
    "topics",
    [
        (),
        (ANCHORED_TOPIC,),
        (b"\x11" * 32, ANCHORED_TOPIC),
        (b"\x33" * 32, b"\x11" * 32),
        (ANCHORED_TOPIC, b"\x12" * 32),
        (ANCHORED_TOPIC, b"\x11" * 32, b"\x11" * 32),
        (ANCHORED_TOPIC, (b"\x11" * 32,)),
        (keccak256(b"Anchored(bytes32,uint256,bytes32)"), b"\x11" * 32),
    ],
)
def test_another_event_or_log_is_refused(sample: Sample, topics: tuple[Item, ...]) -> None:
    assert code_of(sample(topics=topics).build()) == "receipt.other-event"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        (SIZE_WORD + ROOT)[:63],
        SIZE_WORD + ROOT + b"\0",
        ROOT + SIZE_WORD,
        (1023).to_bytes(32, "big") + ROOT,
        (2**64 + 1024).to_bytes(32, "big") + ROOT,
        b"\x80" + SIZE_WORD[1:] + ROOT,
        SIZE_WORD + b"\x23" * 32,
    ],
)
def test_another_size_or_root_is_refused(sample: Sample, data: bytes) -> None:
    assert code_of(sample(data=data).build()) == "receipt.other-tree"


@pytest.mark.parametrize("extra", [(b"",), (b"", b""), ((),)])
def test_a_receipt_of_five_fields_is_refused(sample: Sample, extra: tuple[Item, ...]) -> None:
    assert code_of(sample(extra=extra).build()) == "receipt.malformed"


@pytest.mark.parametrize(
    "fields",
    [
        (b"\x01", b"\x01", bytes(256)),
        (b"\x01", b"\x00\x01", bytes(256), ()),
        (b"\x01", (), bytes(256), ()),
        (b"\x01", b"\x01" * 9, bytes(256), ()),
        (b"\x01", b"\x01", bytes(255), ()),
        (b"\x01", b"\x01", (), ()),
        (b"\x01", b"\x01", bytes(256), b""),
        (),
    ],
)
def test_a_malformed_receipt_is_refused(
    sample: Sample, header_fields: Fields, fields: tuple[Item, ...]
) -> None:
    raw = b"\x02" + encode_rlp(fields)
    trie = build_ordered_trie([raw])
    receipt = sample().build(
        receipt=raw, header=encode_rlp(header_fields(trie.root)), receipt_proof=trie.prove(0)
    )

    assert code_of(receipt) == "receipt.malformed"


@pytest.mark.parametrize("log_extra", [(b"",), ((), ())])
def test_a_log_of_other_than_three_fields_is_refused(
    sample: Sample, log_extra: tuple[Item, ...]
) -> None:
    assert code_of(sample(log_extra=log_extra).build()) == "receipt.malformed"


@pytest.mark.parametrize("logs", [(b"event",), ((),), ((b"\x01" * 20, ()),)])
def test_a_log_that_is_no_log_is_refused(sample: Sample, logs: tuple[Item, ...]) -> None:
    assert code_of(sample(logs=logs).build()) == "receipt.malformed"


def test_the_log_is_counted_within_the_receipt(sample: Sample) -> None:
    receipt = sample(before=2, after=1, count=5, index=3).build()

    verify_anchor_receipt(receipt)
    assert code_of(replace(receipt, log_index=0)) == "receipt.other-contract"
    assert code_of(replace(receipt, log_index=1)) == "receipt.other-contract"
    assert code_of(replace(receipt, log_index=3)) == "receipt.other-contract"
    assert code_of(replace(receipt, log_index=4)) == "receipt.no-event"
    assert code_of(replace(receipt, log_index=2**53 - 1)) == "receipt.no-event"


def test_a_receipt_without_logs_is_refused(sample: Sample) -> None:
    assert code_of(sample(logs=()).build()) == "receipt.no-event"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"contract": b"\x05" * 20}, "receipt.other-contract"),
        ({"log": b"\x05" * 32}, "receipt.other-event"),
        ({"size": 1025}, "receipt.other-tree"),
        ({"size": 1}, "receipt.other-tree"),
        ({"root": b"\x05" * 32}, "receipt.other-tree"),
        ({"transaction_index": 1}, "trie.no-value"),
        ({"log_index": 1}, "receipt.no-event"),
        ({"receipt_proof": ()}, "trie.node-missing"),
        ({"header": b""}, "receipt.header"),
        ({"header": b"\xc0"}, "receipt.header"),
        ({"header": bytes(5000)}, "receipt.header"),
        ({"receipt": b""}, "trie.other-value"),
    ],
)
def test_a_statement_that_differs_from_the_event_is_refused(
    sample: Sample, change: dict[str, Any], code: str
) -> None:
    assert code_of(sample().build(**change)) == code


def test_a_header_of_14_fields_is_refused(sample: Sample) -> None:
    receipt = sample().build()
    fields = decode_rlp(receipt.header, what="header")

    assert code_of(replace(receipt, header=encode_rlp(fields[:14]))) == "receipt.header"


def test_trailing_bytes_after_the_receipt_are_refused(sample: Sample) -> None:
    receipt = sample().build()

    assert code_of(replace(receipt, receipt=receipt.receipt + b"\0")) == "trie.other-value"


@pytest.mark.parametrize("count", [1, 17])
def test_every_flipped_bit_of_receipt_and_proof_is_refused(sample: Sample, count: int) -> None:
    receipt = sample(count=count, index=count - 1).build()

    for bit in range(8 * len(receipt.receipt)):
        code_of(replace(receipt, receipt=flip(receipt.receipt, bit)))
    for number, node in enumerate(receipt.receipt_proof):
        for bit in range(8 * len(node)):
            proof = list(receipt.receipt_proof)
            proof[number] = flip(node, bit)
            code_of(replace(receipt, receipt_proof=tuple(proof)))


def test_every_flipped_bit_of_the_header_is_refused_or_names_another_block(sample: Sample) -> None:
    receipt = sample().build()
    block_hash = verify_anchor_receipt(receipt).block_hash

    for bit in range(8 * len(receipt.header)):
        try:
            anchor = verify_anchor_receipt(replace(receipt, header=flip(receipt.header, bit)))
        except VerificationError:
            continue
        assert anchor.block_hash != block_hash


@given(st.binary(max_size=600), st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_are_refused_as_evidence_and_not_otherwise(
    sample: Sample, header: bytes, raw: bytes, node: bytes
) -> None:
    code_of(sample().build(header=header, receipt=raw, receipt_proof=(node,)))


# --- the object of FORMATS section 8 ---


def members(sample: Sample) -> dict[str, Any]:
    receipt = sample().build(
        consistency=(b"\x01" * 32, b"\x02" * 32),
        hints=AnchorHints(
            transaction=b"\x03" * 32,
            finality="confirmations:12",
            observed_block=77,
            observed_at=datetime(2026, 11, 21, 8, 0, tzinfo=UTC),
        ),
    )
    return encode_anchor_receipt(receipt)


def test_the_object_is_read_back_unchanged(sample: Sample) -> None:
    value = members(sample)
    data = encode_json(value)

    receipt = parse_anchor_receipt(parse_json(data, size_max=100_000, what="receipt"))

    assert encode_json(encode_anchor_receipt(receipt)) == data
    verify_anchor_receipt(receipt)


@pytest.mark.parametrize("name", ["consistency", "hints"])
def test_optional_members_may_be_absent(sample: Sample, name: str) -> None:
    value = members(sample)
    del value[name]

    receipt = parse_anchor_receipt(value)

    assert getattr(receipt, name) is None
    assert encode_anchor_receipt(receipt) == value


@pytest.mark.parametrize("name", ["transaction", "finality", "observedBlock", "observedAt"])
def test_each_hint_may_be_absent(sample: Sample, name: str) -> None:
    value = members(sample)
    del value["hints"][name]

    assert encode_anchor_receipt(parse_anchor_receipt(value)) == value


@pytest.mark.parametrize(
    "name",
    [
        "type",
        "chainId",
        "contract",
        "log",
        "size",
        "root",
        "transactionIndex",
        "logIndex",
        "header",
        "receipt",
        "receiptProof",
    ],
)
def test_a_missing_member_is_refused(sample: Sample, name: str) -> None:
    value = members(sample)
    del value[name]

    with pytest.raises(InputError) as error:
        parse_anchor_receipt(value)

    assert error.value.code == "json.missing-member"


WRONG: list[tuple[str, Any]] = [
    ("type", "evm-receipt:v2"),
    ("type", None),
    ("chainId", 0),
    ("chainId", -1),
    ("chainId", True),
    ("chainId", "31337"),
    ("chainId", 2**53),
    ("contract", "00" * 20),
    ("contract", "0x" + "00" * 19),
    ("contract", "0x" + "AA" * 20),
    ("contract", "0x" + "00" * 32),
    ("log", "0x" + "00" * 31),
    ("log", "00" * 32),
    ("size", 0),
    ("size", 2**53),
    ("size", 1.0),
    ("size", False),
    ("root", "0x" + "00" * 32),
    ("root", "00" * 31),
    ("root", None),
    ("transactionIndex", -1),
    ("transactionIndex", "0"),
    ("transactionIndex", True),
    ("logIndex", -1),
    ("logIndex", 2**53),
    ("header", "00"),
    ("header", "0x0"),
    ("header", "0x" + "00" * 4097),
    ("receipt", []),
    ("receipt", "0X00"),
    ("receiptProof", "0x00"),
    ("receiptProof", ["0x00"] * 17),
    ("receiptProof", [b"0x00"]),
    ("receiptProof", {}),
    ("consistency", None),
    ("consistency", ["00" * 32] * 64),
    ("consistency", ["0x" + "00" * 32]),
    ("consistency", ["00" * 31]),
    ("hints", None),
    ("hints", []),
    ("hints", {"note": "x"}),
    ("hints", {"transaction": "00" * 32}),
    ("hints", {"finality": ""}),
    ("hints", {"finality": "x" * 201}),
    ("hints", {"finality": "a\nb"}),
    ("hints", {"finality": 12}),
    ("hints", {"observedBlock": -1}),
    ("hints", {"observedBlock": "77"}),
    ("hints", {"observedAt": "2026-11-21 08:00:00"}),
    ("status", 1),
    ("Size", 1024),
]


@pytest.mark.parametrize(("name", "wrong"), WRONG)
def test_a_malformed_member_is_refused(sample: Sample, name: str, wrong: Any) -> None:
    with pytest.raises(InputError):
        parse_anchor_receipt({**members(sample), name: wrong})


@pytest.mark.parametrize("value", [None, [], "x", 1, {}, [{}]])
def test_what_is_no_object_is_refused(value: Any) -> None:
    with pytest.raises(InputError):
        parse_anchor_receipt(value)


def test_the_topic_is_the_hash_of_the_events_signature() -> None:
    assert keccak256(b"Anchored(bytes32,uint64,bytes32)") == ANCHORED_TOPIC
