"""From a signer to a root: who vouches for whom, then; and whom a policy names."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from tsa import STAMPED, TEXT, YEAR, Holder, certify, make_ca, make_signer, make_token
from vermilion_ledger.errors import (
    EvidenceError,
    InputError,
    NotFoundError,
    VerificationError,
)
from vermilion_ledger.timestamp.authority import Authority, parse_authority
from vermilion_ledger.timestamp.verify import verify_token

ROOT = make_ca()
SIGNER = make_signer(ROOT)
TRUSTED = (ROOT.authority(),)
USES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
    *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


def key_usage(use: str) -> x509.KeyUsage:
    """A key for one use."""
    return x509.KeyUsage(**{each: each == use for each in USES})


def refused(
    data: bytes, kind: type[EvidenceError] = VerificationError, *, by: Any = TRUSTED
) -> str:
    with pytest.raises(kind) as caught:
        verify_token(data, TEXT, by)
    return caught.value.code


def test_a_root_that_nobody_named_is_nobody() -> None:
    stranger = make_ca()  # of the same name, with another key
    assert refused(make_token(SIGNER), NotFoundError, by=[stranger.authority()]) == (
        "timestamp.unknown-authority"
    )


def test_a_root_inside_the_token_is_believed_by_nobody() -> None:
    own = make_ca("Own Root")
    signer = make_signer(own)
    token = make_token(signer, certificates=[signer.encoded, own.encoded])

    assert refused(token, NotFoundError) == "timestamp.unknown-authority"


@pytest.mark.parametrize("shift", [-2 * YEAR, 2 * YEAR])
def test_a_certificate_not_valid_then_is_refused(shift: timedelta) -> None:
    signer = make_signer(ROOT, start=STAMPED + shift, end=STAMPED + shift + YEAR)

    assert refused(make_token(signer)) == "timestamp.not-valid-then"


def test_an_issuer_not_valid_then_is_refused() -> None:
    between = make_ca("Between", ROOT, end=STAMPED - timedelta(days=1))
    signer = make_signer(between)
    token = make_token(signer, certificates=[signer.encoded, between.encoded])

    assert refused(token) == "timestamp.not-valid-then"


def test_a_root_not_valid_then_is_refused() -> None:
    root = make_ca(end=STAMPED - timedelta(days=1))

    assert refused(make_token(make_signer(root)), by=[root.authority()]) == (
        "timestamp.not-valid-then"
    )


def test_the_first_and_the_last_second_count() -> None:
    signer = make_signer(ROOT, start=STAMPED, end=STAMPED)

    assert verify_token(make_token(signer), TEXT, TRUSTED).time == STAMPED


@pytest.mark.parametrize(
    "parts",
    [
        {"usages": ()},
        {"usages": (ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING)},
        {"usages": (ExtendedKeyUsageOID.CODE_SIGNING,)},
        {"usages": (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)},
        {"critical": False},
        {"more": [(key_usage("key_cert_sign"), True)]},
    ],
    ids=["none", "more", "other", "any", "not-critical", "may-not-sign"],
)
def test_a_certificate_not_for_time_stamps_alone_is_refused(parts: dict[str, Any]) -> None:
    assert refused(make_token(make_signer(ROOT, **parts))) == "timestamp.key-usage"


def _below(issuer: Holder) -> bytes:
    signer = make_signer(issuer)
    return make_token(signer, certificates=[signer.encoded, issuer.encoded])


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"ca": False}, "timestamp.path"),
        ({"more": [(key_usage("crl_sign"), True)]}, "timestamp.path"),
        (
            {"more": [(x509.NameConstraints([x509.DNSName("example.gov")], None), True)]},
            "timestamp.path",
        ),
        (
            {"more": [(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)]},
            "timestamp.key-usage",
        ),
    ],
    ids=["no-issuer", "may-not-issue", "unknown-critical", "other-usage"],
)
def test_an_issuer_that_may_not_issue_this_is_refused(parts: dict[str, Any], code: str) -> None:
    assert refused(_below(make_ca("Between", ROOT, **parts))) == code


def test_an_issuer_without_basic_constraints_is_refused() -> None:
    assert refused(_below(certify("Between", ROOT, extensions=[]))) == "timestamp.path"


def test_more_issuers_than_the_root_allows_are_refused() -> None:
    root = make_ca("Short Root", path_length=0)
    between = make_ca("Between", root)

    assert refused(_below(between), by=[root.authority()]) == "timestamp.path"


def test_a_way_longer_than_anybody_needs_is_not_walked() -> None:
    chain = [ROOT]
    for number in range(7):
        chain.append(make_ca(f"Between {number}", chain[-1]))
    signer = make_signer(chain[-1])
    token = make_token(signer, certificates=[each.encoded for each in (*chain, signer)])

    assert refused(token, NotFoundError) == "timestamp.unknown-authority"


def test_a_maze_without_a_way_out_ends() -> None:
    """Three issuers of one name that certify one another: hundreds of ways, and no root."""
    walls = [make_ca("Maze") for _ in range(3)]
    crossed = [
        make_ca("Maze", issuer, key=subject.key)
        for _ in range(2)
        for subject in walls
        for issuer in walls
        if subject is not issuer
    ]
    signer = make_signer(walls[0])
    token = make_token(signer, certificates=[each.encoded for each in (signer, *crossed)])
    authority = Authority(name="deep", roots=(certify("Maze", extensions=[]).certificate,))

    assert refused(token, NotFoundError, by=[authority]) == "timestamp.unknown-authority"


def test_an_issuer_whose_extensions_cannot_be_read_is_refused() -> None:
    odd = x509.UnrecognizedExtension(x509.NameConstraints.oid, b"no constraints")
    between = make_ca("Between", ROOT, more=[(odd, True)])

    with pytest.raises(InputError) as caught:
        verify_token(_below(between), TEXT, TRUSTED)
    assert caught.value.code == "timestamp.malformed"


def test_a_maze_of_certificates_ends() -> None:
    """Sixteen issuers of one name, each signed by one of them: no way out, and no long walk."""
    start = make_ca("Maze")
    maze = [make_ca("Maze", start) for _ in range(14)]
    signer = make_signer(start)
    token = make_token(signer, certificates=[each.encoded for each in (signer, start, *maze)])

    assert refused(token, NotFoundError) == "timestamp.unknown-authority"


# -- whom a policy names


@pytest.mark.parametrize(
    "data",
    [b"", b"no certificates", SIGNER.encoded, SIGNER.pem, b"-----BEGIN CERTIFICATE-----\n"],
    ids=["empty", "text", "der", "no-root", "cut"],
)
def test_a_file_without_a_root_is_refused(data: bytes) -> None:
    with pytest.raises(InputError) as caught:
        parse_authority("roots.pem", data)
    assert caught.value.code == "timestamp.roots"


def test_a_file_of_too_many_certificates_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        parse_authority("roots.pem", 65 * ROOT.pem)
    assert caught.value.code == "timestamp.roots"


def test_the_order_of_a_file_does_not_matter() -> None:
    for data in (ROOT.pem + SIGNER.pem, SIGNER.pem + ROOT.pem):
        authority = parse_authority("roots.pem", data)
        assert authority.roots == (ROOT.certificate,)
        assert authority.helpers == (SIGNER.certificate,)
