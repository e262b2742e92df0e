"""Bundles and the registry: what is handed out verifies, whole or with its key withheld."""

from __future__ import annotations

import json
from typing import Any

import pytest

from served import Served, sha256
from vermilion_api.trust import render_trust_policy
from vermilion_ledger.bundle import parse_bundle
from vermilion_ledger.encoding import encode_json


@pytest.fixture(scope="module")
def record(served: Served) -> str:
    """A record under a rule that two owners met."""
    wang, li = served.enrol("wang"), served.enrol("li", scheme="secp256k1-eip712")
    made: str = served.register("evidence", policy=served.adopt())["record"]
    served.decide(made, wang)
    served.decide(made, li)
    return made


def fetch(served: Served, record: str, **params: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(served.api.fetch(f"/v1/records/{record}/bundle", params))
    return found


def verify(served: Served, bundle: dict[str, Any], digest: str = "") -> dict[str, Any]:
    asked = {"digest": f"sha256:{digest or sha256('evidence')}", "bundle": bundle}
    return served.api.post("/v1/verify", asked)


def statuses(report: dict[str, Any]) -> dict[str, str]:
    return {check["id"]: check["status"] for check in report["checks"]}


def test_a_bundle_passes_every_check_but_the_chains(served: Served, record: str) -> None:
    bundle = fetch(served, record)

    report = verify(served, bundle)

    assert report["verdict"] == "pending"
    assert {name for name, status in statuses(report).items() if status == "pass"} >= {
        "bundle.parse",
        "document.digest",
        "entry.commitment",
        "entry.tag",
        "log.inclusion",
        "checkpoint.signature",
        "statement.binding",
        "signature.intake",
        "signature.actor",
        "key.validity",
        "approval.rule",
        "record.completeness",
    }
    assert "fail" not in statuses(report).values()
    assert "believe nobody" in report["note"]


def test_a_bundle_is_canonical_and_of_its_media_type(served: Served, record: str) -> None:
    answer = served.client.get(f"/v1/records/{record}/bundle")

    assert answer.headers["content-type"] == "application/vnd.vermilion.evidence.v1+json"
    assert f"{record}.evidence.json" in answer.headers["content-disposition"]
    assert encode_json(json.loads(answer.content)) == answer.content
    assert parse_bundle(answer.content).record_id == record


def test_only_keys_that_the_record_uses_are_in_its_bundle(served: Served, record: str) -> None:
    other = served.enrol("not used here")

    bundle = fetch(served, record, size=str(served.api.get("/v1/log")["tree"]["size"]))

    owners = {
        json.loads(_payload(event))["predicate"]["detail"]["owner"]["id"]
        for event in bundle["keys"]
    }
    assert owners == {"root", "wang", "li"}
    assert other.keyid not in json.dumps(bundle)


def _payload(event: dict[str, Any]) -> bytes:
    import base64

    return base64.b64decode(event["envelope"]["payload"])


def test_a_withheld_key_stays_inside_and_the_tags_stand_in_its_place(
    served: Served, record: str
) -> None:
    bundle = fetch(served, record, withhold="key")

    assert "key" not in bundle["record"]
    assert all("tag" in entry for entry in bundle["entries"])
    assert "fail" not in statuses(verify(served, bundle)).values()


@pytest.mark.parametrize("withhold", ["salt", "KEY"])
def test_nothing_but_the_key_can_be_withheld(served: Served, record: str, withhold: str) -> None:
    answer = served.client.get(f"/v1/records/{record}/bundle", params={"withhold": withhold})

    assert (answer.status_code, answer.json()["code"]) == (400, "request.withhold")


def test_a_bundle_under_an_earlier_checkpoint_has_the_entries_below_it(
    served: Served, record: str
) -> None:
    first = served.api.get(f"/v1/records/{record}")["entries"][0]["index"]
    sizes = [row.size for row in served.ledger.reader().checkpoints(limit=1000)]
    early = min(size for size in sizes if size > first)

    bundle = fetch(served, record, size=str(early))

    assert [entry["sequence"] for entry in bundle["entries"]] == [0]
    assert bundle["closing"]["entries"] == 1
    assert statuses(verify(served, bundle))["approval.rule"] == "fail"


def test_a_size_that_was_never_published_is_refused(served: Served, record: str) -> None:
    answer = served.client.get(f"/v1/records/{record}/bundle", params={"size": "1000000"})

    assert (answer.status_code, answer.json()["code"]) == (404, "log.no-checkpoint")


def test_a_checkpoint_before_the_record_is_refused(served: Served) -> None:
    size = served.api.get("/v1/log")["tree"]["size"]
    late = served.register("too late")["record"]

    answer = served.client.get(f"/v1/records/{late}/bundle", params={"size": str(size)})

    assert (answer.status_code, answer.json()["code"]) == (404, "record.not-in-checkpoint")


def test_the_public_records_have_no_bundle(served: Served) -> None:
    answer = served.client.get(f"/v1/records/{served.api.record_id('keys')}/bundle")

    assert (answer.status_code, answer.json()["code"]) == (409, "record.not-document")


@pytest.mark.parametrize("part", ["entries", "keys", "policies"])
def test_a_bundle_with_a_part_cut_out_is_refuted(served: Served, record: str, part: str) -> None:
    bundle = fetch(served, record)
    bundle[part] = bundle[part][:-1]

    assert verify(served, bundle)["verdict"] == "refuted"


def test_a_bundle_of_another_document_does_not_pass(served: Served, record: str) -> None:
    report = verify(served, fetch(served, record), digest=sha256("another"))

    assert statuses(report)["document.digest"] == "fail"


def test_a_revoked_document_is_revoked_in_its_bundle(served: Served) -> None:
    key = served.enrol("revoker")
    record = served.register("recalled")["record"]
    served.decide(record, key)
    served.event(record, {"event": "revoke", "detail": {"reason": "wrong amount"}}, key)

    bundle = fetch(served, record)

    assert bundle["closing"]["status"] == "revoked"
    assert verify(served, bundle, digest=sha256("recalled"))["verdict"] == "revoked"
    assert served.api.get(f"/v1/records/{record}")["status"] == "revoked"


def test_a_form_with_file_and_bundle_is_verified(served: Served, record: str) -> None:
    data = served.api.fetch(f"/v1/records/{record}/bundle")

    answer = served.client.post(
        "/v1/verify",
        files={"file": ("contract.pdf", b"evidence"), "bundle": ("b.evidence.json", data)},
    )

    assert answer.json()["verdict"] == "pending"
    assert answer.json()["document"]["sha256"] == sha256("evidence")


@pytest.mark.parametrize("names", [("file",), ("bundle",), ("file", "proof")])
def test_a_form_without_its_two_files_is_refused(served: Served, names: tuple[str, ...]) -> None:
    files = {name: (name, b"x") for name in names}

    answer = served.client.post("/v1/verify", files=files)

    assert (answer.status_code, answer.json()["code"]) == (400, "request.form")


def test_bytes_that_are_no_bundle_are_a_report_and_no_error(served: Served) -> None:
    answer = served.client.post(
        "/v1/verify", files={"file": ("a", b"x"), "bundle": ("b", b"\xff\xfe")}
    )

    assert answer.status_code == 200
    assert answer.json()["verdict"] == "refuted"


def test_a_digest_alone_is_looked_up(served: Served, record: str) -> None:
    found = served.api.post("/v1/verify", {"digest": f"sha256:{sha256('evidence')}"})
    missing = served.api.post("/v1/verify", {"digest": f"sha256:{sha256('unheard of')}"})

    assert [each["record"] for each in found["records"]] == [record]
    assert found["records"][0]["verdict"] == "pending"
    assert (missing["verdict"], missing["records"]) == ("no_record", [])


@pytest.mark.parametrize("body", [{}, {"digest": 1}, {"digest": "x"}, {"digest": "sha256:"}])
def test_a_question_without_a_digest_is_refused(served: Served, body: dict[str, Any]) -> None:
    assert served.client.post("/v1/verify", json=body).status_code == 400


def test_the_registry_has_every_key_event_that_the_log_has(served: Served, record: str) -> None:
    answer = served.client.get("/v1/registry")

    value = answer.json()
    kept = served.ledger.reader().record_entries(served.api.record_id("keys"))
    assert answer.headers["content-type"].startswith("application/vnd.vermilion.registry.v1+json")
    assert [event["index"] for event in value["keys"]] == [row.index for row in kept]
    assert [event["sequence"] for event in value["policies"]] == list(range(len(value["policies"])))


def test_the_verifiers_policy_is_the_one_that_is_exported(served: Served) -> None:
    log = served.api.get("/v1/log")
    text = render_trust_policy(served.ledger.settings, served.ledger.secrets)

    assert log["vkeys"][0] in text
    assert log["intakeKeys"][0] in text
    assert log["registry"]["keys"] in text
    assert "rpc" not in json.dumps(log)
