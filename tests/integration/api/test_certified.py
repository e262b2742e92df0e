"""Certificates of an office's people: the ledger's own verdict, the policy it hands over."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from certificate_kit import certificates_of, crl, issuer, root, usage
from served import Served, serving, sha256
from tsa import certify
from vermilion_api.cli import main as operate
from vermilion_api.settings import load_settings, save_settings
from vermilion_api.signing import describe_key
from vermilion_ledger.schemes import ecdsa_p256
from vermilion_verify.policy import load_trust_policy
from vermilion_verify.timestamps import load_issuers

ROOT = root()
CA = issuer(ROOT)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A ledger that names who certifies its people, and demands it of all of them."""
    folder = tmp_path_factory.mktemp("certified")
    (folder / "office-ca.pem").write_bytes(ROOT.pem)
    with serving(
        folder, certificate_roots=("../office-ca.pem",), certificates_required=True
    ) as found:
        found.register_key(found.root)
        yield found


def check_of(served: Served, name: str) -> dict[str, Any]:
    """What the ledger itself says of the keys of a record."""
    (report,) = served.api.post("/v1/verify", {"digest": f"sha256:{sha256(name)}"})["records"]
    (check,) = (each for each in report["checks"] if each["id"] == "key.validity")
    return dict(check)


def test_the_ledger_asks_for_certificates_as_its_policy_does(served: Served) -> None:
    key = served.person("certified", scheme="ecdsa-p256")
    private = ecdsa_p256.load_private_key(key.private)
    leaf = certify("certified", CA, extensions=[usage("digital_signature")], key=private)
    detail = describe_key(key, ["approve"]) | certificates_of(leaf, CA, revocations=[crl(CA)])
    asked = {"event": "register", "detail": detail, "actor": served.root.owner.to_json()}
    served.event("keys", asked, served.root, key)
    served.decide(served.register("by a certified key")["record"], key)

    found = check_of(served, "by a certified key")

    assert found["status"] == "pass"
    (told,) = found["detail"]["certificates"]
    assert (told["keyid"], told["status"]) == (key.keyid, "not checked before an anchor")


def test_a_key_without_a_certificate_is_refuted_where_all_need_one(served: Served) -> None:
    key = served.enrol("uncertified")
    served.decide(served.register("by an uncertified key")["record"], key)

    found = check_of(served, "by an uncertified key")

    assert (found["status"], found["detail"]["code"]) == ("fail", "certificate.missing")


def test_the_policy_is_handed_over_with_its_roots(served: Served, tmp_path: Path) -> None:
    trust = tmp_path / "trust.toml"

    assert (
        operate(["trust", "export", "-o", str(trust), "--home", str(served.folder / "home")]) == 0
    )

    policy = load_trust_policy(trust)
    assert (tmp_path / "office-ca.pem").read_bytes() == ROOT.pem
    assert policy.certificates_required
    assert [each.roots for each in load_issuers(policy.certificate_roots)] == [(ROOT.certificate,)]


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN NONSENSE-----"])
def test_roots_that_cannot_be_read_are_not_handed_over(
    served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    home = tmp_path / "home"
    shutil.copytree(served.folder / "home", home)
    save_settings(home, replace(load_settings(home), certificate_roots=("ca.pem",)))
    if content is not None:
        (home / "ca.pem").write_bytes(content)

    assert operate(["trust", "export", "-o", str(tmp_path / "t.toml"), "--home", str(home)])
    assert not (tmp_path / "t.toml").exists()
    assert capsys.readouterr().err
