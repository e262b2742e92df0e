"""Which role may do what in PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from postgres import PostgresServer
from store_filled import NOW, TARGET, fill
from store_kit import accept, digest, make_sequencer, make_submission, make_writer
from vermilion_ledger.errors import (
    EvidenceError,
    InputError,
    IntegrityError,
)
from vermilion_ledger.store import Database
from vermilion_ledger.store.engine import writing
from vermilion_ledger.store.grants import apply_grants
from vermilion_ledger.store.schema import METADATA
from vermilion_ledger.tilestore.posix import PosixTileStore

Opener = Callable[..., Database]


@contextmanager
def acting_as(database: Database, role: str) -> Iterator[Callable[[str], str]]:
    """Run statements under a role; tell the code of the refusal, or an empty text."""

    def run(statement: str) -> str:
        try:
            with writing(database.engine) as connection:
                connection.exec_driver_sql(f'SET LOCAL ROLE "{role}"')
                connection.exec_driver_sql(statement)
        except EvidenceError as exc:
            return exc.code
        return ""

    yield run


@pytest.fixture
def granted(postgres_url: str, opened: Opener, tiles: PosixTileStore) -> Iterator[Database]:
    database = opened(postgres_url)
    fill(database, tiles)
    roles = {"api_role": "v_api", "sequencer_role": "v_seq", "anchorer_role": "v anchor"}
    for _ in range(2):  # applying again is harmless
        apply_grants(database.engine, **roles)
    yield database
    with writing(database.engine) as connection:
        for role in roles.values():
            connection.exec_driver_sql(f'DROP OWNED BY "{role}"')


CHANGES = [
    f"{verb} {table}{rest}"
    for table in sorted(METADATA.tables)
    for verb, rest in (
        ("UPDATE", f" SET {METADATA.tables[table].columns.keys()[0]} = DEFAULT"),
        ("DELETE FROM", ""),
        ("TRUNCATE", ""),
        ("DROP TABLE", ""),
    )
]


@pytest.mark.parametrize("role", ["v_api", "v_seq", "v anchor"])
def test_no_role_may_change_evidence(granted: Database, role: str) -> None:
    allowed = {
        "v_api": {"UPDATE document_numbers", "UPDATE blocks"},
        "v_seq": {"UPDATE head", "UPDATE lease", "DELETE FROM queue"},
        "v anchor": {
            "UPDATE anchors",
            "UPDATE anchor_nonces",
            "UPDATE anchor_notes",
            "DELETE FROM vanished_blocks",
        },
    }
    may = allowed.get(role, set())

    with acting_as(granted, role) as run:
        for change in CHANGES:
            if not any(re.match(f"{each}\\b", change) for each in may):
                assert run(change) == "store.not-allowed", change


def test_the_api_may_renew_the_offer_of_a_block_and_change_nothing_else(granted: Database) -> None:
    with acting_as(granted, "v_api") as run:
        assert run("UPDATE blocks SET number = number + 1") == "store.append-only"
        assert run("UPDATE blocks SET offered_at = offered_at + 1") == ""


def test_the_api_may_insert_submissions_but_no_entries(granted: Database) -> None:
    others = ["entries", "places", "digests", "checkpoints", "refusals", "head", "lease", "anchors"]
    with acting_as(granted, "v_api") as run:
        for table in others:
            assert run(f"INSERT INTO {table} SELECT * FROM {table}") == "store.not-allowed"
        assert run("INSERT INTO nonces VALUES (decode('00', 'hex'), decode('00', 'hex'))") == ""
        assert run("SELECT count(*) FROM entries") == ""


def test_each_process_does_its_work_under_its_own_role(
    granted: Database,
    postgres_server: PostgresServer,
    postgres_url: str,
    opened: Opener,
    tiles: PosixTileStore,
) -> None:
    name = postgres_url.rpartition("/")[2]
    with writing(granted.engine) as connection:
        for role in ("v_api", "v_seq", "v anchor"):
            connection.exec_driver_sql(f'ALTER ROLE "{role}" LOGIN')
    api, sequencing, anchoring = (
        opened(postgres_server.url(name, role)) for role in ("v_api", "v_seq", "v%20anchor")
    )

    before = api.log.count_entries()
    positions = accept(api, make_submission("z", plain=True), make_submission("z"))
    assert make_writer(sequencing, tiles).grow() is not None
    assert {each.state for each in api.log.load_states(positions).values()} == {"sequenced"}
    assert api.log.count_entries() == before + 3
    job = anchoring.anchors.plan(TARGET, size=9, root=digest("root"), now=NOW)
    assert api.anchors.load_open(TARGET) == job
    with pytest.raises(IntegrityError) as caught:
        make_sequencer(api)
    assert caught.value.code == "store.not-allowed"


def test_sqlite_has_no_roles(sqlite_url: str, opened: Opener) -> None:
    with pytest.raises(InputError) as caught:
        apply_grants(opened(sqlite_url).engine, api_role="a", sequencer_role="b")

    assert caught.value.code == "store.roles"


def test_the_api_may_not_be_the_sequencer(postgres_url: str, opened: Opener) -> None:
    with pytest.raises(InputError):
        apply_grants(opened(postgres_url).engine, api_role="a", sequencer_role="a")
