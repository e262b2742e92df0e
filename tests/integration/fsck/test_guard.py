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


@pytest.mark.parametrize("which", ["min", "max"])
@pytest.mark.parametrize("moved", [1024, 1 << 38, 1 << 50])
def test_a_gap_above_the_head_keeps_the_log_from_growing(
    log: WrittenLog, which: str, moved: int
) -> None:
    log.start()
    log.register(3)
    log.sequencer.release()
    damage(
        log,
        f"UPDATE entries SET leaf_index = leaf_index + {moved} WHERE leaf_index ="
        f" (SELECT {which}(leaf_index) FROM entries WHERE leaf_index >= (SELECT size FROM head))",
    )

    with pytest.raises(IntegrityError) as caught:
        log.start()
    assert caught.value.code == "log.gap"
