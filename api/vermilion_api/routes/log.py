"""The log itself, for monitors: C2SP tlog-tiles under `/log/`, and summaries.

Full tiles and entry bundles never change and may be cached for ever; partial
ones too, as their width is in their path. The checkpoint is never cached.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from vermilion_api.http import PROBLEMS, json_response, services_of
from vermilion_api.schemas import AnchorList, LogOut
from vermilion_api.wiring import Services
from vermilion_ledger.errors import NotFoundError

__all__ = ["parse_tile_path", "router"]

router = APIRouter(tags=["log"])

_TILE_WIDTH = 256
_IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "Bytes"}
}
_PLACE = re.compile(r"((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?\Z", re.ASCII)
_LEVEL = re.compile(r"[0-9]\Z|[1-5][0-9]\Z|6[0-3]\Z", re.ASCII)


@router.get(
    "/v1/log", summary="Read what the log is", responses={200: {"model": LogOut}, **PROBLEMS}
)
def read_log(request: Request) -> Response:
    """Return origin, keys, size and newest checkpoint."""
    services = services_of(request)
    settings, secrets, identity = services.settings, services.secrets, services.identity
    newest = services.reader.newest_checkpoint()
    return json_response(
        {
            "origin": settings.origin,
            "vkeys": [key.encode() for key in secrets.log_keys(settings.origin)],
            "intakeKeys": [secrets.intake_public.hex()],
            "size": services.reader.size(),
            "checkpoint": None if newest is None else newest.note,
            "tree": {
                "size": 0 if newest is None else newest.size,
                "root": None if newest is None else newest.root.hex(),
                "tileWidth": _TILE_WIDTH,
                "hash": "sha256",
                "entrySize": 65,
            },
            "registry": {
                "keys": identity.keys_record,
                "policies": identity.policies_record,
                "roots": list(settings.roots),
                "quorum": settings.quorum,
            },
            "chains": _chains(services),
        }
    )


@router.get(
    "/v1/anchors",
    summary="List anchors",
    responses={200: {"model": AnchorList}, **PROBLEMS},
)
def read_anchors(request: Request, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> Response:
    """Return anchoring jobs, newest first, and what is not anchored yet."""
    return json_response(services_of(request).progress.anchors(limit=limit))


@router.get(
    "/log/checkpoint",
    summary="Newest checkpoint (C2SP tlog-checkpoint)",
    responses={200: {"content": {"text/plain": {}}, "description": "The note"}, **PROBLEMS},
)
def read_checkpoint(request: Request) -> Response:
    """Return the signed note, verbatim."""
    note = services_of(request).reader.checkpoint().note
    return Response(
        note, media_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-cache"}
    )


@router.get(
    "/log/tile/entries/{place:path}",
    summary="Entry bundle (C2SP tlog-tiles)",
    responses={**_BYTES, **PROBLEMS},
    response_class=Response,
)
def read_entries(request: Request, place: str) -> Response:
    """Return up to 256 entries, each behind its length."""
    position, width = parse_tile_path(place)
    data = services_of(request).reader.entry_bundle(position, width)
    return Response(data, media_type="application/octet-stream", headers=_IMMUTABLE)


@router.get(
    "/log/tile/{level}/{place:path}",
    summary="Tile of hashes (C2SP tlog-tiles)",
    responses={**_BYTES, **PROBLEMS},
    response_class=Response,
)
def read_tile(request: Request, level: str, place: str) -> Response:
    """Return up to 256 hashes."""
    if not _LEVEL.match(level):
        raise NotFoundError("log.no-tile", f"there is no level {level[:8]!a}")
    position, width = parse_tile_path(place)
    data = services_of(request).reader.tile(int(level), position, width)
    return Response(data, media_type="application/octet-stream", headers=_IMMUTABLE)


def parse_tile_path(place: str) -> tuple[int, int]:
    """Read position and width of a tile path (C2SP tlog-tiles, "Merkle tree").

    Raises:
        NotFoundError: ``log.no-tile``: not such a path, or not the canonical one.

    >>> parse_tile_path("x001/x234/067"), parse_tile_path("005.p/7")
    ((1234067, 256), (5, 7))
    """
    match = _PLACE.match(place)
    width = _TILE_WIDTH if match is None or match[2] is None else int(match[2])
    if match is None or len(place) > 40 or (match[2] is not None and width >= _TILE_WIDTH):
        raise NotFoundError("log.no-tile", f"there is no tile {place[:40]!a}")
    groups = match[1].replace("x", "").split("/")
    if len(groups) > 1 and groups[0] == "000":
        raise NotFoundError("log.no-tile", f"{place[:40]!a} is not canonical")
    return int("".join(groups)), width


def _chains(services: Services) -> list[dict[str, Any]]:
    """The node's address stays inside: it may hold a secret."""
    return [
        {
            "id": chain.id,
            "contract": chain.contract,
            "log": chain.log,
            "codeHash": chain.code_hash,
            "finality": chain.finality,
            "deployedBlock": chain.deployed_block,
        }
        for chain in services.settings.chains
    ]
