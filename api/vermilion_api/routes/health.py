"""Health and metrics."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from vermilion_api.http import json_response, services_of
from vermilion_api.schemas import ReadyOut
from vermilion_api.wiring import now

__all__ = ["router"]

router = APIRouter(tags=["health"])


@router.get("/livez", summary="The process answers", response_class=PlainTextResponse)
async def live() -> str:
    """Answer; nothing else is asked."""
    return "ok\n"


@router.get(
    "/readyz",
    summary="Submissions would be taken and sequenced",
    responses={200: {"model": ReadyOut}, 503: {"model": ReadyOut}},
)
def ready(request: Request) -> Response:
    """Look at database, head and sequencer. The chain may be down: intake goes on."""
    found = services_of(request).progress.readiness()
    return json_response(found, status=200 if found["ready"] else 503)


@router.get("/metrics", summary="Prometheus text", response_class=PlainTextResponse)
def metrics(request: Request) -> Response:
    """Return metrics in the Prometheus text format, or in OpenMetrics where asked for."""
    from vermilion_api.metrics import Scrape, render

    services = services_of(request)
    scrape = Scrape(
        figures=services.progress.figures(),
        size=services.reader.size(),
        chains=services.anchoring.look(),
        paid=services.anchoring.paid(),
        lags=services.anchoring.timestamp_lags(),
        refusals=services.office.refusals.counts(),
        views=services.office.views.given,
        now=now(),
    )
    body, media_type = render(scrape, request.headers.get("accept", ""))
    return Response(body, media_type=media_type)
