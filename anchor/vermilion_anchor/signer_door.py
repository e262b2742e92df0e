"""Questions to whoever holds a key: JSON-RPC over HTTP to a signer or a wallet.

One short connection per question, no redirect, no proxy, one deadline for it all,
an answer of bounded size. What is answered is believed in nothing; whoever asks
checks it. The only module that talks to a signer over a network.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
import ssl
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any
from urllib.parse import SplitResult, urlsplit

from vermilion_ledger.encoding import parse_json
from vermilion_ledger.errors import InputError, NotFoundError, UnavailableError
from vermilion_ledger.private_files import read_private_file

__all__ = ["ANSWER_SIZE_MAX", "SignerDoor", "SignerEndpoint"]

ANSWER_SIZE_MAX = 256 * 1024  # bytes; a deployment has some 30 thousand, an anchor 5
_WORDS_MAX = 200  # characters of what a signer says that are passed on


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerEndpoint:
    """Where a signer is, and how it is known and knows us.

    Attributes:
        url: ``https://…``, or ``http://`` on this machine; no secret belongs there.
        timeout_seconds: For the whole answer, counted from the connection.
        authority: PEM file of the authorities that may vouch for it; None for
            those of the system.
        certificate: PEM file with which we show who we are; None shows nothing.
        key: PEM file of its private key, unencrypted and for the owner alone.
    """

    url: str
    timeout_seconds: float = 10.0
    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


class SignerDoor:
    """Asks one signer; without state, for several threads."""

    def __init__(self, endpoint: SignerEndpoint) -> None:
        """Read address and files; nothing is sent yet.

        Raises:
            InputError: ``signer.url``: the address is refused;
                ``signer.certificate``: a PEM file does not do;
                ``key.file-readable``: others may read the private key.
            NotFoundError: ``key.file-missing``.
        """
        self._timeout = endpoint.timeout_seconds
        self._place = _split(endpoint.url)
        self._tls = _tls_of(endpoint) if self._place.scheme == "https" else None

    def ask(self, method: str, parameters: Sequence[object]) -> Any:
        """Return the result of a call, of any JSON type.

        Raises:
            UnavailableError: ``signer.unreachable``; ``signer.refused``: it
                says no; ``signer.bad-answer``: it gave something else.
        """
        question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
        status, answer = self._ask(json.dumps(question, ensure_ascii=False).encode())
        return _result_of(status, answer)

    def _ask(self, body: bytes) -> tuple[int, bytes]:
        """Return status and body of the answer, at most a byte more than is allowed."""
        place, timeout = self._place, self._timeout
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
                        return answer.status, answer.read(ANSWER_SIZE_MAX + 1)
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


def _tls_of(endpoint: SignerEndpoint) -> ssl.SSLContext:
    if (endpoint.certificate is None) != (endpoint.key is None):
        raise InputError("signer.certificate", "certificate and key go together")
    if endpoint.key is not None:
        read_private_file(endpoint.key)  # refuses what others may read; OpenSSL reads it again
    try:
        context = ssl.create_default_context(cafile=endpoint.authority)
        if endpoint.certificate is not None:
            # An encrypted key fails: nobody is there to be asked for its password.
            context.load_cert_chain(endpoint.certificate, endpoint.key, password=lambda: "")
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


def _result_of(status: int, body: bytes) -> Any:
    try:
        answer: Any = parse_json(body, size_max=ANSWER_SIZE_MAX, what="signer's answer")
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
    if status != http.HTTPStatus.OK or "result" not in answer:
        raise UnavailableError("signer.bad-answer", f"the signer gave no result (HTTP {status})")
    return answer["result"]
