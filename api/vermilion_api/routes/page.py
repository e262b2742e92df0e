"""The front page: what this is, and how far it has come, in both languages.

Plain HTML without a script, so that nothing is fetched from anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from vermilion_api.http import language_of, services_of
from vermilion_api.services.waiting import Standing
from vermilion_api.wiring import Services
from vermilion_ledger.errors import EvidenceError

__all__ = ["router"]

router = APIRouter()

_PAGE = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><title>Vermilion</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:1rem/1.6 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem}}
h1{{color:#c3272b}}</style></head><body>{parts}</body></html>
"""
_ENGLISH = """<section lang="en"><h1>Vermilion</h1>
<p>A blockchain-anchored evidence ledger for official documents. It records digests, never the
documents, and hands out evidence bundles that anyone can verify without asking this server.</p>
{standing}
<p><a href="/openapi.json">The API</a> · <a href="/v1/log">the log</a> ·
<a href="/log/checkpoint">the newest checkpoint</a> · <a href="/v1/anchors">anchors</a> ·
<a href="/approve">approve with a passkey</a></p>
<p>This page proves nothing. Verify with <code>vermilion-verify</code> and a trust policy that
was handed to you in person.</p></section>"""
_CHINESE = """<section lang="zh-CN"><h1>Vermilion 朱砂</h1>
<p>面向公文的区块链锚定存证账本。只记录摘要,不收取原文;
签发的证据包任何人都可以自行验证,无需询问本服务器。</p>
{standing}
<p><a href="/openapi.json">接口</a> · <a href="/v1/log">日志</a> ·
<a href="/log/checkpoint">最新检查点</a> · <a href="/v1/anchors">锚定</a> ·
<a href="/approve">用通行密钥审批</a></p>
<p>本页面不构成证明。请使用 <code>vermilion-verify</code>
和当面交付的信任策略进行验证。</p></section>"""
_COUNTS = {
    "en": "{size} entries, {published} of them published, {final} under a final anchor.",
    "zh": "共 {size} 条,已发布 {published} 条,已最终锚定 {final} 条。",
}
_WAITS = {
    "en": "The newest entry has no final anchor yet: {why}. Expected: {until}.",
    "zh": "最新条目尚无最终锚定:{why}。预计:{until}。",
}
_UNKNOWN = {"en": "unknown", "zh": "未知"}
_AWAY = {"en": "How far it has come cannot be told now.", "zh": "目前无法得知进度。"}


@router.get("/", include_in_schema=False)
def page(request: Request) -> HTMLResponse:
    """Say what this is and how far it has come; a store out of reach spoils no page."""
    lang = language_of(request.headers.get("accept-language", ""))
    lines = _standing(services_of(request))
    chinese = _CHINESE.format(standing=lines["zh"])
    english = _ENGLISH.format(standing=lines["en"])
    parts = (chinese, english) if lang == "zh-CN" else (english, chinese)
    return HTMLResponse(_PAGE.format(lang=lang, parts="<hr>".join(parts)))


def _standing(services: Services) -> Mapping[str, str]:
    """Return a paragraph in each language."""
    try:
        standing, size = services.progress.standing(), services.reader.size()
        waiting = services.anchoring.pending(size - 1, standing) if size else None
    except EvidenceError:
        return {language: f"<p>{text}</p>" for language, text in _AWAY.items()}
    return {language: _paragraph(language, size, standing, waiting) for language in _COUNTS}


def _paragraph(
    language: str, size: int, standing: Standing, waiting: Mapping[str, Any] | None
) -> str:
    text = _COUNTS[language].format(size=size, published=standing.published, final=standing.final)
    if waiting is not None:
        unknown = waiting["unknown"] or {language: _UNKNOWN[language]}
        until = waiting["expectedAt"] or unknown[language]
        text += " " + _WAITS[language].format(why=waiting["why"][language], until=until)
    return f"<p>{escape(text)}</p>"
