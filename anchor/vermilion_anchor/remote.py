"""A key behind a remote signer: JSON-RPC ``eth_signTransaction`` over HTTP.

What Web3Signer and others answer (Ethereum execution API). The remote side sees
each field and may refuse by rules of its own; what it gives is believed in
nothing, which `vermilion_anchor.transactions` sees to for every signer. One short
connection per transaction, no redirect, no proxy, one deadline for it all, an
answer of bounded size. The only module that talks to a signer over a network.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
import ssl
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any
from urllib.parse import SplitResult, urlsplit

from vermilion_anchor.ports import TransactionFields
from vermilion_ledger.encoding import parse_json, parse_wire_hex
from vermilion_ledger.errors import InputError, NotFoundError, UnavailableError
from vermilion_ledger.private_files import read_private_file

__all__ = ["RemoteOptions", "RemoteSigner"]

_ANSWER_SIZE_MAX = 256 * 1024  # bytes; a deployment has some 30 thousand, an anchor 5
_WORDS_MAX = 200  # characters of what a signer says that are passed on


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteOptions:
    """Where a remote signer is, and how it is known and knows us.

    Attributes:
        url: ``https://…``, or ``http://`` on this machine; no secret belongs there.
        address: 20-byte address of the key that it signs with.
        timeout_seconds: For the whole answer, counted from the connection.
        authority: PEM file of the authorities that may vouch for it; None for
            those of the system.
        certificate: PEM file with which we show who we are; None shows nothing.
        key: PEM file of its private key, unencrypted and for the owner alone.
    """

    url: str
    address: bytes
    timeout_seconds: float = 10.0
    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


class RemoteSigner:
    """Implements `vermilion_anchor.ports.Signer`; without state, for several threads."""

    def __init__(self, options: RemoteOptions) -> None:
        """Read address and files; nothing is sent yet.

        Raises:
            InputError: ``signer.url``: the address is refused;
                ``signer.certificate``: a PEM file does not do;
                ``key.file-readable``: others may read the private key.
            NotFoundError: ``key.file-missing``.
        """
        self._options = options
        self._place = _split(options.url)
        self._tls = _tls_of(options) if self._place.scheme == "https" else None

    @property
    def address(self) -> bytes:
        """The 20-byte address that shall sign."""
        return self._options.address

    def sign(self, fields: TransactionFields) -> bytes:
        """Return what the signer gives as the signed bytes of a transaction.

        Raises:
            UnavailableError: ``signer.unreachable``; ``signer.refused``: it
                says no; ``signer.bad-answer``: it gave something else.
        """
        call = {
            "from": _wire(self.address),
            "chainId": hex(fields.chain_id),
            "nonce": hex(fields.nonce),
            "gas": hex(fields.gas_limit),
            "maxFeePerGas": hex(fields.max_fee),
            "maxPriorityFeePerGas": hex(fields.priority_fee),
            "value": "0x0",
            "data": _wire(fields.data),
        }
        if fields.to is not None:
            call["to"] = _wire(fields.to)
        question = {"jsonrpc": "2.0", "id": 1, "method": "eth_signTransaction", "params": [call]}
        status, answer = self._ask(json.dumps(question).encode())
        result = _result_of(status, answer)
        try:
            return parse_wire_hex(result.lower(), what="answer", size_max=_ANSWER_SIZE_MAX)
        except InputError as exc:
            raise UnavailableError("signer.bad-answer", f"the signer gave no hex: {exc}") from exc

    def _ask(self, body: bytes) -> tuple[int, bytes]:
        """Return status and body of the answer, at most a byte more than is allowed."""
        place, timeout = self._place, self._options.timeout_seconds
        host = place.hostname or ""
        connection = (
            http.client.HTTPConnection(host, place.port, timeout=timeout)
            if self._tls is None
            else http.client.HTTPSConnection(host, place.port, timeout=timeout, context=self._tls)
        )
        headers = {"Content-Type": "application/json", "Connection": "close"}
        with closing(connection):
            try:
                connection.connect()
                # A socket's timeout starts anew with each byte; this one does not.
                deadline = Timer(timeout, _hang_up, [connection.sock])
                deadline.start()
                try:
                    connection.request("POST", place.path or "/", body, headers)
                    with connection.getresponse() as answer:
                        return answer.status, answer.read(_ANSWER_SIZE_MAX + 1)
                finally:
                    deadline.cancel()
            except (OSError, http.client.HTTPException) as exc:
                raise UnavailableError(
                    "signer.unreachable",
                    f"the signer at {host} does not answer: {type(exc).__name__}",
                ) from exc


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # may raise as well
    except ValueError as exc:
        raise InputError("signer.url", "the signer's address is not a URL") from exc
    if not parts.hostname or parts.scheme not in {"http", "https"}:
        raise InputError("signer.url", "the signer's address is not https://host")
    if parts.username is not None or parts.query or parts.fragment:
        raise InputError("signer.url", "the signer's address has more than host and path")
    if parts.scheme == "http" and not _is_here(parts.hostname):
        raise InputError("signer.url", f"{parts.hostname} is another machine: use https")
    return parts


def _is_here(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _tls_of(options: RemoteOptions) -> ssl.SSLContext:
    if (options.certificate is None) != (options.key is None):
        raise InputError("signer.certificate", "certificate and key go together")
    if options.key is not None:
        read_private_file(options.key)  # refuses what others may read; OpenSSL reads it again
    try:
        context = ssl.create_default_context(cafile=options.authority)
        if options.certificate is not None:
            # An encrypted key fails: nobody is there to be asked for its password.
            context.load_cert_chain(options.certificate, options.key, password=lambda: "")
    except FileNotFoundError as exc:
        raise NotFoundError("key.file-missing", "a PEM file of the signer is missing") from exc
    except OSError as exc:  # ssl.SSLError is one
        raise InputError(
            "signer.certificate", f"a PEM file of the signer does not do: {type(exc).__name__}"
        ) from exc
    return context


def _hang_up(connection: socket.socket) -> None:
    """End a connection under its reader, without TLS's own farewell."""
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _result_of(status: int, body: bytes) -> str:
    try:
        answer: Any = parse_json(body, size_max=_ANSWER_SIZE_MAX, what="signer's answer")
    except InputError as exc:
        raise UnavailableError(
            "signer.bad-answer", f"the signer gave no JSON (HTTP {status}): {exc}"
        ) from exc
    if not isinstance(answer, dict):
        raise UnavailableError("signer.bad-answer", "the signer gave no object")
    if (error := answer.get("error")) is not None:
        words = error.get("message") if isinstance(error, dict) else error
        raise UnavailableError(
            "signer.refused", f"the signer refused: {str(words)[:_WORDS_MAX]!a} (HTTP {status})"
        )
    result = answer.get("result")
    if status != http.HTTPStatus.OK or not isinstance(result, str):
        raise UnavailableError("signer.bad-answer", f"the signer gave no text (HTTP {status})")
    return result


def _wire(value: bytes) -> str:
    return "0x" + value.hex()
