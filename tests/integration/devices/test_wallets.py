"""People's keys in a wallet: a real Anvil, and wallets that lie."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from eth_account import Account

from chain import AnvilNode, call, node_options
from loopback import serving, speak
from served import Served, prepare, refused
from vermilion_api.cli import main
from vermilion_api.devices import DeviceKey
from vermilion_api.signing import sign_statement
from vermilion_api.wallet import Wallet
from vermilion_ledger.actor import Actor
from vermilion_ledger.schemes import secp256k1
from vermilion_ledger.statement import Statement
from vermilion_verify.registry import parse_registry_file

N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
KEY, OTHER = b"\x11" * 32, b"\x12" * 32
ADDRESS = "0x" + secp256k1.public_key_of(KEY).hex()
OWNER = ("--owner", "u-8,韩梅梅,会计,财务处")


@pytest.fixture(scope="module")
def node() -> Iterator[AnvilNode]:
    """A node that signs for its accounts, and shows nobody anything."""
    found = AnvilNode(node_options())
    found.start()
    yield found
    found.stop()


@pytest.fixture
def run(served: Served, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Run the operator's command; its exit code and what it said."""

    def call(*words: str) -> tuple[int, str]:
        code = main([*words, "--url", served.api.url])
        said = capsys.readouterr()
        return code, said.out + said.err

    return call


@pytest.fixture(scope="module")
def made(served: Served) -> Statement:
    """An approval as the ledger prepares it; what is made of it here is never submitted."""
    return prepare(served, served.register("prepared")["record"], served.enrol("approver"))


def accounts(node: AnvilNode) -> list[str]:
    found: list[str] = call(node.url, "eth_accounts")
    return found


def test_a_wallet_s_key_is_registered_and_approves(
    served: Served, node: AnvilNode, run: Callable[..., tuple[int, str]]
) -> None:
    wallet = ("--wallet", node.url, "--address", accounts(node)[2])
    root = ("--root", str(served.folder / "root.json"))
    record = served.register("wallet")["record"]

    code, said = run("keys", "register", *wallet, *OWNER, *root)
    assert code == 0, said
    code, said = run("approve", record, *wallet)

    assert code == 0, said
    assert "approved by u-8" in said
    (key,) = (k for k in served.api.get("/v1/keys")["keys"] if k["owner"]["id"] == "u-8")
    assert key["scheme"] == "secp256k1-eip712"
    registered = parse_registry_file(served.api.fetch("/v1/registry")).keys
    quoting = [each.envelope.statement for each in registered if each.envelope.statement.seen]
    assert [each.detail["scheme"] for each in quoting] == ["secp256k1-eip712"]


def test_a_wallet_with_several_accounts_is_told_which(node: AnvilNode) -> None:
    assert refused(lambda: Wallet(node.url)) == "wallet.no-account"
    assert refused(lambda: Wallet(node.url, address=ADDRESS)) == "wallet.no-account"


def test_a_wallet_on_another_chain_is_not_asked_to_sign(made: Statement) -> None:
    talker = Talker(chain="0x1")
    with serving(talker.respond) as url:
        assert refused(lambda: sign(made, Wallet(url))) == "wallet.other-chain"

    assert talker.shown == []


# --- wallets that lie


@dataclass
class Talker:
    """A wallet of one account that signs as it is told to, and keeps what it was shown."""

    make: Callable[[dict[str, Any], bytes], Any] = lambda _, signature: "0x" + signature.hex()
    chain: Any = "0x7a69"
    accounts: Any = field(default_factory=lambda: [ADDRESS])
    key: bytes = KEY
    shown: list[Any] = field(default_factory=list)
    raw: bytes | None = None

    def respond(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        question = json.loads(body)
        answers = {"eth_accounts": self.accounts, "eth_chainId": self.chain}
        if question["method"] in answers:
            self.say(handler, answers[question["method"]])
            return
        assert question["method"] == "eth_signTypedData_v4"
        self.shown.append(question["params"])
        if self.raw is not None:
            speak(handler, self.raw)
            return
        data = question["params"][1]
        self.say(handler, self.make(data, sign_typed(self.key, data)))

    def say(self, handler: BaseHTTPRequestHandler, result: Any) -> None:
        speak(handler, json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode())


def sign_typed(key: bytes, data: dict[str, Any]) -> bytes:
    """What an honest wallet makes of typed data, by a library that is not ours."""
    return bytes(Account.sign_typed_data(key, full_message=data).signature)


def sign(made: Statement, wallet: Wallet) -> bytes:
    key = DeviceKey(device=wallet, owner=Actor(id="u"))
    return sign_statement(made.encode(), made, key).sig


def test_a_wallet_is_shown_the_fields_of_the_formats_and_nothing_else(made: Statement) -> None:
    talker = Talker()
    with serving(talker.respond) as url:
        signature = sign(made, Wallet(url))

    ((account, data),) = talker.shown
    assert account == ADDRESS
    assert data["domain"] == {"name": "Vermilion", "version": "1", "chainId": 31337}
    assert data["primaryType"] == "Statement"
    assert set(data) == {"types", "primaryType", "domain", "message"}
    assert list(data["message"]) == [
        *("ledger", "record", "event", "step", "decision", "document", "payload")
    ]
    assert data["message"]["document"] == "0x" + made.subject.sha256.hex()
    assert data["message"]["decision"] == "approved"
    assert len(signature) == 65


def other_fields(data: dict[str, Any], _: bytes) -> str:
    changed = data | {"message": data["message"] | {"decision": "rejected"}}
    return "0x" + sign_typed(KEY, changed).hex()


def other_chain(data: dict[str, Any], _: bytes) -> str:
    return "0x" + sign_typed(KEY, data | {"domain": data["domain"] | {"chainId": 1}}).hex()


def high_s(_: dict[str, Any], signature: bytes) -> str:
    s = N - int.from_bytes(signature[32:64], "big")
    return "0x" + (signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])).hex()


