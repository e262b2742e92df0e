"""Time-stamp tokens: whose word, about what, when; and everything that is none."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from tsa import (
    STAMPED,
    TEXT,
    Holder,
    integer,
    make_ca,
    make_info,
    make_response,
    make_signer,
    make_token,
    octets,
    oid,
    seq,
    set_of,
    tagged,
)
from vermilion_ledger.errors import (
    EvidenceError,
    InputError,
    LimitError,
    NotFoundError,
    SignatureError,
    UnavailableError,
    VerificationError,
)
from vermilion_ledger.timestamp.authority import Authority, parse_authority
from vermilion_ledger.timestamp.token import TOKEN_SIZE_MAX, parse_token
from vermilion_ledger.timestamp.verify import RFC3161_RULES, verify_token

ROOT = make_ca()
SIGNER = make_signer(ROOT)
OTHER = make_signer(ROOT, "Other TSA")
TRUSTED = (ROOT.authority(),)


def refused(
    data: bytes, kind: type[EvidenceError] = VerificationError, *, by: Any = TRUSTED
) -> str:
    with pytest.raises(kind) as caught:
        verify_token(data, TEXT, by)
    return caught.value.code


# -- what holds


def test_a_good_token_tells_when_and_by_whom() -> None:
    found = verify_token(make_token(SIGNER), TEXT, TRUSTED)

    assert (found.time, found.latest, found.serial) == (STAMPED, STAMPED, 7)
    assert (found.signer, found.authority, found.policy) == ("CN=Test TSA", "test", "1.2.3.4.1")


def test_the_latest_moment_counts_accuracy_and_whole_seconds() -> None:
    at = STAMPED + timedelta(milliseconds=250)
    accuracy = seq(integer(1), b"\x80\x02\x01\xf4")  # 1 s and 500 ms

    found = verify_token(make_token(SIGNER, time=at, accuracy=accuracy), TEXT, TRUSTED)

    assert found.time == at
    assert found.latest == STAMPED + timedelta(seconds=2)


def test_a_serial_number_may_be_negative() -> None:
    assert verify_token(make_token(SIGNER, serial=-559038737), TEXT, TRUSTED).serial == -559038737


def test_the_way_may_lead_over_an_issuer_in_the_token() -> None:
    between = make_ca("Between", ROOT, path_length=0)
    signer = make_signer(between)
    token = make_token(signer, certificates=[signer.encoded, between.encoded])

    assert verify_token(token, TEXT, TRUSTED).signer == "CN=Test TSA"


def test_the_signers_certificate_may_lie_in_the_policy() -> None:
    token = make_token(SIGNER, certificates=[])
    authority = parse_authority("both", ROOT.pem + SIGNER.pem)

    assert verify_token(token, TEXT, [authority]).authority == "both"
    assert refused(token, NotFoundError) == "timestamp.unknown-authority"


def test_of_several_authorities_the_one_whose_root_it_is_counts() -> None:
    stranger = make_ca("Stranger")

    authorities = [
        Authority(name="first", roots=(stranger.certificate,)),
        Authority(name="second", roots=(ROOT.certificate,)),
    ]

    assert verify_token(make_token(SIGNER), TEXT, authorities).authority == "second"


def test_strangers_certificates_beside_it_change_nothing() -> None:
    namesake = make_ca("Test TSA")
    more = [namesake.encoded, OTHER.encoded, SIGNER.encoded]

    assert (
        verify_token(make_token(SIGNER, certificates=more), TEXT, TRUSTED).signer == "CN=Test TSA"
    )


# -- what it is about


def test_an_imprint_of_another_text_is_refused() -> None:
    assert refused(make_token(SIGNER, b"another checkpoint\n")) == "timestamp.imprint"


def test_an_imprint_by_another_hash_function_is_refused() -> None:
    other: dict[str, Any] = {
        "imprint_hash": "2.16.840.1.101.3.4.2.3",
        "imprint": hashlib.sha512(TEXT).digest(),
    }
    token = make_token(SIGNER, **other)

    assert refused(token) == "timestamp.imprint"
    assert verify_token(token, TEXT, TRUSTED, rules=RFC3161_RULES).time == STAMPED


# -- whose signature it bears


def test_a_bad_signature_is_refused() -> None:
    assert refused(make_token(SIGNER, signature=bytes(70)), SignatureError) == (
        "timestamp.signature"
    )


def test_attributes_about_other_content_are_refused() -> None:
    assert refused(make_token(SIGNER, content_digest=bytes(32)), SignatureError) == (
        "timestamp.signature"
    )


def test_digest_and_signature_by_two_hash_functions_are_refused() -> None:
    token = make_token(SIGNER, scheme="1.2.840.10045.4.3.4", digest=hashes.SHA512())

    assert refused(token, SignatureError) == "timestamp.signature"


@pytest.mark.parametrize("member", ["scheme", "signer_hash"])
def test_an_algorithm_that_nobody_here_knows_cannot_be_told(member: str) -> None:
    unknown: dict[str, Any] = {member: "1.3.101.112"}
    if member == "signer_hash":
        unknown["hashes"] = ["1.3.101.112"]
    token = make_token(SIGNER, **unknown)

    assert refused(token, UnavailableError) == "timestamp.algorithm"


def test_parameters_of_a_scheme_cannot_be_told() -> None:
    token = make_token(SIGNER, parameters=[seq(integer(32))])

    assert refused(token, UnavailableError) == "timestamp.algorithm"


def test_parameters_that_are_null_are_as_good_as_none() -> None:
    null = b"\x05\x00"
    token = make_token(SIGNER, parameters=[null], hash_parameters=[null])

    assert verify_token(token, TEXT, TRUSTED).time == STAMPED


def test_a_certificate_named_by_an_unknown_hash_function_cannot_be_told() -> None:
    sha3 = seq(seq(oid("2.16.840.1.101.3.4.2.8")), octets(bytes(32)))
    named = seq(oid("1.2.840.113549.1.9.16.2.47"), set_of(seq(seq(sha3))))

    assert refused(make_token(SIGNER, certificate_id=named), UnavailableError) == (
        "timestamp.algorithm"
    )


@pytest.mark.parametrize(
    ("found", "put", "kind", "code"),
    [
        ("06082a8648ce3d030107", "06082a8648ce3d030104", UnavailableError, "timestamp.algorithm"),
        ("03420004", "03420009", InputError, "timestamp.malformed"),
    ],
    ids=["curve", "point"],
)
def test_a_key_that_cannot_be_loaded_checks_nothing(
    found: str, put: str, kind: type[EvidenceError], code: str
) -> None:
    changed = SIGNER.encoded.replace(bytes.fromhex(found), bytes.fromhex(put))
    assert changed != SIGNER.encoded
    odd = Holder(key=SIGNER.key, certificate=x509.load_der_x509_certificate(changed))

    assert refused(make_token(odd), kind) == code


def test_a_signed_name_of_another_certificate_is_refused() -> None:
    assert refused(make_token(SIGNER, named=OTHER)) == "timestamp.certificate-id"


def test_another_certificate_with_the_same_name_and_number_is_refused() -> None:
    """Whoever swaps the certificate, whose digest is signed, is noticed."""
    twin = make_signer(ROOT, serial=SIGNER.certificate.serial_number)

    assert refused(make_token(SIGNER, certificates=[twin.encoded])) == "timestamp.certificate-id"


def test_the_old_certificate_id_is_refused_as_evidence() -> None:
    digest = hashlib.sha1(SIGNER.encoded, usedforsecurity=False).digest()
    old = seq(oid("1.2.840.113549.1.9.16.2.12"), set_of(seq(seq(seq(octets(digest))))))
    token = make_token(SIGNER, certificate_id=old)

    assert refused(token) == "timestamp.certificate-id"
    assert verify_token(token, TEXT, TRUSTED, rules=RFC3161_RULES).time == STAMPED


# -- what is no token


def test_a_response_is_not_the_token_inside_it() -> None:
    assert refused(make_response(make_token(SIGNER)), InputError) == "timestamp.response"


def test_more_than_64_kib_are_refused_unread() -> None:
    assert refused(bytes(TOKEN_SIZE_MAX + 1), LimitError) == "timestamp.too-large"


@pytest.mark.parametrize("data", [b"", b"<html><body>busy</body></html>", b"\x30\x00", bytes(99)])
def test_other_bytes_are_refused(data: bytes) -> None:
    assert refused(data, InputError) == "der.malformed"


@pytest.mark.parametrize(
    "parts",
    [
        {"kind": "1.2.840.113549.1.7.1"},
        {"cms_version": 1},
        {"version": 2},
        {"content_type": oid("1.2.840.113549.1.7.1")},
        {"attribute_type": oid("1.2.840.113549.1.7.1")},
        {"hashes": []},
        {"hashes": ["2.16.840.1.101.3.4.2.3"]},
        {"certificate_id": seq(oid("1.2.3.4"), set_of(octets(b"")))},
        {"certificates": [SIGNER.encoded] * 17},
        {"attributes": [seq(oid("1.2.840.113549.1.9.4"), set_of(octets(bytes(32))))]},
        {"accuracy": seq(integer(-1))},
        {"tail": b"\x01\x01\x00"},
        {"parameters": [b"\x05\x01\x00"]},
        {"hash_parameters": [b"\x05\x01\x00"]},
    ],
)
def test_a_token_of_another_form_is_refused(parts: dict[str, Any]) -> None:
    assert refused(make_token(SIGNER, **parts), InputError) == "timestamp.malformed"


@pytest.mark.parametrize(
    "parts",
    [
        {"signers": 0},
        {"signers": 2},
        {"info": make_info() + b"\x00"},
        {"tail": integer(1) + integer(2)},
        {"unsigned": octets(b"")},
        {"certificates": [tagged(1, b"")]},
        {"certificates": [seq(integer(1))]},
    ],
)
def test_members_too_many_or_missing_are_refused(parts: dict[str, Any]) -> None:
    assert refused(make_token(SIGNER, **parts), InputError) == "der.malformed"


def test_every_truncation_is_refused() -> None:
    token = make_token(SIGNER)

    for size in range(len(token)):
        assert refused(token[:size], InputError) == "der.malformed"


def test_no_flipped_bit_gives_another_answer() -> None:
    """Each flip is refused, or it is in what nobody signed, and the answer is the same."""
    token = make_token(SIGNER, nonce=5)
    good, same = verify_token(token, TEXT, TRUSTED), 0

    for place in range(8 * len(token)):
        flipped = bytearray(token)
        flipped[place // 8] ^= 1 << place % 8
        try:
            found = verify_token(bytes(flipped), TEXT, TRUSTED)
        except EvidenceError:
            continue
        assert found == good, place
        same += 1
    assert same == 0


def test_reading_judges_nothing() -> None:
    token = parse_token(make_token(SIGNER, b"anything", nonce=5, signature=b""))

    assert (token.info.nonce, token.info.imprint) == (5, hashlib.sha256(b"anything").digest())
