"""``vermilion status``: how the ledger stands, or one record."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from vermilion_api.cli.common import DEFAULT_URL, JsonOption, LangOption, UrlOption, show

__all__ = ["status"]


def status(
    record: Annotated[str, typer.Argument(help="Record id; the whole ledger if left out.")] = "",
    *,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> None:
    """Show sizes of the ledger or the history of a record, and what it waits for until when."""
    from vermilion_api.cli import choose_language
    from vermilion_api.cli.standing import waiting_lines
    from vermilion_api.client import Ledger

    language = choose_language(["--lang", lang], os.environ)
    with Ledger(url) as ledger:
        if record:
            answer = ledger.get(f"/v1/records/{ledger.record_id(record)}")
            text = "\n".join(_describe_record(answer, language))
        else:
            log, anchors = ledger.get("/v1/log"), ledger.get("/v1/anchors", {"limit": "1"})
            answer = {
                "origin": log["origin"],
                "size": log["size"],
                "published": log["tree"]["size"],
                "final": anchors["finalSize"],
                "oldestUnanchored": anchors["oldestUnanchored"],
                "oldestUnanchoredIndex": anchors["oldestUnanchoredIndex"],
                "pending": log["pending"],
            }
            first = (
                f"{log['origin']}: {log['size']} entries, {log['tree']['size']} published,"
                f" {anchors['finalSize']} under a final anchor"
            )
            waits = waiting_lines(log["pending"], language) if log["pending"] else []
            text = "\n".join([first, *waits])
    show(answer, text, as_json=as_json)


def _describe_record(answer: dict[str, Any], language: str) -> list[str]:
    from vermilion_api.cli.findings import finding_lines
    from vermilion_api.cli.standing import waiting_lines

    lines = [f"{answer['record']}: {answer.get('status') or answer['kind']}, {answer['state']}"]
    lines += [
        f"  {entry['sequence']:>3}  index {entry['index']:<8} {entry['event']:<11}"
        f" {entry['actor']['id']}{_beside(entry)}"
        f"  {entry['state']}"
        for entry in answer["entries"]
    ]
    for each in answer["pending"]:
        lines += waiting_lines(each, language)
    for each in answer.get("rules", []):
        rule, missing = each["rule"], each["missing"]
        stand = "met" if not missing else f"{missing} missing"
        if each["undecided"]:
            stand += f", {len(each['undecided'])} in time or not: verify the bundle"
        who = f"decided by {', '.join(each['owners'])}" if each["owners"] else "nobody decided yet"
        lines.append(
            f"  rule {rule['event']} {rule.get('step', '')} x{rule['count']}: {stand}; {who}"
        )
    lines += finding_lines(answer.get("findings", []), language)
    return lines


def _beside(entry: dict[str, Any]) -> str:
    """Say how many signed beside the actor, or that nobody did."""
    if not entry["signed"]:
        return " (as stated by the ledger)"
    others = len(entry["signers"]) - 1
    return f" and {others} more" if others else ""
