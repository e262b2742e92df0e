"""Asking a time-stamping authority over HTTP (RFC 3161, sections 2.4 and 3.4).

The only module that imports rfc3161-client, which writes the request, reads
the response and gives a second opinion on it. What counts is the check that a
stranger will run: `vermilion_ledger.timestamp.verify`.
"""

from __future__ import annotations

import hashlib
import http.client
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import datetime
from queue import Empty, SimpleQueue

from rfc3161_client import (
    PKIStatus,
    TimeStampRequest,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerifierBuilder,
    decode_timestamp_response,
)
from rfc3161_client import (
    VerificationError as OtherVerificationError,
)
from rfc3161_client.base import HashAlgorithm

from vermilion_ledger.errors import InputError, UnavailableError, VerificationError
from vermilion_ledger.timestamp.authority import Authority
from vermilion_ledger.timestamp.token import TOKEN_SIZE_MAX
from vermilion_ledger.timestamp.verify import verify_token

__all__ = ["HttpAuthority"]

_ANSWER_SIZE_MAX = TOKEN_SIZE_MAX + 1024  # bytes: a token and its status
_REQUEST_TYPE = "application/timestamp-query"
_ANSWER_TYPE = "application/timestamp-reply"


class HttpAuthority:
    """One authority behind one address. Safe to share between threads.

    Args:
        url: Its http or https address; a redirection is not followed.
        authority: The roots that its tokens must lead to.
        timeout_seconds: For the whole exchange, however slowly it drips.

    Raises:
        InputError: ``settings.value``: the address is not http or https.
    """

    def __init__(self, url: str, authority: Authority, *, timeout_seconds: float = 10.0) -> None:
        if not url.startswith(("http://", "https://")):
            raise InputError("settings.value", f"{url[:80]!a} is not an http address")
        self._url = url
        self._authority = authority
        self._timeout = timeout_seconds

    @property
    def address(self) -> str:
        """The address, which names the authority for good."""
        return self._url

    def stamp(self, text: bytes) -> tuple[bytes, datetime]:
        """Return a token over a text, verified, and the moment that it states.

        The nonce of the request must come back: an answer that was made before
        says an older time than is true.

        Raises:
            UnavailableError: ``timestamp.unreachable``, ``timestamp.answer`` or
                ``timestamp.refused``: another time it may work.
            VerificationError: ``timestamp.nonce``, or what `verify_token` raises.
            InputError: As `verify_token` raises.
            NotFoundError: ``timestamp.unknown-authority``.
        """
        request = _make_request(text)
        response, token = self._read(self._exchange(request.as_bytes()))
        verified = verify_token(token, text, [self._authority])
        self._agree(request, response, text)
        return token, verified.time

    def _read(self, data: bytes) -> tuple[TimeStampResponse, bytes]:
        """Return the response and the token in it, which is not judged yet."""
        if len(data) > _ANSWER_SIZE_MAX:
            raise UnavailableError(
                "timestamp.answer", f"{self._url} answers with more than {_ANSWER_SIZE_MAX} bytes"
            )
        try:
            response = decode_timestamp_response(data)
            status = PKIStatus(response.status)
            token = response.time_stamp_token()  # no bytes where there is none
        except ValueError as exc:
            raise UnavailableError(
                "timestamp.answer", f"{self._url} answers with something else than a response"
            ) from exc
        if status is PKIStatus.GRANTED and not token:
            raise UnavailableError("timestamp.answer", f"{self._url} grants and sends no token")
        if status is not PKIStatus.GRANTED:
            raise UnavailableError(
                "timestamp.refused", f"{self._url} says {status.name.lower()}: {_said(response)}"
            )
        return response, token

    def _agree(self, request: TimeStampRequest, response: TimeStampResponse, text: bytes) -> None:
        """Ask the other implementation too: kept is what both accept."""
        if response.tst_info.nonce != request.nonce:
            raise VerificationError(
                "timestamp.nonce", f"{self._url} answers with the nonce of another request"
            )
        other = VerifierBuilder(
            nonce=request.nonce,
            roots=list(self._authority.roots),
            intermediates=list(self._authority.helpers),
        ).build()
        try:
            other.verify(response, hashlib.sha256(text).digest())
        except (OtherVerificationError, ValueError) as exc:
            raise VerificationError(
                "timestamp.signature", f"{self._url}: OpenSSL does not accept it: {exc}"
            ) from exc

    def _exchange(self, body: bytes) -> bytes:
        """Return the answer's bytes, or one byte too many of them.

        Asked from a thread of its own: a socket's timeout starts anew with
        every byte, and name servers have none at all.
        """
        answers: SimpleQueue[bytes | Exception] = SimpleQueue()
        threading.Thread(
            target=_ask, args=(self._url, body, self._timeout, answers.put), name="tsa", daemon=True
        ).start()
        try:
            answer = answers.get(timeout=self._timeout)
        except Empty as exc:
            raise UnavailableError(
                "timestamp.unreachable", f"{self._url} is silent for {self._timeout} seconds"
            ) from exc
        if isinstance(answer, OSError | http.client.HTTPException | ValueError):
            raise UnavailableError(
                "timestamp.unreachable", f"{self._url} does not answer: {answer}"
            ) from answer
        if isinstance(answer, Exception):
            raise answer
        return answer


class _NoRedirection(urllib.request.HTTPRedirectHandler):
    """The address is the authority's name: another one is another authority."""

    def redirect_request(self, *_: object) -> None:
        return None


def _ask(
    url: str, body: bytes, timeout_seconds: float, answer: Callable[[bytes | Exception], None]
) -> None:
    try:
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            url, data=body, headers={"Content-Type": _REQUEST_TYPE, "Accept": _ANSWER_TYPE}
        )
        opener = urllib.request.build_opener(_NoRedirection)
        with opener.open(request, timeout=timeout_seconds) as response:
            answer(response.read(_ANSWER_SIZE_MAX + 1))
    except urllib.error.HTTPError as exc:  # holds the connection until it is closed
        exc.close()
        answer(exc)
    except Exception as exc:  # noqa: BLE001 - handed to the asking thread, which raises it
        answer(exc)


def _make_request(text: bytes) -> TimeStampRequest:
    """Ask for SHA-256, a fresh nonce, and the signing certificate in the token."""
    return (
        TimestampRequestBuilder()
        .data(text)
        .hash_algorithm(HashAlgorithm.SHA256)
        .nonce(nonce=True)
        .cert_request(cert_request=True)
        .build()
    )


def _said(response: TimeStampResponse) -> str:
    return "; ".join(response.status_string or ["no reason given"])[:200]
