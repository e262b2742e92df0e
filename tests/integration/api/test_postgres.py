"""The same API over PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from postgres import PostgresServer, find_postgres, running_postgres
from served import TWO_OWNERS, refused, serving, sha256


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    if find_postgres() is None:
        pytest.skip("no PostgreSQL programs (initdb, pg_ctl, postgres) on this machine")
    with running_postgres() as found:
        yield found


def test_a_record_goes_from_registration_to_evidence(
    server: PostgresServer, tmp_path: Path
) -> None:
    url = server.url(server.create_database())
    with serving(tmp_path, database_url=url) as served:
        served.register_key(served.root)
        wang = served.enrol("wang")
        record = served.register("contract", policy=served.adopt(TWO_OWNERS))["record"]
        served.decide(record, wang)

        report = served.api.post("/v1/verify", {"digest": f"sha256:{sha256('contract')}"})
        statuses = {each["id"]: each["status"] for each in report["records"][0]["checks"]}

        assert statuses["log.inclusion"] == "pass"
        assert statuses["signature.actor"] == "pass"
        assert statuses["approval.rule"] == "fail"
        assert served.client.get("/readyz").status_code == 200


def test_what_is_refused_on_sqlite_is_refused_here(server: PostgresServer, tmp_path: Path) -> None:
    url = server.url(server.create_database())
    with serving(tmp_path, database_url=url) as served:
        body = {"name": "a", "digest": {"sha256": sha256("a")}}
        headers = {"Idempotency-Key": "k"}
        first = served.client.post("/v1/records", json=body, headers=headers)
        again = served.client.post("/v1/records", json=body, headers=headers)
        other = served.client.post("/v1/records", json={**body, "name": "b"}, headers=headers)

        assert again.json() == first.json()
        assert (other.status_code, other.json()["code"]) == (422, "idempotency.other-body")
        assert refused(lambda: served.register("x", policy="ab" * 32)) == "policy.not-in-force"


def test_a_server_that_is_gone_is_unreachable_and_nothing_is_answered_2xx(tmp_path: Path) -> None:
    if find_postgres() is None:
        pytest.skip("no PostgreSQL programs (initdb, pg_ctl, postgres) on this machine")
    with running_postgres() as server:
        url = server.url(server.create_database())
        with serving(tmp_path, database_url=url, sequenced=False) as served:
            server.stop("immediate")

            answer = served.client.post(
                "/v1/records", json={"name": "a", "digest": {"sha256": sha256("a")}}
            )

            assert (answer.status_code, answer.json()["code"]) == (503, "store.unreachable")
            server.start()
