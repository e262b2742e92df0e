"""What the database itself enforces: schema, settings, append-only, rights."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from postgres import PostgresServer
from store_filled import fill
from store_kit import make_tiles, replayed_leaves
from vermilion_ledger.errors import (
    EvidenceError,
    IntegrityError,
    UnavailableError,
)
from vermilion_ledger.store import Database, open_database, schema
from vermilion_ledger.store.engine import is_sqlite, open_engine, reading, writing
from vermilion_ledger.store.migrate import (
    NEWEST_REVISION,
    check_migrated,
    newest_revision,
    stored_revision,
)
from vermilion_ledger.store.schema import INSERT_ONLY, METADATA
from vermilion_ledger.tilestore.posix import PosixTileStore

Opener = Callable[..., Database]


@pytest.fixture
def filled(database: Database, tiles: PosixTileStore) -> Database:
    fill(database, tiles)
    return database


def test_a_migrated_database_is_the_schema(database: Database) -> None:
    with reading(database.engine) as connection:
        context = MigrationContext.configure(connection)

        assert compare_metadata(context, METADATA) == []
    assert stored_revision(database.engine) == newest_revision() == NEWEST_REVISION


def described(url: str) -> list[str]:
    """Return every constraint and index as the database words it."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    if url.startswith("sqlite"):
        query = (
            "SELECT sql FROM sqlite_master WHERE type IN ('table', 'index') AND sql IS NOT NULL"
            " AND name NOT LIKE 'alembic%'"
        )
    else:
        query = (
            "SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)"
            " FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
            " AND conrelid <> 'alembic_version'::regclass"
            " UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'"
            " AND tablename <> 'alembic_version'"
        )
        query = query.replace("%", "%%")
    with engine.connect() as connection:
        found = [" ".join(row[0].split()) for row in connection.exec_driver_sql(query)]
    engine.dispose()
    return sorted(found)


def test_every_constraint_of_the_migration_is_that_of_the_schema(
    tmp_path: Path, sqlite_url: str
) -> None:
    fresh = f"sqlite:///{tmp_path / 'fresh.db'}"
    engine = create_engine(fresh)
    METADATA.create_all(engine)
    engine.dispose()

    assert described(sqlite_url) == described(fresh)


def test_every_constraint_of_the_migration_is_that_of_the_schema_on_postgresql(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    fresh = postgres_server.url(postgres_server.create_database())
    engine = create_engine(fresh.replace("postgresql://", "postgresql+psycopg://"))
    METADATA.create_all(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (x int)")
    engine.dispose()

    assert described(postgres_url) == described(fresh)


def test_migrating_a_filled_database_again_changes_nothing(filled: Database) -> None:
    before = replayed_leaves(filled), filled.heads.load_head(), counts(filled)

    filled.migrate()

    assert (replayed_leaves(filled), filled.heads.load_head(), counts(filled)) == before
    check_migrated(filled.engine)


def test_an_empty_database_is_refused_until_it_is_migrated(
    tmp_path: Path, postgres_server: PostgresServer, opened: Opener
) -> None:
    empty = [
        f"sqlite:///{tmp_path / 'empty.db'}",
        postgres_server.url(postgres_server.create_database()),
    ]

    for url in empty:
        database = opened(url)
        for ask in (database.check, database.log.count_entries):
            with pytest.raises(UnavailableError) as caught:
                ask()
            assert caught.value.code == "store.not-migrated"
        database.migrate()
        database.check()
        fill(database, make_tiles(folder(tmp_path, database)))


def test_a_database_of_a_later_release_is_refused(database: Database) -> None:
    with writing(database.engine) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(UnavailableError) as caught:
        database.check()
    assert caught.value.code == "store.not-migrated"
    with pytest.raises(UnavailableError) as caught:
        database.migrate()
    assert caught.value.code == "store.newer-schema"


def folder(parent: Path, database: Database) -> Path:
    """A folder of its own for the tiles of a database."""
    found = parent / database.engine.dialect.name
    found.mkdir()
    return found


def counts(database: Database) -> dict[str, int]:
    with reading(database.engine) as connection:
        return {
            name: connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one()
            for name in METADATA.tables
        }


def refused(database: Database, statement: str) -> str:
    with pytest.raises(IntegrityError) as caught, writing(database.engine) as connection:
        connection.exec_driver_sql(statement)
    return caught.value.code


def test_insert_only_tables_refuse_update_and_delete(filled: Database) -> None:
    before = counts(filled)
    assert all(before.values()), before

    for table in INSERT_ONLY:
        column = table.columns.values()[-1].name
        assert refused(filled, f"UPDATE {table.name} SET {column} = {column}") == (
            "store.append-only"
        )
        assert refused(filled, f"DELETE FROM {table.name}") == "store.append-only"
    assert counts(filled) == before


def test_every_table_is_insert_only_or_says_who_changes_it() -> None:
    mutable = METADATA.tables.keys() - {table.name for table in INSERT_ONLY}

    log = {"queue", "head", "lease", "erasing"}
    office = {"blocks", "document_numbers"}
    assert mutable == log | office | {"anchors", "anchor_nonces", "anchor_notes", "vanished_blocks"}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE blocks SET offered_at = offered_at - 1",
        "UPDATE blocks SET offered_at = offered_at + 1, number = number + 1",
        "UPDATE blocks SET header = hash",
        "UPDATE blocks SET time = time + 1",
        "UPDATE blocks SET chain_id = 7",
        "DELETE FROM blocks",
    ],
)
def test_of_a_block_the_moment_of_its_offer_alone_changes_and_only_rises(
    filled: Database, change: str
) -> None:
    assert refused(filled, change) == "store.append-only"
    with writing(filled.engine) as connection:
        connection.exec_driver_sql("UPDATE blocks SET offered_at = offered_at + 1")


