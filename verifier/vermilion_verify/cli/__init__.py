"""``vermilion-verify``: what an auditor runs, with the base install alone.

Every subcommand is a thin shell over a library call. Human text goes to
standard error when ``--json`` prints JSON lines to standard output.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from vermilion_ledger.encoding import parse_time
from vermilion_ledger.errors import (
    ConflictError,
    EvidenceError,
    InputError,
    IntegrityError,
    NotFoundError,
    UnavailableError,
    VerificationError,
)
from vermilion_verify import VERSION
from vermilion_verify.texts import LANGUAGES, choose_language

__all__ = ["main"]

_SUBCOMMANDS = ("inspect", "audit", "trust", "headers", "history")
_HEIGHTS = re.compile(r"(0|[1-9][0-9]{0,14})(?:-(0|[1-9][0-9]{0,14}))?\Z", re.ASCII)
_CONFIRMATIONS = re.compile(r"[1-9][0-9]{0,8}\Z", re.ASCII)  # as FORMATS section 11 bounds them
_EPILOG = """exit codes: 0 proven (also superseded, with a notice), 1 refuted or revoked,
2 usage, 3 pending, 4 not allowed, 5 cannot tell, 6 no record, 7 some of many failed,
70 internal, 130 interrupted. Anything else is to be read as failure."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code (FORMATS section 12)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that has no ✓ shall not be the end
            stream.reconfigure(errors="backslashreplace")
    options = _parse(arguments)
    language = choose_language(options.lang, os.environ)
    from vermilion_verify.cli import commands  # not needed to show the help
    from vermilion_verify.printing import render_error

    try:
        return commands.run(options, language)
    except KeyboardInterrupt:
        return 130
    except EvidenceError as exc:
        print(render_error(exc, language=language), file=sys.stderr)
        if getattr(options, "json", False):
            print(json.dumps({"error": {"code": exc.code, "message": exc.message}}))
        return _exit_code(exc)
    except Exception as exc:
        if os.environ.get("VERMILION_DEBUG") == "1":
            raise
        error = IntegrityError("internal", f"{type(exc).__name__} in vermilion-verify {VERSION}")
        print(render_error(error, language=language), file=sys.stderr)
        return 70


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="vermilion-verify",
        description="Verify an official document against its evidence bundle, asking nobody.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"vermilion-verify {VERSION}")
    if not arguments or arguments[0] not in _SUBCOMMANDS:
        parser.add_argument("file", type=Path, metavar="FILE", help="the document in question")
        parser.add_argument(
            "--bundle", type=Path, required=True, metavar="B", help="its evidence bundle"
        )
        parser.add_argument(
            "--number", type=Path, metavar="N", help="a number file: is it this record's number?"
        )
        _add_verify_options(parser)
        parser.usage = (
            "vermilion-verify FILE --bundle B --trust T [options]\n"
            "       vermilion-verify inspect BUNDLE\n"
            "       vermilion-verify audit FOLDER --evidence FOLDER --trust T [options]\n"
            "       vermilion-verify trust show T\n"
            "       vermilion-verify headers FILE --rpc URL --rpc URL [options]\n"
            "       vermilion-verify history --bundle B [--as prov|cloudevents|statements] [-o F]"
        )
        options = parser.parse_args(arguments, argparse.Namespace(command="verify"))
    else:
        commands_of = parser.add_subparsers(dest="command", required=True)
        _add_inspect(commands_of)
        _add_audit(commands_of)
        _add_trust(commands_of)
        _add_headers(commands_of)
        _add_history(commands_of)
        options = parser.parse_args(arguments)
    if getattr(options, "offline", False) and options.rpc:
        parser.error("--offline and --rpc contradict each other")
    return options


def _add_verify_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--trust", type=Path, required=True, metavar="T", help="trust policy, given in person"
    )
    parser.add_argument(
        "--header-hashes",
        type=Path,
        action="append",
        default=[],
        metavar="F",
        help="trusted block hashes: '<chain id> <number> 0x<hash>' a line; may be repeated",
    )
    parser.add_argument("--registry", type=Path, metavar="F", help="the ledger's registry file")
    parser.add_argument(
        "--log-entries", type=Path, metavar="F", help="the log's 65-byte entries, to walk them"
    )
    parser.add_argument(
        "--rpc", action="append", default=[], metavar="URL", help="ask this node about blocks"
    )
    parser.add_argument(
        "--as-of", type=_moment, metavar="TIME", help="the checkpoint must be at least this new"
    )
    parser.add_argument("--offline", action="store_true", help="never use the network")
    _add_output_options(parser)


