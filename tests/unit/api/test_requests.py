"""Request bodies and grades: read strictly, refused before anything is stored."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from vermilion_api.classes import RecordClasses
from vermilion_api.requests import (
    BULK_SIZE_MAX,
    parse_bulk,
    parse_digest_query,
    parse_draft,
    parse_registration,
)
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.grades import check_grade, check_grades

DIGEST = "ab" * 32
RECORD = {"name": "合同.pdf", "digest": {"sha256": DIGEST}}
NONE = RecordClasses()
CLASSES = RecordClasses(policies={"发文": "ef" * 32})
ACTOR = {"id": "u-1", "name": "", "post": "", "unit": ""}


def refused(call: Any, *args: Any) -> str:
    with pytest.raises(EvidenceError) as caught:
        call(*args)
    return caught.value.code


def body(**changes: Any) -> bytes:
    return json.dumps({**RECORD, **changes}).encode()


def test_a_registration_has_every_member_it_was_sent_with() -> None:
    found = parse_registration(
        body(
            digest={"sha256": DIGEST, "sm3": "cd" * 32},
            actor=ACTOR,
            policy="ef" * 32,
            grade="内部",
            detail={"number": "2026-017"},
        ),
        NONE,
    )

    assert found.name == "合同.pdf"
    assert found.sm3 == bytes.fromhex("cd" * 32)
    assert found.detail == {"number": "2026-017", "policy": "ef" * 32, "grade": "内部"}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "json.malformed"),
        (b"[]", "json.shape"),
        (b'{"name":"a","name":"b"}', "json.duplicate-key"),
        (b'{"name":"a","digest":{"sha256":"x","sha256":"y"}}', "json.duplicate-key"),
        (b"\xff", "json.not-utf8"),
        (body(extra=1), "json.unknown-member"),
        (json.dumps({"name": "a"}).encode(), "json.missing-member"),
        (body(digest={"sha256": DIGEST.upper()}), "hex.malformed"),
        (body(digest={"sha256": DIGEST[:-2]}), "hex.malformed"),
        (body(digest={"md5": DIGEST}), "json.missing-member"),
        (body(digest={"sha256": DIGEST, "sha1": ""}), "json.unknown-member"),
        (body(digest={"sha256": DIGEST, "sm3": ""}), "hex.malformed"),
        (body(name=""), "text.empty"),
        (body(name="a\u202eb"), "text.control-character"),
        (body(name="a\nb"), "text.control-character"),
        (body(name="x" * 1025), "text.too-long"),
        (body(actor={"id": "u"}), "json.missing-member"),
        (body(actor={**ACTOR, "id": ""}), "text.empty"),
        (body(policy="xyz"), "hex.malformed"),
        (body(grade="秘密"), "grade.refused"),
        (body(detail={"refusals": True}), "detail.shape"),
        (body(detail={"from": "机密"}), "grade.refused"),
        (body(detail={"to": "绝密★长期"}), "grade.refused"),
        (body(grade=3), "text.shape"),
        (body(detail=[]), "detail.shape"),
        (body(detail={"grade": "x"}), "detail.shape"),
        (body(detail={"policy": "x"}), "detail.shape"),
        (b'{"name":"a","digest":{"sha256":1.0}}', "json.not-integer"),
        (b"[" * 20 + b"]" * 20, "json.too-deep"),
    ],
)
def test_a_malformed_registration_is_refused(data: bytes, code: str) -> None:
    assert refused(parse_registration, data, NONE) == code


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"records": []}, "json.shape"),
        ({"records": {}}, "json.shape"),
        ({}, "json.missing-member"),
        ({"records": [RECORD], "more": 1}, "json.unknown-member"),
        ({"records": [RECORD, {"name": "x"}]}, "json.missing-member"),
        ({"records": [RECORD] * 10_001}, "request.too-many-records"),
        ({"records": [RECORD, {**RECORD, "grade": "机密★10年"}]}, "grade.refused"),
    ],
)
def test_a_malformed_bulk_request_is_refused(value: Any, code: str) -> None:
    assert refused(parse_bulk, json.dumps(value).encode(), NONE) == code


def test_a_bulk_request_names_the_record_that_is_wrong() -> None:
    data = json.dumps({"records": [RECORD, RECORD, {**RECORD, "name": ""}]}).encode()

    with pytest.raises(EvidenceError, match=r"records\[2\]"):
        parse_bulk(data, NONE)


def test_sixteen_mebibytes_and_a_byte_are_refused() -> None:
    assert refused(parse_bulk, b" " * (BULK_SIZE_MAX + 1), NONE) == "json.too-large"


def test_ten_thousand_records_are_taken() -> None:
    assert len(parse_bulk(json.dumps({"records": [RECORD] * 10_000}).encode(), NONE)) == 10_000


# -- classes


def test_a_class_stands_for_its_policy_and_keeps_its_name() -> None:
    found = parse_registration(body(**{"class": "发文"}), CLASSES)

    assert found.detail == {"class": "发文", "policy": "ef" * 32}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"class": "收文"}, "class.unknown"),
        ({"class": "发文 "}, "class.unknown"),
        ({"class": ""}, "text.empty"),
        ({"class": 1}, "text.shape"),
        ({"class": "x" * 201}, "text.too-long"),
        ({"class": "发文", "policy": "ef" * 32}, "class.beside-policy"),
        ({"detail": {"class": "发文"}}, "detail.shape"),
    ],
)
def test_a_class_that_is_none_is_refused(changes: dict[str, Any], code: str) -> None:
    assert refused(parse_registration, body(**changes), CLASSES) == code
    bulk = json.dumps({"records": [RECORD, {**RECORD, **changes}]}).encode()
    assert refused(parse_bulk, bulk, CLASSES) == code


def test_a_grade_is_refused_before_a_class() -> None:
    secret = body(grade="秘密", **{"class": "他文"})

    assert refused(parse_registration, secret, CLASSES) == refused(
        parse_registration, body(grade="秘密"), NONE
    )
    assert refused(parse_registration, body(grade="秘密"), replace(CLASSES, is_required=True)) != (
        "class.missing"
    )


def test_where_a_class_is_required_a_registration_without_one_is_refused() -> None:
    required = replace(CLASSES, is_required=True)

    assert refused(parse_registration, body(), required) == "class.missing"
    assert parse_registration(body(policy="ab" * 32), required).detail == {"policy": "ab" * 32}
    assert parse_registration(body(**{"class": "发文"}), required).detail["class"] == "发文"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({}, "json.missing-member"),
        ({"event": ""}, "text.empty"),
        ({"event": "approve", "detail": []}, "detail.shape"),
        ({"event": "approve", "keyid": "x"}, "hex.malformed"),
        ({"event": "approve", "keyids": "x"}, "json.shape"),
        ({"event": "approve", "keyid": DIGEST, "keyids": [DIGEST]}, "json.shape"),
        ({"event": "approve", "keyids": [DIGEST] * 32}, "envelope.too-many-signatures"),
        ({"event": "regrade", "detail": {"to": "绝密"}}, "grade.refused"),
        ({"event": "approve", "seen": {}}, "json.unknown-member"),
    ],
)
def test_a_malformed_draft_is_refused(value: Any, code: str) -> None:
    assert refused(parse_draft, json.dumps(value).encode()) == code


@pytest.mark.parametrize(
    "text", ["", DIGEST, "sha256", "SHA256:" + DIGEST, "sm3:" + DIGEST, "md5:" + DIGEST]
)
def test_a_digest_query_names_its_algorithm(text: str) -> None:
    assert refused(parse_digest_query, text) == "request.digest"


@pytest.mark.parametrize("text", ["sha256:" + DIGEST.upper(), "sha256:ab", "sha256:"])
def test_a_digest_query_is_exact_hex(text: str) -> None:
    assert refused(parse_digest_query, text) == "hex.malformed"


@pytest.mark.parametrize(
    "grade",
    [
        "秘密",
        "机密",
        "绝密",
        "機密",
        "机密★10年",
        " 绝密 ",
        "【秘密】",
        "secret",
        "SECRET",
        "Top Secret",
        "top-secret",
        "TOP_SECRET",
        "topsecret",
        "Confidential",
        "confidential//X1",
    ],
)
def test_a_grade_of_state_secrets_is_refused(grade: str) -> None:
    assert refused(check_grade, grade) == "grade.refused"
    assert refused(check_grades, {"grade": grade}) == "grade.refused"


@pytest.mark.parametrize("grade", [None, "", "内部", "公开", "internal", "public", "secretariat"])
def test_a_lower_grade_is_taken(grade: str | None) -> None:
    check_grade(grade)
