"""What the log is, and how far it is anchored. The log itself is in `routes.tiles`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from vermilion_api.http import PROBLEMS, json_response, services_of
from vermilion_api.schemas import AnchorList, LogOut
from vermilion_api.wiring import Services

__all__ = ["router"]

router = APIRouter(tags=["log"])

_TILE_WIDTH = 256


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
