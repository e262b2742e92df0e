"""Reading: records, bundles, the registry, verification."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.datastructures import UploadFile

from vermilion_api.front import front_of
from vermilion_api.http import (
    PROBLEMS,
    json_response,
    read_body,
    record_id_of,
    services_of,
)
from vermilion_api.requests import parse_digest_query
from vermilion_api.schemas import ClassList, RecordList, RecordOut, ReportOut, VerifyIn
from vermilion_ledger.bundle import MEDIA_TYPE
from vermilion_ledger.encoding import check_members, encode_json, parse_json
from vermilion_ledger.errors import InputError, LimitError
from vermilion_ledger.limits import BUNDLE_SIZE_MAX, TREE_SIZE_MAX
from vermilion_verify.case import Document

__all__ = ["router"]

router = APIRouter(tags=["evidence"])

_REGISTRY_TYPE = "application/vnd.vermilion.registry.v1+json"
_UPLOAD_SIZE_MAX = 256 * 1024 * 1024  # bytes of a multipart form; larger files: send the digest
_JSON_SIZE_MAX = BUNDLE_SIZE_MAX + 64 * 1024  # bytes
_CHUNK = 1024 * 1024  # bytes


@router.get(
    "/v1/records",
    summary="Find records by a digest",
    responses={200: {"model": RecordList}, **PROBLEMS},
)
def find_records(
    request: Request, digest: Annotated[str, Query(examples=["sha256:" + 64 * "0"])]
) -> Response:
    """Return the records that recorded a digest; none is told as `no_record`."""
    services = services_of(request)
    found = services.records.find(parse_digest_query(digest), services.progress.standing())
    return json_response(found)


@router.get(
    "/v1/records/{record}",
    summary="Read a record's history",
    responses={200: {"model": RecordOut}, **PROBLEMS},
)
async def read_record(request: Request, record: str) -> Response:
    """Return entries, versions, approvals and how the rules stand."""
    await _check_step_up(request, [record_id_of(record)])
    described = await front_of(request).describe(record_id_of(record))
    return Response(described, media_type="application/json")


@router.get(
    "/v1/records/{record}/bundle",
    summary="Fetch the evidence bundle",
    responses={200: {"content": {MEDIA_TYPE: {}}, "description": "The bundle"}, **PROBLEMS},
)
def read_bundle(
    request: Request,
    record: str,
    withhold: Annotated[str, Query(description="`key` leaves the record key out")] = "",
    size: Annotated[
        int | None, Query(ge=1, le=TREE_SIZE_MAX, description="of a published checkpoint")
    ] = None,
) -> Response:
    """Return everything a stranger needs to verify, but trust."""
    if withhold not in {"", "key"}:
        raise InputError("request.withhold", f"withhold is key or nothing, not {withhold[:40]!a}")
    services = services_of(request)
    data = services.bundles.bundle(record_id_of(record), withhold_key=withhold == "key", size=size)
    services.office.views.note(record, is_stepped_up=_is_stepped_up(request))
    name = f'attachment; filename="{record}.evidence.json"'
    headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
    return Response(data, media_type=MEDIA_TYPE, headers=headers)


@router.get(
    "/v1/registry",
    summary="Fetch the registry file",
    responses={200: {"content": {_REGISTRY_TYPE: {}}, "description": "All key and policy events"}},
)
def read_registry(request: Request) -> Response:
    """Return every entry of the key record and the policy record."""
    return Response(
        services_of(request).bundles.registry(),
        media_type=_REGISTRY_TYPE,
        headers={"Cache-Control": "no-cache"},
    )


@router.get(
    "/v1/classes",
    summary="List the classes of records",
    responses={200: {"model": ClassList}, **PROBLEMS},
)
def read_classes(request: Request) -> Response:
    """Return the classes that a registration may name, and whether it must."""
    services = services_of(request)
    classes = [
        {
            "name": each.name,
            "policy": each.policy,
            "inForce": services.records.has_policy(each.policy),
        }
        for each in services.settings.classes
    ]
    return json_response({"classes": classes, "required": services.settings.class_required})


@router.get("/v1/keys", summary="List registered keys", response_class=Response)
def read_keys(request: Request) -> Response:
    """Return the keys as the ledger reads its own key record."""
    return json_response({"keys": services_of(request).records.keys()})


@router.post(
    "/v1/verify",
    summary="Verify under the ledger's own trust policy",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"$ref": f"#/components/schemas/{VerifyIn.__name__}"}
                },
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["file", "bundle"],
                        "properties": {
                            "file": {"type": "string", "format": "binary"},
                            "bundle": {"type": "string", "format": "binary"},
                        },
                    }
                },
            },
        }
    },
    responses={200: {"model": ReportOut}, **PROBLEMS},
)
async def verify(request: Request) -> Response:
    """Run the verifier here; whoever must not trust the server runs it themselves."""
    services = services_of(request)
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        document, bundle = await _read_form(request)
    else:
        body = await read_body(request, size_max=_JSON_SIZE_MAX)
        document, found = _parse_question(body)
        if found is None:
            answer = await asyncio.to_thread(services.verifier.look_up, document)
            await _check_step_up(request, [each["record"] for each in answer["records"]])
            return json_response(answer)
        bundle = found
    return json_response(await asyncio.to_thread(services.verifier.verify, document, bundle))


def _is_stepped_up(request: Request) -> bool:
    """Tell whether the gateway says that the caller has just proved who they are."""
    gateway = services_of(request).settings.step_up_header
    return bool(gateway and request.headers.get(gateway, "").strip())


async def _check_step_up(request: Request, records: Sequence[str]) -> None:
    """Refuse what tells of a work secret, where the office has a gateway and it does not say so.

    Raises:
        VerificationError: ``grade.step-up``.
    """
    services = services_of(request)
    if services.settings.step_up_header and not _is_stepped_up(request):
        await asyncio.to_thread(services.office.views.refuse_secrets, records)


def _parse_question(body: bytes) -> tuple[Document, bytes | None]:
    members = check_members(
        parse_json(body, size_max=_JSON_SIZE_MAX, what="request"),
        required=("digest",),
        optional=("bundle",),
        what="request",
    )
    if not isinstance(members["digest"], str):
        raise InputError("request.digest", "a digest is written sha256:<64 hex digits>")
    bundle: Any = members.get("bundle")
    return (
        Document(sha256=parse_digest_query(members["digest"])),
        None if bundle is None else encode_json(bundle),
    )


async def _read_form(request: Request) -> tuple[Document, bytes]:
    """Hash the uploaded file and read the uploaded bundle."""
    stated = request.headers.get("content-length", "")
    if not stated.isdigit() or int(stated) > _UPLOAD_SIZE_MAX:
        raise LimitError(
            "request.too-large",
            "form bytes",
            found=int(stated) if stated.isdigit() else -1,
            limit=_UPLOAD_SIZE_MAX,
        )
    async with request.form(max_files=2, max_fields=2) as form:
        file, bundle = form.get("file"), form.get("bundle")
        if not isinstance(file, UploadFile) or not isinstance(bundle, UploadFile):
            raise InputError("request.form", "the form has not the two files file and bundle")
        sha256, size = hashlib.sha256(), 0
        while part := await file.read(_CHUNK):
            sha256.update(part)
            size += len(part)
        data = await bundle.read(BUNDLE_SIZE_MAX + 1)
        document = Document(sha256=sha256.digest(), name=file.filename or "", size=size)
    return document, data
