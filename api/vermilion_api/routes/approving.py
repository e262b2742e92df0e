"""The pages on which people make passkeys and approve with them.

Files of this package, served as they are: no build, no script or font of a stranger,
no cookie. What a person reads is computed in the browser from the bytes that get
signed (`page/statement.js`), so these routes know nothing of statements. What is
submitted counts by its signature alone, whoever's page sent it.
"""

from __future__ import annotations

from importlib.resources import files

from fastapi import APIRouter, Request, Response

from vermilion_api.http import language_of, record_id_of
from vermilion_ledger.errors import NotFoundError

__all__ = ["router"]

router = APIRouter(include_in_schema=False)

_MEDIA_TYPES = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8"}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
        " img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
        " require-trusted-types-for 'script'"
    ),
    # Another site's page, around this one or beside it, gets hold of nothing here.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "publickey-credentials-get=(self), publickey-credentials-create=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


@router.get("/approve")
def approve(request: Request) -> Response:
    """Give the page; a person enters the record."""
    return _page(request, "approve.html")


@router.get("/approve/{record}")
def approve_record(request: Request, record: str) -> Response:
    """Give the page; the script reads the record from the address."""
    record_id_of(record)
    return _page(request, "approve.html")


@router.get("/enrol")
def enrol(request: Request) -> Response:
    """Give the page on which a passkey is made."""
    return _page(request, "enrol.html")


@router.get("/page/{name}")
def part(name: str) -> Response:
    """Give a script or the style sheet of the pages."""
    media_type = _MEDIA_TYPES.get(name.rpartition(".")[2])
    found = {each.name: each for each in files("vermilion_api").joinpath("page").iterdir()}
    if media_type is None or name not in found:
        raise NotFoundError("request.no-route", f"nothing is at {name[:80]!a}")
    return Response(found[name].read_bytes(), media_type=media_type, headers=_HEADERS)


def _page(request: Request, name: str) -> Response:
    text = files("vermilion_api").joinpath("page", name).read_text(encoding="utf-8")
    lang = language_of(request.headers.get("accept-language", ""))
    return Response(
        text.replace("{lang}", lang, 1),
        media_type="text/html; charset=utf-8",
        headers={**_HEADERS, "Vary": "Accept-Language"},
    )
