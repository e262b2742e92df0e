"""The log itself, for monitors: C2SP tlog-tiles under `/log/`.

Tiles and entry bundles, partial ones too, never change under their path and
may be cached for ever; what is not published yet may be asked for again soon.
The checkpoint is never served from a cache unasked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from vermilion_api.front import front_of
from vermilion_api.http import PROBLEMS, problem_response
from vermilion_api.services.logfiles import LogFile
from vermilion_ledger.errors import NotFoundError

__all__ = ["router"]

router = APIRouter(prefix="/log", tags=["log"])

_BYTES_TYPE = "application/octet-stream"
_IMMUTABLE = "public, max-age=31536000, immutable"
_SOON = "public, max-age=1"  # a tile that is not there now may be in the next checkpoint
_NOT_MODIFIED: Mapping[int | str, dict[str, Any]] = {
    304: {"description": "As known by its `ETag` in `If-None-Match`"}
}
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {"content": {_BYTES_TYPE: {}}, "description": "Bytes"},
    **_NOT_MODIFIED,
    **PROBLEMS,
}
_ETAG = re.compile(r'"[\x21\x23-\x7e\x80-\xff]*"')


@router.head("/checkpoint", include_in_schema=False)
@router.get(
    "/checkpoint",
    summary="Newest checkpoint (C2SP tlog-checkpoint)",
    responses={
        200: {"content": {"text/plain": {}}, "description": "The note"},
        **_NOT_MODIFIED,
        **PROBLEMS,
    },
)
async def read_checkpoint(request: Request) -> Response:
    """Return the signed note, verbatim."""
    file = await front_of(request).files.checkpoint()
    return _answer(request, file, media_type="text/plain; charset=utf-8", cache="no-cache")


@router.head("/tile/entries/{place:path}", include_in_schema=False)
@router.get(
    "/tile/entries/{place:path}",
    summary="Entry bundle (C2SP tlog-tiles)",
    responses=_BYTES,
    response_class=Response,
)
async def read_entries(request: Request, place: str) -> Response:
    """Return up to 256 entries, each behind its length."""
    return await read_tile(request, "entries", place)


@router.head("/tile/{level}/{place:path}", include_in_schema=False)
@router.get(
    "/tile/{level}/{place:path}",
    summary="Tile of hashes (C2SP tlog-tiles)",
    responses=_BYTES,
    response_class=Response,
)
async def read_tile(request: Request, level: str, place: str) -> Response:
    """Return up to 256 hashes."""
    try:
        file = await front_of(request).files.tile(level, place)
    except NotFoundError as exc:
        refused = problem_response(exc, request.headers)
        refused.headers["Cache-Control"] = _SOON
        return refused
    return _answer(request, file, media_type=_BYTES_TYPE, cache=_IMMUTABLE)


def _answer(request: Request, file: LogFile, *, media_type: str, cache: str) -> Response:
    headers = {"ETag": file.etag, "Cache-Control": cache}
    known = request.headers.get("if-none-match")
    if known is not None and _is_known(known, file.etag):
        return Response(status_code=304, headers=headers)
    return Response(file.data, media_type=media_type, headers=headers)


def _is_known(header: str, etag: str) -> bool:
    """Compare as RFC 9110 asks, section 13.1.2: weakly, so that ``W/`` does not matter."""
    return header.strip() == "*" or etag in _ETAG.findall(header)
