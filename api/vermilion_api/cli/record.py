"""`vermilion record PATH…`: record files and folders where they lie.

A thin shell over `vermilion_hooks`: it reads options, joins the parts and
shows what they report. Only file names and digests are sent.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from vermilion_api.grades import check_grade
from vermilion_hooks.client import LedgerClient
from vermilion_hooks.journal import Journal, default_journal
from vermilion_hooks.outcomes import Summary
from vermilion_hooks.printing import JsonPrinter, TextPrinter
from vermilion_hooks.recorder import Options, Recorder
from vermilion_hooks.registration import Terms
from vermilion_hooks.walk import find_roots, measure
from vermilion_ledger.actor import parse_actor
from vermilion_ledger.digest import Progress as ProgressCall
from vermilion_ledger.encoding import check_text, parse_hex
from vermilion_ledger.errors import EvidenceError, InputError, UnavailableError
from vermilion_ledger.limits import TEXT_SIZE_MAX

__all__ = ["record"]

_EXIT_INTERRUPTED = 130


def record(  # noqa: PLR0913 - one parameter per option
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Files and folders.")],
    *,
    url: Annotated[
        str, typer.Option(envvar="VERMILION_URL", help="Address of the ledger.")
    ] = "http://127.0.0.1:8460",
    journal: Annotated[
        Path | None, typer.Option(help="Resume journal; by default one per ledger and paths.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Follow symbolic links.")] = False,
    sm3: Annotated[bool, typer.Option("--sm3", help="Record SM3 beside SHA-256.")] = False,
    rehash: Annotated[
        bool, typer.Option("--rehash", help="Read even files that look unchanged.")
    ] = False,
    actor: Annotated[str, typer.Option(help="Who records: id, or id,name,post,unit.")] = "",
    policy: Annotated[
        str, typer.Option(help="SHA-256 of the rules that ask for approvals, in hex.")
    ] = "",
    grade: Annotated[str, typer.Option(help="Grade of the documents, below 秘密.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines on standard output.")] = False,
    lang: Annotated[
        str,
        typer.Option("--lang", envvar=["VERMILION_LANG", "LC_ALL", "LANG"], help="zh-CN or en."),
    ] = "en",
) -> None:
    """Hash files and folders and record their digests; the bytes stay where they are."""
    terms = _read_terms(actor, policy, grade)
    roots = find_roots(paths)
    quiet_bar = as_json or not sys.stderr.isatty()
    text = TextPrinter(_tell if as_json else _say, language=lang, terse=not quiet_bar)
    printer = JsonPrinter(_say, language=lang) if as_json else text
    summary = Summary()
    place = journal or default_journal(url.rstrip("/"), roots, state_folder=_state_folder())
    try:
        with ExitStack() as stack:
            ledger = stack.enter_context(LedgerClient(url, sleep=time.sleep))
            kept = stack.enter_context(Journal(place, url=ledger.url))
            progress = stack.enter_context(_bar(roots, follow=follow, shown=not quiet_bar))
            recorder = Recorder(
                ledger=ledger,
                journal=kept,
                progress=progress,
                clock_ns=time.time_ns,
                options=Options(
                    follow=follow,
                    sm3=sm3,
                    rehash=rehash,
                    workers=os.cpu_count() or 1,
                    terms=terms,
                ),
            )
            for outcome in recorder.run(roots):
                summary.count(outcome)
                printer.show(outcome)
    except KeyboardInterrupt:
        printer.finish(summary)
        text.interrupted(str(place))
        raise typer.Exit(_EXIT_INTERRUPTED) from None
    except EvidenceError:
        printer.finish(summary)  # what was acknowledged so far
        raise
    printer.finish(summary)
    if summary.exit_code:
        raise typer.Exit(summary.exit_code)


def _read_terms(actor: str, policy: str, grade: str) -> Terms:
    """Check what would be refused anyway before anything is read or sent."""
    check_grade(grade)
    if grade:
        check_text(grade, size_max=TEXT_SIZE_MAX, what="grade")
    members = dict(
        zip(("id", "name", "post", "unit"), (*actor.split(","), "", "", ""), strict=False)
    )
    if actor.count(",") > 3:
        raise InputError("actor.shape", "an actor is written id,name,post,unit")
    return Terms(
        actor=parse_actor(members, what="actor") if actor else None,
        policy=parse_hex(policy, size=32, what="policy").hex() if policy else None,
        grade=grade or None,
    )


def _state_folder() -> Path:
    """Return the folder of journals (XDG base directories), for its owner's eyes only."""
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    folder = Path(base).expanduser() / "vermilion"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise UnavailableError("journal.unwritable", f"{folder}: {exc.strerror}") from exc
    return folder


def _say(line: str) -> None:
    print(line, flush=True)  # looked up each time: the bar puts itself in between


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@contextmanager
def _bar(roots: tuple[str, ...], *, follow: bool, shown: bool) -> Iterator[ProgressCall]:
    """Show a progress bar on a terminal; elsewhere nothing. Rich honours NO_COLOR."""
    if not shown:
        yield lambda _count: None
        return
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(
        *columns,
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),
    ) as bar:
        task = bar.add_task("", total=measure(roots, follow=follow)[1])
        yield lambda count: bar.advance(task, count)
