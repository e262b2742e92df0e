"""Asking a real authority, and everything that it could answer instead."""

from __future__ import annotations

import hashlib
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from rfc3161_client import (
    VerificationError as OtherVerificationError,
)
from rfc3161_client import (
    VerifierBuilder,
    decode_timestamp_response,
)

from tsa import (
    TEXT,
    YEAR,
    RealAuthority,
    integer,
    make_ca,
    make_response,
    make_signer,
    make_token,
    oid,
    running_tsa,
    seq,
    set_of,
    take_token,
)
from vermilion_anchor.tsa import HttpAuthority
from vermilion_ledger.errors import (
    EvidenceError,
    InputError,
    NotFoundError,
    UnavailableError,
    VerificationError,
)
from vermilion_ledger.timestamp.der import (
    BOOLEAN,
    INTEGER,
    OCTET_STRING,
    SEQUENCE,
    DerReader,
    parse_integer,
)
from vermilion_ledger.timestamp.verify import verify_token

REPLY = "application/timestamp-reply"
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def tsa(tmp_path: Path) -> Iterator[RealAuthority]:
    with running_tsa(tmp_path / "tsa") as running:
        yield running


def client(tsa: RealAuthority, *, timeout_seconds: float = 10.0) -> HttpAuthority:
    return HttpAuthority(tsa.url, tsa.root.authority(), timeout_seconds=timeout_seconds)


def nonce_of(query: bytes) -> int:
    reader = DerReader(query).inside(SEQUENCE)
    reader.take(INTEGER)
    reader.take(SEQUENCE)
    return parse_integer(reader.content(INTEGER))


def answering(
    tsa: RealAuthority, body: Callable[[bytes], bytes] | bytes, status: int = 200
) -> None:
    make = body if callable(body) else lambda _: body
    tsa.answer = lambda query: (status, REPLY, make(query))


def refused(tsa: RealAuthority, kind: type[EvidenceError] = VerificationError) -> str:
    with pytest.raises(kind) as caught:
        client(tsa).stamp(TEXT)
    return caught.value.code


# -- the real thing


def test_openssl_stamps_and_a_stranger_can_check_it(tsa: RealAuthority) -> None:
    before = datetime.now(UTC)

    token, at = client(tsa).stamp(TEXT)

    assert before - timedelta(seconds=2) < at < before + timedelta(seconds=30)
    found = verify_token(token, TEXT, [tsa.root.authority()])
    assert (found.time, found.signer) == (at, "CN=TSA of tsa")
    assert found.latest == at + timedelta(seconds=1)


def test_the_request_is_about_the_digest_with_a_fresh_nonce(tsa: RealAuthority) -> None:
    client(tsa).stamp(TEXT)
    client(tsa).stamp(TEXT)

    first, second = (DerReader(query).inside(SEQUENCE) for query in tsa.asked)
    assert parse_integer(first.content(INTEGER)) == 1
    imprint = first.inside(SEQUENCE)
    imprint.take(SEQUENCE)
    assert imprint.content(OCTET_STRING) == hashlib.sha256(TEXT).digest()
    assert nonce_of(tsa.asked[0]) != nonce_of(tsa.asked[1])
    assert first.content(INTEGER)
    assert first.content(BOOLEAN) == b"\xff"  # the certificate is asked for
    assert not second.is_done


def test_no_flipped_bit_of_a_real_token_is_believed(tsa: RealAuthority) -> None:
    token, _ = client(tsa).stamp(TEXT)
    authority = [tsa.root.authority()]

    for place in range(8 * len(token)):
        flipped = bytearray(token)
        flipped[place // 8] ^= 1 << place % 8
        with pytest.raises(EvidenceError):
            verify_token(bytes(flipped), TEXT, authority)


# -- what it must not answer


def test_the_imprint_of_another_text_is_refused(tsa: RealAuthority) -> None:
    answering(
        tsa,
        lambda query: make_response(
            make_token(tsa.signer, b"another", time=NOW, nonce=nonce_of(query))
        ),
    )

    assert refused(tsa) == "timestamp.imprint"


def test_an_answer_to_another_request_is_refused(tsa: RealAuthority) -> None:
    tsa.answer = lambda query: (200, REPLY, tsa.reply(query))
    kept: list[bytes] = []

    def again(query: bytes) -> bytes:
        kept.append(tsa.reply(query))
        return kept[0]

    answering(tsa, again)
    client(tsa).stamp(TEXT)

    assert refused(tsa) == "timestamp.nonce"


def test_an_answer_without_a_nonce_is_refused(tsa: RealAuthority) -> None:
    answering(tsa, make_response(make_token(tsa.signer, TEXT, time=NOW)))

    assert refused(tsa) == "timestamp.nonce"


@pytest.mark.parametrize("status", [1, 2, 3, 4, 5])
def test_a_status_of_failure_is_passed_on(tsa: RealAuthority, status: int) -> None:
    answering(tsa, seq(seq(integer(status))))

    assert refused(tsa, UnavailableError) == "timestamp.refused"


def test_a_real_refusal_is_passed_on(tsa: RealAuthority) -> None:
    """OpenSSL refuses a digest of a function that its settings do not list."""
    (tsa.folder / "tsa.cnf").write_text(
        (tsa.folder / "tsa.cnf").read_text().replace("digests = sha256,", "digests =")
    )

    assert refused(tsa, UnavailableError) == "timestamp.refused"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!DOCTYPE html><html><body>Sign in</body></html>",
        bytes(1024 * 1024),
        b"\x30\x03\x02\x01\x00",
        seq(seq(integer(0))),
        seq(seq(integer(9))),
        seq(seq(integer(0)), b"\x04\x00"),
    ],
    ids=["nothing", "html", "megabyte", "no-status", "no-token", "status-9", "other-token"],
)
def test_something_else_than_a_response_is_refused(tsa: RealAuthority, body: bytes) -> None:
    answering(tsa, body)

    assert refused(tsa, UnavailableError) == "timestamp.answer"


