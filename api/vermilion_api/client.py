"""The operator's view of a ledger over HTTP: requests out, problems as errors in.

On the standard library: a command that asks one question should not spend its
time on importing an HTTP client. A fresh connection for each request, as a server
may close an idle one at the very moment it is used again; no proxy, as what a proxy
variable says is not meant for an office's own ledger.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode, urlsplit

from vermilion_api.problems import error_from_status
from vermilion_ledger.errors import InputError, IntegrityError, UnavailableError

__all__ = ["Ledger"]

_TIMEOUT_SECONDS = 30.0
_ANCHOR_SECONDS = 25  # to wait for an anchor: shorter than that, longer than one of a laptop
_ANSWER_SIZE_MAX = 64 * 1024 * 1024  # bytes
_PATH_SAFE = "/"


class Ledger:
    """One ledger's API. A context manager; not for several threads."""

    def __init__(self, url: str, *, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        """Prepare to ask a ledger; nothing is sent yet.

        Raises:
            InputError: ``serve.url``: not an http or https address.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as exc:
            raise InputError("serve.url", f"{url[:80]!a} is not an address") from exc
        kinds: dict[str, type[http.client.HTTPConnection]] = {
            "http": http.client.HTTPConnection,
            "https": http.client.HTTPSConnection,
        }
        if parts.scheme not in kinds or not host:
            raise InputError("serve.url", f"{url[:80]!a} is not an http address")
        self.url = url.rstrip("/")
        self._base = parts.path.rstrip("/")
        self._connection = kinds[parts.scheme](host, port, timeout=timeout_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def get(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return a JSON answer.

        Raises:
            EvidenceError: The problem that the ledger answered with.
            UnavailableError: ``serve.unreachable``.
        """
        return self._object(self.fetch(path, params))

    def fetch(self, path: str, params: Mapping[str, str] | None = None) -> bytes:
        """Return the bytes of an answer.

        Raises:
            EvidenceError: As for `get`.
        """
        return self._send("GET", path, params, None)

    def post(
        self, path: str, body: bytes | Mapping[str, Any], params: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Submit and return the JSON answer.

        Raises:
            EvidenceError: As for `get`.
        """
        data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        return self._object(self._send("POST", path, params, data))

    def submit(self, path: str, body: bytes | Mapping[str, Any], *, wait: str) -> dict[str, Any]:
        """Submit, and return the answer when the entry is so far, or waiting took too long.

        Raises:
            EvidenceError: As for `get`.
        """
        longer = {"timeout": str(_ANCHOR_SECONDS)} if wait in {"anchored", "final"} else {}
        return self.post(path, body, {"wait": wait, **longer})

    def record_id(self, text: str) -> str:
        """Return a record id; ``keys`` and ``policies`` stand for the public records."""
        if text in {"keys", "policies"}:
            return str(self.get("/v1/log")["registry"][text])
        return text

    def _send(
        self, method: str, path: str, params: Mapping[str, str] | None, data: bytes | None
    ) -> bytes:
        target = self._base + quote(path, safe=_PATH_SAFE)
        if params:
            target += "?" + urlencode(params)
        headers = {"Accept": "*/*"}
        if data is not None:
            headers["Content-Type"] = "application/json"
        try:
            self._connection.request(method, target, body=data, headers=headers)
            answer = self._connection.getresponse()
            found = answer.read(_ANSWER_SIZE_MAX + 1)
        except (OSError, http.client.HTTPException) as exc:
            raise UnavailableError(
                "serve.unreachable", f"no ledger answers at {self.url}: {type(exc).__name__}"
            ) from exc
        finally:
            self._connection.close()  # the next request opens a fresh one
        if len(found) > _ANSWER_SIZE_MAX:
            raise IntegrityError("serve.not-a-ledger", f"{self.url} answers without an end")
        if answer.status < http.HTTPStatus.MULTIPLE_CHOICES:
            return found
        try:
            problem = json.loads(found)
            code, message = str(problem["code"]), str(problem["detail"])
        except (ValueError, KeyError, TypeError) as exc:
            raise IntegrityError(
                "serve.not-a-ledger", f"{self.url} answered {answer.status} without a problem"
            ) from exc
        raise error_from_status(answer.status, code, message)

    def _object(self, data: bytes) -> dict[str, Any]:
        try:
            value = json.loads(data)
        except ValueError as exc:
            raise IntegrityError("serve.not-a-ledger", f"{self.url} answers no JSON") from exc
        if not isinstance(value, dict):
            raise IntegrityError("serve.not-a-ledger", f"{self.url} answers no object")
        return value
