from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vermilion_anchor.artifact import load_artifact
from vermilion_anchor.receipts import (
    build_anchor_receipt,
    encode_header,
    encode_receipt,
    parse_data,
    parse_quantity,
)
from vermilion_ledger.anchor_rows import AnchorJob, AnchorTarget, JobState, MinedIn
from vermilion_ledger.errors import InputError, UnavailableError, VerificationError
from vermilion_ledger.evm.keccak import keccak256
from vermilion_ledger.evm.receipt import ANCHORED_TOPIC, AnchorHints, verify_anchor_receipt
from vermilion_ledger.evm.rlp import Item, encode_integer, encode_rlp
from vermilion_ledger.evm.trie import build_ordered_trie

ROOT = b"\x22" * 32
TARGET = AnchorTarget(chain_id=31337, contract=b"\x10" * 20, log=b"\x11" * 32)
EVENT: Item = (TARGET.contract, (ANCHORED_TOPIC, TARGET.log), (7).to_bytes(32, "big") + ROOT)
OTHER: Item = (b"\x77" * 20, (), b"")


def receipt(*logs: Item, status: bytes = b"\x01") -> bytes:
    return b"\x02" + encode_rlp((status, encode_integer(21_000), bytes(256), logs))


def header(receipts: list[bytes]) -> bytes:
    fields: list[Item] = [bytes(32)] * 15
    fields[5] = build_ordered_trie(receipts).root
    fields[8] = fields[11] = b"\x05"
    return encode_rlp(fields)


def job(block_header: bytes, **changes: Any) -> AnchorJob:
    mined = MinedIn(transaction=b"\x01" * 32, block_number=5, block_hash=keccak256(block_header))
    values: dict[str, Any] = {
        "number": 1,
        "target": TARGET,
        "size": 7,
        "root": ROOT,
        "state": JobState.MINED,
        "mined": mined,
        "planned_at": datetime(2027, 1, 1, tzinfo=UTC),
    }
    return AnchorJob(**(values | changes))


def build(receipts: list[bytes], index: int, **changes: Any) -> Any:
    raw = header(receipts)
    return build_anchor_receipt(
        job(raw, **changes),
        header=raw,
        receipts=receipts,
        transaction_index=index,
        hints=AnchorHints(),
    )


def test_the_event_is_found_where_it_is() -> None:
    built, anchor = build([receipt(OTHER), receipt(OTHER, EVENT, OTHER)], 1)

    assert (built.transaction_index, built.log_index) == (1, 1)
    assert verify_anchor_receipt(built) == anchor


def test_receipts_of_another_block_are_refused() -> None:
    receipts = [receipt(OTHER), receipt(EVENT)]
    raw = header(receipts)

    for wrong in (receipts[1:], [*receipts, receipt(OTHER)], receipts[::-1], []):
        with pytest.raises(UnavailableError) as error:
            build_anchor_receipt(
                job(raw), header=raw, receipts=wrong, transaction_index=1, hints=AnchorHints()
            )
        assert error.value.code == "chain.receipts-root"


@pytest.mark.parametrize("changes", [{"size": 8}, {"root": b"\x23" * 32}])
def test_a_receipt_without_the_jobs_event_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UnavailableError) as error:
        build([receipt(EVENT)], 0, **changes)

    assert error.value.code == "chain.receipts-root"


def test_an_index_outside_the_block_is_refused() -> None:
    with pytest.raises(UnavailableError):
        build([receipt(EVENT)], 1)


def test_a_failed_transaction_is_refused() -> None:
    with pytest.raises(VerificationError):
        build([receipt(EVENT, status=b"")], 0)


def test_another_block_than_the_jobs_is_refused() -> None:
    receipts = [receipt(EVENT)]
    other = MinedIn(transaction=b"\x01" * 32, block_number=5, block_hash=b"\x05" * 32)

    with pytest.raises(VerificationError) as error:
        build(receipts, 0, mined=other)

    assert error.value.code == "receipt.header"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("0x01"),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@given(JSON)
def test_any_answer_is_read_or_unavailable(value: Any) -> None:
    for read in (parse_quantity, parse_data):
        with suppress(UnavailableError):
            read(value, "x")


@pytest.mark.parametrize(
    "value", ["0x", "0xg", "1", "-0x1", "0x-1", "0x+1", "0x_1", "0x 1", None, 1]
)
def test_odd_numbers_of_a_node_are_refused(value: Any) -> None:
    with pytest.raises(UnavailableError):
        parse_quantity(value, "x")


@pytest.mark.parametrize("value", ["0x0", "0xgg", "00", "0x 00", None, 0, b"0x00"])
def test_odd_bytes_of_a_node_are_refused(value: Any) -> None:
    with pytest.raises(UnavailableError):
        parse_data(value, "x")
    with pytest.raises(UnavailableError):
        parse_data("0x00", "x", size=2)


def test_a_block_or_receipt_that_lacks_members_is_refused() -> None:
    with pytest.raises(UnavailableError):
        encode_header({})
    with pytest.raises(UnavailableError):
        encode_receipt({})
    with pytest.raises(UnavailableError):
        encode_receipt(
            {"status": "0x1", "cumulativeGasUsed": "0x1", "logsBloom": "0x", "logs": [{}]}
        )


def test_a_receipt_of_before_byzantium_keeps_its_root() -> None:
    encoded = encode_receipt(
        {"root": "0x" + "11" * 32, "cumulativeGasUsed": "0x5208", "logsBloom": "0x00", "logs": []}
    )

    assert encoded == encode_rlp((b"\x11" * 32, b"\x52\x08", b"\x00", ()))


def test_the_artifact_is_whole() -> None:
    artifact = load_artifact()

    assert keccak256(artifact.runtime_code) == artifact.code_hash
    assert artifact.runtime_code in artifact.creation_code


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 0},
        {"size": 2**53},
        {"root": b"\x01" * 31},
        {"mined": None},
        {"state": JobState.SENT},
    ],
)
def test_a_job_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        job(header([receipt(EVENT)]), **wrong)