@pytest.mark.parametrize("table", [table.name for table in INSERT_ONLY])
def test_replacing_a_row_is_refused_on_sqlite(
    table: str, sqlite_database: Database, tiles: PosixTileStore
) -> None:
    fill(sqlite_database, tiles)

    statement = f"REPLACE INTO {table} SELECT * FROM {table}"

    assert refused(sqlite_database, statement) == "store.append-only"


def test_truncation_is_refused_on_postgresql(
    postgres_url: str, opened: Opener, tiles: PosixTileStore
) -> None:
    database = opened(postgres_url)
    fill(database, tiles)

    remarks = {"anchors", "anchor_nonces", "anchor_notes", "vanished_blocks"}
    for table in METADATA.tables:
        if table not in remarks:
            assert refused(database, f"TRUNCATE {table} CASCADE") == "store.append-only"


def test_a_replication_role_does_not_pass_by_the_triggers(
    postgres_url: str, opened: Opener, tiles: PosixTileStore
) -> None:
    database = opened(postgres_url)
    fill(database, tiles)

    statements = "SET LOCAL session_replication_role = 'replica'; DELETE FROM entries"

    assert refused(database, statements) == "store.append-only"


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM queue",
        "UPDATE queue SET position = position + 1000",
        "DELETE FROM head",
        "UPDATE head SET size = size - 1",
        "UPDATE head SET epoch = epoch - 1",
        "DELETE FROM lease",
        "UPDATE lease SET epoch = epoch - 1",
    ],
)
def test_what_waits_cannot_get_lost_and_heads_never_go_back(
    filled: Database, statement: str
) -> None:
    assert refused(filled, statement) == "store.append-only"


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO head SELECT 2, size, root, epoch, state FROM head",
        "INSERT INTO lease (id, holder, epoch, expires_at) VALUES (2, '', 0, 0)",
        "UPDATE head SET state = 'broken'",
        "UPDATE lease SET id = 2",
        "INSERT INTO queue SELECT position + 1000000, salt, 0 FROM submissions",
        "INSERT INTO queue SELECT position, salt, 0 FROM queue q JOIN submissions USING (position)",
        "INSERT INTO submissions SELECT 9999, record_key, 3, envelope, salt FROM submissions",
        "INSERT INTO submissions SELECT 9999, record_key, -1, envelope, salt FROM submissions",
        "INSERT INTO submissions SELECT 9999, envelope, kind, envelope, salt FROM submissions",
        "INSERT INTO submissions SELECT 9999, salt, kind, envelope, envelope FROM submissions",
        "INSERT INTO submissions SELECT 9999, NULL, kind, envelope, salt FROM submissions",
        "INSERT INTO entries SELECT leaf_index + 1000, position, sequence FROM entries",
        "INSERT INTO entries SELECT leaf_index + 1000, position + 100000, sequence FROM entries",
        "INSERT INTO entries SELECT leaf_index, position + 1000, sequence FROM entries",
        "INSERT INTO entries SELECT -1, position, 0 FROM queue",
        "INSERT INTO entries SELECT 1000, position, -1 FROM queue",
        "INSERT INTO places SELECT record, sequence, leaf_index FROM places",
        "INSERT INTO digests SELECT digest, leaf_index FROM digests",
        "INSERT INTO known_envelopes SELECT envelope_hash, position FROM known_envelopes",
        "INSERT INTO nonces SELECT nonce, keyid FROM nonces",
        "INSERT INTO refusals SELECT position + 100000, code, message FROM refusals",
        "INSERT INTO checkpoints SELECT 0, root, note, epoch, published_at FROM checkpoints",
        "INSERT INTO checkpoints SELECT size, root, note, epoch, published_at FROM checkpoints",
    ],
)
def test_rows_that_cannot_be_are_refused(filled: Database, statement: str) -> None:
    with pytest.raises(EvidenceError), writing(filled.engine) as connection:
        connection.exec_driver_sql(statement)


