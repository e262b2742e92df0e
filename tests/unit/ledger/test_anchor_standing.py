"""Remarks about anchors: odd ones are none, and cost nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from anchor_kit import NOW, finished, make_note
from vermilion_ledger.anchor_rows import JobState
from vermilion_ledger.anchor_standing import observed_at, wait_code
from vermilion_ledger.codes import all_codes


@pytest.mark.parametrize(
    "receipt",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"hints":null}',
        b'{"hints":{}}',
        b'{"hints":[]}',
        b'{"hints":{"observedAt":null}}',
        b'{"hints":{"observedAt":7}}',
        b'{"hints":{"observedAt":"yesterday"}}',
        b'{"hints":{"observedAt":"2026-02-30T00:00:00Z"}}',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_a_receipt_without_a_good_remark_tells_no_time(receipt: bytes) -> None:
    assert observed_at(receipt) is None


def test_the_remark_tells_when_it_was_final() -> None:
    assert observed_at(b'{"hints":{"observedAt":"2026-11-21T08:00:00Z"}}') == NOW


@pytest.mark.parametrize("missing", ["gas_used", "gas_price"])
def test_without_a_nodes_word_there_is_no_cost(missing: str) -> None:
    anchor = replace(finished(1, size=5), **{missing: None})  # type: ignore[arg-type]

    assert anchor.paid is None
    assert anchor.paid_per_document is None


@pytest.mark.parametrize("documents", [0, -3])
def test_a_tree_anchored_again_has_no_cost_per_document(documents: int) -> None:
    assert finished(1, size=5, documents=documents).paid_per_document is None


@pytest.mark.parametrize(("documents", "each"), [(1, 7), (2, 4), (3, 2), (7, 1), (15, 0)])
def test_the_cost_per_document_is_rounded(documents: int, each: int) -> None:
    anchor = finished(1, size=9, documents=documents, gas_used=7, gas_price=1)

    assert anchor.paid_per_document == each


def test_every_state_has_a_documented_code() -> None:
    for state in (None, *JobState):
        assert wait_code(state) in all_codes()
        assert not make_note(wait_code(state)).is_trouble


@pytest.mark.parametrize("code", ["anchor.fee-cap", "chain.unreachable", "", "wait.unheard-of"])
def test_any_other_code_is_trouble(code: str) -> None:
    assert make_note(code).is_trouble
