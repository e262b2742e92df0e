"""bundle.parse, document.digest, entry.commitment, entry.tag and log.inclusion."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from evidence import DOCUMENT_BYTES, WANG, approved, close, codes, office, plain
from office import DOCUMENT, secret
from vermilion_ledger.encoding import encode_json
from vermilion_ledger.statement import Subject
from vermilion_verify.report import CHECK_IDS, CheckStatus, Verdict


def test_all_checks_of_an_anchored_approved_record_pass_in_the_order_of_the_formats() -> None:
    report = approved().verify()

    assert report.verdict is Verdict.PROVEN
    assert tuple(check.id for check in report.checks) == CHECK_IDS
    assert codes(report, CheckStatus.ABSENT).keys() == {"witness.quorum", "timestamp.token"}
    assert not codes(report, CheckStatus.UNKNOWN)


def test_a_record_without_people_is_proven_with_their_checks_absent() -> None:
    report = plain().verify()

    assert report.verdict is Verdict.PROVEN
    assert {"signature.actor", "key.validity", "approval.rule"} <= codes(
        report, CheckStatus.ABSENT
    ).keys()


# -- bundle.parse


def spoiled(change: Callable[[dict[str, Any]], object]) -> bytes:
    value = plain().bundle().to_json()
    change(value)
    return encode_json(value)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "json.malformed"),
        (b"[]", "bundle.media-type"),
        (b"null", "bundle.media-type"),
        (b'{"mediaType":1}', "bundle.media-type"),
        (b'{"mediaType":["application/vnd.vermilion.evidence.v1+json"]}', "bundle.media-type"),
        (b'{"a":1,"a":2}', "json.duplicate-key"),
        (b"[" * 17 + b"]" * 17, "json.too-deep"),
        (b"[" * 100_000, "json.too-deep"),
        (b'{"mediaType":"application/vnd.vermilion.evidence.v1+json","n":1.5}', "json.not-integer"),
        (b'{"n":' + b"9" * 100_000 + b"}", "json.integer-range"),
        (b'{"n":"\\ud800"}', "json.bad-character"),
        (b"\xef\xbb\xbf{}", "json.byte-order-mark"),
        (b"\xff\xfe", "json.not-utf8"),
        (b" " * (8 * 1024 * 1024 + 1), "json.too-large"),
    ],
)
def test_bytes_that_are_no_bundle_are_refuted_at_once(data: bytes, code: str) -> None:
    report = plain().verify(data)

    assert report.verdict is Verdict.REFUTED
    assert [(check.id, check.detail["code"]) for check in report.checks] == [("bundle.parse", code)]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda v: v.pop("anchors"), "json.missing-member"),
        (lambda v: v.update(extra=1), "json.unknown-member"),
        (lambda v: v.update(entries=[]), "bundle.first-entry"),
        (lambda v: v.update(entries={}), "bundle.shape"),
        (lambda v: v["entries"][0].update(sequence=1), "bundle.first-entry"),
        (lambda v: v["entries"][0].update(index=True), "json.not-count"),
        (lambda v: v["entries"].append(v["entries"][0]), "bundle.entries-left-out"),
        (lambda v: v["entries"][0].update(tag="00" * 32), "json.unknown-member"),
        (lambda v: v["record"].pop("key"), "json.missing-member"),
        (lambda v: v["record"].update(id="rec_"), "record.malformed-id"),
        (lambda v: v["closing"].update(entries=2), "bundle.entries-left-out"),
        (lambda v: v["closing"].update(entries=0), "bundle.closing-entries"),
        (lambda v: v["closing"].update(status=["current"]), "bundle.closing-status"),
        (lambda v: v["closing"].update(status="pending"), "bundle.closing-status"),
        (lambda v: v.update(checkpoint=[]), "bundle.checkpoint"),
        (lambda v: v.update(checkpoint="x" * 70_000), "note.too-large"),
        (
            lambda v: v.update(checkpoint=v["checkpoint"].replace("\n", "\r\n")),
            "note.windows-line-end",
        ),
        (
            lambda v: v.update(checkpoint=v["checkpoint"].replace("\n1\n", "\n01\n")),
            "checkpoint.size",
        ),
        (lambda v: v["anchors"].append(v["anchors"][0]), "bundle.order"),
        (lambda v: v["anchors"][0].update(type=3), "receipt.type"),
        (lambda v: v["anchors"][0].update(receiptProof=["0x"] * 17), "receipt.too-many"),
        (lambda v: v.update(headers=["0xc0"]), "header.shape"),
        (lambda v: v.update(timestamps=[{"token": "", "type": "rfc3161"}] * 2), "bundle.order"),
        (lambda v: v.update(timestamps=[{"token": "", "type": 5}]), "bundle.timestamp-type"),
        (lambda v: v["entries"][0].update(proof=["00" * 32] * 64), "merkle.proof-length"),
    ],
)
def test_a_bundle_of_another_shape_is_refuted(change: Any, code: str) -> None:
    report = plain().verify(spoiled(change))

    assert report.verdict is Verdict.REFUTED
    assert codes(report) == {"bundle.parse": code}


def test_a_bundle_that_is_not_canonical_is_refuted() -> None:
    data = encode_json(plain().bundle().to_json())

    for other in (data + b"\n", b" " + data, json.dumps(json.loads(data)).encode()):
        assert codes(plain().verify(other)) == {"bundle.parse": "json.not-canonical"}


def test_a_bundle_of_a_later_version_cannot_be_judged() -> None:
    data = encode_json(plain().bundle().to_json())

    report = plain().verify(data.replace(b"evidence.v1+json", b"evidence.v2+json"))

    assert report.verdict is Verdict.CANNOT_TELL
    assert codes(report, CheckStatus.UNKNOWN) == {"bundle.parse": "bundle.later-version"}
    assert report.as_of_size is None


def test_a_quoted_header_must_be_there_and_an_unquoted_one_must_not() -> None:
    scene = approved()

    missing = scene.verify(scene.bundle(headers=()))
    scene.chain.block(11)
    more = (*scene.bundle().headers, scene.chain.headers[scene.chain.hashes[31337, 11]])
    unquoted = scene.verify(scene.bundle(headers=tuple(sorted(more, key=scene_hash(scene)))))

    assert codes(missing) == {"bundle.parse": "bundle.header-missing"}
    assert codes(unquoted) == {"bundle.parse": "bundle.header-unquoted"}


def scene_hash(scene: Any) -> Callable[[bytes], bytes]:
    by_header = {header: found for found, header in scene.chain.headers.items()}
    return lambda header: by_header[header]


# -- document.digest


def test_another_file_is_refuted() -> None:
    report = approved().verify(content=b"the contract!")

    assert report.verdict is Verdict.REFUTED
    assert codes(report)["document.digest"] == "document.other-bytes"


def test_the_digest_of_a_decision_alone_is_not_a_recorded_version() -> None:
    scene = office(rules=None)
    scene.event("register")
    scene.event("review", content=b"never recorded")
    scene.anchor()

    report = scene.verify(content=b"never recorded")

    assert report.verdict is Verdict.REFUTED
    assert codes(report)["document.digest"] == "document.other-bytes"
    assert codes(report)["statement.binding"] == "statement.unrecorded-digest"


def test_a_file_that_only_a_left_out_entry_may_have_recorded_cannot_be_judged() -> None:
    scene = office(rules=None)
    scene.event("register")
    scene.event("version", content=b"second")
    scene.anchor()

    report = scene.verify(scene.bundle(withhold=True, without=[1]), content=b"second")

    assert report.verdict is Verdict.CANNOT_TELL
    assert codes(report, CheckStatus.UNKNOWN)["document.digest"] == "document.not-in-part"


SM3 = secret("sm3")


def with_sm3(sm3: bytes = SM3) -> Subject:
    return Subject(name="a", sha256=DOCUMENT, sm3=sm3)


def test_a_recorded_sm3_is_compared() -> None:
    scene = plain()
    scene.event("version", subject=with_sm3())
    scene.anchor(number=300)

    assert scene.verify(sm3=SM3).verdict is Verdict.PROVEN
    assert codes(scene.verify(sm3=bytes(32))) == {"document.digest": "document.other-sm3"}
    assert codes(scene.verify(), CheckStatus.UNKNOWN) == {
        "document.digest": "document.sm3-not-computed"
    }


def test_an_approval_of_other_bytes_by_their_sm3_is_refuted() -> None:
    scene = office(rules=None)
    scene.event("register", subject=with_sm3())
    scene.approve(WANG, subject=with_sm3(secret("other bytes")))
    scene.anchor()

    assert codes(scene.verify(sm3=SM3)) == {"document.digest": "document.other-sm3"}


# -- entry.tag


def test_a_record_key_of_another_record_is_refuted() -> None:
    scene = approved()

    report = scene.verify(scene.bundle(record_key=secret("another record")))
    swapped = scene.verify(close(replace(scene.bundle(), record_key=secret("wrong"))))

    assert report.verdict is Verdict.REFUTED  # another record's evidence is not about this file
    assert codes(swapped)["entry.tag"] == "record.other-key"
    assert codes(swapped)["log.inclusion"] == "merkle.root-mismatch"


def test_without_the_record_key_there_is_no_tag_to_check() -> None:
    scene = approved()

    report = scene.verify(scene.bundle(withhold=True))

    assert report.verdict is Verdict.PROVEN
    assert "entry.tag" in codes(report, CheckStatus.ABSENT)


# -- log.inclusion


@pytest.mark.parametrize("array", ["entries", "keys", "policies"])
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"salt": bytes(32)}, "merkle.root-mismatch"),
        ({"proof": ()}, "merkle.proof-length"),
        ({"index": 2**53 - 1}, "merkle.index-range"),
    ],
)
def test_an_entry_that_is_not_in_the_log_is_refuted(
    array: str, change: dict[str, Any], code: str
) -> None:
    scene = approved()
    bundle = scene.bundle()
    members = getattr(bundle, array)
    changed: dict[str, Any] = {array: (*members[:-1], replace(members[-1], **change))}

    report = scene.verify(scene.bundle(**changed))

    assert report.verdict is Verdict.REFUTED
    assert codes(report)["log.inclusion"] == code


@pytest.mark.parametrize("size", [0, 1, 62])
def test_a_proof_of_another_length_is_refuted(size: int) -> None:
    scene = approved()
    first, *rest = scene.bundle().entries

    report = scene.verify(scene.bundle(entries=(replace(first, proof=(bytes(32),) * size), *rest)))

    assert codes(report)["log.inclusion"] == "merkle.proof-length"


def test_a_stated_tag_of_another_record_is_refuted() -> None:
    scene = approved()
    bundle = scene.bundle(withhold=True)
    first, *rest = bundle.entries

    report = scene.verify(close(replace(bundle, entries=(replace(first, tag=bytes(32)), *rest))))

    assert codes(report) == {"log.inclusion": "merkle.root-mismatch"}


def test_the_report_names_the_first_recording_and_every_approval() -> None:
    report = approved().verify().to_json()

    assert report["document"]["recordedBy"]["signed"] is False
    assert report["document"]["sha256"] == hashlib.sha256(DOCUMENT_BYTES).hexdigest()
    assert [each["actor"]["id"] for each in report["approvals"]] == ["wang", "li"]
    assert all(each["interval"]["notBefore"]["number"] == 10 for each in report["approvals"])
    assert report["asOf"] == {"size": 10, "time": "2026-11-18T11:28:40Z"}
    assert json.loads(json.dumps(report)) == report
