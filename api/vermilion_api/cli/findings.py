"""``vermilion findings``: every lapse in every record, for whoever supervises."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer

from vermilion_api.cli.common import DEFAULT_HOME, HomeOption, JsonOption, LangOption, say

__all__ = ["finding_lines", "findings"]

_SOME_FAILED = 7
_OVERDUE = frozenset({"finding.overdue", "finding.undelivered"})
_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "critical": "critical",
        "warning": "warning",
        "notice": "notice",
        "perhaps": ", perhaps",
        "entry": "entry",
        "summary": "{walked} records with a life, {found} of them with findings, {count} in all",
    },
    "zh": {
        "critical": "严重",
        "warning": "警告",
        "notice": "提示",
        "perhaps": "(可能)",
        "entry": "条目",
        "summary": "有后续条目的案卷 {walked} 个,其中 {found} 个有问题,共 {count} 处",
    },
}


def findings(
    *,
    home: HomeOption = DEFAULT_HOME,
    overdue: Annotated[
        bool, typer.Option("--overdue", help="Only what is overdue or undelivered.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Notices too, not warnings and critical ones alone.")
    ] = False,
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> None:
    """List what is missing, late or out of order in all records, as the ledger states it.

    Reads only; the ledger may run meanwhile. Exit code 7 means that there is something.
    """
    from vermilion_api.cli import choose_language
    from vermilion_api.supervising import walk_records
    from vermilion_api.wiring import now, open_ledger
    from vermilion_ledger.admission import LedgerAdmission
    from vermilion_ledger.store.lives import SqlLives

    language = choose_language(["--lang", lang], os.environ)
    walked = found = count = 0
    ledger = open_ledger(home)
    try:
        ledger.database.check()
        lives, admission = SqlLives(ledger.database.engine), LedgerAdmission(ledger.identity)
        for each in walk_records(lives, ledger.reader(), admission, clock=now):
            walked += 1
            value = each.to_json()
            value["findings"] = [
                finding
                for finding in value["findings"]
                if (everything or finding["severity"] != "notice")
                and (not overdue or finding["code"] in _OVERDUE)
            ]
            if not value["findings"]:
                continue
            found += 1
            count += len(value["findings"])
            _show(value, language, as_json=as_json)
    finally:
        ledger.database.close()
    words = _WORDS["zh" if language == "zh-CN" else "en"]
    say(words["summary"].format(walked=walked, found=found, count=count))
    if found:
        raise typer.Exit(_SOME_FAILED)


def finding_lines(listed: Sequence[Mapping[str, Any]], language: str) -> Iterator[str]:
    """Return a line for each finding, indented, as an answer of the ledger has them."""
    chinese = language == "zh-CN"
    words = _WORDS["zh" if chinese else "en"]
    for each in listed:
        doubt = "" if each["certain"] else words["perhaps"]
        sentence = _plain(str(each["zh" if chinese else "en"]))
        yield (
            f"  {words[each['severity']]}{doubt}: {words['entry']} {each['sequence']}:"
            f" {sentence} [{each['code']}]"
        )


def _show(value: Mapping[str, Any], language: str, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(value, ensure_ascii=False), flush=True)
        return
    print(f"{value['record']}  {_plain(value['name'])}", flush=True)
    for line in finding_lines(value["findings"], language):
        print(line, flush=True)


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
