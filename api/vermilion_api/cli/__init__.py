"""The operator's command, ``vermilion``; one module per subcommand.

This module owns how a command ends: exit codes of FORMATS section 12, errors
as one line with the next step, never a traceback. It imports nothing that the
base install lacks, so that it can say politely what is missing.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Mapping, Sequence

from vermilion_api.problems import EXIT_INTERNAL, EXIT_INTERRUPTED, exit_code, hint_for
from vermilion_ledger.errors import EvidenceError, InputError

__all__ = ["choose_language", "main", "render_error"]

_EXIT_USAGE = 2
# Commands whose own words are in both languages.
_BILINGUAL = (
    ["anchor", "status"],
    ["findings"],
    ["fsck"],
    ["keys", "list"],
    ["record"],
    ["status"],
)
_EXTRAS = frozenset(
    {
        "alembic",
        "eth_account",
        "fastapi",
        "httpx",
        "prometheus_client",
        "rich",
        "sqlalchemy",
        "typer",
        "uvicorn",
        "web3",
    }
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    language = choose_language(arguments, os.environ)
    arguments = _without_language(arguments)
    for words in _BILINGUAL:
        if arguments[: len(words)] == words:
            arguments[len(words) : len(words)] = [f"--lang={language}"]
    try:
        from vermilion_api.cli.app import run

        return run(arguments)
    except EvidenceError as exc:
        _tell(render_error(exc, language))
        return exit_code(exc)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away; nothing more can be told.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except ModuleNotFoundError as exc:
        if (exc.name or "").partition(".")[0] not in _EXTRAS:
            return _internal(exc, language)
        error = InputError("install.extras", f"{exc.name} is not installed")
        _tell(render_error(error, language))
        return _EXIT_USAGE
    except Exception as exc:  # noqa: BLE001 - the last door: nobody sees a traceback
        return _internal(exc, language)


def choose_language(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """Return ``zh-CN`` or ``en``: ``--lang``, then the environment.

    >>> choose_language(["status", "--lang", "zh-CN"], {}), choose_language([], {"LANG": "C"})
    ('zh-CN', 'en')
    """
    chosen = ""
    for place, argument in enumerate(arguments):
        if argument.startswith("--lang="):
            chosen = argument.removeprefix("--lang=")
        elif argument == "--lang" and place + 1 < len(arguments):
            chosen = arguments[place + 1]
    for name in ("VERMILION_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        chosen = chosen or environment.get(name, "")
    return "zh-CN" if chosen.lower().startswith("zh") else "en"


def _without_language(arguments: Sequence[str]) -> list[str]:
    """Take ``--lang`` out, wherever it stands: it belongs to every command."""
    kept: list[str] = []
    skip = False
    for argument in arguments:
        if not skip and argument != "--lang" and not argument.startswith("--lang="):
            kept.append(argument)
        skip = argument == "--lang"
    return kept


def render_error(error: EvidenceError, language: str) -> str:
    """Return ``error[code]: message`` and the next step."""
    word = "错误" if language == "zh-CN" else "error"
    hint = hint_for(error.code, language)
    message = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in error.message)
    return f"{word}[{error.code}]: {message}" + (f"\n  {hint}" if hint else "")


def _internal(exc: Exception, language: str) -> int:
    trace = os.urandom(8).hex()
    if os.environ.get("VERMILION_DEBUG") == "1":
        traceback.print_exception(exc)
    error = EvidenceError("internal", f"{type(exc).__name__} (trace {trace})")
    _tell(render_error(error, language))
    return EXIT_INTERNAL


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