@pytest.mark.parametrize(
    "make",
    [
        lambda data, _: "0x" + sign_typed(OTHER, data).hex(),
        other_fields,
        other_chain,
        high_s,
        lambda _, sig: "0x" + (sig[:64] + bytes([sig[64] - 27])).hex(),
        lambda _, sig: "0x" + (sig[:64] + bytes([55 - sig[64]])).hex(),
        lambda _, sig: "0x" + sig[:64].hex(),
        lambda _, sig: "0x" + (sig + b"\x00").hex(),
        lambda *_: "0x" + "00" * 64 + "1b",
        lambda *_: "0x",
    ],
    ids=[
        "other key",
        "other fields",
        "other chain",
        "high s",
        "v 0 or 1",
        "v",
        "64",
        "66",
        "0",
        "",
    ],
)
def test_a_signature_that_is_not_the_one_asked_for_is_refused(
    made: Statement, make: Callable[[dict[str, Any], bytes], Any]
) -> None:
    with serving(Talker(make).respond) as url:
        assert refused(lambda: sign(made, Wallet(url))) == "signer.bad-signature"


@pytest.mark.parametrize(
    "result", [None, 7, ["0x"], {"signature": "0x"}, "signature", "0xg", "0x1"]
)
def test_an_answer_that_is_no_signature_is_refused(made: Statement, result: Any) -> None:
    with serving(Talker(lambda *_: result).respond) as url:
        assert refused(lambda: sign(made, Wallet(url))) == "signer.bad-answer"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b'{"jsonrpc":"2.0","id":1,"error":{"code":4001,"message":"no"}}', "signer.refused"),
        (b'{"jsonrpc":"2.0","id":1,"error":"no","result":"0x00"}', "signer.refused"),
        (b'{"jsonrpc":"2.0","id":1}', "signer.bad-answer"),
        (b"[]", "signer.bad-answer"),
        (b"no", "signer.bad-answer"),
        (b"", "signer.bad-answer"),
        (b" " * (256 * 1024 + 1), "signer.bad-answer"),
    ],
)
def test_errors_of_a_wallet_are_told(made: Statement, raw: bytes, code: str) -> None:
    with serving(Talker(raw=raw).respond) as url:
        assert refused(lambda: sign(made, Wallet(url))) == code


@pytest.mark.parametrize("chain", [None, 31337, "31337", "0x", "0x7a69zz", "0x" + "f" * 17])
def test_a_chain_that_cannot_be_read_is_refused(made: Statement, chain: Any) -> None:
    with serving(Talker(chain=chain).respond) as url:
        assert refused(lambda: sign(made, Wallet(url))) == "signer.bad-answer"


@pytest.mark.parametrize("listed", [None, "0x", [7], ["0x11"], [ADDRESS[:-1]], [ADDRESS] * 1001])
def test_accounts_that_cannot_be_read_are_refused(listed: Any) -> None:
    with serving(Talker(accounts=listed).respond) as url:
        assert refused(lambda: Wallet(url)) == "signer.bad-answer"


def test_a_silent_wallet_is_not_waited_for_for_ever(made: Statement) -> None:
    def silence(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        if b"signTypedData" in body:
            time.sleep(1)
            return
        Talker().respond(handler, body)

    with serving(silence) as url:
        wallet = Wallet(url, timeout_seconds=0.3)
        assert refused(lambda: sign(made, wallet)) == "signer.unreachable"


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/", "http://example.gov/", "http://u:p@127.0.0.1/", "127.0.0.1:8545"]
)
def test_a_wallet_is_here_or_behind_https(url: str) -> None:
    assert refused(lambda: Wallet(url)) == "signer.url"


def test_a_wallet_nobody_registered_is_refused(
    served: Served, run: Callable[..., tuple[int, str]]
) -> None:
    record = served.register("unregistered wallet")["record"]
    talker = Talker()
    with serving(talker.respond) as url:
        code, said = run("approve", record, "--wallet", url)

    assert code != 0
    assert "key.unknown" in said
    assert talker.shown == []
