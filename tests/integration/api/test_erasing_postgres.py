"""``vermilion erase`` on PostgreSQL, as an operator runs it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg
import pytest

from integration.api.test_erasing import asked, erase, fill, make_final, refusal, run, starting
from postgres import find_postgres, running_postgres
from served import serving
from vermilion_api.wiring import open_ledger


@pytest.fixture
def address() -> Iterator[str]:
    """A database of its own."""
    if find_postgres() is None:
        # An outside program; the same command is tested on SQLite, which every machine has.
        pytest.skip("initdb, pg_ctl and postgres are not installed")
    with running_postgres() as server:
        yield server.url(server.create_database())


def test_a_disposed_record_is_erased_once_nobody_else_is_connected(
    capsys: pytest.CaptureFixture[str], address: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with serving(tmp_path_factory.mktemp("office"), database_url=address) as served:
        office = fill(served)
    ledger = open_ledger(office.home)
    make_final(ledger, ledger.database.heads.load_head().size)
    ledger.database.close()

    with psycopg.connect(address):
        assert "erase.in-use" in erase(capsys, office, office.gone)[2]
    assert "erase.not-disposed" in erase(capsys, office, office.gone, office.kept)[2]
    code, out, err = erase(capsys, office, office.gone, "--json")

    listed = json.loads(out)
    assert (code, listed["records"], listed["entries"]) == (0, 1, 3), err
    assert erase(capsys, office, office.gone)[0] == 6
    with psycopg.connect(address) as connection:
        connection.execute("ALTER TABLE anchor_receipts DISABLE TRIGGER USER")
        connection.execute("DELETE FROM anchor_receipts")  # it was made up
    code, out, _ = run(capsys, "fsck", "--offline", "--home", office.home)
    assert (code, "3 of the entries belong to destroyed records" in out) == (0, True)
    with starting(office) as running:
        assert refusal(lambda: running.api.get(f"/v1/records/{office.gone}")) == "record.unknown"
        assert (asked(running, "gone"), asked(running, "kept")) == ([], [office.kept])
