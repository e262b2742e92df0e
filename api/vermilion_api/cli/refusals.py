"""``vermilion refusals``: how often documents were refused for their grade."""

from __future__ import annotations

from vermilion_api.cli.common import DEFAULT_URL, JsonOption, UrlOption, show

__all__ = ["refusals"]


def refusals(*, url: UrlOption = DEFAULT_URL, as_json: JsonOption = False) -> None:
    """List refusals for a grade, as the log has them; nothing of what was refused is kept."""
    from vermilion_api.client import Ledger

    with Ledger(url) as ledger:
        found = ledger.get("/v1/refusals")
    lines = [
        f"{each['code']}  {each['count']}  first {each['first']}  last {each['last']}"
        for each in found["refusals"]
    ]
    show(found, "\n".join(lines) or "nothing was refused", as_json=as_json)
