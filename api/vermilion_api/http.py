"""Between Starlette and the services: bodies, languages, problems.

What every route needs and none should write twice.
"""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response
from starlette.requests import ClientDisconnect

from vermilion_api import problems
from vermilion_api.wiring import Services
from vermilion_ledger.commitment import is_record_id
from vermilion_ledger.errors import (
    EvidenceError,
    InputError,
    IntegrityError,
    LimitError,
    NotFoundError,
)

__all__ = [
    "PROBLEMS",
    "encode",
    "fault_response",
    "json_response",
    "language_of",
    "problem_response",
    "read_body",
    "record_id_of",
    "services_of",
    "trace_of",
]

_TRACE = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}\Z")  # W3C trace context
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_LANGUAGE = re.compile(r"\s*([A-Za-z*]{1,8})[-A-Za-z0-9]*\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*\Z")

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": text,
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        },
    }
    for status, text in (
        (400, "Malformed"),
        (404, "Nothing of that name is here"),
        (409, "Somebody was first"),
        (413, "Too large"),
        (422, "Refused by the rules"),
        (503, "Not now"),
        (507, "The disk is full"),
    )
}


def services_of(request: Request) -> Services:
    """Return the services of this process."""
    services: Services = request.app.state.services
    return services


async def read_body(request: Request, *, size_max: int) -> bytes:
    """Read a body up to a bound; more is refused before it is kept.

    Raises:
        LimitError: ``request.too-large``.
        InputError: ``request.media-type``.
        ClientDisconnect: Nobody is there any more.
    """
    media = request.headers.get("content-type", "application/json").partition(";")[0].strip()
    if media != "application/json" and not media.endswith("+json"):
        raise InputError("request.media-type", f"{media[:80]!a} is not application/json")
    stated = request.headers.get("content-length", "")
    if stated.isdigit() and int(stated) > size_max:
        raise LimitError("request.too-large", "body bytes", found=int(stated), limit=size_max)
    parts: list[bytes] = []
    size = 0
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part = message.get("body", b"")
        size += len(part)
        if size > size_max:
            raise LimitError("request.too-large", "body bytes", found=size, limit=size_max)
        if not message.get("more_body", False):
            return b"".join((*parts, part)) if parts else part
        parts.append(part)


def record_id_of(text: str) -> str:
    """Return a record id from a path; what is no record id names no record.

    Raises:
        NotFoundError: ``record.unknown``.
    """
    if not is_record_id(text):
        raise NotFoundError("record.unknown", f"there is no record {text[:40]!a}")
    return text


def json_response(value: Mapping[str, Any], *, status: int = 200) -> Response:
    """Return an answer as JSON with its text unescaped."""
    return Response(encode(value), status_code=status, media_type="application/json")


def encode(value: Mapping[str, Any]) -> bytes:
    """Return JSON bytes."""
    return _JSON.encode(value).encode()


def problem_response(
    error: EvidenceError, headers: Mapping[str, str], *, status: int | None = None
) -> Response:
    """Return the problem of an error, in the caller's language."""
    status = problems.http_status(error) if status is None else status
    body = problems.problem(
        error.code,
        error.message,
        status=status,
        language=language_of(headers.get("accept-language", "")),
        trace_id=trace_of(headers),
    )
    extra = {"Retry-After": "2"} if status in {503, 507} else {}
    return Response(encode(body), status_code=status, media_type=problems.MEDIA_TYPE, headers=extra)


def fault_response(fault: Exception, headers: Mapping[str, str]) -> Response:
    """Return the problem of an error that nobody meant, and log it in one line.

    The traceback is for those who ask for it, with ``VERMILION_DEBUG=1``.
    """
    trace = trace_of(headers)
    logging.getLogger("vermilion_api").error(
        "internal error %s: %s",
        trace,
        type(fault).__name__,
        exc_info=fault if os.environ.get("VERMILION_DEBUG") == "1" else None,
    )
    known = {
        "accept-language": headers.get("accept-language", ""),
        "traceparent": f"00-{trace}-{'0' * 16}-00",
    }
    error = IntegrityError("internal", f"{type(fault).__name__} in the ledger")
    return problem_response(error, known)


def trace_of(headers: Mapping[str, str]) -> str:
    """Return the caller's trace id, or a new one."""
    match = _TRACE.match(headers.get("traceparent", ""))
    return match[1] if match else secrets.token_hex(16)


def language_of(header: str) -> str:
    """Return ``zh-CN`` or ``en``, whichever an Accept-Language header likes better.

    >>> language_of("fr;q=0.9, zh-CN;q=0.8, en;q=0.1")
    'zh-CN'
    """
    liked = {"zh": 0.0, "en": 0.0}
    for part in header.split(",")[:32]:
        if match := _LANGUAGE.match(part):
            word = match[1].lower()
            weight = float(match[2]) if match[2] else 1.0
            if word in liked:
                liked[word] = max(liked[word], weight)
    return "zh-CN" if liked["zh"] > liked["en"] else "en"
