"""A log from which records were destroyed: nothing of them is left, everything else holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from damage_kit import Damage
from erasing_kit import condemn, erase, found_in, make_record, traces_of
from log_kit import WrittenLog, check, fill, open_log, submission, texts
from office import INTAKE_KEYID, ORIGIN, envelope, statement
from postgres import PostgresServer
from vermilion_ledger.archive.layout import Header
from vermilion_ledger.archive.reading import check_export, load_export
from vermilion_ledger.archive.writing import PublicFiles, export_log
from vermilion_ledger.errors import ConflictError, EvidenceError
from vermilion_ledger.integrate import rebuild_tiles
from vermilion_ledger.rows import IntakeBatch, Submission
from vermilion_ledger.store.engine import writing
from vermilion_ledger.store.restoring import SqlRestorer
from vermilion_ledger.store.sweeping import finish_sweep, is_sweep_due, sweep
from vermilion_ledger.tilestore.disk import OsDisk
from vermilion_ledger.tilestore.posix import PosixTileStore

PUBLIC = PublicFiles(trust=b"trust", registry=b"registry")
SIZE = 20


@pytest.fixture
def written(tmp_path: Path, new_url: Callable[[Path], str]) -> Iterator[WrittenLog]:
    """A published log with a bundle and more, in a folder of its own, led by this test."""
    folder = tmp_path / "ledger"
    folder.mkdir()
    log = open_log(folder, url=new_url(folder))
    fill(log, SIZE)
    log.sequencer.sequence_batch()
    yield log
    log.database.close()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[WrittenLog]:
    """The same on SQLite, where the database makes no difference."""
    folder = tmp_path / "ledger"
    folder.mkdir()
    log = open_log(folder)
    fill(log, SIZE)
    log.sequencer.sequence_batch()
    yield log
    log.database.close()


def made(log: WrittenLog, count: int, **options: Any) -> list[Submission]:
    records = [make_record(log, key=f"own key {at}", **options) for at in range(count)]
    log.register(2)
    log.publisher.publish()
    return records


def remains(log: WrittenLog) -> list[dict[str, Any]]:
    with log.audit.view() as view:
        return [dict(row) for row in view.scan("erased")]


def counts(log: WrittenLog) -> dict[str, int]:
    with log.audit.view() as view:
        found = view.counts()
    return {name: getattr(found, name) for name in type(found).__slots__}


@pytest.fixture
def cluster(request: pytest.FixtureRequest, written: WrittenLog) -> Iterator[Path]:
    """Where the bytes are: the folder of the log, or that of the whole PostgreSQL server."""
    if written.database.engine.dialect.name == "sqlite":
        yield written.folder
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    set_recycling(written, "off")
    yield Path(server._data)
    set_recycling(written, "on")


def set_recycling(log: WrittenLog, value: str) -> None:
    with log.database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.exec_driver_sql(f"ALTER SYSTEM SET wal_recycle = {value}")
        connection.exec_driver_sql("SELECT pg_reload_conf()")


def test_no_file_has_a_value_of_a_destroyed_record(written: WrittenLog, cluster: Path) -> None:
    first, second, kept = made(written, 3)
    answer = f'{{"record":"{first.record_id}"}}'.encode()
    written.database.responses.save(
        "own key 0", status=202, body=answer, created_at=written.clock()
    )
    traces = traces_of(written, first, second)
    before = found_in(cluster, traces)
    unseen = {each.what for each in traces} - before.keys()
    assert unseen <= {"record key in hex", "digest in hex", "name"}, unseen

    erase(written, condemn(written, first, second))
    is_log_cleared = sweep(written.database.engine)

    assert is_log_cleared
    assert found_in(cluster, traces) == {}
    assert found_in(written.folder, traces) == {}
    assert found_in(cluster, traces_of(written, kept)).keys() >= {"salt", "record key"}


def test_everything_else_holds_and_goes_on(written: WrittenLog) -> None:
    gone, kept = made(written, 2)
    root = written.database.heads.load_head().root
    index = condemn(written, gone)[0].entries

    listed = erase(written, condemn(written, gone))
    sweep(written.database.engine)
    outcome = check(written)

    assert outcome.findings.damage_count == 0, texts(outcome)
    assert (outcome.erased, outcome.root) == (3, root)
    assert written.database.log.load_record(gone.record_id) is None
    assert written.database.log.find_by_digest(gone.digest) == []
    assert written.database.log.load_history([gone.record_id]) == {gone.record_id: []}
    assert written.database.log.find_by_digest(kept.digest) == [kept.record_id]
    assert [row["leaf_index"] for row in remains(written)] == [each.index for each in index]
    fresh = PosixTileStore(OsDisk(), written.folder / "fresh")
    assert rebuild_tiles(written.database.log, fresh, outcome.size) == root
    again = open_log(written.folder, url=str(written.database.engine.url.render_as_string(False)))
    again.start()
    again.sequencer.sequence_batch()
    again.register(1)
    again.publisher.publish()
    assert again.database.log.load_record(listed.record_id) is not None
    assert texts(check(again)) == []
    again.close()


def test_an_erased_entry_may_be_the_last_of_the_log(written: WrittenLog) -> None:
    last = make_record(written, events=0, refused=0)
    written.publisher.publish()
    size = written.database.log.count_entries()

    erase(written, condemn(written, last))

    assert written.database.log.count_entries() == size
    assert written.database.log.find_gap(size - 1) is None
    written.start()
    written.sequencer.sequence_batch()
    written.publisher.publish()
    assert written.database.log.count_entries() == size + 1
    assert check(written).findings.damage_count == 0


def test_an_erasure_that_fails_anywhere_leaves_everything(written: WrittenLog) -> None:
    (record,) = made(written, 1)
    condemned, before = condemn(written, record), counts(written)
    number, failed = 0, True
    while failed:
        number += 1
        failed = fails_at(written, number, lambda: erase(written, condemned))
        if failed:
            assert counts(written) == before, number
            assert not is_sweep_due(written.database.engine)

    assert number > 15
    assert written.database.log.load_record(record.record_id) is None
    assert is_sweep_due(written.database.engine)


def fails_at(log: WrittenLog, number: int, call: Callable[[], object]) -> bool:
    """Run with the connection lost before a statement that writes; tell whether it was reached."""
    seen = 0

    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal seen
        if any(word in statement for word in ("erasing", "erased", "DELETE", "INSERT")):
            seen += 1
            if seen == number:
                raise ConnectionResetError

    engine = log.database.engine
    event.listen(engine, "before_cursor_execute", count)
    try:
        call()
    except ConnectionResetError:
        return True
    finally:
        event.remove(engine, "before_cursor_execute", count)
    return False


def test_an_erasure_stopped_before_the_sweep_is_told_and_finished(
    written: WrittenLog, cluster: Path
) -> None:
    (record,) = made(written, 1)
    traces = traces_of(written, record)
    erase(written, condemn(written, record))

    outcome = check(written)

    assert [each.code for each in outcome.findings.kept] == ["fsck.sweep-due"]
    assert found_in(cluster, traces)  # which is why it is told
    if written.database.engine.dialect.name == "sqlite":
        finish_sweep(written.database.engine)
    else:
        finish_sweep(written.database.engine)
        assert is_sweep_due(written.database.engine)  # the owner does it, not the sequencer
        sweep(written.database.engine)
    assert not is_sweep_due(written.database.engine)
    assert found_in(cluster, traces) == {}
    assert texts(check(written)) == []


def test_what_is_left_does_not_tell_what_went_together(written: WrittenLog) -> None:
    one, two, three = made(written, 3)
    everything = {e.index for each in condemn(written, one, two, three) for e in each.entries}
    erase(written, condemn(written, one))
    erase(written, condemn(written, two, three))

    rows = remains(written)

    assert {row["leaf_index"] for row in rows} == everything
    assert [row.keys() for row in rows] == [{"leaf_index", "entry"}] * len(everything)
    if written.database.engine.dialect.name != "sqlite":
        with written.database.engine.connect() as connection:
            query = "SELECT count(DISTINCT xmin::text) FROM erased"
            assert connection.exec_driver_sql(query).scalar() == 1


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
    assert check(back).erased == 6
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
