"""Submitting: one document, many documents, a signed event."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response

from vermilion_api import problems
from vermilion_api.front import front_of
from vermilion_api.http import (
    PROBLEMS,
    encode,
    json_response,
    language_of,
    read_body,
    record_id_of,
    services_of,
    trace_of,
)
from vermilion_api.requests import (
    BULK_SIZE_MAX,
    EVENT_SIZE_MAX,
    parse_draft,
)
from vermilion_api.schemas import (
    BulkAnswer,
    BulkIn,
    DraftIn,
    EnvelopeIn,
    RecordAnswer,
    RecordIn,
    StatementOut,
)
from vermilion_api.services.answers import Answer
from vermilion_api.services.submitting import Receipt, Receipts
from vermilion_api.services.waiting import Stage, parse_stage
from vermilion_api.wiring import Services
from vermilion_ledger.encoding import encode_base64
from vermilion_ledger.envelope import PAYLOAD_TYPE
from vermilion_ledger.errors import EvidenceError, InputError
from vermilion_ledger.grades import GRADE_CODES
from vermilion_ledger.rows import CheckpointRow, Idempotency, Submission

__all__ = [
    "Asked",
    "KeyHeader",
    "TimeoutQuery",
    "WaitQuery",
    "body_of",
    "count_refusal",
    "describe_receipt",
    "parse_asked",
    "render_refusal",
    "router",
]

router = APIRouter(prefix="/v1/records", tags=["submissions"])

_TIMEOUT_MAX = 600.0  # seconds
_INLINE_ITEMS_MAX = 100  # entries of an answer that is written without a thread
WaitQuery = Annotated[str, Query(description="sequenced, published, anchored or final")]
TimeoutQuery = Annotated[float | None, Query(description="seconds, at most 600")]
KeyHeader = Annotated[str | None, Header(alias="Idempotency-Key")]
_Proofs = Annotated[
    bool, Query(description="add inclusion proofs to the checkpoint; not with wait=sequenced")
]


def body_of(model: str) -> dict[str, Any]:
    """Describe a body that is read by hand."""
    schema = {"$ref": f"#/components/schemas/{model}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


@router.post(
    "",
    summary="Register a document by its digest",
    openapi_extra=body_of(RecordIn.__name__),
    responses={200: {"model": RecordAnswer}, 202: {"model": RecordAnswer}, **PROBLEMS},
)
async def register(
    request: Request,
    wait: WaitQuery = "published",
    timeout: TimeoutQuery = None,  # noqa: ASYNC109 - the name is FORMATS section 14's
    *,
    proofs: _Proofs = False,
    idempotency_key: KeyHeader = None,
) -> Response:
    """Make a record; the ledger signs for it, no actor does."""
    asked = parse_asked(request, wait, timeout, idempotency_key, proofs=proofs)
    body = await read_body(request, size_max=EVENT_SIZE_MAX)
    return await _submit(request, body, front_of(request).prepare, asked)


@router.post(
    "/bulk",
    summary="Register up to 10,000 documents",
    openapi_extra=body_of(BulkIn.__name__),
    responses={200: {"model": BulkAnswer}, 202: {"model": BulkAnswer}, **PROBLEMS},
)
async def register_bulk(
    request: Request,
    wait: WaitQuery = "published",
    timeout: TimeoutQuery = None,  # noqa: ASYNC109 - the name is FORMATS section 14's
    *,
    proofs: _Proofs = False,
    idempotency_key: KeyHeader = None,
) -> Response:
    """Make many records in one transaction: all are taken in, or none."""
    asked = parse_asked(request, wait, timeout, idempotency_key, proofs=proofs, many=True)
    body = await read_body(request, size_max=BULK_SIZE_MAX)
    return await _submit(request, body, front_of(request).prepare_bulk, asked)


@router.post(
    "/{record}/statements",
    summary="Prepare the exact bytes to sign",
    openapi_extra=body_of(DraftIn.__name__),
    responses={200: {"model": StatementOut}, **PROBLEMS},
)
async def prepare_statement(request: Request, record: str) -> Response:
    """Fill in the block to quote and the last entry of the record."""
    services = services_of(request)
    body = await read_body(request, size_max=EVENT_SIZE_MAX)
    try:
        draft = parse_draft(body)
    except EvidenceError as exc:
        await count_refusal(request, exc)
        raise
    prepared = await front_of(request).in_thread(
        lambda: services.statements.prepare(record_id_of(record), draft)
    )
    statement = prepared.to_json()
    return json_response(
        {
            "payload": encode_base64(prepared.payload),
            "payloadType": PAYLOAD_TYPE,
            "pae": encode_base64(prepared.pae),
            "typedData": prepared.typed_data,
            "seen": statement["predicate"].get("seen"),
            "prior": statement["predicate"].get("prior"),
            "statement": statement,
        }
    )


@router.post(
    "/{record}/events",
    summary="Submit a signed statement",
    openapi_extra=body_of(EnvelopeIn.__name__),
    responses={200: {"model": RecordAnswer}, 202: {"model": RecordAnswer}, **PROBLEMS},
)
async def submit_event(
    request: Request,
    record: str,
    wait: WaitQuery = "published",
    timeout: TimeoutQuery = None,  # noqa: ASYNC109 - the name is FORMATS section 14's
    *,
    proofs: _Proofs = False,
    idempotency_key: KeyHeader = None,
) -> Response:
    """Take a statement with its signatures; every signature is checked before it is stored."""
    asked = parse_asked(request, wait, timeout, idempotency_key, proofs=proofs)
    body = await read_body(request, size_max=EVENT_SIZE_MAX)
    statements, front = services_of(request).statements, front_of(request)

    async def prepare(body: bytes) -> Sequence[Submission]:
        return [await front.in_thread(lambda: statements.accept(record_id_of(record), body))]

    return await _submit(request, body, prepare, asked)


async def count_refusal(request: Request, error: EvidenceError) -> None:
    """Enter into the log that something was refused for its grade, and nothing more of it."""
    if error.code in GRADE_CODES:
        await services_of(request).office.refusals.note(error.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a caller asks for beside the body."""

    goal: Stage
    seconds: float
    key: str | None
    proofs: bool
    many: bool