def _add_output_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="JSON lines on standard output")
    parser.add_argument("--lang", choices=LANGUAGES, help="language of the text")


def _add_inspect(commands_of: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands_of.add_parser("inspect", help="show what a bundle claims; checks nothing")
    parser.add_argument("bundle", type=Path, metavar="BUNDLE")
    _add_output_options(parser)


def _add_audit(commands_of: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands_of.add_parser("audit", help="verify every file of a folder")
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument(
        "--evidence",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="folder with <file name>.evidence.json",
    )
    _add_verify_options(parser)


def _add_trust(commands_of: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands_of.add_parser("trust", help="look at a trust policy")
    actions = parser.add_subparsers(dest="action", required=True)
    show = actions.add_parser("show", help="say in words what a policy believes")
    show.add_argument("trust", type=Path, metavar="T")
    _add_output_options(show)


def _add_headers(commands_of: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands_of.add_parser(
        "headers", help="collect trusted block hashes from nodes that agree, to verify offline"
    )
    parser.add_argument("list", type=Path, metavar="FILE", help="the list to make or to extend")
    parser.add_argument(
        "--bundle",
        type=Path,
        action="append",
        default=[],
        metavar="B",
        help="collect the blocks that this bundle names; may be repeated",
    )
    parser.add_argument(
        "--block",
        type=_heights,
        action="append",
        default=[],
        metavar="N[-M]",
        help="collect the block at this height, or a range; may be repeated",
    )
    parser.add_argument(
        "--trust",
        type=Path,
        metavar="T",
        help="trust policy: its chains, finality and nodes; alone, every block with an anchor",
    )
    parser.add_argument(
        "--rpc",
        action="append",
        default=[],
        metavar="URL",
        help="ask this node; at least two, and all must agree",
    )
    parser.add_argument("--chain", type=_height, metavar="ID", help="chain id that all must have")
    parser.add_argument(
        "--confirmations",
        type=_confirmations,
        metavar="N",
        help="take blocks that N others follow; without it and --trust, finalized ones",
    )
    parser.add_argument(
        "--since",
        type=_height,
        default=0,
        metavar="N",
        help="with --trust alone: look for anchors from this height on",
    )
    parser.add_argument(
        "--single", action="store_true", help="be content with one node, whom nobody contradicts"
    )
    _add_output_options(parser)


def _add_history(commands_of: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands_of.add_parser(
        "history", help="tell a record's history in the formats of others; checks nothing"
    )
    parser.add_argument("--bundle", type=Path, required=True, metavar="B", help="evidence bundle")
    parser.add_argument(
        "--as",
        dest="form",
        choices=("prov", "cloudevents", "statements"),
        default="prov",
        help="W3C PROV-JSON, CloudEvents as JSON lines, or the signed DSSE envelopes",
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="F", help="file; by default standard output"
    )
    parser.add_argument("--lang", choices=LANGUAGES, help="language of the text")


def _heights(text: str) -> range:
    match = _HEIGHTS.match(text)
    if match is None or int(match[2] or match[1]) < int(match[1]):
        raise argparse.ArgumentTypeError(f"{text!a} is neither N nor N-M with N ≤ M")
    return range(int(match[1]), int(match[2] or match[1]) + 1)


def _height(text: str) -> int:
    if "-" in text:
        raise argparse.ArgumentTypeError(f"{text!a} is not one number")
    return _heights(text).start


def _confirmations(text: str) -> int:
    if not _CONFIRMATIONS.match(text):
        raise argparse.ArgumentTypeError(f"{text!a} is not a number from 1 to 999999999")
    return int(text)


def _moment(text: str) -> datetime:
    try:
        return parse_time(text, what="TIME").astimezone(UTC)
    except InputError as exc:
        raise argparse.ArgumentTypeError(exc.message) from exc


def _exit_code(error: EvidenceError) -> int:
    """Map an error to an exit code: bad arguments 2, out of reach 5, our fault 70."""
    if isinstance(error, InputError | NotFoundError):
        return 2
    if isinstance(error, VerificationError):
        return 1
    # A file that changes under the reader is out of reach as well.
    return 5 if isinstance(error, UnavailableError | ConflictError) else 70
