"""What the start-up guard refuses of what fsck names."""

from __future__ import annotations

import pytest

from damage_kit import Damage
from log_kit import WrittenLog
from vermilion_ledger.errors import IntegrityError


def damage(log: WrittenLog, statement: str) -> None:
    log.database.close()
    hand = Damage(log.folder / "ledger.db")
    hand.execute(statement)
    hand.close()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM entries WHERE leaf_index = (SELECT max(leaf_index) FROM entries)",
        (
            "UPDATE submissions SET salt = zeroblob(32) WHERE position ="
            " (SELECT position FROM entries ORDER BY leaf_index DESC LIMIT 1)"
        ),
        "UPDATE head SET size = size - 1",
        "UPDATE head SET root = zeroblob(32)",
        "DELETE FROM checkpoints WHERE size = (SELECT size FROM head)",
    ],
)
def test_damage_at_the_edge_keeps_the_log_from_being_signed(
    log: WrittenLog, statement: str
) -> None:
    damage(log, statement)

    with pytest.raises(IntegrityError):
        log.start()


@pytest.mark.xfail(strict=True, reason="the guard does not look for gaps above the head yet")
def test_a_gap_above_the_head_keeps_the_log_from_growing(log: WrittenLog) -> None:
    log.start()
    log.register(3)
    log.sequencer.release()
    damage(
        log,
        "UPDATE entries SET leaf_index = leaf_index + 1024"
        " WHERE leaf_index = (SELECT max(leaf_index) FROM entries)",
    )

    with pytest.raises(IntegrityError):
        log.start()
