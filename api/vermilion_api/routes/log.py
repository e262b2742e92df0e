"""What the log is, and how far it is anchored. The log itself is in `routes.tiles`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from vermilion_api.anchor_schemas import AnchorList
from vermilion_api.http import PROBLEMS, json_response, services_of
from vermilion_api.schemas import LogOut
from vermilion_api.wiring import Services

__all__ = ["router"]

router = APIRouter(tags=["log"])

_TILE_WIDTH = 256


@router.get(
    "/v1/log", summary="Read what the log is", responses={200: {"model": LogOut}, **PROBLEMS}
)
def read_log(request: Request) -> Response:
    """Return origin, keys, size, newest checkpoint, and what the newest entry waits for."""
    services = services_of(request)
    settings, secrets, identity = services.settings, services.secrets, services.identity
    newest, size = services.reader.newest_checkpoint(), services.reader.size()
    standing = services.progress.standing()
    return json_response(
        {
            "origin": settings.origin,
            "vkeys": [key.encode() for key in secrets.log_keys(settings.origin)],
            "intakeKeys": [secrets.intake_public.hex()],
            "size": size,
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
            "pending": services.anchoring.pending(size - 1, standing) if size else None,
            "chains": _chains(services),
        }
    )


@router.get(
    "/v1/anchors",
    summary="List anchors",
    responses={200: {"model": AnchorList}, **PROBLEMS},
)
def read_anchors(request: Request, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> Response:
    """Return chains, anchoring jobs with all attempts and costs, and what is not anchored yet."""
    services = services_of(request)
    return json_response(
        services.anchoring.describe(
            services.progress.standing(), size=services.reader.size(), limit=limit
        )
    )


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
