"""People's keys in a PKCS#11 token: SoftHSM, by its own library, in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from certificate_kit import CARD, crl, issuer, leaf, root, usage
from served import Served, prepare, refused
from token_kit import PIN, Token, make_token
from tsa import Holder, certify
from vermilion_anchor.token_session import KeyKind, TokenPlace, TokenSession
from vermilion_api.cli import main
from vermilion_api.devices import DeviceKey
from vermilion_api.signing import sign_statement
from vermilion_api.token_key import TokenKey
from vermilion_ledger.actor import Actor
from vermilion_ledger.envelope import PAYLOAD_TYPE
from vermilion_ledger.errors import SignatureError
from vermilion_ledger.schemes import ecdsa_p256, make_keyid
from vermilion_ledger.schemes.message import SignedMessage, encode_pae


@dataclass(frozen=True)
class Desk:
    token: Token
    place: TokenPlace

    def options(self, **changes: Any) -> list[str]:
        """The command's options that name a key."""
        place = replace(self.place, **changes)
        named = {
            "--pkcs11": place.module,
            "--token": place.token,
            "--label": place.label,
            "--pin": place.pin,
        }
        return [str(word) for pair in named.items() for word in pair]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A library is loaded once per process, and reads its settings then."""
    folder = tmp_path_factory.mktemp("softhsm")
    token = make_token(folder, "people")
    keys: dict[str, Any] = {
        "card": ec.generate_private_key(ec.SECP256R1()),
        "edwards": ed25519.Ed25519PrivateKey.generate(),
        "other curve": ec.generate_private_key(ec.SECP256K1()),
        "larger curve": ec.generate_private_key(ec.SECP384R1()),
    }
    for number, (label, key) in enumerate(keys.items(), start=1):
        token.put_key(label, key, number)
    for number in (10, 11):
        token.put_key("two", ec.generate_private_key(ec.SECP256R1()), number)
    pin = folder / "people.pin"
    pin.write_text(PIN + "\n")
    pin.chmod(0o600)
    place = TokenPlace(module=token.module, token="people", label="card", pin=pin)
    return Desk(token, place)


@pytest.fixture
def run(served: Served, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """Run the operator's command, which must succeed; its result."""

    def call(*words: str) -> dict[str, Any]:
        assert main([*words, "--url", served.api.url, "--json"]) == 0, capsys.readouterr()
        return dict(json.loads(capsys.readouterr().out))

    return call


