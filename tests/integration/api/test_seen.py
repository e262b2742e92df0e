"""Quoted blocks: what was offered is accepted, what was not needs the chain."""

from __future__ import annotations

from collections.abc import Iterator
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
from vermilion_api.services.seen import SeenDesk
from vermilion_api.wiring import now
from vermilion_ledger.anchor_rows import AnchorTarget, ChainBlock, FinalAnchor
from vermilion_ledger.errors import UnavailableError, VerificationError
from vermilion_ledger.statement import Seen
from vermilion_ledger.store import Database, open_database


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


# -- the age of a block, by a clock that is moved

DAY = timedelta(days=1)


class Chain:
    """Implements `vermilion_api.services.seen.BlockSource`: one final block."""

    def __init__(self, block: ChainBlock | None) -> None:
        self.block = block
        self.asked = 0

    def offer_block(self) -> ChainBlock | None:
        return self.block

    def load_block(self, block_hash: bytes) -> ChainBlock | None:
        self.asked += 1
        return self.block if self.block and self.block.hash == block_hash else None

    def is_final(self, number: int, block_hash: bytes) -> bool:
        return True


class NoAnchors:
    def load_final(self, target: AnchorTarget, *, size: int | None = None) -> FinalAnchor | None:
        return None


class Moving:
    """A desk over a database of its own, at a moment that the test sets."""

    def __init__(self, database: Database, chain: Chain) -> None:
        self.block, self.chain = make_block(42), chain
        self.now = self.block.time
        self.desk = SeenDesk(
            targets=[AnchorTarget(chain_id=CHAIN_ID, contract=bytes(20), log=bytes(32))],
            chains={CHAIN_ID: chain},
            blocks=database.blocks,
            anchors=NoAnchors(),
            clock=lambda: self.now,
            offered_days=6,
        )

    def is_taken(self, after: timedelta) -> bool:
        """Whether a statement that quotes the block is taken at that age of the block."""
        self.now = self.block.time + after
        quoted = Seen(chain_id=CHAIN_ID, number=42, hash=self.block.hash)
        try:
            return self.desk.check(quoted) == self.block
        except VerificationError:
            return False


@pytest.fixture
def moving(tmp_path: Path) -> Iterator[Moving]:
    database = open_database(f"sqlite:///{tmp_path / 'ledger.db'}")
    database.migrate()
    yield Moving(database, Chain(make_block(42)))
    database.close()


def test_what_is_offered_again_is_accepted_for_seven_days_from_then(moving: Moving) -> None:
    moving.desk.offer()
    moving.now = moving.block.time + 5 * DAY
    moving.desk.offer()
    moving.chain.block = None

    assert moving.is_taken(12 * DAY)
    assert not moving.is_taken(12 * DAY + timedelta(minutes=2))


def test_what_was_never_offered_is_accepted_for_seven_days_of_its_own(moving: Moving) -> None:
    assert moving.is_taken(6 * DAY)
    assert moving.is_taken(7 * DAY)
    assert moving.chain.asked == 1  # it is kept

    assert not moving.is_taken(7 * DAY + timedelta(minutes=2))


def test_a_chain_that_stays_away_does_not_keep_its_last_block_young(moving: Moving) -> None:
    moving.desk.offer()
    moving.chain.block = None
    moving.now = moving.block.time + 5 * DAY
    moving.desk.offer()
    moving.now = moving.block.time + 6 * DAY

    with pytest.raises(UnavailableError):
        moving.desk.offer()
    assert not moving.is_taken(7 * DAY + timedelta(minutes=2))
