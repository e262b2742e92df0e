"""The app that ours is compared with does the same work and gives the same answer."""

from __future__ import annotations

import importlib
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from vermilion_api.schemas import RecordAnswer
from vermilion_ledger.envelope import parse_envelope
from vermilion_ledger.merkle import hash_leaf
from vermilion_ledger.tree import Frontier, peaks, subtree_root

BENCH = Path(__file__).resolve().parents[3] / "bench"
YARDSTICK = BENCH / "yardsticks" / "orm_app.py"
COUNT = 11


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "orm.db"


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    monkeypatch.syspath_prepend(BENCH)
    serving = importlib.import_module("serving")
    port = serving.free_port()
    command = [sys.executable, str(YARDSTICK), f"--folder={tmp_path}", f"--port={port}"]
    with (
        serving.running(command, port) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        yield client


def register(client: httpx.Client, number: int) -> dict[str, Any]:
    body = {"name": f"{number}.pdf", "digest": {"sha256": f"{number:064x}"}}
    answer = client.post("/v1/records?wait=sequenced", json=body)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def select(database: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


def test_it_answers_as_our_api_does(client: httpx.Client) -> None:
    answers = [register(client, number) for number in range(3)]

    assert [RecordAnswer.model_validate(each).index for each in answers] == [0, 1, 2]
    assert len({each["record"] for each in answers}) == 3


def test_it_keeps_the_frontier_of_the_very_tree(client: httpx.Client, database: Path) -> None:
    for number in range(COUNT):
        register(client, number)

    leaves = [
        hash_leaf(entry)
        for (entry,) in select(database, "SELECT entry FROM records ORDER BY leaf_index")
    ]
    ((size, stored),) = select(database, "SELECT size, peaks FROM tree")

    assert size == COUNT
    spans = [(place << level, (place + 1) << level) for level, place in peaks(0, COUNT)]
    assert stored == b"".join(subtree_root(leaves[start:end]) for start, end in spans)
    frontier = Frontier()
    frontier.extend(leaves)
    assert Frontier(size, [stored[at : at + 32] for at in range(0, len(stored), 32)]).root() == (
        frontier.root()
    )


def test_it_stores_an_envelope_that_is_one_of_ours(client: httpx.Client, database: Path) -> None:
    answer = register(client, 7)

    ((raw,),) = select(database, "SELECT envelope FROM records")
    envelope = parse_envelope(raw)

    assert envelope.hash.hex() == answer["envelope"]
    assert envelope.statement.record == answer["record"]


def test_a_body_that_is_no_registration_is_refused(client: httpx.Client) -> None:
    answer = client.post("/v1/records", json={"name": "a.pdf", "digest": {"sha256": "00"}})

    assert answer.status_code == 422
