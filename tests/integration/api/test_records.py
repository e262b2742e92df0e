"""Registering and reading: what is refused, what is told, and when."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

import pytest

from served import Served, sequencing, serving, sha256
from store_kit import stored_between
from vermilion_ledger.checkpoint import parse_checkpoint_unverified, verify_signatures
from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.merkle import hash_leaf, verify_inclusion
from vermilion_ledger.note import parse_vkey

BODY = {"name": "a.pdf", "digest": {"sha256": sha256("a")}}
UNKNOWN = "rec_" + "0" * 32


def post(served: Served, path: str, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = served.client.post(
        path, content=data, headers={"Content-Type": "application/json", **headers}
    )
    found: dict[str, Any] = answer.json()
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert set(found) == {"type", "title", "status", "detail", "code", "hint", "trace_id"}
        assert found["hint"]
        assert "Traceback" not in answer.text
    return answer.status_code, found


def test_an_answer_has_an_index_that_is_stored(served: Served) -> None:
    status, found = post(served, "/v1/records?wait=sequenced", BODY)

    assert status == 200
    (stored,) = stored_between(served.ledger.database.log, found["index"], found["index"] + 1)
    assert make_record_id(stored.record_key) == found["record"]
    assert hashlib.sha256(stored.envelope).hexdigest() == found["envelope"]
    assert stored.sequence == found["sequence"] == 0


def test_a_published_answer_names_a_checkpoint_over_its_index(served: Served) -> None:
    _, found = post(served, "/v1/records", BODY)

    assert found["state"] == "published"
    assert found["checkpoint"]["size"] > found["index"]


def test_time_up_before_the_chain_answers_202_with_the_state_reached(served: Served) -> None:
    status, found = post(served, "/v1/records?wait=final&timeout=0.5", BODY)

    assert (status, found["state"]) == (202, "published")


def test_without_a_sequencer_nothing_is_answered_2xx_and_nothing_is_lost(tmp_path: Path) -> None:
    with serving(tmp_path, sequenced=False) as served:
        status, found = post(
            served, "/v1/records?timeout=0.3", BODY, **{"Idempotency-Key": "later"}
        )
        assert (status, found["code"]) == (503, "intake.not-sequenced")

        with sequencing(served.ledger):
            status, found = post(served, "/v1/records", BODY, **{"Idempotency-Key": "later"})

        assert (status, found["index"]) == (200, 0)
        assert served.ledger.database.log.count_entries() == 1


def kept_of(served: Served, code: str) -> tuple[list[str], int]:
    """The records of the document, and how long the log is unless it counts such refusals."""
    digest = f"sha256:{sha256('a')}"
    records = served.api.get("/v1/records", {"digest": digest})["records"]
    size = 0 if code == "grade.refused" else served.ledger.database.log.count_entries()
    return sorted(each["record"] for each in records), size


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"name":"a","name":"b","digest":{}}', 400, "json.duplicate-key"),
        (b"{", 400, "json.malformed"),
        (b'{"name":"a","digest":{"sha256":0.5}}', 400, "json.not-integer"),
        ({**BODY, "grade": "绝密"}, 422, "grade.refused"),
        ({**BODY, "policy": "ab" * 32}, 422, "policy.not-in-force"),
        ({**BODY, "salt": "x"}, 400, "json.unknown-member"),
        (b" " * (96 * 1024 + 1), 413, "request.too-large"),
        ({**BODY, "detail": {"x": "y" * 40_000}}, 413, "json.too-large"),
    ],
)
def test_what_is_refused_leaves_nothing_behind(
    served: Served, body: Any, status: int, code: str
) -> None:
    before = kept_of(served, code)

    found = post(served, "/v1/records?wait=sequenced", body)

    assert (found[0], found[1]["code"]) == (status, code)
    time.sleep(0.1)
    assert kept_of(served, code) == before


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/records?wait=soon", 400, "request.wait"),
        ("/v1/records?timeout=0", 400, "request.wait"),
        ("/v1/records?timeout=601", 400, "request.wait"),
        ("/v1/records?timeout=nan", 400, "request.wait"),
        ("/v1/records?timeout=x", 400, "request.malformed"),
        (f"/v1/records/{UNKNOWN}/events", 400, "json.missing-member"),
        (f"/v1/records/{UNKNOWN}/statements", 400, "json.missing-member"),
        ("/v1/nothing", 404, "request.no-route"),
        ("/v1/log", 405, "request.method"),
    ],
)
def test_a_wrong_request_is_a_problem(served: Served, path: str, status: int, code: str) -> None:
    found = post(served, path, BODY if "events" not in path and "stat" not in path else {})

    assert (found[0], found[1]["code"]) == (status, code)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"/v1/records/{UNKNOWN}", 404, "record.unknown"),
        (f"/v1/records/{UNKNOWN}/bundle", 404, "record.unknown"),
        ("/v1/records/../x", 404, "request.no-route"),
        ("/v1/records/rec_short", 404, "record.unknown"),
        ("/v1/records", 400, "request.malformed"),
        ("/v1/records?digest=md5:00", 400, "request.digest"),
        ("/v1/anchors?limit=0", 400, "request.malformed"),
        ("/log/tile/0/999", 404, "log.no-tile"),
        ("/log/tile/64/000", 404, "log.no-tile"),
        ("/log/tile/x/000", 404, "log.no-tile"),
        ("/log/tile/entries/abc", 404, "log.no-tile"),
        ("/docs", 404, "request.no-route"),
    ],
)
def test_a_wrong_question_is_a_problem(served: Served, path: str, status: int, code: str) -> None:
    answer = served.client.get(path)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_body_of_another_kind_is_refused(served: Served) -> None:
    answer = served.client.post("/v1/records", content=b"x", headers={"Content-Type": "text/xml"})

    assert (answer.status_code, answer.json()["code"]) == (415, "request.media-type")


def test_the_hint_is_in_the_callers_language(served: Served) -> None:
    answer = served.client.get(f"/v1/records/{UNKNOWN}", headers={"Accept-Language": "zh-CN"})

    assert any("\u4e00" <= letter <= "\u9fff" for letter in answer.json()["hint"])


def test_the_trace_id_is_the_callers(served: Served) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    answer = served.client.get(
        "/nothing", headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    )

    assert answer.json()["trace_id"] == trace


def test_a_fault_of_ours_is_a_problem_without_a_traceback(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> dict[str, float]:
        raise ZeroDivisionError

    monkeypatch.setattr(served.app.state.services.progress, "figures", fail)

    answer = served.client.get("/metrics")

    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "Traceback" not in answer.text


def test_the_same_key_and_body_get_the_first_answer(served: Served) -> None:
    first = post(served, "/v1/records", BODY, **{"Idempotency-Key": "same"})
    size = served.ledger.database.log.count_entries()

    assert post(served, "/v1/records", BODY, **{"Idempotency-Key": "same"}) == first
    assert served.ledger.database.log.count_entries() == size


def test_the_same_key_with_another_body_is_refused(served: Served) -> None:
    post(served, "/v1/records", BODY, **{"Idempotency-Key": "other"})

    status, found = post(
        served, "/v1/records", {**BODY, "name": "b.pdf"}, **{"Idempotency-Key": "other"}
    )

    assert (status, found["code"]) == (422, "idempotency.other-body")


def test_many_documents_get_their_indices_in_order(served: Served) -> None:
    records = [{"name": f"{n}.pdf", "digest": {"sha256": sha256(f"bulk {n}")}} for n in range(300)]

    status, found = post(served, "/v1/records/bulk", {"records": records})

    assert status == 200
    indices = [each["index"] for each in found["records"]]
    assert indices == list(range(indices[0], indices[0] + 300))
    history = served.api.get(f"/v1/records/{found['records'][7]['record']}")
    assert history["digest"] == sha256("bulk 7")


def test_a_bulk_request_is_repeated_without_a_second_entry(served: Served) -> None:
    body = {"records": [BODY, BODY]}
    first = post(served, "/v1/records/bulk", body, **{"Idempotency-Key": "bulk"})
    size = served.ledger.database.log.count_entries()

    assert post(served, "/v1/records/bulk", body, **{"Idempotency-Key": "bulk"}) == first
    assert served.ledger.database.log.count_entries() == size


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"records": [BODY] * 10_001}, 413, "request.too-many-records"),
        (b" " * (16 * 1024 * 1024 + 1), 413, "request.too-large"),
        ({"records": [BODY, {**BODY, "grade": "机密"}]}, 422, "grade.refused"),
        ({"records": [BODY, {**BODY, "policy": "ab" * 32}]}, 422, "policy.not-in-force"),
    ],
)
def test_a_bulk_request_is_taken_whole_or_not_at_all(
    served: Served, body: Any, status: int, code: str
) -> None:
    before = kept_of(served, code)

    found = post(served, "/v1/records/bulk?wait=sequenced", body)

    assert (found[0], found[1]["code"]) == (status, code)
    time.sleep(0.1)
    assert kept_of(served, code) == before


def test_a_digest_is_found_in_every_record_that_has_it(served: Served) -> None:
    made = [served.register("twice")["record"] for _ in range(2)]

    found = served.api.get("/v1/records", {"digest": f"sha256:{sha256('twice')}"})

    assert [each["record"] for each in found["records"]] == sorted(made)
    assert "verdict" not in found


def test_a_digest_that_nobody_recorded_is_no_record_and_no_error(served: Served) -> None:
    found = served.api.get("/v1/records", {"digest": f"sha256:{sha256('never')}"})

    assert (found["records"], found["verdict"]) == ([], "no_record")


def test_the_log_is_served_as_tiles_that_lead_to_its_checkpoint(served: Served) -> None:
    made = served.register("in a tile")
    log = served.api.get("/v1/log")
    note = served.client.get("/log/checkpoint")
    signed = parse_checkpoint_unverified(note.content)
    size, index = signed.checkpoint.size, made["index"]

    assert verify_signatures(signed, [parse_vkey(log["vkeys"][0])])
    place, width = index // 256, min(256, size - index // 256 * 256)
    path = f"{place:03}" + (f".p/{width}" if width < 256 else "")
    tile = served.client.get(f"/log/tile/0/{path}")
    entries = served.client.get(f"/log/tile/entries/{path}")
    offset = index % 256
    entry = entries.content[67 * offset + 2 : 67 * offset + 67]
    assert hash_leaf(entry) == tile.content[32 * offset : 32 * offset + 32]
    proof = served.ledger.reader().inclusion(index, size)
    verify_inclusion(hash_leaf(entry), index, size, proof, signed.checkpoint.root)
    assert "immutable" in tile.headers["cache-control"]
    assert tile.headers["content-type"] == "application/octet-stream"
    assert note.headers["cache-control"] == "no-cache"


def test_a_ledger_with_a_sequencer_is_ready_though_its_chain_is_down(served: Served) -> None:
    answer = served.client.get("/readyz")

    assert (answer.status_code, answer.json()["sequencer"]) == (200, "ok")
    assert served.client.get("/livez").text == "ok\n"


def test_a_ledger_without_a_sequencer_lives_and_is_not_ready(tmp_path: Path) -> None:
    with serving(tmp_path, sequenced=False) as served:
        assert served.client.get("/readyz").status_code == 503
        assert served.client.get("/livez").status_code == 200


def test_the_metrics_are_prometheus_text(served: Served) -> None:
    lines = served.client.get("/metrics").text.splitlines()

    assert "# TYPE vermilion_entries gauge" in lines
    assert all(line.startswith("#") or len(line.split()) == 2 for line in lines)


def test_the_front_page_speaks_both_languages_and_fetches_nothing(served: Served) -> None:
    page = served.client.get("/", headers={"Accept-Language": "zh"}).text

    assert page.index("公文") < page.index("official documents")
    assert "http://" not in page
    assert "<script" not in page
