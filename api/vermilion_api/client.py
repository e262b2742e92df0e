"""The operator's view of a ledger over HTTP: requests out, problems as errors in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx

from vermilion_api.problems import error_from_status
from vermilion_ledger.errors import InputError, IntegrityError, UnavailableError

__all__ = ["Ledger"]

_TIMEOUT_SECONDS = 30.0


class Ledger:
    """One ledger's API. A context manager."""

    def __init__(self, url: str, *, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        try:
            # What a proxy variable says is not meant for an office's own ledger.
            self._http = httpx.Client(base_url=url, timeout=timeout_seconds, trust_env=False)
        except (httpx.InvalidURL, ValueError) as exc:
            raise InputError("serve.url", f"{url[:80]!a} is not an address") from exc
        self._url = url

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

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
        return self._send("GET", path, params=params)

    def post(
        self, path: str, body: bytes | Mapping[str, Any], params: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Submit and return the JSON answer.

        Raises:
            EvidenceError: As for `get`.
        """
        data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        return self._object(self._send("POST", path, params=params, data=data))

    def record_id(self, text: str) -> str:
        """Return a record id; ``keys`` and ``policies`` stand for the public records."""
        if text in {"keys", "policies"}:
            return str(self.get("/v1/log")["registry"][text])
        return text

    def _send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None,
        data: bytes | None = None,
    ) -> bytes:
        headers = {"Content-Type": "application/json"} if data is not None else {}
        try:
            answer = self._http.request(
                method, path, params=dict(params or {}), content=data, headers=headers
            )
        except httpx.UnsupportedProtocol as exc:
            raise InputError("serve.url", f"{self._url[:80]!a} is not an address") from exc
        except httpx.HTTPError as exc:
            raise UnavailableError(
                "serve.unreachable", f"no ledger answers at {self._url}: {type(exc).__name__}"
            ) from exc
        if answer.is_success:
            return answer.content
        try:
            problem = answer.json()
            code, message = str(problem["code"]), str(problem["detail"])
        except (ValueError, KeyError, TypeError) as exc:
            raise IntegrityError(
                "serve.not-a-ledger", f"{self._url} answered {answer.status_code} without a problem"
            ) from exc
        raise error_from_status(answer.status_code, code, message)

    def _object(self, data: bytes) -> dict[str, Any]:
        try:
            value = json.loads(data)
        except ValueError as exc:
            raise IntegrityError("serve.not-a-ledger", f"{self._url} answers no JSON") from exc
        if not isinstance(value, dict):
            raise IntegrityError("serve.not-a-ledger", f"{self._url} answers no object")
        return value
