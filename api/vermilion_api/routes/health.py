"""Health, metrics and the front page."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse

from vermilion_api.http import json_response, language_of, services_of
from vermilion_api.schemas import ReadyOut

__all__ = ["router"]

router = APIRouter(tags=["health"])

_PAGE = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><title>Vermilion</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:1rem/1.6 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem}}
h1{{color:#c3272b}}</style></head><body>{parts}</body></html>
"""
_ENGLISH = """<section lang="en"><h1>Vermilion</h1>
<p>A blockchain-anchored evidence ledger for official documents. It records digests, never the
documents, and hands out evidence bundles that anyone can verify without asking this server.</p>
<p><a href="/openapi.json">The API</a> · <a href="/v1/log">the log</a> ·
<a href="/log/checkpoint">the newest checkpoint</a></p>
<p>This page proves nothing. Verify with <code>vermilion-verify</code> and a trust policy that
was handed to you in person.</p></section>"""
_CHINESE = """<section lang="zh-CN"><h1>Vermilion 朱砂</h1>
<p>面向公文的区块链锚定存证账本。只记录摘要,不收取原文;
签发的证据包任何人都可以自行验证,无需询问本服务器。</p>
<p><a href="/openapi.json">接口</a> · <a href="/v1/log">日志</a> ·
<a href="/log/checkpoint">最新检查点</a></p>
<p>本页面不构成证明。请使用 <code>vermilion-verify</code>
和当面交付的信任策略进行验证。</p></section>"""


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
def metrics(request: Request) -> str:
    """Return gauges in the Prometheus text format."""
    lines = []
    for name, value in services_of(request).progress.figures().items():
        lines += [f"# TYPE {name} gauge", f"{name} {value:g}"]
    return "\n".join(lines) + "\n"


@router.get("/", include_in_schema=False)
async def page(request: Request) -> HTMLResponse:
    """Say what this is, in both languages."""
    lang = language_of(request.headers.get("accept-language", ""))
    parts = (_CHINESE, _ENGLISH) if lang == "zh-CN" else (_ENGLISH, _CHINESE)
    return HTMLResponse(_PAGE.format(lang=lang, parts="<hr>".join(parts)))
