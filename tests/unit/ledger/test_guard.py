"""The guard at start: whatever was signed or seen must be borne out by what is stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from simulation.calm import CalmLog
from simulation.reference import note_of
from vermilion_ledger.errors import ConflictError, EvidenceError, IntegrityError
from vermilion_ledger.guard import check_log
from vermilion_ledger.rows import CheckpointRow, Head, ObservedHead

OTHER = bytes(32)


def refusal(log: CalmLog, *observed: ObservedHead) -> EvidenceError:
    """Return why the log may not be signed."""
    with pytest.raises(EvidenceError) as caught:
        check_log(log.log, log.heads, log.tiles, observed=observed)
    return caught.value


def seen(log: CalmLog, size: int) -> ObservedHead:
    """Return a true head of the log, as the chain has it."""
    return ObservedHead(size=size, root=log.reference.root(size), source="the chain")


def test_storage_behind_the_head_is_refused() -> None:
    log = CalmLog.of(240)
    del log.evidence.entries[239:]

    assert refusal(log).code == "log.behind-head"
    assert "the head has size 240, storage only 239 entries" in str(refusal(log))


def test_a_head_behind_the_newest_checkpoint_is_refused() -> None:
    log = CalmLog.of(240)
    old = log.head.copy()
    log.grow(3)
    log.publish()
    log.head.head = replace(old.head, root=log.reference.root(240))

    assert refusal(log).code == "log.behind-head"


def test_a_head_without_its_checkpoint_is_refused() -> None:
    log = CalmLog.of(240)
    log.head.checkpoints.clear()

    assert "the newest checkpoint has size 0, the head 240" in str(refusal(log))


def test_a_checkpoint_without_a_head_is_refused() -> None:
    log = CalmLog.of(240)
    log.head.head = Head(size=0, root=log.reference.root(0), epoch=0, state="open")

    assert refusal(log).code == "log.behind-head"


def test_a_newest_checkpoint_of_another_root_is_refused() -> None:
    log = CalmLog.of(240)
    log.head.checkpoints[240] = replace(log.head.checkpoints[240], root=OTHER)

    assert refusal(log).code == "log.root-mismatch"
    assert "the newest checkpoint" in str(refusal(log))


def test_a_head_of_another_root_is_refused() -> None:
    log = CalmLog.of(240)
    log.head.checkpoints[240] = replace(log.head.checkpoints[240], root=OTHER)
    log.head.head = replace(log.head.head, root=OTHER)

    assert refusal(log).code == "log.root-mismatch"


@pytest.mark.parametrize("size", [241, 10_000])
def test_a_larger_head_on_the_chain_is_refused(size: int) -> None:
    log = CalmLog.of(240)

    found = refusal(log, ObservedHead(size=size, root=OTHER, source="the chain"))

    assert found.code == "log.behind-head"
    assert f"the chain has size {size}" in str(found)


def test_a_head_on_the_chain_that_was_never_signed_here_is_refused() -> None:
    """Entries that are stored and not signed do not make up for it."""
    log = CalmLog.of(240)
    log.grow(5)

    assert refusal(log, seen(log, 243)).code == "log.behind-head"


@pytest.mark.parametrize("size", [1, 239, 240])
def test_another_root_on_the_chain_is_refused(size: int) -> None:
    log = CalmLog.of(240)
    true = seen(log, size)

    assert refusal(log, true, replace(true, root=OTHER)).code == "log.root-mismatch"


@pytest.mark.parametrize(
    ("size", "path"),
    [
        (240, "tile/0/000.p/240"),
        (240, "tile/entries/000.p/240"),
        (500, "tile/0/001.p/244"),
        (500, "tile/1/000.p/1"),
        (256, "tile/entries/000"),
    ],
)
def test_a_missing_file_of_the_head_is_refused(size: int, path: str) -> None:
    log = CalmLog.of(size)
    log.write(path, None)

    assert refusal(log).code == "log.gap"


def test_tiles_of_another_log_are_refused() -> None:
    log = CalmLog.of(240)
    log.write("tile/0/000.p/240", bytes(240 * 32))

    assert refusal(log).code == "log.root-mismatch"


@pytest.mark.parametrize("index", [0, 120, 239])
def test_an_envelope_that_is_not_its_entry_is_refused(index: int) -> None:
    log = CalmLog.of(240)
    log.damage_envelope(index)

    assert refusal(log).code == "log.entry-mismatch"
    assert f"entry {index} " in str(refusal(log))


def test_an_entry_that_vanished_within_the_head_is_refused() -> None:
    log = CalmLog.of(240)
    load_stored = log.log.load_stored
    vars(log.log)["load_stored"] = lambda start, end: load_stored(start, min(end, 100))

    assert refusal(log).code == "log.gap"
    assert "entry 100 is missing" in str(refusal(log))


def test_a_checkpoint_shown_and_not_signed_is_refused() -> None:
    """Evidence and head restored together from an old backup, the folder kept."""
    log = CalmLog.of(240)
    log.grow(5)
    log.write("checkpoint", note_of(243, log.reference.root(243)).encode())

    assert refusal(log).code == "log.behind-head"
    assert "the file checkpoint has size 243" in str(refusal(log))


def test_a_checkpoint_shown_with_another_root_is_refused() -> None:
    log = CalmLog.of(240)
    log.write("checkpoint", note_of(239, OTHER).encode())

    assert refusal(log).code == "log.root-mismatch"


@pytest.mark.parametrize("data", [b"", b"240", b"\xff", b"origin\n240\n", bytes(5000)])
def test_a_checkpoint_file_that_is_none_is_refused(data: bytes) -> None:
    log = CalmLog.of(240)
    log.write("checkpoint", data)

    assert refusal(log).code == "log.gap"


def written_ahead(log: CalmLog, count: int) -> None:
    """Leave files ahead of the head, as a process does that ends before it signs."""
    log.grow(count)
    size = len(log.reference.leaves)
    log.tiles.put_new(dict(log.reference.files(log.head.head.size, size)))


@pytest.mark.parametrize("count", [1, 16, 17, 300])
def test_bundles_ahead_of_what_is_stored_are_refused(count: int) -> None:
    """Evidence restored from before entries whose tiles were written."""
    log = CalmLog.of(240)
    written_ahead(log, count)
    assert check_log(log.log, log.heads, log.tiles).size == 240

    del log.evidence.entries[-1]

    assert refusal(log).code == "log.behind-head"


@pytest.mark.parametrize("index", [240, 255, 256, 299])
def test_bundles_ahead_with_other_entries_are_refused(index: int) -> None:
    log = CalmLog.of(240)
    written_ahead(log, 60)
    log.damage_envelope(index)

    assert refusal(log).code == "log.entry-mismatch"


def test_a_bundle_ahead_that_is_none_is_refused() -> None:
    log = CalmLog.of(240)
    log.tiles.put_new({"tile/entries/000.p/241": b"\x00\x41"})

    assert refusal(log).code == "log.gap"


def changing(log: CalmLog, change: Callable[[], None]) -> None:
    """Let something happen between the look at the head and that at the checkpoint."""
    load_checkpoint = log.heads.load_checkpoint

    def load(size: int | None = None) -> CheckpointRow | None:
        vars(log.heads).pop("load_checkpoint")
        change()
        return load_checkpoint(size)

    vars(log.heads)["load_checkpoint"] = load


def test_a_predecessor_that_publishes_meanwhile_is_no_damage() -> None:
    log = CalmLog.of(240)
    log.grow(3)
    predecessor = log.publisher()
    predecessor.start(1)

    def publish() -> None:
        predecessor.publish()

    changing(log, publish)

    with pytest.raises(ConflictError) as caught:
        check_log(log.log, log.heads, log.tiles)
    assert caught.value.code == "log.head-moved"
    assert check_log(log.log, log.heads, log.tiles).size == 243


def test_an_older_checkpoint_shown_is_fine() -> None:
    """The last process ended between the swap and the file."""
    log = CalmLog.of(240)
    log.grow(3)
    log.publish()
    log.write("checkpoint", note_of(240, log.reference.root(240)).encode())

    assert check_log(log.log, log.heads, log.tiles).size == 243


@pytest.mark.parametrize("size", [0, 240, 256, 500, 65_530])
def test_a_sound_log_may_be_signed(size: int) -> None:
    log = CalmLog.of(size)
    observed = [seen(log, at) for at in (1, size // 2, size) if 0 < at <= size]

    head = check_log(log.log, log.heads, log.tiles, observed=observed)

    assert (head.size, head.root) == (size, log.reference.root(size))
    assert head == log.head.head


def test_a_refused_log_is_marked_halted_and_nothing_is_signed() -> None:
    log = CalmLog.of(240)
    log.grow(3)
    log.damage_envelope(239)
    publisher = log.publisher()

    with pytest.raises(IntegrityError):
        publisher.start(1)

    assert log.head.head.state == "halted"
    assert list(log.head.checkpoints) == [240]
