"""What an erasure refuses, the guards beside it, and fsck, export and restoring after it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from damage_kit import Damage
from erasing_kit import condemn, counts, erase, found_in, made, remains, traces_of
from log_kit import WrittenLog, check, open_log, submission, texts
from office import INTAKE_KEYID, ORIGIN, envelope, statement
from vermilion_ledger.archive.layout import Header
from vermilion_ledger.archive.reading import check_export, load_export
from vermilion_ledger.archive.writing import PublicFiles, export_log
from vermilion_ledger.errors import ConflictError, EvidenceError
from vermilion_ledger.rows import IntakeBatch
from vermilion_ledger.store.engine import writing
from vermilion_ledger.store.erasing import SqlEraser
from vermilion_ledger.store.restoring import SqlRestorer
from vermilion_ledger.store.sweeping import sweep

PUBLIC = PublicFiles(trust=b"trust", registry=b"registry")


# -- refusals


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(EvidenceError) as caught:
        call()
    return caught.value.code


def test_a_record_that_went_on_is_refused(small: WrittenLog) -> None:
    (record,) = made(small, 1)
    condemned = condemn(small, record)
    small.review(record, 7)
    before = counts(small)

    assert refused(lambda: erase(small, condemned)) == "erase.moved"
    assert counts(small) == before


def test_a_record_of_which_something_waits_is_refused(small: WrittenLog) -> None:
    (record,) = made(small, 1)
    said = statement("number", record=record.record_id, nonce=bytes(16))
    queued = submission(envelope(said), record.record_key)
    small.database.intake.save_batches([IntakeBatch(submissions=(queued,))])

    assert refused(lambda: erase(small, condemn(small, record))) == "erase.queued"


def test_a_row_that_does_not_lead_to_its_entry_is_refused(small: WrittenLog) -> None:
    one, two = made(small, 2)
    first, second = condemn(small, one, two)
    swapped = type(first)(record=first.record, entries=(second.entries[0], *first.entries[1:]))
    moved = type(first)(
        record=first.record,
        entries=(
            type(first.entries[0])(index=first.entries[0].index, entry=second.entries[0].entry),
            *first.entries[1:],
        ),
    )

    assert refused(lambda: erase(small, [swapped])) == "erase.moved"
    assert refused(lambda: erase(small, [moved])) == "log.entry-mismatch"


def test_somebody_else_who_leads_is_in_the_way(small: WrittenLog) -> None:
    (record,) = made(small, 1)
    condemned = condemn(small, record)
    store = small.database.sequencing
    small.sequencer.release()
    lease = store.acquire_lease("another", now=small.clock(), ttl_seconds=60)

    with pytest.raises(ConflictError) as caught:
        erase(small, condemned)

    assert caught.value.code == "sequencer.lease-held"
    store.release_lease(lease)


def test_others_who_are_connected_are_in_the_way(written: WrittenLog) -> None:
    engine = written.database.engine
    eraser = SqlEraser(engine, intake_keyids={INTAKE_KEYID})
    engine.dispose()
    with engine.connect():
        if engine.dialect.name == "sqlite":
            eraser.check_alone()  # there the lease tells
        else:
            assert refused(eraser.check_alone) == "erase.in-use"


ERASABLE = (
    "submissions",
    "known_envelopes",
    "nonces",
    "entries",
    "places",
    "digests",
    "refusals",
    "idempotency",
    "erased",
)


def statement_refused(log: WrittenLog, *statements: str) -> str:
    def run() -> None:
        with writing(log.database.engine) as connection:
            for each in statements:
                connection.exec_driver_sql(each)

    return refused(run)


def test_evidence_cannot_be_deleted_outside_of_an_erasure(written: WrittenLog) -> None:
    erase(written, condemn(written, *made(written, 1)))
    before = counts(written)

    for table in ERASABLE:
        assert statement_refused(written, f"DELETE FROM {table}") == "store.append-only", table
    assert statement_refused(written, "DELETE FROM erasing") == "store.append-only"
    assert statement_refused(written, "INSERT INTO erased SELECT leaf_index + 1, entry FROM erased")
    assert counts(written) == before


def test_the_way_past_the_guards_cannot_be_left_open(written: WrittenLog) -> None:
    before = counts(written)
    opening = "UPDATE erasing SET closed = 0"

    assert statement_refused(written, opening) == "store.failed"
    assert statement_refused(written, opening, "DELETE FROM places") == "store.failed"
    assert counts(written) == before


def test_an_entry_does_not_go_before_its_place_is_noted(written: WrittenLog) -> None:
    opening = "UPDATE erasing SET closed = 0"

    code = statement_refused(written, opening, "DELETE FROM entries WHERE leaf_index = 5")

    assert code == "store.append-only"


# -- damage, export and restoring


def test_a_damaged_remainder_is_found(small: WrittenLog) -> None:
    erase(small, condemn(small, *made(small, 1)))
    sweep(small.database.engine)
    index = remains(small)[0]["leaf_index"]
    damage = Damage(small.folder / "ledger.db")
    damage.execute(f"UPDATE erased SET entry = zeroblob(65) WHERE leaf_index = {index}")
    damage.close()

    outcome = check(small)

    assert outcome.findings.damage_count == 1
    assert f"erased leaf_index={index} entry" in texts(outcome)[0]


def test_a_remainder_beside_an_entry_is_a_stray(small: WrittenLog) -> None:
    damage = Damage(small.folder / "ledger.db")
    damage.execute("INSERT INTO erased VALUES (3, zeroblob(65))")
    damage.close()

    assert [each.code for each in check(small).findings.kept] == ["fsck.row-stray"]


def test_a_remainder_that_is_missing_is_missed(small: WrittenLog) -> None:
    erase(small, condemn(small, *made(small, 1)))
    sweep(small.database.engine)
    index = remains(small)[0]["leaf_index"]
    damage = Damage(small.folder / "ledger.db")
    damage.execute(f"DELETE FROM erased WHERE leaf_index = {index}")
    damage.close()

    assert [each.code for each in check(small).findings.kept] == ["fsck.row-missing"]


def export(log: WrittenLog, folder: Path, *, with_salts: bool = True) -> Header:
    return export_log(log.audit, folder, origin=ORIGIN, public=PUBLIC, with_salts=with_salts)


@pytest.mark.parametrize("with_salts", [True, False])
def test_an_export_has_nothing_of_a_destroyed_record(
    small: WrittenLog, tmp_path: Path, with_salts: bool
) -> None:
    (record,) = made(small, 1)
    traces = traces_of(small, record)
    erase(small, condemn(small, record))

    export(small, tmp_path / "export", with_salts=with_salts)

    assert found_in(tmp_path / "export", traces) == {}


def test_a_restored_log_is_the_same_and_goes_on(
    small: WrittenLog, tmp_path: Path, new_url: Callable[[Path], str]
) -> None:
    erase(small, condemn(small, *made(small, 2)))
    header = export(small, tmp_path / "export")
    (tmp_path / "back").mkdir()
    back = open_log(tmp_path / "back", url=new_url(tmp_path / "back"))

    load_export(
        tmp_path / "export",
        header,
        check_export(tmp_path / "export")[1].keys(),
        intake_keyids={INTAKE_KEYID},
        restorer=SqlRestorer(back.database.engine, back.database.head_engine),
        tiles=back.tiles,
    )

    assert remains(back) == remains(small)
    assert counts(back) == counts(small)
    assert texts(check(back)) == []
    back.start()
    back.sequencer.sequence_batch()
    back.publisher.publish()
    assert check(back).erased == len(remains(small))
    back.close()


@pytest.mark.parametrize(
    "line",
    [
        b'{"entry":"00","index":5}\n',
        b'{"entry": "00","index":5}\n',
        b'{"entry":"%b","index":5,"more":1}\n' % (b"00" * 65),
        b'{"entry":"%b","index":5}\n' % (b"00" * 65),
    ],
)
def test_a_line_of_an_erased_entry_is_read_strictly(
    small: WrittenLog, tmp_path: Path, line: bytes
) -> None:
    header = export(small, tmp_path / "export")
    path = tmp_path / "export" / "entries" / "000000000.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:4], line, *lines[4:]]))
    (tmp_path / "back").mkdir()
    back = open_log(tmp_path / "back", url=f"sqlite:///{tmp_path / 'back' / 'ledger.db'}")

    with pytest.raises(EvidenceError):
        load_export(
            tmp_path / "export",
            header,
            ["entries/000000000.jsonl"],
            intake_keyids={INTAKE_KEYID},
            restorer=SqlRestorer(back.database.engine, back.database.head_engine),
            tiles=back.tiles,
        )

    back.close()
