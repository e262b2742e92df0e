"""Time-stamping authorities for the tests: certificates, tokens by hand, and a real one.

Tokens are written here, member by member, so that each can be wrong in one
place; the same seeds give the same bytes. `running_tsa` is the real thing:
OpenSSL's ``ts`` behind HTTP.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from vermilion_ledger.timestamp import der
from vermilion_ledger.timestamp.authority import Authority, parse_authority
from vermilion_ledger.timestamp.der import encode_element

STAMPED = datetime(2026, 11, 22, 5, tzinfo=UTC)
TEXT = b"ledger.example.gov/office-1\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
STAMPING = (ExtendedKeyUsageOID.TIME_STAMPING,)
YEAR = timedelta(days=365)
SHA256 = "2.16.840.1.101.3.4.2.1"
ECDSA_SHA256 = "1.2.840.10045.4.3.2"


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A key with its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def encoded(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def authority(self) -> Authority:
        return parse_authority("test", self.pem)


def certify(
    name: str,
    issuer: Holder | None = None,
    *,
    extensions: Sequence[tuple[x509.ExtensionType, bool]],
    start: datetime = STAMPED - YEAR,
    end: datetime = STAMPED + YEAR,
    serial: int | None = None,
    seed: str = "",
    key: ec.EllipticCurvePrivateKey | None = None,
) -> Holder:
    """A key, fresh unless it or a seed is given, certified by an issuer or by itself."""
    if seed:
        number = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:31], "big")
        key, serial = ec.derive_private_key(number, ec.SECP256R1()), serial or number >> 128
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    signing = issuer.key if issuer else key
    certificate = builder.sign(signing, hashes.SHA256(), ecdsa_deterministic=True)
    return Holder(key=key, certificate=certificate)


def make_ca(
    name: str = "Test Root", issuer: Holder | None = None, *, ca: bool = True, **parts: Any
) -> Holder:
    length = parts.pop("path_length", None)
    more = parts.pop("more", ())
    basic = x509.BasicConstraints(ca=ca, path_length=length)
    return certify(name, issuer, extensions=[(basic, True), *more], **parts)


def make_signer(
    issuer: Holder,
    name: str = "Test TSA",
    *,
    usages: Sequence[ObjectIdentifier] = STAMPING,
    critical: bool = True,
    **parts: Any,
) -> Holder:
    extensions: list[tuple[x509.ExtensionType, bool]] = [*parts.pop("more", ())]
    if usages:
        extensions.append((x509.ExtendedKeyUsage(usages), critical))
    return certify(name, issuer, extensions=extensions, **parts)


# -- DER by hand


def seq(*parts: bytes) -> bytes:
    return encode_element(der.SEQUENCE, b"".join(parts))


def set_of(*parts: bytes) -> bytes:
    return encode_element(der.SET, b"".join(sorted(parts)))


def oid(dotted: str) -> bytes:
    first, second, *rest = (int(part) for part in dotted.split("."))
    out = b""
    for arc in (40 * first + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        out += bytes(reversed(groups))
    return encode_element(der.OID, out)


def integer(value: int) -> bytes:
    size = (value.bit_length() + 8) // 8 if value >= 0 else ((value + 1).bit_length() + 8) // 8
    return encode_element(der.INTEGER, value.to_bytes(size, "big", signed=True))


def octets(data: bytes) -> bytes:
    return encode_element(der.OCTET_STRING, data)


def tagged(number: int, data: bytes) -> bytes:
    return encode_element(0xA0 | number, data)


def moment(at: datetime) -> bytes:
    text = f"{at:%Y%m%d%H%M%S}"
    if at.microsecond:
        text += f".{at.microsecond:06}".rstrip("0")
    return encode_element(der.GENERALIZED_TIME, text.encode() + b"Z")


def algorithm(dotted: str, *parameters: bytes) -> bytes:
    return seq(oid(dotted), *parameters)


def make_info(text: bytes = TEXT, **parts: Any) -> bytes:
    """A TSTInfo; any member can be replaced."""
    digest = parts.get("imprint", hashlib.sha256(text).digest())
    accuracy = parts.get("accuracy", b"")
    nonce = parts.get("nonce")
    return seq(
        integer(parts.get("version", 1)),
        oid(parts.get("policy", "1.2.3.4.1")),
        seq(algorithm(parts.get("imprint_hash", SHA256)), octets(digest)),
        integer(parts.get("serial", 7)),
        moment(parts.get("time", STAMPED)),
        accuracy,
        integer(nonce) if nonce is not None else b"",
        parts.get("tail", b""),
    )


def make_token(signer: Holder, text: bytes = TEXT, **parts: Any) -> bytes:
    """A token over a text; ``parts`` make it wrong in one place."""
    info = parts.pop("info", None) or make_info(text, **parts)
    content_type = oid("1.2.840.113549.1.9.16.1.4")
    named = parts.get("named", signer).encoded
    certificate_id = parts.get(
        "certificate_id",
        seq(
            oid("1.2.840.113549.1.9.16.2.47"),
            set_of(seq(seq(seq(octets(hashlib.sha256(named).digest()))))),
        ),
    )
    digest = parts.get("content_digest", hashlib.sha256(info).digest())
    attributes = b"".join(
        sorted(
            [
                seq(oid("1.2.840.113549.1.9.3"), set_of(parts.get("attribute_type", content_type))),
                seq(oid("1.2.840.113549.1.9.4"), set_of(octets(digest))),
                certificate_id,
                *parts.get("attributes", ()),
            ]
        )
    )
    scheme = ec.ECDSA(parts.get("digest", hashes.SHA256()), deterministic_signing=True)
    signature = signer.key.sign(encode_element(der.SET, attributes), scheme)
    issuer = signer.certificate.issuer.public_bytes()
    signer_info = seq(
        integer(1),
        seq(issuer, integer(parts.get("signer_serial", signer.certificate.serial_number))),
        algorithm(parts.get("signer_hash", SHA256), *parts.get("hash_parameters", ())),
        tagged(0, attributes),
        algorithm(parts.get("scheme", ECDSA_SHA256), *parts.get("parameters", ())),
        octets(parts.get("signature", signature)),
        parts.get("unsigned", b""),
    )
    certificates = parts.get("certificates", [signer.encoded])
    signed = seq(
        integer(parts.get("cms_version", 3)),
        set_of(*(algorithm(each) for each in parts.get("hashes", [SHA256]))),
        seq(parts.get("content_type", content_type), tagged(0, octets(info))),
        tagged(0, b"".join(sorted(certificates))) if certificates else b"",
        set_of(*[signer_info] * parts.get("signers", 1)),
    )
    kind = parts.get("kind", "1.2.840.113549.1.7.2")
    return seq(oid(kind), tagged(0, signed))


def make_response(token: bytes, status: int = 0) -> bytes:
    return seq(seq(integer(status)), token)


# -- a real authority

_CONFIG = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
default_policy = 1.2.3.4.1
signer_digest = sha256
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""
Answer = Callable[[bytes], tuple[int, str, bytes]]


@dataclass
class RealAuthority:
    """OpenSSL's ``ts`` behind an address; ``answer`` can be replaced to lie."""

    url: str
    root: Holder
    signer: Holder
    folder: Path
    answer: Answer
    asked: list[bytes]

    def reply(self, query: bytes) -> bytes:
        """What OpenSSL answers to a query."""
        number = len(self.asked)
        asked, answered = self.folder / f"{number}.tsq", self.folder / f"{number}.tsr"
        asked.write_bytes(query)
        folder = self.folder
        done = subprocess.run(
            [
                *("openssl", "ts", "-reply", "-config", folder / "tsa.cnf"),
                *("-signer", folder / "tsa.pem", "-inkey", folder / "tsa.key"),
                *("-queryfile", asked, "-out", answered),
            ],
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return answered.read_bytes()

    def token(self, text: bytes = TEXT) -> bytes:
        """A token that OpenSSL made, taken out of its response."""
        digest = hashlib.sha256(text).digest()
        query = seq(
            integer(1),
            seq(algorithm(SHA256, encode_element(der.NULL, b"")), octets(digest)),
            encode_element(der.BOOLEAN, b"\xff"),
        )
        return take_token(self.reply(query))


def take_token(response: bytes) -> bytes:
    reader = der.DerReader(response).inside(der.SEQUENCE)
    reader.take(der.SEQUENCE)
    return reader.take(der.SEQUENCE).encoded


def write_key(path: Path, holder: Holder) -> None:
    path.write_bytes(holder.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


@contextmanager
def running_tsa(folder: Path, *, signer: Holder | None = None) -> Iterator[RealAuthority]:
    """Serve a fresh authority on loopback until the end of the block."""
    if shutil.which("openssl") is None:
        # a program of the system, which no lock file can install (CONTRIBUTING.md)
        pytest.skip("the openssl program is not installed")
    now = datetime.now(UTC).replace(microsecond=0)
    folder.mkdir(parents=True, exist_ok=True)
    root = make_ca(f"Root of {folder.name}", start=now - YEAR, end=now + YEAR)
    signer = signer or make_signer(root, f"TSA of {folder.name}", start=now - YEAR, end=now + YEAR)
    (folder / "root.pem").write_bytes(root.pem)
    (folder / "tsa.pem").write_bytes(signer.pem)
    (folder / "tsa.cnf").write_text(_CONFIG.format(folder=folder))
    (folder / "serial").write_text("01\n")
    write_key(folder / "tsa.key", signer)
    made: list[RealAuthority] = []
    lock = threading.Lock()  # the file of serial numbers has one

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"] or 0))
            with lock:
                made[0].asked.append(query)
                status, kind, body = made[0].answer(query)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if 300 <= status < 400:
                self.send_header("Location", made[0].url)
            self.end_headers()
            with suppress(OSError):  # whoever asked has had enough
                self.wfile.write(body)

        def do_GET(self) -> None:  # what a redirection would make of it
            self.do_POST()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    authority = RealAuthority(
        url=f"http://127.0.0.1:{server.server_port}/tsa",
        root=root,
        signer=signer,
        folder=folder,
        answer=lambda query: (200, "application/timestamp-reply", made[0].reply(query)),
        asked=[],
    )
    made.append(authority)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield authority
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
