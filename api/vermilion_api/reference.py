"""The reference pages that are written from the program itself.

``python -m vermilion_api.reference docs/reference`` writes them; a test
renders them again and allows no difference.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import typer

from vermilion_api.app import create_app
from vermilion_api.classes import ClassSettings
from vermilion_api.cli.app import build_app
from vermilion_api.problems import refusal_status
from vermilion_api.settings import (
    ChainSettings,
    RetiredIntakeSettings,
    RetiredLogSettings,
    Settings,
    TsaSettings,
)
from vermilion_api.signer_settings import SignerSettings
from vermilion_ledger.codes import all_codes

__all__ = ["main", "render_pages"]

_NOTE = "<!-- Written by `python -m vermilion_api.reference docs/reference`; do not edit. -->"
_API_HEAD = """
Everything is JSON unless said. Errors are RFC 9457 problems (`application/problem+json`) with a
stable `code` ([errors](errors.md)), a `hint` with the next step in the language of
`Accept-Language` (`zh` or `en`), and a `trace_id`. The machine-readable description is
[openapi.json](openapi.json), also served at `/openapi.json`.

**A 2xx means durable.** A submission is answered after its index is committed. `?wait=` names how
far it shall be: `sequenced`, `published` (default), `anchored` or `final`; when `timeout` seconds
are over before that, the answer is 202 with the state reached. Without an index by then the answer
is 503 `intake.not-sequenced`: it is saved, and the same `Idempotency-Key` tells its index later.

**Idempotency.** The same `Idempotency-Key` with the same body gets the first answer again, with
another body 422, while the first still runs 409. A key is kept with the submissions it made.

**Bodies** are strict I-JSON: a duplicate key, a float or an unknown member is refused.
"""


def render_pages() -> Mapping[str, str]:
    """Return the text of every page by file name."""
    document = create_app(None).openapi()
    return {
        "openapi.json": json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n",
        "api.md": _api(document),
        "errors.md": _errors(),
        "settings.md": _settings(),
        "cli.md": _cli(),
    }


def main(folder: Path) -> None:
    """Write every page into a folder."""
    for name, text in render_pages().items():
        (folder / name).write_text(text, encoding="utf-8")


def _api(document: Mapping[str, Any]) -> str:
    lines = ["# REST API", "", _NOTE, _API_HEAD]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            lines += [f"## `{method.upper()} {path}`", "", f"{operation['summary']}.", ""]
            lines += [operation.get("description", ""), ""]
            for each in operation.get("parameters", ()):
                text = each.get("description") or each.get("schema", {}).get("description", "")
                needed = "required" if each.get("required") else "optional"
                lines.append(
                    f"- `{each['name']}` ({each['in']}, {needed}){': ' if text else ''}{text}"
                )
            for media, body in operation.get("requestBody", {}).get("content", {}).items():
                name = body["schema"].get("$ref", "").rpartition("/")[2]
                lines.append(f"- body: `{media}`{f', `{name}`' if name else ''}")
            codes = ", ".join(sorted(operation["responses"]))
            lines += [f"- answers: {codes}", ""]
    return "\n".join(lines).rstrip() + "\n"


def _errors() -> str:
    lines = [
        "# Errors",
        "",
        _NOTE,
        "",
        "Every error has a stable code. *Refusal* is the HTTP status where the sequencer refused",
        "a submission for this reason; elsewhere the class of the error decides. Codes `wait.`,",
        "`expect.` and `finding.` are no errors: they tell what an entry waits for, why no time is",
        "told, and what is amiss in the life of a document.",
        "",
        "| code | refusal | next step | 下一步 |",
        "|---|---|---|---|",
    ]
    for code, advice in sorted(all_codes().items()):
        english = advice.en.replace("|", "\\|")
        chinese = advice.zh.replace("|", "\\|")
        lines.append(f"| `{code}` | {refusal_status(code)} | {english} | {chinese} |")
    return "\n".join(lines) + "\n"


def _settings() -> str:
    lines = [
        "# Settings",
        "",
        _NOTE,
        "",
        "`vermilion.toml` in the home folder (`--home` or `VERMILION_HOME`). It is written at the",
        "first start; unknown members are refused. Secrets are files in `keys/`, never settings.",
        "",
        *_table(Settings),
        "",
        "## `[signer]`",
        "",
        "Where the anchoring key is. Paths are relative to the home folder.",
        "",
        *_table(SignerSettings),
        "",
        "## `[[chain]]`",
        "",
        "One table for each chain; `vermilion up` writes that of its local node.",
        "",
        *_table(ChainSettings),
        "",
        "## `[[retired_intake]]`",
        "",
        "One table for each retired intake key; `vermilion keys rotate-intake` writes it.",
        "",
        *_table(RetiredIntakeSettings),
        "",
        "## `[[retired_log]]`",
        "",
        "One table for each retired Ed25519 log key, in order of `until`;",
        "`vermilion keys rotate-log` writes it.",
        "",
        *_table(RetiredLogSettings),
        "",
        "## `[[tsa]]`",
        "",
        "One table for each time-stamping authority, see",
        "[how to add one](../how-to/add-a-time-stamping-authority.md).",
        "",
        *_table(TsaSettings),
        "",
        "## `[[class]]`",
        "",
        "One table for each class of records, see [how to write rules](../how-to/write-rules.md).",
        "",
        *_table(ClassSettings),
    ]
    return "\n".join(lines) + "\n"


def _table(kind: type) -> list[str]:
    lines = ["| name | unit | default | what it does |", "|---|---|---|---|"]
    for each in fields(kind):
        unit, text = each.metadata["unit"], each.metadata["text"]
        default = list(each.default) if isinstance(each.default, tuple) else each.default
        if is_dataclass(default):
            default = {}  # a table of its own below
        lines.append(f"| `{each.name}` | {unit} | `{json.dumps(default)}` | {text} |")
    return lines


def _cli() -> str:
    group = typer.main.get_command(build_app())
    lines = [
        "# The operator's command",
        "",
        _NOTE,
        "",
        "`vermilion [--lang zh-CN|en] COMMAND`. Results go to standard output, everything else to",
        "standard error; with `--json` results are JSON lines. Errors are `error[code]: message`",
        "with the next step below ([errors](errors.md)), never a traceback.",
        "",
        "Exit codes: 0 done, 1 refused, 2 usage, 3 pending, 4 not allowed, 5 out of reach,",
        "6 no record, 7 some of many failed, 70 internal, 130 interrupted.",
        "",
    ]
    lines += _describe(group, "vermilion")
    return "\n".join(lines).rstrip() + "\n"


def _describe(command: Any, path: str) -> list[str]:
    inner = getattr(command, "commands", None)
    if inner is not None:
        return [line for name, each in inner.items() for line in _describe(each, f"{path} {name}")]
    lines = [f"## `{path}`", "", " ".join((command.help or "").split()), ""]
    for each in command.params:
        if each.name == "help":
            continue
        names = ", ".join(each.opts) if each.param_type_name == "option" else each.name.upper()
        default = (
            "" if callable(each.default) or each.default in (None, "", False) else each.default
        )
        suffix = f" Default: `{default}`." if default != "" else ""
        lines.append(f"- `{names}`: {getattr(each, 'help', '') or ''}{suffix}")
    return [*lines, ""]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
