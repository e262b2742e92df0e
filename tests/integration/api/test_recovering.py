"""A log that contradicts itself takes nothing in, and everybody can still read it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from served import Served, listening, serving, sha256
from vermilion_api.app import create_app
from vermilion_api.settings import load_settings, save_settings
from vermilion_api.wiring import open_ledger

READS = ("/log/checkpoint", "/log/tile/0/000.p/1", "/log/tile/entries/000.p/1", "/v1/log")


def register(client: httpx.Client, name: str) -> httpx.Response:
    return client.post("/v1/records", json={"name": name, "digest": {"sha256": sha256(name)}})


@contextmanager
def damaged(folder: Path, *, sequencer: str) -> Iterator[tuple[httpx.Client, str]]:
    """A ledger with one record, started again over a published file of another log."""
    with serving(folder) as served:
        record = register(served.client, "kept").json()["record"]
    home = folder / "home"
    (home / "log" / "checkpoint").write_bytes(b"nobody signed this\n")
    settings = load_settings(home)
    object.__setattr__(settings, "sequencer", sequencer)
    save_settings(home, settings)
    ledger = open_ledger(home)
    if sequencer == "outside":
        ledger.database.heads.halt(epoch=99)  # what the sequencer's own process did
    with (
        listening(create_app(ledger)) as url,
        httpx.Client(base_url=url, timeout=60, trust_env=False) as client,
    ):
        yield client, record
    ledger.database.close()


def refusal(client: httpx.Client) -> httpx.Response:
    """Wait until the log was looked at."""
    deadline = time.monotonic() + 30
    while (answer := register(client, "late")).json().get("code") != "log.recovering":
        assert answer.status_code == 503
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return answer


@pytest.mark.parametrize("sequencer", ["inside", "outside"])
def test_submissions_are_refused_and_reads_go_on(tmp_path: Path, sequencer: str) -> None:
    with damaged(tmp_path, sequencer=sequencer) as (client, record):
        answer = refusal(client)

        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert answer.json()["hint"]
        assert client.get(f"/v1/records/{record}").status_code == 200
        for path in READS[1:]:
            assert client.get(path).status_code == 200, path
        body = {"records": [{"name": "b", "digest": {"sha256": sha256("b")}}]}
        bulk = client.post("/v1/records/bulk", json=body)
        assert (bulk.status_code, bulk.json()["code"]) == (503, "log.recovering")
        assert client.get("/readyz").status_code == 503
        assert client.get("/livez").status_code == 200


def test_what_was_signed_is_still_shown(tmp_path: Path) -> None:
    with damaged(tmp_path, sequencer="inside") as (client, _):
        refusal(client)

        note = client.get("/log/checkpoint")

    assert note.status_code == 200
    assert note.text.startswith("ledger.example.gov/office-1\n1\n")


def test_a_healthy_log_takes_submissions_in_with_its_sequencer_inside(served: Served) -> None:
    assert served.app.state.services.keeper.is_leading
    assert register(served.client, "healthy").status_code == 200
