"""``vermilion record PATH…``: record files and folders where they lie.

A thin shell over `vermilion_hooks`: it reads options, joins the parts and
shows what they report. Only file names and digests are sent.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from vermilion_api.cli.common import DEFAULT_URL, JsonOption, LangOption, UrlOption, say
from vermilion_api.problems import EXIT_INTERRUPTED
from vermilion_hooks.registration import Terms
from vermilion_ledger.actor import parse_actor
from vermilion_ledger.digest import Progress
from vermilion_ledger.encoding import check_text, parse_hex
from vermilion_ledger.errors import EvidenceError, InputError, UnavailableError
from vermilion_ledger.event_details import check_members_of
from vermilion_ledger.grades import GRADE_CODES, find_profile
from vermilion_ledger.limits import TEXT_SIZE_MAX

if TYPE_CHECKING:
    from vermilion_hooks.recorder import Options, Recorder

__all__ = ["record"]

_JournalOption = Annotated[
    Path | None,
    typer.Option("--journal", help="Resume journal; by default one per ledger and paths."),
]
_ActorOption = Annotated[
    str, typer.Option("--actor", help="Who records: ID, or ID,NAME,POST,UNIT.")
]
_FlowOption = Annotated[
    str, typer.Option("--flow", help="Steps that are expected: outgoing (发文), incoming (收文).")
]
_REMARK_SECONDS = 5.0
_PolicyOption = Annotated[
    str, typer.Option("--policy", help="SHA-256 of the rules asked of the records.")
]
_RuleOption = Annotated[
    str, typer.Option("--rule", help="Policy by its name, its digest or a file of its rules.")
]
_ClassOption = Annotated[
    str, typer.Option("--class", help="Class of the records, which has a policy.")
]


def record(  # noqa: PLR0913 - one parameter per option
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="Files and folders.")],
    *,
    url: UrlOption = DEFAULT_URL,
    journal: _JournalOption = None,
    follow: Annotated[bool, typer.Option("--follow", help="Follow symbolic links.")] = False,
    sm3: Annotated[bool, typer.Option("--sm3", help="Record SM3 beside SHA-256.")] = False,
    rehash: Annotated[
        bool, typer.Option("--rehash", help="Read even files that look unchanged.")
    ] = False,
    actor: _ActorOption = "",
    policy: _PolicyOption = "",
    rule: _RuleOption = "",
    record_class: _ClassOption = "",
    grade: Annotated[str, typer.Option("--grade", help="Grade of the documents, below 秘密.")] = "",
    flow: _FlowOption = "",
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> None:
    """Hash files and folders and record their digests; the bytes stay where they are."""
    from vermilion_api.cli import choose_language
    from vermilion_hooks.journal import default_journal
    from vermilion_hooks.outcomes import Summary
    from vermilion_hooks.printing import JsonPrinter, TextPrinter
    from vermilion_hooks.recorder import Options
    from vermilion_hooks.walk import Failed, find_roots

    asked, workers = _Asked(policy, rule, record_class), os.cpu_count() or 1
    terms = _read_terms(actor, asked, grade, flow, url)
    options = Options(follow=follow, sm3=sm3, rehash=rehash, workers=workers, terms=terms)
    roots = find_roots(paths)
    place = journal or default_journal(url.rstrip("/"), roots, state_folder=_state_folder())
    language = choose_language(["--lang", lang], os.environ)
    shown = sys.stderr.isatty() and not as_json
    text = TextPrinter(say if as_json else _print, language=language, terse=shown)
    printer = JsonPrinter(_print, language=language) if as_json else text
    summary = Summary()
    try:
        with _open(url, place, options, roots, shown=shown) as recorder:
            for outcome in recorder.run(roots):
                summary.count(outcome)
                printer.show(outcome)
                if isinstance(outcome, Failed):
                    _tell_refusal(url, outcome.error)
    except KeyboardInterrupt:
        printer.finish(summary)
        text.interrupted(str(place))
        raise typer.Exit(EXIT_INTERRUPTED) from None
    except EvidenceError:
        printer.finish(summary)  # what was acknowledged so far stands
        raise
    printer.finish(summary)
    if summary.exit_code:
        raise typer.Exit(summary.exit_code)


@contextmanager
def _open(
    url: str, place: Path, options: Options, roots: tuple[str, ...], *, shown: bool
) -> Iterator[Recorder]:
    """Join the parts of one run, and take them apart whatever happens."""
    from vermilion_hooks.client import LedgerClient
    from vermilion_hooks.journal import Journal
    from vermilion_hooks.recorder import Recorder

    with LedgerClient(url, sleep=time.sleep) as ledger:
        _create_folder(place.parent)
        with (
            Journal(place, url=ledger.url) as journal,
            _bar(roots, follow=options.follow, shown=shown) as progress,
        ):
            yield Recorder(
                ledger=ledger,
                journal=journal,
                progress=progress,
                clock_ns=time.time_ns,
                options=options,
            )


class _Asked(NamedTuple):
    """The three ways to name a policy, of which one may be used."""

    policy: str
    rule: str
    record_class: str


def _read_terms(actor: str, asked: _Asked, grade: str, flow: str, url: str) -> Terms:
    """Check what would be refused anyway before anything is read or sent."""
    if sum(map(bool, asked)) > 1:
        raise InputError(
            "class.beside-policy", "only one of --policy, --rule and --class can be given"
        )
    if grade:
        check_text(grade, size_max=TEXT_SIZE_MAX, what="grade")
        try:
            find_profile(grade)
        except InputError as exc:
            _tell_refusal(url, exc)
            raise
    if flow:
        check_members_of("register", {"flow": flow})
    words = [word.strip() for word in actor.split(",")]
    if len(words) > 4:
        raise InputError("actor.shape", "an actor is written id,name,post,unit")
    words += [""] * (4 - len(words))
    members = dict(zip(("id", "name", "post", "unit"), words, strict=True))
    return Terms(
        actor=parse_actor(members, what="actor") if actor else None,
        policy=_find_policy(url, asked),
        record_class=asked.record_class or None,
        grade=grade or None,
        flow=flow or None,
    )


def _tell_refusal(url: str, error: EvidenceError) -> None:
    """Have a refusal for a grade counted, and nothing else told; it stands if nobody listens."""
    from vermilion_api.client import Ledger

    if error.code not in GRADE_CODES:
        return
    with suppress(EvidenceError), Ledger(url, timeout_seconds=_REMARK_SECONDS) as ledger:
        ledger.post("/v1/refusals", {"refused": error.code})


def _find_policy(url: str, asked: _Asked) -> str | None:
    """Return the digest of the policy that was named, if one was."""
    if asked.policy:
        return parse_hex(asked.policy, size=32, what="policy").hex()
    if not asked.rule:
        return None
    from vermilion_api.client import Ledger
    from vermilion_api.rulebook import resolve_policy

    with Ledger(url) as ledger:
        return resolve_policy(ledger, asked.rule)


def _state_folder() -> Path:
    """Return the folder of journals (XDG base directories)."""
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(base).expanduser() / "vermilion"


def _create_folder(folder: Path) -> None:
    """Make the journal's folder, for its owner's eyes only."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise UnavailableError("journal.unwritable", f"{folder}: {exc.strerror}") from exc


def _print(line: str) -> None:
    print(line, flush=True)  # the stream is looked up each time: the bar stands in its way


@contextmanager
def _bar(roots: tuple[str, ...], *, follow: bool, shown: bool) -> Iterator[Progress]:
    """Show a progress bar on a terminal; elsewhere nothing. Rich honours NO_COLOR."""
    if not shown:
        yield lambda _count: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    from vermilion_hooks.walk import measure

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Bar(
        *columns,
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),
    ) as bar:
        task = bar.add_task("", total=measure(roots, follow=follow)[1])
        yield lambda count: bar.advance(task, count)
