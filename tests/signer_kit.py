"""A real remote signer on loopback, made of eth-account, honest or not. Not a test."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from eth_account import Account

from chain import KEY
from vermilion_anchor.evm import AccountSigner
from vermilion_anchor.ports import TransactionFields
from vermilion_anchor.remote import RemoteOptions, RemoteSigner
from vermilion_anchor.transactions import SignedTransaction, sign_transaction
from vermilion_ledger.errors import EvidenceError

__all__ = [
    "ADDRESS",
    "FIELDS",
    "Answer",
    "Authority",
    "Call",
    "SignerServer",
    "answer_with",
    "ask",
    "give",
    "refused",
    "serve_signer",
    "sign_call",
]

Call = dict[str, str]
Answer = Callable[[BaseHTTPRequestHandler, Call], None]
ADDRESS = AccountSigner(KEY).address
FIELDS = TransactionFields(
    chain_id=31337,
    nonce=7,
    to=b"\x12" * 20,
    data=b"\x34" * 100,
    gas_limit=100_000,
    max_fee=3 * 10**9,
    priority_fee=10**9,
)


def ask(url: str, fields: TransactionFields = FIELDS, **options: Any) -> SignedTransaction:
    """Have a signer sign, as the anchorer does."""
    values: dict[str, Any] = {"address": ADDRESS, "timeout_seconds": 5.0} | options
    return sign_transaction(RemoteSigner(RemoteOptions(url=url, **values)), fields)


def refused(url: str, kind: type[EvidenceError], **options: Any) -> str:
    """Ask; the code of the error that is to come of it."""
    with pytest.raises(kind) as error:
        ask(url, **options)
    return error.value.code


def sign_call(call: Call, *, key: bytes = KEY, **changes: Any) -> bytes:
    """Sign what was asked for, or what a liar makes of it; None leaves a member out."""
    transaction: dict[str, Any] = {
        "type": 2,
        "chainId": int(call["chainId"], 16),
        "nonce": int(call["nonce"], 16),
        "gas": int(call["gas"], 16),
        "maxFeePerGas": int(call["maxFeePerGas"], 16),
        "maxPriorityFeePerGas": int(call["maxPriorityFeePerGas"], 16),
        "value": int(call["value"], 16),
        "data": call["data"],
    }
    if "to" in call:
        transaction["to"] = bytes.fromhex(call["to"][2:])
    transaction |= changes
    transaction = {name: value for name, value in transaction.items() if value is not None}
    return bytes(Account.from_key(key).sign_transaction(transaction).raw_transaction)


def answer_with(
    body: bytes, *, status: int = 200, size: int | None = None, **headers: str
) -> Answer:
    """Give this answer to everything."""

    def answer(handler: BaseHTTPRequestHandler, call: Call) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body) if size is None else size))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def give(raw: bytes) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "result": "0x" + raw.hex()}).encode()


@dataclass
class SignerServer:
    """A running signer: what it was asked, and how it shall answer."""

    url: str
    answer: Answer | None = None
    calls: list[Call] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)

    def lie(self, make: Callable[[Call], bytes]) -> None:
        """Answer with these bytes instead of the transaction asked for."""
        self.answer = lambda handler, call: answer_with(give(make(call)))(handler, call)


@contextmanager
def serve_signer(tls: ssl.SSLContext | None = None) -> Iterator[SignerServer]:
    """Run a signer that holds `KEY` until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            question = json.loads(self.rfile.read(length))
            call = question["params"][0]
            state.methods.append(question["method"])
            state.calls.append(call)
            answer = state.answer or answer_with(give(sign_call(call)))
            with suppress(OSError):  # the asker hung up, as it should
                answer(self, call)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            pass  # a handshake that was refused, a connection that was cut

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        # In the thread of the connection, not in that which accepts.
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    scheme = "http" if tls is None else "https"
    state = SignerServer(f"{scheme}://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Authority:
    """A certificate authority of a test, and what it vouches for, in a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.path = folder / f"{name}.pem"
        builder = self._builder(self._name, self._key).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self._write(self.path, builder.add_extension(_usage(signs=True), critical=True))

    def issue(self, name: str) -> tuple[Path, Path]:
        """Return certificate and private key of a name on this machine."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = self._builder(subject, key).add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        certificate, private = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        self._write(certificate, builder.add_extension(_usage(signs=False), critical=True))
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        private.chmod(0o600)
        return certificate, private

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey
    ) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        identifier = x509.SubjectKeyIdentifier.from_public_key
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(hours=1))
            .add_extension(identifier(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )

    def _write(self, path: Path, builder: x509.CertificateBuilder) -> None:
        certificate = builder.sign(self._key, hashes.SHA256())
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
