"""A log from which records were destroyed: nothing of them is left, everything else holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from erasing_kit import (
    condemn,
    counts,
    erase,
    found_in,
    give_number,
    made,
    make_record,
    remains,
    traces_of,
    traces_of_number,
)
from log_kit import WrittenLog, check, open_log, texts
from postgres import PostgresServer
from vermilion_ledger.integrate import rebuild_tiles
from vermilion_ledger.store.sweeping import finish_sweep, is_sweep_due, sweep
from vermilion_ledger.tilestore.disk import OsDisk
from vermilion_ledger.tilestore.posix import PosixTileStore


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
    number = give_number(written, first, 7)
    written.publisher.publish()
    answer = f'{{"record":"{first.record_id}"}}'.encode()
    written.database.responses.save(
        "own key 0", status=202, body=answer, created_at=written.clock()
    )
    traces = traces_of(written, first, second) + traces_of_number(number)
    before = found_in(cluster, traces)
    unseen = {each.what for each in traces} - before.keys()
    assert unseen <= {"record key in hex", "digest in hex", "name"}, unseen

    erase(written, condemn(written, first, second))
    assert written.database.numbers.load_serials("国办发", 2026) == [7]  # it stays spent
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
    assert (outcome.erased, outcome.root) == (len(index), root)
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


@given(data=st.data())
@settings(max_examples=max(6, settings().max_examples // 100))
def test_whatever_goes_in_whatever_order_the_same_is_left(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("any")
    log = open_log(folder)
    log.start()
    counts_of = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1)), min_size=2, max_size=5)
    records = [
        make_record(log, events=events, refused=refused) for events, refused in data.draw(counts_of)
    ]
    log.publisher.publish()
    chosen = data.draw(st.lists(st.sampled_from(records), unique_by=id, min_size=1))
    cut = data.draw(st.integers(0, len(chosen)))
    traces = traces_of(log, *chosen)
    places = sorted((e.index, e.entry) for c in condemn(log, *chosen) for e in c.entries)

    for part in (chosen[:cut], chosen[cut:]):
        erase(log, condemn(log, *part))
    sweep(log.database.engine)

    assert [(row["leaf_index"], row["entry"]) for row in remains(log)] == places
    assert found_in(folder, traces) == {}
    assert texts(check(log)) == []
    log.database.close()
