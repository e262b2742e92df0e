"""What a whole run finds, on real databases and real files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from damage_kit import Damage
from log_kit import IDENTITY, WrittenLog, check, fill, open_log, subject_of, texts
from vermilion_ledger.fsck.findings import Findings
from vermilion_ledger.fsck.run import Fsck, Outcome
from vermilion_ledger.rows import ObservedHead
from vermilion_ledger.tilestore.disk import OsDisk
from vermilion_ledger.tilestore.posix import PosixTileStore


def damaged(log: WrittenLog, *statements: str) -> Outcome:
    """Run over a log whose rows were changed past every guard."""
    damage = Damage(log.folder / "ledger.db")
    for statement in statements:
        damage.execute(statement)
    damage.close()
    return check(log)


def only(outcome: Outcome) -> str:
    """The one finding, which is damage."""
    assert outcome.findings.damage_count == 1, texts(outcome)
    (found,) = (each for each in outcome.findings.kept if each.is_damage)
    return f"{found.code} {found.place}"


def notices(outcome: Outcome) -> list[str]:
    assert outcome.findings.damage_count == 0, texts(outcome)
    return [f"{each.code} {each.place}" for each in outcome.findings.kept]


@pytest.mark.parametrize("head", ["same", "separate"])
def test_a_sound_log_has_nothing_wrong_with_it(
    tmp_path: Path, new_url: Callable[[Path], str], head: str
) -> None:
    (tmp_path / "head").mkdir()
    log = open_log(
        tmp_path,
        url=new_url(tmp_path),
        head_url=new_url(tmp_path / "head") if head != "same" else "",
    )
    fill(log, 300)

    outcome = check(log)

    newest = log.database.heads.load_checkpoint()
    assert newest is not None
    assert (outcome.size, outcome.root) == (newest.size, newest.root)
    assert outcome.checked == newest.size
    assert texts(outcome) == []
    log.close()


def test_an_empty_log_has_nothing_wrong_with_it(
    tmp_path: Path, new_url: Callable[[Path], str]
) -> None:
    log = open_log(tmp_path, url=new_url(tmp_path))

    outcome = check(log)

    assert (outcome.size, texts(outcome)) == (0, [])
    log.close()


def test_a_log_that_grows_meanwhile_has_nothing_wrong_with_it(log: WrittenLog) -> None:
    log.start()
    log.register(3)
    log.publisher.publish()
    steps: list[int] = []

    def grow(done: int, _size: int) -> None:
        steps.append(done)
        log.register(300)
        log.publisher.publish()

    outcome = Fsck(subject_of(log), clock=log.clock, sleep=lambda _s: None, on_progress=grow).run()

    assert steps
    assert texts(outcome) == []
    assert outcome.size < log.database.log.count_entries()
    log.sequencer.release()


def test_what_has_an_index_and_no_checkpoint_is_looked_at_too(log: WrittenLog) -> None:
    log.start()
    log.register(5)
    log.sequencer.release()
    assert texts(check(log)) == []
    last = log.database.log.count_entries() - 1

    outcome = damaged(log, f"UPDATE entries SET sequence = 4 WHERE leaf_index = {last}")

    assert {each.code for each in outcome.findings.kept} == {"fsck.row-differs", "fsck.sequence"}
    assert all(each.index == last for each in outcome.findings.kept)


# -- rows that are missing, too many, or in the wrong place


def test_a_missing_entry_is_named(log: WrittenLog) -> None:
    outcome = damaged(log, "DELETE FROM entries WHERE leaf_index = 300")

    assert "fsck.row-missing entries leaf_index=300 (entry 300)" in "\n".join(texts(outcome))
    assert "fsck.state submissions position=301" in "\n".join(texts(outcome))


def test_a_missing_submission_is_named(log: WrittenLog) -> None:
    outcome = damaged(log, "DELETE FROM submissions WHERE position = 301")

    assert "entries leaf_index=300 position (entry 300)" in "\n".join(texts(outcome))


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("places", "5, 0, 300"),
        ("digests", "5, 300"),
        ("nonces", "zeroblob(16), zeroblob(32)"),
        ("known_envelopes", "zeroblob(32), 301"),
    ],
)
def test_a_row_that_no_envelope_implies_is_named(log: WrittenLog, table: str, values: str) -> None:
    outcome = damaged(log, f"INSERT INTO {table} VALUES ({values})")

    assert only(outcome).startswith(f"fsck.row-stray {table} ")


@pytest.mark.parametrize("table", ["places", "digests", "nonces", "known_envelopes"])
def test_a_missing_row_is_named(log: WrittenLog, table: str) -> None:
    outcome = damaged(log, _delete_one(table))

    assert only(outcome).startswith(f"fsck.row-missing {table} ")


def _delete_one(table: str) -> str:
    key = {
        "places": "(record, sequence, leaf_index)",
        "digests": "(digest, leaf_index)",
        "nonces": "(nonce, keyid)",
        "known_envelopes": "(envelope_hash, position)",
    }[table]
    return f"DELETE FROM {table} WHERE {key} = (SELECT {key[1:-1]} FROM {table} LIMIT 1)"


def test_a_row_put_in_another_ones_place_is_named_with_it(log: WrittenLog) -> None:
    outcome = damaged(
        log, "DELETE FROM digests WHERE leaf_index = 300", "INSERT INTO digests VALUES (5, 300)"
    )

    assert [each.code for each in outcome.findings.kept] == ["fsck.row-missing", "fsck.row-stray"]


def test_a_submission_that_is_nowhere_is_named(log: WrittenLog) -> None:
    outcome = damaged(log, "DELETE FROM queue")

    assert "fsck.state submissions" in "\n".join(texts(outcome))


def test_a_submission_that_is_in_two_places_is_named(log: WrittenLog) -> None:
    outcome = damaged(log, "INSERT INTO refusals VALUES (9, 'statement.unsigned', 'no')")

    assert "it is entry and refusal" in "\n".join(texts(outcome))


@pytest.mark.parametrize("table", ["queue", "refusals"])
def test_a_position_below_zero_is_looked_at_too(log: WrittenLog, table: str) -> None:
    outcome = damaged(log, f"UPDATE {table} SET position = position - (1 << 62) - (1 << 62)")

    assert "the submission is not there" in "\n".join(texts(outcome))
    assert "neither entry, refusal nor queued" in "\n".join(texts(outcome))


def test_a_swap_of_two_submissions_is_named(log: WrittenLog) -> None:
    outcome = damaged(
        log,
        "UPDATE entries SET position = -1 WHERE leaf_index = 300",
        "UPDATE entries SET position = 301 WHERE leaf_index = 301",
        "UPDATE entries SET position = 302 WHERE leaf_index = 300",
    )

    found = [each for each in outcome.findings.kept if each.column == "position"]
    assert [each.index for each in found] == [300, 301]


def test_a_gap_above_the_published_size_is_named(log: WrittenLog) -> None:
    log.start()
    log.register(5)
    log.sequencer.release()
    size = log.database.log.count_entries()

    outcome = damaged(log, f"DELETE FROM entries WHERE leaf_index = {size - 3}")

    assert f"entry {size - 3} is missing" in "\n".join(texts(outcome))


def test_an_index_beyond_all_others_does_not_keep_fsck_busy(log: WrittenLog) -> None:
    outcome = damaged(log, "UPDATE entries SET leaf_index = 1 << 40 WHERE leaf_index = 300")

    assert "fsck.row-missing entries leaf_index=300" in "\n".join(texts(outcome))
    assert "leaf_index=1099511627776" in "\n".join(texts(outcome))


# -- files


def test_a_missing_tile_is_named(log: WrittenLog) -> None:
    (log.folder / "log/tile/0/001").unlink()

    assert only(check(log)) == "fsck.file-missing tile/0/001"


def test_a_missing_bundle_is_named(log: WrittenLog) -> None:
    (log.folder / "log/tile/entries/000").unlink()

    assert only(check(log)) == "fsck.file-missing tile/entries/000"


def test_a_cut_file_is_named_with_its_end(log: WrittenLog) -> None:
    path = log.folder / "log/tile/1/000.p/2"
    path.write_bytes(path.read_bytes()[:40])

    assert only(check(log)) == "fsck.file-differs tile/1/000.p/2 byte 40"


def test_a_file_that_no_log_has_is_named(log: WrittenLog) -> None:
    (log.folder / "log/tile/0/notes.txt").write_text("mine")

    assert only(check(log)) == "fsck.file-stray tile/0/notes.txt"


def test_an_old_partial_tile_is_no_damage_unless_it_differs(log: WrittenLog) -> None:
    (path,) = (log.folder / "log/tile/0").glob("002.p/*")
    width = int(path.name)
    older = path.with_name(str(width - 1))
    older.write_bytes(path.read_bytes()[:-32])
    assert texts(check(log)) == []
    data = bytearray(older.read_bytes())
    data[40] ^= 1

    older.write_bytes(data)

    assert only(check(log)) == f"fsck.file-differs tile/0/002.p/{width - 1} byte 40"


def test_files_of_a_size_that_is_not_signed_yet_are_a_notice(log: WrittenLog) -> None:
    (path,) = (log.folder / "log/tile/0").glob("002.p/*")
    path.with_name(str(int(path.name) + 1)).write_bytes(path.read_bytes() + bytes(32))
    (log.folder / "log/tile/0/003.p").mkdir()
    (log.folder / "log/tile/0/003.p/1").write_bytes(bytes(32))

    assert sorted(notices(check(log))) == [
        f"fsck.unpublished tile/0/002.p/{int(path.name) + 1}",
        "fsck.unpublished tile/0/003.p/1",
    ]


def test_an_older_checkpoint_file_is_a_notice_and_another_is_damage(log: WrittenLog) -> None:
    rows = log.database.heads.list_checkpoints(before=None, limit=2)
    path = log.folder / "log/checkpoint"
    path.write_text(rows[1].note)
    assert notices(check(log)) == ["fsck.behind checkpoint"]

    path.write_text(rows[0].note.replace("\n", "\n ", 1))

    assert only(check(log)).startswith("fsck.file-differs checkpoint byte")


def test_another_tile_store_is_not_that_of_this_log(log: WrittenLog, tmp_path: Path) -> None:
    log.tiles = PosixTileStore(OsDisk(), tmp_path / "nothing")

    outcome = check(log)

    assert {each.code for each in outcome.findings.kept} == {"fsck.file-missing", "fsck.behind"}


# -- what was signed, and seen by others


def test_a_checkpoint_that_the_log_key_did_not_sign_is_named(log: WrittenLog) -> None:
    size = log.database.heads.list_checkpoints(before=None, limit=3)[2].size

    outcome = damaged(
        log, f"UPDATE checkpoints SET note = replace(note, '— ', '— x') WHERE size = {size}"
    )

    assert only(outcome).startswith(f"fsck.checkpoint checkpoints size={size} note")


def test_a_head_that_is_no_checkpoint_is_named(log: WrittenLog) -> None:
    assert only(damaged(log, "UPDATE head SET size = size - 1")) == "fsck.head head id=1 size"


def test_a_missing_newest_checkpoint_is_named(log: WrittenLog) -> None:
    outcome = damaged(log, "DELETE FROM checkpoints WHERE size = (SELECT size FROM head)")

    assert "fsck.head head id=1 size" in "\n".join(texts(outcome))


def test_a_halted_log_is_a_notice(log: WrittenLog) -> None:
    log.database.heads.halt(epoch=1 << 40)

    assert notices(check(log)) == ["fsck.halted head"]


def test_a_head_that_a_chain_has_and_the_log_has_not_is_named(log: WrittenLog) -> None:
    newest = log.database.heads.load_head()

    ahead = ObservedHead(size=newest.size + 1, root=newest.root, source="chain 1")
    other = ObservedHead(size=newest.size - 1, root=newest.root, source="chain 2")
    same = ObservedHead(size=newest.size, root=newest.root, source="chain 3")

    assert only(check(log, observed=[ahead, same])) == f"fsck.ahead size={newest.size + 1}"
    assert only(check(log, observed=[other])) == f"fsck.root-differs size={newest.size - 1}"


def test_an_anchor_in_the_journal_of_another_root_is_named(log: WrittenLog) -> None:
    outcome = damaged(
        log,
        "INSERT INTO anchors (chain_id, contract, log, size, root, state, revision, created_at)"
        " VALUES (1, zeroblob(20), zeroblob(32), 200, zeroblob(32), 'planned', 0, 0)",
        "INSERT INTO anchors (chain_id, contract, log, size, root, state, revision, created_at)"
        " VALUES (2, zeroblob(20), zeroblob(32), 100000, zeroblob(32), 'planned', 0, 0)",
    )

    assert sorted(each.code for each in outcome.findings.kept) == [
        "fsck.ahead",
        "fsck.root-differs",
    ]


def test_keys_of_another_log_find_no_checkpoint_good(log: WrittenLog) -> None:
    subject = replace(subject_of(log), identity=replace(IDENTITY, origin="other.example"))

    outcome = Fsck(subject, clock=log.clock, sleep=lambda _s: None).run()

    assert {each.code for each in outcome.findings.kept} == {"fsck.checkpoint"}


# -- findings go on, and are bounded


def test_all_damage_is_listed_and_not_the_first_alone(log: WrittenLog) -> None:
    (log.folder / "log/tile/entries/001").unlink()

    outcome = damaged(
        log,
        "UPDATE submissions SET salt = zeroblob(32) WHERE position = 100",
        "DELETE FROM digests WHERE leaf_index = 50",
        "UPDATE checkpoints SET root = zeroblob(32) WHERE size = 3",
    )

    assert len({each.place for each in outcome.findings.kept}) == 4


def test_findings_beyond_the_bound_are_counted(log: WrittenLog) -> None:
    damage = Damage(log.folder / "ledger.db")
    damage.execute("UPDATE submissions SET salt = zeroblob(32)")
    damage.close()
    findings = Findings(limit=10)

    Fsck(subject_of(log), clock=log.clock, findings=findings, sleep=lambda _s: None).run()

    assert len(findings.kept) == 10
    assert findings.damage_count > 500