def parse_asked(
    request: Request,
    wait: str,
    timeout: float | None,
    key: str | None,
    *,
    proofs: bool,
    many: bool = False,
) -> Asked:
    """Check what a caller asks for beside the body.

    Raises:
        InputError: ``request.wait``.
    """
    goal = parse_stage(wait)
    seconds = services_of(request).settings.wait_seconds if timeout is None else timeout
    if not math.isfinite(seconds) or not 0 < seconds <= _TIMEOUT_MAX:
        raise InputError("request.wait", f"timeout {seconds} is not in 0 to {_TIMEOUT_MAX:.0f}")
    if proofs and goal < Stage.PUBLISHED:
        raise InputError("request.wait", "proofs lead to a checkpoint: wait for published")
    return Asked(goal=goal, seconds=seconds, key=key, proofs=proofs, many=many)


async def _submit(
    request: Request,
    body: bytes,
    prepare: Callable[[bytes], Awaitable[Sequence[Submission]]],
    asked: Asked,
) -> Response:
    services = services_of(request)

    async def run(idempotency: Idempotency | None) -> Answer:
        receipts = await services.submitter.submit(
            await prepare(body),
            idempotency=idempotency,
            goal=asked.goal,
            timeout_seconds=asked.seconds,
        )
        return await _render(request, receipts, asked)

    try:
        answer = await services.answers.answer(
            asked.key, (request.method, request.scope["path"], body), run
        )
    except EvidenceError as exc:
        await count_refusal(request, exc)
        raise
    headers = {"Idempotent-Replayed": "true"} if answer.is_replayed else {}
    return Response(
        answer.body, status_code=answer.status, media_type=answer.media_type, headers=headers
    )


async def _render(request: Request, receipts: Receipts, asked: Asked) -> Answer:
    refused = [item for item in receipts.items if item.code is not None]
    if len(refused) == len(receipts.items):
        return render_refusal(request, refused[0])
    front, newest = front_of(request), None
    if receipts.stage >= Stage.PUBLISHED:
        newest = await front.files.newest()
    write = partial(_write, services_of(request), receipts, newest, asked)
    # Proofs read tiles, and a long answer takes longer than the loop may be kept.
    is_long = asked.proofs or len(receipts.items) > _INLINE_ITEMS_MAX
    body = await front.in_thread(write) if is_long else write()
    return Answer(
        status=200 if receipts.is_reached else 202, body=body, is_last=receipts.is_reached
    )


def _write(
    services: Services, receipts: Receipts, newest: CheckpointRow | None, asked: Asked
) -> bytes:
    items = [describe_receipt(item) for item in receipts.items]
    if asked.proofs and newest is not None:
        for item in items:
            if "index" in item:
                path = services.reader.inclusion(item["index"], newest.size)
                item["proof"] = [each.hex() for each in path]
    common = {
        "state": receipts.stage.word,
        "checkpoint": None if newest is None else {"size": newest.size, "root": newest.root.hex()},
    }
    return encode({"records": items, **common} if asked.many else {**items[0], **common})


def describe_receipt(receipt: Receipt) -> dict[str, Any]:
    """Return what became of one submission."""
    if receipt.code is not None:
        return {
            "record": receipt.record,
            "refused": {"code": receipt.code, "message": receipt.message},
        }
    return {
        "record": receipt.record,
        "sequence": receipt.sequence,
        "index": receipt.index,
        "envelope": receipt.envelope.hex(),
    }


def render_refusal(request: Request, receipt: Receipt) -> Answer:
    """Return the answer to a submission that the sequencer refused."""
    code = receipt.code or ""
    status = problems.refusal_status(code)
    value = problems.problem(
        code,
        receipt.message or "",
        status=status,
        language=language_of(request.headers.get("accept-language", "")),
        trace_id=trace_of(request.headers),
    )
    return Answer(status=status, body=encode(value), media_type=problems.MEDIA_TYPE)
