"""Quoted blocks: what was offered is accepted, what was not needs the chain."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from served import (
    CHAIN_ID,
    Served,
    make_block,
    prepare,
    refused,
    send,
    serving,
)
from vermilion_api.wiring import now
from vermilion_ledger.statement import Seen


def test_a_block_of_a_chain_that_nobody_anchors_on_is_refused(served: Served) -> None:
    key = served.enrol("elsewhere")
    record = served.register("elsewhere")["record"]
    made = prepare(served, record, key)
    assert made.seen is not None
    moved = replace(made, seen=replace(made.seen, chain_id=1))

    assert refused(lambda: send(served, record, moved, key)) == "seen.other-chain"


@pytest.mark.parametrize("change", [{"number": 43}, {"hash": bytes(32)}])
def test_a_block_that_was_not_offered_is_not_believed(
    served: Served, change: dict[str, Any]
) -> None:
    name = f"unoffered {sorted(change)}"
    key = served.enrol(name)
    record = served.register(name)["record"]
    made = prepare(served, record, key)
    assert made.seen is not None
    other = replace(made, seen=replace(made.seen, **change))

    # The chain is down: it cannot be asked, and nothing is believed without it.
    assert refused(lambda: send(served, record, other, key)) == "chain.unreachable"


def test_a_block_offered_long_ago_is_not_accepted_without_the_chain(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        served.register_key(served.root)
        key = served.enrol("late")
        record = served.register("late")["record"]
        old = make_block(7)
        served.ledger.database.blocks.save(old, offered_at=now() - timedelta(days=7, minutes=1))
        fresh = make_block(8)
        served.ledger.database.blocks.save(fresh, offered_at=now() - timedelta(days=6, hours=23))
        made = prepare(served, record, key)

        late = replace(made, seen=Seen(chain_id=CHAIN_ID, number=7, hash=old.hash))
        assert refused(lambda: send(served, record, late, key)) == "chain.unreachable"

        in_time = replace(made, seen=Seen(chain_id=CHAIN_ID, number=8, hash=fresh.hash))
        assert send(served, record, in_time, key)["sequence"] == 1


def test_with_the_chain_down_and_nothing_offered_only_approvals_wait(tmp_path: Path) -> None:
    with serving(tmp_path, offered=False) as served:
        served.register_key(served.root)
        key = served.enrol("waiting")
        record = served.register("waiting")["record"]

        assert refused(lambda: served.decide(record, key)) == "seen.unavailable"
        assert served.register("going on")["state"] == "published"


def test_an_event_that_nobody_need_sign_quotes_nothing(served: Served) -> None:
    record = served.register("plain event")["record"]
    actor = {"id": "clerk", "name": "", "post": "", "unit": ""}

    made = prepare(served, record, event="dispatch", detail={}, actor=actor)
    found = send(served, record, made)

    assert made.seen is None
    assert made.prior is None
    assert found["sequence"] == 1
