from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from vermilion_ledger.anchor_rows import (
    AnchorAttempt,
    AnchorTarget,
    ChainBlock,
    FinalAnchor,
    JobState,
    MinedIn,
)
from vermilion_ledger.errors import InputError

NOW = datetime(2027, 1, 1, tzinfo=UTC)
HASH = b"\x01" * 32
TARGET = AnchorTarget(chain_id=1, contract=b"\x02" * 20, log=HASH)
ROWS: list[tuple[type[Any], dict[str, Any]]] = [
    (AnchorTarget, {"chain_id": 1, "contract": b"\x02" * 20, "log": HASH}),
    (
        AnchorAttempt,
        {
            "nonce": 0,
            "gas_limit": 1,
            "max_fee": 1,
            "priority_fee": 1,
            "raw": b"x",
            "transaction": HASH,
            "signed_block": 0,
            "signed_at": NOW,
        },
    ),
    (MinedIn, {"transaction": HASH, "block_number": 1, "block_hash": HASH}),
    (
        FinalAnchor,
        {
            "target": TARGET,
            "size": 1,
            "root": HASH,
            "transaction": HASH,
            "transaction_index": 0,
            "log_index": 0,
            "block_number": 1,
            "block_hash": HASH,
            "block_time": NOW,
            "header": b"x",
            "receipt": b"{}",
        },
    ),
    (ChainBlock, {"chain_id": 1, "number": 1, "hash": HASH, "time": NOW, "header": b"x"}),
]
WRONG = {
    "chain_id": 0,
    "contract": HASH,
    "log": b"\x01" * 20,
    "raw": b"",
    "transaction": b"",
    "block_hash": b"\x01" * 31,
    "root": b"\x01" * 33,
    "hash": b"\x01" * 31,
}


@pytest.mark.parametrize(("kind", "values"), ROWS, ids=[kind.__name__ for kind, _ in ROWS])
def test_a_row_with_a_hash_of_another_size_is_refused(
    kind: type[Any], values: dict[str, Any]
) -> None:
    kind(**values)

    for name in WRONG.keys() & values.keys() - ({"chain_id"} if kind is ChainBlock else set()):
        with pytest.raises(InputError) as error:
            kind(**values | {name: WRONG[name]})
        assert error.value.code == "anchor.row"


def test_only_two_states_are_closed() -> None:
    assert {state for state in JobState if not state.is_open} == {"final", "superseded"}
