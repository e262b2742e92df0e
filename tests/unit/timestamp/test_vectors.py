"""Every public vector of rfc3161-client: as RFC 3161 has it, and as evidence.

The five valid ones with another imprint hash, or a certificate named by SHA-1,
are good time-stamps and no evidence: FORMATS section 9 asks for more.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from tsa import take_token
from vermilion_ledger.errors import EvidenceError, InputError, NotFoundError, VerificationError
from vermilion_ledger.timestamp.authority import Authority, is_issued_by
from vermilion_ledger.timestamp.token import parse_token
from vermilion_ledger.timestamp.verify import RFC3161_RULES, verify_token


@pytest.fixture(scope="session")
def vectors(shared_vectors: Path) -> Path:
    return shared_vectors / "rfc3161-client"


@pytest.fixture(scope="session")
def cases(vectors: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((vectors / "expected.json").read_text())["cases"]
    assert len(found) == 10
    return found


def chain_of(path: Path) -> Authority:
    """The trust chain of a case, whether PEM or DER."""
    data = path.read_bytes()
    if data.startswith(b"-----"):
        found = x509.load_pem_x509_certificates(data)
    else:
        found = [x509.load_der_x509_certificate(data)]
    roots = tuple(each for each in found if is_issued_by(each, each))
    helpers = tuple(each for each in found if each not in roots)
    return Authority(name=path.parent.name, roots=roots, helpers=helpers)


def judge(case: dict[str, Any], vectors: Path, **rules: Any) -> Any:
    token = take_token((vectors / case["file"]).read_bytes())
    chain = chain_of(vectors / case["trust_chain"])
    return verify_token(token, bytes.fromhex(case["data_hex"]), [chain], **rules)


def test_each_comes_out_as_expected(cases: list[dict[str, Any]], vectors: Path) -> None:
    for case in cases:
        if case["expected"] == "valid":
            found = judge(case, vectors, rules=RFC3161_RULES)
            assert found.time == datetime.fromisoformat(case["gen_time"]), case["file"]
            assert (str(found.serial), found.policy) == (case["serial"], case["policy"])
        else:
            with pytest.raises(EvidenceError):
                judge(case, vectors, rules=RFC3161_RULES)


def test_the_invalid_ones_are_refused_for_the_right_reason(
    cases: list[dict[str, Any]], vectors: Path
) -> None:
    codes = {}
    for case in cases:
        try:
            judge(case, vectors, rules=RFC3161_RULES)
        except EvidenceError as exc:
            codes[Path(case["file"]).name] = exc.code

    assert codes == {
        "response-invalid-signature.tsr": "timestamp.signature",
        "other_response.tsr": "timestamp.unknown-authority",
    }


def test_members_are_read_as_stated(cases: list[dict[str, Any]], vectors: Path) -> None:
    for case in cases:
        token = parse_token(take_token((vectors / case["file"]).read_bytes()))

        assert str(token.info.nonce) == case["nonce"]
        assert token.info.hash_name == case["hash"]
        assert len(token.certificates) == case["embedded_certificates"]


def test_as_evidence_only_those_of_section_9_hold(
    cases: list[dict[str, Any]], vectors: Path
) -> None:
    codes = {}
    for case in cases:
        try:
            judge(case, vectors)
        except EvidenceError as exc:
            codes[Path(case["file"]).name] = exc.code
        else:
            codes[Path(case["file"]).name] = ""

    assert codes == {
        "response-sha256.tsr": "",
        "response-sha384.tsr": "timestamp.imprint",
        "response-sha512.tsr": "timestamp.imprint",
        "response-no-embedded-cert.tsr": "",
        "response-invalid-signature.tsr": "timestamp.signature",
        "response.tsr": "timestamp.imprint",
        "other_response.tsr": "timestamp.imprint",
        "response-injected-certs.tsr": "timestamp.imprint",
        "issue-104.tsr": "timestamp.imprint",
        "response-expired.tsr": "",
    }


def test_a_response_in_place_of_its_token_is_refused(
    cases: list[dict[str, Any]], vectors: Path
) -> None:
    for case in cases:
        with pytest.raises(InputError) as caught:
            parse_token((vectors / case["file"]).read_bytes())
        assert caught.value.code == "timestamp.response"


def test_the_signer_is_who_signed_and_not_whoever_lies_in_the_bag(
    cases: list[dict[str, Any]], vectors: Path
) -> None:
    (case,) = (each for each in cases if "injected" in each["file"])

    assert judge(case, vectors, rules=RFC3161_RULES).signer == case["signer"]

    token = take_token((vectors / case["file"]).read_bytes())
    bag = [x509.load_der_x509_certificate(each) for each in parse_token(token).certificates]
    strangers = tuple(each for each in bag if each.subject.rfc4514_string() != case["signer"])
    pinned = Authority(name="pinned", roots=strangers)
    assert any(each.subject.rfc4514_string() == case["must_fail_when_pinned_to"] for each in bag)
    with pytest.raises(NotFoundError):
        verify_token(token, b"hello", [pinned], rules=RFC3161_RULES)


def test_a_chain_without_the_signers_certificate_names_nobody(
    cases: list[dict[str, Any]], vectors: Path
) -> None:
    (case,) = (each for each in cases if "no-embedded" in each["file"])
    chain = chain_of(vectors / case["trust_chain"])
    token = take_token((vectors / case["file"]).read_bytes())

    with pytest.raises(NotFoundError):
        verify_token(token, b"hello", [Authority(name="roots", roots=chain.roots)])


def test_other_data_is_refused_for_each(cases: list[dict[str, Any]], vectors: Path) -> None:
    for case in cases:
        token = take_token((vectors / case["file"]).read_bytes())
        chain = chain_of(vectors / case["trust_chain"])
        with pytest.raises(VerificationError) as caught:
            verify_token(token, b"hellp", [chain], rules=RFC3161_RULES)
        assert caught.value.code == "timestamp.imprint"
