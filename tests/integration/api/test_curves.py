"""Keys on P-256 and SM2 and passkeys, from `vermilion keys new` to the verifier's report."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import devices
from office import Person
from served import DECISION, Served, prepare, refused, sha256
from vermilion_api.cli import main
from vermilion_api.signing import sign_statement
from vermilion_ledger.encoding import parse_base64
from vermilion_ledger.envelope import Envelope, Signature, make_envelope
from vermilion_ledger.schemes import ecdsa_p256, sm2, webauthn
from vermilion_ledger.statement import Statement

needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="the program openssl signs with SM2"
)
Maker = Callable[[Person, Envelope], Signature]


def ask(served: Served, record: str, asked: dict[str, Any]) -> bytes:
    """The bytes that the ledger prepared to be signed."""
    found = served.api.post(f"/v1/records/{record}/statements", asked)
    return parse_base64(found["payload"], size_max=2**15, what="payload")


def register_passkey(served: Served, name: str, *, signed: bool = True, **detail: Any) -> Person:
    """Register a passkey: the root signs, and the device signs for itself."""
    person = Person(name=name, scheme=webauthn.NAME)
    members = {
        "scheme": person.scheme,
        "key": person.public_key.hex(),
        "owner": person.actor.to_json(),
        "may": ["approve"],
        "rpId": devices.PARTY.rp_id,
        "origin": devices.PARTY.origin,
    }
    record = served.api.record_id("keys")
    actor = served.root.owner.to_json()
    payload = ask(served, record, {"event": "register", "detail": members | detail, "actor": actor})
    bare = make_envelope(payload, ())
    envelope = bare.with_signature(sign_statement(payload, bare.statement, served.root))
    if signed:
        envelope = person.sign(envelope)
    served.api.post(f"/v1/records/{record}/events", envelope.data)
    return person


def approval(served: Served, record: str, person: Person) -> Envelope:
    """An approval as prepared for a person, not signed yet."""
    body = {"event": "approve", "detail": DECISION, "keyids": [person.keyid]}
    return make_envelope(ask(served, record, body), ())


def post(served: Served, record: str, envelope: Envelope) -> dict[str, Any]:
    return served.api.post(f"/v1/records/{record}/events", envelope.data)


def checks_of(served: Served, record: str, name: str) -> dict[str, str]:
    size = {"size": str(served.api.get("/v1/log")["tree"]["size"])}
    bundle = json.loads(served.api.fetch(f"/v1/records/{record}/bundle", size))
    asked = {"digest": f"sha256:{sha256(name)}", "bundle": bundle}
    report = served.api.post("/v1/verify", asked)
    return {check["id"]: check["status"] for check in report["checks"]}


# --- passkeys


def test_a_passkey_registers_itself_and_approves(served: Served) -> None:
    person = register_passkey(served, "holder")
    record = served.register("by passkey")["record"]

    post(served, record, person.sign(approval(served, record, person)))

    listed = {key["keyid"]: key for key in served.api.get("/v1/keys")["keys"]}
    assert listed[person.keyid]["scheme"] == webauthn.NAME
    checks = checks_of(served, record, "by passkey")
    assert (checks["signature.actor"], checks["key.validity"]) == ("pass", "pass")


@pytest.mark.parametrize(
    ("detail", "signed", "code"),
    [
        ({}, False, "key-event.new-key"),
        ({"origin": "https://elsewhere.example"}, True, "webauthn.origin"),
        ({"rpId": "elsewhere.example"}, True, "webauthn.rp-id"),
        ({"rpId": ""}, True, "text.empty"),
        ({"pop": ""}, True, "json.unknown-member"),
    ],
)
def test_a_passkey_that_does_not_fit_its_registration_is_refused(
    served: Served, detail: dict[str, Any], signed: bool, code: str
) -> None:
    assert refused(lambda: register_passkey(served, "stray", signed=signed, **detail)) == code


def asserting(**parts: Any) -> Maker:
    def maker(person: Person, envelope: Envelope) -> Signature:
        made = devices.make_assertion(person.seed, envelope.message, **parts)
        return Signature(
            keyids=(person.keyid,),
            scheme=person.scheme,
            sig=made.sig,
            extra=devices.extra_of(made),
        )

    return maker


def other_challenge(person: Person, envelope: Envelope) -> Signature:
    said = devices.client_data(envelope.message, challenge="A" * 43)
    return asserting(says=said)(person, envelope)


@pytest.mark.parametrize(
    ("maker", "code"),
    [
        (
            asserting(device=devices.authenticator_data(flags=devices.UP)),
            "webauthn.user-unverified",
        ),
        (asserting(device=devices.authenticator_data(flags=devices.UV)), "webauthn.user-absent"),
        (asserting(device=devices.authenticator_data("example.gov")), "webauthn.rp-id"),
        (asserting(says=b"{}"), "webauthn.type"),
        (other_challenge, "webauthn.challenge"),
    ],
)
def test_a_passkey_that_breaks_a_rule_is_refused_at_intake(
    served: Served, maker: Maker, code: str
) -> None:
    person = register_passkey(served, f"rule {code}")
    record = served.register(f"refused {code}")["record"]
    bare = approval(served, record, person)

    assert refused(lambda: post(served, record, bare.with_signature(maker(person, bare)))) == code


def test_an_assertion_is_good_for_one_statement_alone(served: Served) -> None:
    person = register_passkey(served, "replayed")
    record = served.register("replayed")["record"]
    one, two = approval(served, record, person), approval(served, record, person)
    signature = person.sign(one).signatures[0]

    assert refused(lambda: post(served, record, two.with_signature(signature))) == (
        "webauthn.challenge"
    )


# --- keys in files


@pytest.mark.parametrize("scheme", [ecdsa_p256.NAME, pytest.param(sm2.NAME, marks=needs_openssl)])
def test_a_key_file_is_made_registered_and_approves_by_command(
    served: Served, capsys: pytest.CaptureFixture[str], tmp_path: Path, scheme: str
) -> None:
    key, root = tmp_path / "key.json", served.folder / "root.json"
    url, record = served.api.url, served.register(f"by {scheme}")["record"]
    for words in (
        ("keys", "new", "--owner-id", f"u {scheme}", "--scheme", scheme, "-o", str(key)),
        ("keys", "register", "--key", str(key), "--root", str(root), "--url", url),
        ("approve", record, "--key", str(key), "--url", url),
    ):
        assert main((*words, "--json")) == 0, capsys.readouterr().err

    checks = checks_of(served, record, f"by {scheme}")
    assert (checks["signature.actor"], checks["key.validity"]) == ("pass", "pass")


def changed(signature: Signature, change: Callable[[int, int], tuple[int, int]]) -> Signature:
    r, s = change(
        int.from_bytes(signature.sig[:32], "big"), int.from_bytes(signature.sig[32:], "big")
    )
    return replace(signature, sig=r.to_bytes(32, "big") + s.to_bytes(32, "big"))


@pytest.mark.parametrize(
    ("scheme", "change", "code"),
    [
        (ecdsa_p256.NAME, lambda r, s: (r, ecdsa_p256.ORDER - s), "signature.not-canonical"),
        (ecdsa_p256.NAME, lambda r, s: (r ^ 1, s), "signature.bad"),
        pytest.param(sm2.NAME, lambda r, s: (r ^ 1, s), "signature.bad", marks=needs_openssl),
        pytest.param(
            sm2.NAME, lambda r, _: (r, sm2.ORDER), "signature.not-canonical", marks=needs_openssl
        ),
    ],
)
def test_a_signature_in_another_form_is_refused_at_intake(
    served: Served, scheme: str, change: Callable[[int, int], tuple[int, int]], code: str
) -> None:
    name = f"{scheme} {code}"
    key = served.enrol(name, scheme=scheme)
    record = served.register(name)["record"]
    made: Statement = prepare(served, record, key)
    signature = changed(sign_statement(made.encode(), made, key), change)
    envelope = make_envelope(made.encode(), (signature,))

    assert refused(lambda: post(served, record, envelope)) == code


@needs_openssl
def test_a_missing_openssl_is_named_and_not_a_broken_key_file(
    served: Served,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    served.person("sm2 elsewhere", scheme=sm2.NAME)
    key = served.folder / "sm2 elsewhere.json"
    monkeypatch.setenv("PATH", str(tmp_path))

    code = main(("approve", "rec_" + "0" * 32, "--key", str(key), "--url", served.api.url))

    assert code != 0
    assert "OpenSSL 3" in capsys.readouterr().err