@pytest.fixture
def fail(served: Served, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run the operator's command, which must be refused; what it says."""

    def call(*words: str) -> str:
        assert main([*words, "--url", served.api.url]) != 0
        return capsys.readouterr().err

    return call


OWNER = ("--owner", "u-7,李雷,处长,办公室")


@pytest.mark.parametrize(
    ("label", "scheme"), [("card", "ecdsa-p256"), ("edwards", "ed25519")], ids=["p256", "ed25519"]
)
def test_a_key_in_a_token_is_registered_and_approves(
    served: Served, desk: Desk, run: Callable[..., dict[str, Any]], label: str, scheme: str
) -> None:
    root = str(served.folder / "root.json")
    keyid = run("keys", "register", *desk.options(label=label), *OWNER, "--root", root)["keyid"]
    record = served.register(label)["record"]

    assert run("approve", record, *desk.options(label=label))["sequence"] == 1

    (key,) = (each for each in served.api.get("/v1/keys")["keys"] if each["keyid"] == keyid)
    assert key["scheme"] == scheme
    assert key["owner"] == {"id": "u-7", "name": "李雷", "post": "处长", "unit": "办公室"}


def test_every_signature_has_the_lower_s(served: Served, desk: Desk) -> None:
    made = prepare(served, served.register("lower s")["record"], served.enrol("lower"))
    message = SignedMessage(pae=encode_pae(PAYLOAD_TYPE, made.encode()), statement=made)
    device = TokenKey(desk.place)

    given = {int.from_bytes(device.sign(message)[32:], "big") for _ in range(40)}
    device.close()

    assert max(given) <= ecdsa_p256.ORDER // 2


def test_the_token_gives_either_s(desk: Desk) -> None:
    """What the test above relies on."""
    session = TokenSession(desk.place, (KeyKind.P256,))
    given = [session.sign(bytes([number]) * 32) for number in range(40)]
    session.close()

    halves = {int.from_bytes(each[32:], "big") > ecdsa_p256.ORDER // 2 for each in given}
    assert halves == {True, False}


# --- what is refused


def code_of(desk: Desk, **changes: Any) -> str:
    return refused(lambda: TokenKey(replace(desk.place, **changes)).close())


@pytest.mark.parametrize("label", ["none", "two", "", "Card", "other curve", "larger curve"])
def test_a_label_of_no_key_of_two_or_of_another_curve_is_refused(desk: Desk, label: str) -> None:
    assert code_of(desk, label=label) == "signer.no-key"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_pin_that_others_may_read_is_refused(desk: Desk, tmp_path: Path, mode: int) -> None:
    path = tmp_path / "pin"
    path.write_text(PIN)
    path.chmod(mode)

    assert code_of(desk, pin=path) == "key.file-readable"


def test_a_token_that_is_not_there_is_told(desk: Desk) -> None:
    assert code_of(desk, token="none") == "signer.no-token"


def tries_left_are_few(desk: Desk) -> bool:
    """Whether the token says that a PIN was wrong since the last good one."""
    token = pkcs11.lib(str(desk.place.module)).get_token(token_label="people")
    return bool(token.flags & pkcs11.TokenFlag.USER_PIN_COUNT_LOW)


def test_a_wrong_pin_is_never_tried_twice(desk: Desk, tmp_path: Path) -> None:
    pin = tmp_path / "pin"
    pin.write_text(PIN)
    pin.chmod(0o600)
    session = TokenSession(replace(desk.place, pin=pin), (KeyKind.P256,))
    session.close()
    pin.write_text("314159")
    assert refused(lambda: session.sign(bytes(32))) == "signer.pin"
    assert tries_left_are_few(desk)
    TokenKey(desk.place).close()  # a good login: the token forgets the wrong one

    for _ in range(3):
        assert refused(lambda: session.sign(bytes(32))) == "signer.pin"

    assert not tries_left_are_few(desk)


def test_a_command_tries_a_wrong_pin_once(
    served: Served, desk: Desk, fail: Callable[..., str], tmp_path: Path
) -> None:
    pin = tmp_path / "pin"
    pin.write_text("314159")
    pin.chmod(0o600)
    record = served.register("wrong pin")["record"]

    assert "signer.pin" in fail("approve", record, *desk.options(pin=pin))
    TokenKey(desk.place).close()  # not locked, which SoftHSM would be after a few


def test_a_key_that_nobody_registered_signs_nothing(
    served: Served, desk: Desk, fail: Callable[..., str]
) -> None:
    desk.token.put_key("stranger", ec.generate_private_key(ec.SECP256R1()), 30)
    record = served.register("stranger")["record"]

    assert "key.unknown" in fail("approve", record, *desk.options(label="stranger"))


def test_a_token_that_shows_another_public_key_is_found_out(served: Served, desk: Desk) -> None:
    """A card whose public half was replaced: its signature is checked before anybody gets it."""
    device = TokenKey(desk.place)
    device._public = ecdsa_p256.public_key_of(b"\x07" * 32)
    key = DeviceKey(device=device, owner=Actor(id="u-7"))
    statement = prepare(served, served.register("public half")["record"], served.enrol("any"))

    with pytest.raises(SignatureError) as caught:
        sign_statement(statement.encode(), statement, key)
    device.close()

    assert caught.value.code == "signer.bad-signature"


@pytest.mark.parametrize(
    "words",
    [
        ["--pkcs11", "module.so"],
        ["--token", "people"],
        ["--pkcs11", "module.so", "--token", "people", "--label", "card"],
        ["--address", "0x" + "11" * 20],
        ["--wallet", "http://127.0.0.1:9/", "--pin", "pin"],
        ["--wallet", "http://127.0.0.1:9/", "--pkcs11", "module.so"],
    ],
)
def test_a_device_is_named_whole_or_not_at_all(
    served: Served, fail: Callable[..., str], words: list[str]
) -> None:
    assert "device.options" in fail("approve", "rec_" + "0" * 32, *words)


def test_a_registration_names_one_key_and_its_owner(
    served: Served, desk: Desk, fail: Callable[..., str]
) -> None:
    root = str(served.folder / "root.json")

    assert "key.unnamed" in fail("keys", "register", "--root", root)
    assert "device.options" in fail("keys", "register", *desk.options(), "--root", root)
    both = ("--key", root, *desk.options(), *OWNER)
    assert "device.options" in fail("keys", "register", *both)
    assert "device.options" in fail("keys", "register", "--key", root, *OWNER)


def test_a_certificate_of_another_key_is_not_registered(
    served: Served, fail: Callable[..., str], run: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    person = served.person("certified", scheme="ecdsa-p256")
    first = root()
    second = issuer(first)
    about_card, lists = leaf(second, CARD), tmp_path / "list.crl"
    lists.write_bytes(crl(second))
    own = tmp_path / "own.pem"
    (tmp_path / "other.pem").write_bytes(about_card.pem)
    words = (
        *("keys", "register", "--key", str(served.folder / "certified.json")),
        *("--root", str(served.folder / "root.json"), "--crl", str(lists)),
    )

    assert "certificate.other-key" in fail(*words, "--certificate", str(tmp_path / "other.pem"))
    assert "certificate.malformed" in fail(*words, "--certificate", str(lists))
    assert "input.missing" in fail(*words, "--certificate", str(tmp_path / "none.pem"))

    own.write_bytes(certificate_about(person.private, second) + second.pem)
    made = run(*words, "--certificate", str(own))
    assert made["keyid"] == make_keyid("ecdsa-p256", person.public)


def certificate_about(private: bytes, above: Holder) -> bytes:
    key = ecdsa_p256.load_private_key(private)
    return certify("certified", above, extensions=[usage("digital_signature")], key=key).pem
