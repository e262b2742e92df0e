"""What stays in the office: document numbers, and the count of refusals.

No number is in an address, in an error or in an answer that is kept: what an
idempotency key repeats is looked up in the book again.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from vermilion_api.front import front_of
from vermilion_api.http import (
    PROBLEMS,
    encode,
    json_response,
    read_body,
    record_id_of,
    services_of,
)
from vermilion_api.office_schemas import (
    NumberAnswer,
    NumberIn,
    NumberList,
    RefusalIn,
    RefusalList,
    VoidIn,
    VoidOut,
)
from vermilion_api.requests import EVENT_SIZE_MAX
from vermilion_api.routes.submissions import (
    Asked,
    KeyHeader,
    TimeoutQuery,
    WaitQuery,
    body_of,
    describe_receipt,
    parse_asked,
    render_refusal,
)
from vermilion_api.services.answers import Answer
from vermilion_api.services.numbering import NumberWish, parse_wish
from vermilion_api.services.refusals import check_refusal
from vermilion_api.services.submitting import Receipts
from vermilion_api.services.waiting import Stage
from vermilion_ledger.encoding import Json, check_members, parse_json
from vermilion_ledger.errors import ConflictError, UnavailableError
from vermilion_ledger.rows import Idempotency

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["office"])

_ATTEMPTS = 32  # against other processes that number for the same office


@router.post(
    "/records/{record}/number",
    summary="Give a record its document number",
    openapi_extra=body_of(NumberIn.__name__),
    responses={200: {"model": NumberAnswer}, 202: {"model": NumberAnswer}, **PROBLEMS},
)
async def give_number(
    request: Request,
    record: str,
    wait: WaitQuery = "published",
    timeout: TimeoutQuery = None,  # noqa: ASYNC109 - the name is FORMATS section 14's
    *,
    idempotency_key: KeyHeader = None,
) -> Response:
    """Give the next free number or the one asked for; the log gets a salted commitment to it."""
    asked = parse_asked(request, wait, timeout, idempotency_key, proofs=False)
    body = await read_body(request, size_max=EVENT_SIZE_MAX)
    wish, record_id = parse_wish(_parse(body)), record_id_of(record)
    services, front = services_of(request), front_of(request)

    async def run(idempotency: Idempotency | None) -> Answer:
        receipts = await _assign(request, record_id, wish, asked, idempotency)
        (item,) = receipts.items
        if item.code is not None:
            return render_refusal(request, item)
        number = await front.in_thread(lambda: services.office.numbers.number_of(item.envelope))
        newest = await front.files.newest() if receipts.stage >= Stage.PUBLISHED else None
        value = {
            **describe_receipt(item),
            "number": "" if number is None else str(number),
            "state": receipts.stage.word,
            "checkpoint": newest and {"size": newest.size, "root": newest.root.hex()},
        }
        # Never the last word: it would be kept beside the book, where nothing is forgotten.
        status = 200 if receipts.is_reached else 202
        return Answer(status=status, body=encode(value), is_last=False)

    made = await services.answers.answer(
        asked.key, (request.method, request.scope["path"], body), run
    )
    return Response(made.body, status_code=made.status, media_type=made.media_type)


@router.get(
    "/numbers",
    summary="Read the book of document numbers",
    responses={200: {"model": NumberList}, **PROBLEMS},
)
def read_numbers(
    request: Request,
    office: Annotated[str, Query(description="office code (机关代字)")] = "",
    year: Annotated[int | None, Query(ge=1949, le=9999)] = None,
) -> Response:
    """Return numbers and gaps, of all offices and years or of one."""
    return _private(services_of(request).office.numbers.describe(office=office, year=year))


@router.post(
    "/numbers/void",
    summary="Void a number that nothing has",
    openapi_extra=body_of(VoidIn.__name__),
    responses={200: {"model": VoidOut}, **PROBLEMS},
)
async def void_number(request: Request) -> Response:
    """Spend a number on nothing, with the reason, so that it is no gap."""
    value = _parse(await read_body(request, size_max=EVENT_SIZE_MAX))
    numbers = services_of(request).office.numbers
    number = await front_of(request).in_thread(lambda: numbers.void(value))
    return _private({"number": str(number), "state": "void"})


@router.get(
    "/refusals",
    summary="List refusals for a grade",
    responses={200: {"model": RefusalList}, **PROBLEMS},
)
def read_refusals(request: Request) -> Response:
    """Return how many were refused and why; of what was refused nothing is known."""
    return json_response(services_of(request).office.refusals.describe())


@router.post(
    "/refusals",
    summary="Count a refusal by a client",
    openapi_extra=body_of(RefusalIn.__name__),
    responses={202: {"model": RefusalIn}, **PROBLEMS},
)
async def count_refusal(request: Request) -> Response:
    """Enter that a client refused a document before it opened it."""
    value = _parse(await read_body(request, size_max=EVENT_SIZE_MAX))
    code = check_refusal(check_members(value, required=("refused",), what="request")["refused"])
    await services_of(request).office.refusals.note(code)
    return json_response({"refused": code}, status=202)


async def _assign(
    request: Request,
    record_id: str,
    wish: NumberWish,
    asked: Asked,
    idempotency: Idempotency | None,
) -> Receipts:
    """Submit the event; where another process took the number first, try the next one."""
    services, front = services_of(request), front_of(request)
    known = idempotency is not None and await services.answers.is_known(idempotency.key)
    for _ in range(_ATTEMPTS):
        async with services.office.numbers.turn() as turn:
            made = await front.in_thread(
                lambda: services.office.numbers.prepare(record_id, wish, is_repeated=known)
            )
            try:
                return await services.submitter.submit(
                    [made],
                    idempotency=idempotency,
                    goal=asked.goal,
                    timeout_seconds=asked.seconds,
                    on_saved=turn.end,
                )
            except ConflictError as exc:
                if exc.code != "number.taken" or wish.number is not None:
                    raise
    raise UnavailableError("number.busy", "other processes number for this office right now")


def _parse(body: bytes) -> Json:
    return parse_json(body, size_max=EVENT_SIZE_MAX, what="request")


def _private(value: dict[str, Json]) -> Response:
    response = json_response(value)
    response.headers["Cache-Control"] = "no-store"
    return response