def test_half_a_response_is_refused(tsa: RealAuthority) -> None:
    answering(tsa, lambda query: tsa.reply(query)[:-40])

    assert refused(tsa, UnavailableError) == "timestamp.answer"


def test_the_token_without_its_response_is_refused(tsa: RealAuthority) -> None:
    answering(tsa, lambda query: take_token(tsa.reply(query)))

    assert refused(tsa, UnavailableError) == "timestamp.answer"


@pytest.mark.parametrize("status", [204, 302, 404, 500, 503])
def test_a_failing_server_is_out_of_reach(tsa: RealAuthority, status: int) -> None:
    answering(tsa, b"", status)

    code = refused(tsa, UnavailableError)

    assert code == ("timestamp.answer" if status == 204 else "timestamp.unreachable")
    assert len(tsa.asked) == 1  # no redirection is followed


def test_nobody_there_is_out_of_reach(tsa: RealAuthority) -> None:
    lonely = HttpAuthority("http://127.0.0.1:9/", tsa.root.authority())

    with pytest.raises(UnavailableError) as caught:
        lonely.stamp(TEXT)
    assert caught.value.code == "timestamp.unreachable"


def test_silence_ends(tsa: RealAuthority) -> None:
    def dawdle(_: bytes) -> bytes:
        time.sleep(1.5)
        return b""

    answering(tsa, dawdle)
    start = time.monotonic()

    with pytest.raises(UnavailableError) as caught:
        client(tsa, timeout_seconds=0.5).stamp(TEXT)

    assert caught.value.code == "timestamp.unreachable"
    assert time.monotonic() - start < 1.4


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://tsa.example/", "tsa.example"])
def test_another_kind_of_address_is_refused(tsa: RealAuthority, url: str) -> None:
    with pytest.raises(InputError):
        HttpAuthority(url, tsa.root.authority())


# -- certificates


def signed_by(tsa: RealAuthority, **parts: Any) -> None:
    """Let another certificate of the same root sign."""
    signer = make_signer(tsa.root, **{"start": NOW - YEAR, "end": NOW + YEAR} | parts)
    answering(
        tsa,
        lambda query: make_response(make_token(signer, TEXT, time=NOW, nonce=nonce_of(query))),
    )


def test_a_certificate_without_the_usage_is_refused(tsa: RealAuthority) -> None:
    signed_by(tsa, usages=())

    assert refused(tsa) == "timestamp.key-usage"


def test_a_certificate_with_another_usage_too_is_refused(tsa: RealAuthority) -> None:
    signed_by(tsa, usages=(ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.SERVER_AUTH))

    assert refused(tsa) == "timestamp.key-usage"


def test_an_expired_certificate_is_refused(tsa: RealAuthority) -> None:
    signed_by(tsa, end=NOW - timedelta(days=1))

    assert refused(tsa) == "timestamp.not-valid-then"


def test_another_root_is_refused(tsa: RealAuthority, tmp_path: Path) -> None:
    other = make_ca("Root of tsa")
    with pytest.raises(NotFoundError) as caught:
        HttpAuthority(tsa.url, other.authority()).stamp(TEXT)
    assert caught.value.code == "timestamp.unknown-authority"


# -- the second opinion


@pytest.mark.parametrize("what", ["another", "none"])
def test_what_the_other_implementation_does_not_look_at_is_looked_at_here(
    tsa: RealAuthority, what: str
) -> None:
    """Why rfc3161-client alone is not enough: docs/decisions/0012."""
    other = make_signer(tsa.root, start=NOW - YEAR, end=NOW + YEAR)
    wrong: dict[str, Any] = {"named": other}
    if what == "none":
        wrong = {"certificate_id": seq(oid("1.2.3.4"), set_of(integer(1)))}
    token = make_token(tsa.signer, TEXT, time=NOW, **wrong)
    response = decode_timestamp_response(make_response(token))
    verifier = VerifierBuilder(roots=[tsa.root.certificate]).build()

    assert verifier.verify(response, hashlib.sha256(TEXT).digest())
    with pytest.raises(EvidenceError):
        verify_token(token, TEXT, [tsa.root.authority()])


def test_a_root_inside_the_token_is_believed_by_neither(tsa: RealAuthority) -> None:
    own = make_ca("Own Root", start=NOW - YEAR, end=NOW + YEAR)
    signer = make_signer(own, start=NOW - YEAR, end=NOW + YEAR)
    token = make_token(signer, TEXT, time=NOW, certificates=[signer.encoded, own.encoded])
    response = decode_timestamp_response(make_response(token))
    verifier = VerifierBuilder(roots=[tsa.root.certificate]).build()

    with pytest.raises(OtherVerificationError):
        verifier.verify(response, hashlib.sha256(TEXT).digest())
    with pytest.raises(NotFoundError):
        verify_token(token, TEXT, [tsa.root.authority()])


def test_openssl_alone_agrees_with_both(tsa: RealAuthority) -> None:
    token, _ = client(tsa).stamp(TEXT)
    (tsa.folder / "token").write_bytes(token)
    (tsa.folder / "text").write_bytes(TEXT)

    done = subprocess.run(
        [
            *("openssl", "ts", "-verify", "-token_in", "-in", tsa.folder / "token"),
            *("-data", tsa.folder / "text", "-CAfile", tsa.folder / "root.pem"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
