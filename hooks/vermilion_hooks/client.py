"""Talking to a ledger over HTTP: one connection, bounded answers, safe retries.

Owns the requests of FORMATS section 14 that the archive hook makes. Standard
library only. A request is repeated only with the same bytes and the same
`Idempotency-Key`, so that a lost answer never becomes a second record.
Redirects are not followed: they would carry file names elsewhere.
"""

from __future__ import annotations

import http.client
import re
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from vermilion_hooks.entries import Acknowledged, Answer, Chunk, Refused
from vermilion_ledger.codes import all_codes
from vermilion_ledger.commitment import is_record_id
from vermilion_ledger.digest import show_path
from vermilion_ledger.encoding import Json, parse_json
from vermilion_ledger.errors import (
    ConflictError,
    EvidenceError,
    InputError,
    NotFoundError,
    UnavailableError,
    VerificationError,
)
from vermilion_ledger.limits import TREE_SIZE_MAX

__all__ = ["LedgerClient"]

_ANSWER_SIZE_MAX = 16 * 1024 * 1024  # bytes
_MESSAGE_LENGTH_MAX = 500  # characters of a server's words that are shown
_RETRY_AFTER_MAX = 30.0  # seconds
_WAIT_SECONDS = 30  # how long the server may hold the answer back until sequenced
_CODE = re.compile(r"[a-z0-9-]{1,40}(?:\.[a-z0-9-]{1,60}){1,3}\Z")
_TRANSIENT = frozenset({408, 425, 429, 502, 503, 504})
_REFUSALS: Mapping[int, type[EvidenceError]] = {
    400: InputError,
    404: NotFoundError,
    409: ConflictError,
    413: InputError,
    422: VerificationError,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Response:
    status: int
    media_type: str
    retry_after: str
    body: bytes


class LedgerClient:
    """A ledger at an address; owned by one thread, closed by ``with``."""

    def __init__(
        self,
        url: str,
        *,
        sleep: Callable[[float], None],
        timeout_seconds: float = 60.0,
        pauses: Sequence[float] = (0.5, 1.0, 2.0, 4.0),
    ) -> None:
        """Read the address; nothing is sent yet.

        Args:
            url: ``http://`` or ``https://``, with the path before ``/v1`` if any.
            sleep: Waits so many seconds.
            timeout_seconds: Bound on each wait for the network.
            pauses: Seconds before each repetition; their number bounds these.

        Raises:
            InputError: ``server.url``.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as exc:
            raise InputError("server.url", f"{url!a} is not an address: {exc}") from exc
        extras = (parts.username, parts.password, parts.query, parts.fragment)
        if parts.scheme not in ("http", "https") or not host or any(extras):
            raise InputError("server.url", f"{url!a} is not an address like http://127.0.0.1:8460")
        self.url = url.rstrip("/")
        self._prefix = parts.path.rstrip("/")
        self._connection = (
            http.client.HTTPSConnection(
                host, port, timeout=timeout_seconds, context=ssl.create_default_context()
            )
            if parts.scheme == "https"
            else http.client.HTTPConnection(host, port, timeout=timeout_seconds)
        )
        self._sleep = sleep
        self._pauses = tuple(pauses)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._connection.close()

    def check_alive(self) -> None:
        """Ask whether a server is there, before hours of hashing.

        Raises:
            UnavailableError: ``server.unreachable``, ``server.not-ready``.
        """
        answer = self._ask("GET", "/livez")
        if answer.status != 200:
            raise UnavailableError(
                "server.not-ready", f"{self.url} answers {answer.status} to a health check"
            )

    def has_record(self, record: str) -> bool:
        """Ask whether the ledger knows a record.

        Raises:
            EvidenceError: The server cannot say.
        """
        answer = self._ask("GET", f"/v1/records/{record}")
        if answer.status == 200:
            return True
        problem = self._read_problem(answer)
        if isinstance(problem, NotFoundError):
            return False
        raise problem

    def record_bulk(self, chunk: Chunk) -> tuple[Answer, ...]:
        """Send a chunk of registrations; see `vermilion_hooks.recorder.Ledger`."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": chunk.key}
        path = f"/v1/records/bulk?wait=sequenced&timeout={_WAIT_SECONDS}"
        for pause in (*self._pauses, None):
            answer = self._ask("POST", path, chunk.body, headers)
            if not 200 <= answer.status < 300:
                raise self._read_problem(answer)
            records = self._read_records(answer, len(chunk.entries))
            if records is not None:
                return records
            if pause is not None:
                self._sleep(pause)
        raise UnavailableError(
            "server.not-sequenced", f"{self.url} took the chunk but has given it no index yet"
        )

    def _ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = {}
    ) -> _Response:
        """Ask until there is an answer that is not a plea to come back later."""
        for pause in (*self._pauses, None):
            try:
                answer = self._ask_once(method, path, body, headers)
            except UnavailableError:
                if pause is None:
                    raise
                self._sleep(pause)
                continue
            if pause is None or not (answer.status in _TRANSIENT or self._is_running(answer)):
                return answer
            wait = float(answer.retry_after) if answer.retry_after.isdecimal() else 0.0
            self._sleep(min(max(pause, wait), _RETRY_AFTER_MAX))
        raise AssertionError("the last attempt returns or raises")

    def _ask_once(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> _Response:
        try:
            self._connection.request(
                method,
                self._prefix + path,
                body=body,
                headers={"Accept": "application/json, application/problem+json", **headers},
            )
            response = self._connection.getresponse()
            data = response.read(_ANSWER_SIZE_MAX + 1)
            if len(data) > _ANSWER_SIZE_MAX:
                self._connection.close()  # the rest is never read; parsing refuses the length
            elif response.length:  # `read` with a bound says nothing of a body cut short
                raise http.client.IncompleteRead(data, response.length)
        except ssl.SSLCertVerificationError as exc:
            self._connection.close()
            raise InputError("server.certificate", f"{self.url}: {exc.verify_message}") from exc
        except (OSError, http.client.HTTPException) as exc:
            # Whatever the connection was in the middle of, it starts afresh.
            self._connection.close()
            reason = getattr(exc, "strerror", None) or str(exc) or type(exc).__name__
            raise UnavailableError(
                "server.unreachable", f"no answer from {self.url}: {reason}"
            ) from exc
        return _Response(
            status=response.status,
            media_type=(response.getheader("Content-Type") or "").partition(";")[0].strip().lower(),
            retry_after=response.getheader("Retry-After") or "",
            body=data,
        )

    def _is_running(self, answer: _Response) -> bool:
        return answer.status == 409 and isinstance(self._read_problem(answer), UnavailableError)

    def _read_records(self, answer: _Response, count: int) -> tuple[Answer, ...] | None:
        """Return what became of each document, in order; None if one has no index yet."""
        value = self._parse(answer)
        items = value.get("records") if isinstance(value, dict) else None
        if not isinstance(items, list) or len(items) != count:
            raise self._malformed(f"no list of {count} records")
        records = [self._read_record(item) for item in items]
        given = [each for each in records if isinstance(each, Acknowledged)]
        if len({each.record for each in given}) != len(given) or (
            len({each.index for each in given}) != len(given)
        ):
            raise self._malformed("one record or index for two documents")
        return None if None in records else tuple(each for each in records if each is not None)

    def _read_record(self, item: Json) -> Answer | None:
        members = item if isinstance(item, dict) else {}
        record, index, refused = (members.get(name) for name in ("record", "index", "refused"))
        if not is_record_id(record):
            raise self._malformed("a record without a record id")
        if isinstance(refused, dict):
            code, message = (refused.get(name) for name in ("code", "message"))
            if index is not None or not isinstance(code, str) or not _CODE.match(code):
                raise self._malformed("a refusal with an index or without a code")
            return Refused(code=code, message=_show(message))
        if index is None:
            return None
        if type(index) is not int or not 0 <= index < TREE_SIZE_MAX:
            raise self._malformed("a record without a leaf index")
        return Acknowledged(record=str(record), index=index)

    def _read_problem(self, answer: _Response) -> EvidenceError:
        """Return the error of ours that a problem+json answer carries (RFC 9457)."""
        if answer.media_type != "application/problem+json":
            return self._malformed(f"status {answer.status} without problem+json")
        try:
            value = self._parse(answer)
        except UnavailableError as exc:
            return exc
        code = value.get("code") if isinstance(value, dict) else None
        if not isinstance(code, str) or not _CODE.match(code):
            return self._malformed(f"status {answer.status} without a code")
        # The hint stands in our own catalogue, in the caller's language, if we know the code.
        names = ("detail",) if code in all_codes() else ("detail", "hint")
        words = [value[name] for name in names if isinstance(value.get(name), str)]
        message = "; ".join(words) or f"status {answer.status}"
        if isinstance(trace := value.get("trace_id"), str):
            message += f" (trace {trace})"
        kind = _REFUSALS.get(answer.status, UnavailableError)
        if code.startswith("idempotency."):
            kind = UnavailableError  # says nothing against the documents: the chunk stays open
        return kind(code, _show(message))

    def _parse(self, answer: _Response) -> Json:
        try:
            return parse_json(answer.body, size_max=_ANSWER_SIZE_MAX, what="the server's answer")
        except InputError as exc:
            raise self._malformed(exc.message) from exc

    def _malformed(self, why: str) -> UnavailableError:
        return UnavailableError("server.answer-malformed", f"{self.url} answers with {why}")


def _show(words: Json) -> str:
    """Return a server's words, bounded and with nothing in them that a terminal obeys."""
    return show_path(str(words)[:_MESSAGE_LENGTH_MAX])
