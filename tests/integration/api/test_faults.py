"""A full disk, a database gone, many at once: nothing acknowledged is lost."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import httpx

from served import Served, serving, sha256

PAGES = 120  # of 4 KiB: room for the schema and some records
PAD = 20_000  # bytes that each record brings along


def post(client: httpx.Client, name: str, pad: int = 0, key: str = "") -> httpx.Response:
    body = {"name": f"{name}.pdf", "digest": {"sha256": sha256(name)}, "detail": {"pad": pad * "x"}}
    headers = {"Idempotency-Key": key} if key else {}
    return client.post("/v1/records?wait=sequenced", json=body, headers=headers)


def test_a_full_disk_is_507_and_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    with serving(tmp_path, page_count_max=PAGES) as served:
        acknowledged: list[str] = []
        answer = post(served.client, "0", PAD)
        for number in range(1, 400):
            if answer.status_code != 200:
                break
            acknowledged.append(answer.json()["record"])
            answer = post(served.client, str(number), PAD)

        assert (answer.status_code, answer.json()["code"]) == (507, "store.disk-full")
        assert answer.headers["retry-after"]
        assert answer.json()["hint"]
        assert acknowledged
        for record in acknowledged:
            assert served.api.get(f"/v1/records/{record}")["entries"][0]["index"] >= 0


def test_a_full_disk_refuses_a_bulk_request_whole(tmp_path: Path) -> None:
    with serving(tmp_path, page_count_max=PAGES) as served:
        records = [{"name": f"{n}.pdf", "digest": {"sha256": sha256(str(n))}} for n in range(2000)]

        answer = served.client.post("/v1/records/bulk", json={"records": records})

        assert (answer.status_code, answer.json()["code"]) == (507, "store.disk-full")
        assert served.ledger.database.log.count_entries() == 0


def test_with_a_full_disk_reading_goes_on(tmp_path: Path) -> None:
    with serving(tmp_path, page_count_max=PAGES) as served:
        record = served.register("kept")["record"]  # published: it has its evidence
        while post(served.client, "more", PAD).status_code == 200:
            pass

        assert served.client.get(f"/v1/records/{record}/bundle").status_code == 200
        assert served.client.get("/readyz").status_code == 200


def test_a_hundred_callers_at_once_get_a_hundred_indices(served: Served) -> None:
    found: list[int] = []
    lock = threading.Lock()

    def call(number: int) -> None:
        with httpx.Client(base_url=str(served.client.base_url), timeout=60) as client:
            for turn in range(10):
                index = post(client, f"{number} {turn}").json()["index"]
                with lock:
                    found.append(index)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(found)) == 100


def test_the_same_key_at_once_makes_one_entry(served: Served) -> None:
    before = served.ledger.database.log.count_entries()
    answers: list[httpx.Response] = []

    def call() -> None:
        with httpx.Client(base_url=str(served.client.base_url), timeout=60) as client:
            answers.append(post(client, "once", key="at-once"))

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert served.ledger.database.log.count_entries() == before + 1
    statuses = {answer.status_code for answer in answers}
    assert 200 in statuses
    assert statuses <= {200, 409}
    assert {a.json()["code"] for a in answers if a.status_code == 409} <= {"idempotency.running"}


def test_a_damaged_database_is_a_problem_and_no_traceback(tmp_path: Path) -> None:
    with serving(tmp_path, sequenced=False) as served:
        with sqlite3.connect(tmp_path / "home" / "ledger.db") as connection:
            connection.execute("PRAGMA foreign_keys=OFF")
            connection.execute("DROP TABLE queue")

        answer = post(served.client, "x")

        assert (answer.status_code, answer.json()["code"]) == (503, "store.not-migrated")
        assert "Traceback" not in answer.text