def test_a_sqlite_file_is_private_and_durable(sqlite_url: str, tmp_path: Path) -> None:
    path = tmp_path / "private.db"
    database = open_database(f"sqlite:///{path}")
    database.migrate()
    with reading(database.engine) as connection:
        for suffix in ("", "-wal", "-shm"):
            mode = stat.S_IMODE(Path(f"{path}{suffix}").stat().st_mode)
            assert mode == 0o600
        values = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers")
        }
    database.close()

    assert values == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "recursive_triggers": 1,
    }


def test_a_pragma_that_does_not_hold_is_refused(
    sqlite_url: str, opened: Opener, tiles: PosixTileStore
) -> None:
    fill(opened(sqlite_url), tiles)

    with pytest.raises(IntegrityError) as caught:
        # SQLite keeps the limit at the present size and says nothing.
        opened(sqlite_url, page_count_max=1).log.count_entries()

    assert caught.value.code == "store.pragma-refused"


@pytest.mark.parametrize(
    "setting",
    ["synchronous_commit=off", "synchronous_commit=local", "TimeZone=Asia/Shanghai"],
)
def test_a_server_setting_that_loses_commits_is_refused(
    setting: str, postgres_server: PostgresServer, postgres_url: str, opened: Opener
) -> None:
    name, _, value = setting.partition("=")
    database_name = postgres_url.rpartition("/")[2]
    owner = opened(postgres_url)
    with writing(owner.engine) as connection:
        connection.exec_driver_sql(f"CREATE ROLE lax_{database_name} LOGIN")
        connection.exec_driver_sql(f"ALTER ROLE lax_{database_name} SET {name} = '{value}'")
    lax = opened(postgres_server.url(database_name, f"lax_{database_name}"))

    if name == "TimeZone":  # our own option wins
        with reading(lax.engine) as connection:
            assert connection.exec_driver_sql("SHOW TimeZone").scalar() == "UTC"
        return
    with pytest.raises(IntegrityError) as caught:
        lax.log.count_entries()
    assert caught.value.code == "store.setting-refused"


def test_both_kinds_of_database_are_told_apart(database: Database, url: str) -> None:
    with reading(database.engine) as connection:
        assert is_sqlite(connection) == url.startswith("sqlite")


def test_the_file_format_needs_no_program_of_ours(
    sqlite_url: str, opened: Opener, tiles: PosixTileStore
) -> None:
    fill(opened(sqlite_url), tiles)

    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM entries").fetchone() == (257,)
    assert open_engine(sqlite_url).dialect.name == "sqlite"
    assert schema.entries.name == "entries"
