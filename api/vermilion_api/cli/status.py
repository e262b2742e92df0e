"""``vermilion status``: how the ledger stands, or one record."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from vermilion_api.cli.common import DEFAULT_URL, JsonOption, UrlOption, show

__all__ = ["status"]


def status(
    record: Annotated[str, typer.Argument(help="Record id; the whole ledger if left out.")] = "",
    *,
    url: UrlOption = DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Show sizes and anchors of the ledger, or the history of a record."""
    from vermilion_api.client import Ledger

    with Ledger(url) as ledger:
        if record:
            answer = ledger.get(f"/v1/records/{ledger.record_id(record)}")
            text = _describe_record(answer)
        else:
            log, anchors = ledger.get("/v1/log"), ledger.get("/v1/anchors", {"limit": "1"})
            answer = {
                "origin": log["origin"],
                "size": log["size"],
                "published": log["tree"]["size"],
                "final": anchors["finalSize"],
                "oldestUnanchored": anchors["oldestUnanchored"],
            }
            text = (
                f"{log['origin']}: {log['size']} entries, {log['tree']['size']} published,"
                f" {anchors['finalSize']} under a final anchor"
            )
    show(answer, text, as_json=as_json)


def _describe_record(answer: dict[str, Any]) -> str:
    lines = [f"{answer['record']}: {answer.get('status') or answer['kind']}, {answer['state']}"]
    lines += [
        f"  {entry['sequence']:>3}  index {entry['index']:<8} {entry['event']:<11}"
        f" {entry['actor']['id']}{'' if entry['signed'] else ' (as stated by the ledger)'}"
        f"  {entry['state']}"
        for entry in answer["entries"]
    ]
    for each in answer.get("rules", []):
        rule, missing = each["rule"], each["missing"]
        stand = "met" if not missing else f"{missing} missing"
        lines.append(
            f"  rule {rule['event']} {rule.get('step', '')} x{rule['count']}: {stand}"
            f" ({', '.join(each['owners']) or 'nobody yet'})"
        )
    return "\n".join(lines)
