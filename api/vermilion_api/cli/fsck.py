"""``vermilion fsck``: re-derive the whole log and name what differs."""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vermilion_api.cli.common import DEFAULT_HOME, HomeOption, JsonOption, LangOption, say
from vermilion_ledger.errors import InputError

if TYPE_CHECKING:
    from vermilion_api.wiring import Ledger
    from vermilion_ledger.fsck.findings import Finding, Findings
    from vermilion_ledger.rows import ObservedHead

__all__ = ["fsck", "progress_bar"]

_STATE = "fsck.state"  # in the home folder
_DAMAGED = 1
_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "damage": "damaged",
        "notice": "notice",
        "resumed": "going on after {resumed_from} entries that an earlier run has compared",
        "afresh": "nothing to go on from: starting from the first entry",
        "whole": "{size} entries, root {root}: {damage} damaged, {notices} notices",
        "sample": "{chosen} of {bundles} bundles ({share:.1%}), {checked} entries, seed {seed}: "
        "{damage} damaged, {notices} notices\nA single damaged bundle is found with a chance of "
        "{share:.1%}; {sure} or more, at least one in 95 of 100 cases. Rows that nothing implies, "
        "and what is not published, were not looked for.",
        "erased": "{erased} of the entries belong to destroyed records",
        "more": "and {more} more that are not listed",
        "clean": "no damage found",
        "stopped": "Stopped. `vermilion fsck --resume` goes on from here.",
    },
    "zh": {
        "damage": "损坏",
        "notice": "提示",
        "resumed": "前次运行已比对 {resumed_from} 条，从此处继续",
        "afresh": "没有可继续的进度：从第一条开始",
        "whole": "共 {size} 条，根 {root}：损坏 {damage} 处，提示 {notices} 处",
        "sample": "抽查 {bundles} 个条目包中的 {chosen} 个（{share:.1%}），共 {checked} 条，"
        "种子 {seed}：损坏 {damage} 处，提示 {notices} 处\n若仅有一个条目包损坏，"
        "发现的概率为 {share:.1%}；若有 {sure} 个以上损坏，则 100 次中有 95 次能发现至少一个。"
        "本次未检查多余的行和尚未发布的内容。",
        "erased": "其中 {erased} 条属于已销毁的记录",
        "more": "另有 {more} 处未列出",
        "clean": "未发现损坏",
        "stopped": "已停止。运行 `vermilion fsck --resume` 可从此处继续。",
    },
}


def fsck(
    *,
    home: HomeOption = DEFAULT_HOME,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where the last run was interrupted.")
    ] = False,
    subset: Annotated[
        str, typer.Option("--subset", help="Only a part of the bundles, at random: 5%.")
    ] = "",
    seed: Annotated[
        int, typer.Option("--seed", help="Choose the bundles of --subset as another run did.")
    ] = 0,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask no chain which head it has.")
    ] = False,
    as_json: JsonOption = False,
    lang: LangOption = "",
) -> None:
    """Compare every row and file of the log with what the stored envelopes lead to.

    Reads only; the ledger may run meanwhile. Exit code 1 means damage.
    """
    from vermilion_api.chains import observe_chains
    from vermilion_api.cli import choose_language
    from vermilion_api.wiring import open_ledger
    from vermilion_ledger.fsck.findings import Findings

    share = _read_share(subset)
    if share is not None and resume:
        raise InputError("fsck.options", "a run over a part is short: it is not resumed")
    printer = _Printer(choose_language(["--lang", lang], os.environ), as_json=as_json)
    ledger = open_ledger(home)
    try:
        ledger.database.check()
        observed = [] if offline else observe_chains(ledger.settings.online_chains)
        findings = Findings(on_finding=printer.show)
        with progress_bar(shown=sys.stderr.isatty() and not as_json) as progress:
            if share is None:
                _run_whole(ledger, findings, observed, printer, progress, resume=resume)
            else:
                _run_part(
                    ledger,
                    share,
                    seed or secrets.randbits(32),
                    findings,
                    observed,
                    printer,
                    progress,
                )
    finally:
        ledger.database.close()
    if findings.damage_count:
        raise typer.Exit(_DAMAGED)


def _run_whole(
    ledger: Ledger,
    findings: Findings,
    observed: Sequence[ObservedHead],
    printer: _Printer,
    progress: Callable[[int, int], None],
    *,
    resume: bool,
) -> None:
    from vermilion_api.checking import subject_of
    from vermilion_api.wiring import now
    from vermilion_ledger.fsck.resuming import StateFile
    from vermilion_ledger.fsck.run import Fsck

    run = Fsck(subject_of(ledger), clock=now, findings=findings, on_progress=progress)
    try:
        found = run.run(
            observed=observed, state=StateFile(ledger.home.path / _STATE), resume=resume
        )
    except KeyboardInterrupt:
        printer.tell("stopped")
        raise
    if resume:
        printer.tell("resumed" if found.resumed_from else "afresh", resumed_from=found.resumed_from)
    printer.finish(
        "whole",
        findings,
        {
            "size": found.size,
            "root": found.root.hex(),
            "checked": found.checked,
            "resumed_from": found.resumed_from,
            "erased": found.erased,
        },
    )


def _run_part(
    ledger: Ledger,
    share: float,
    seed: int,
    findings: Findings,
    observed: Sequence[ObservedHead],
    printer: _Printer,
    progress: Callable[[int, int], None],
) -> None:
    from vermilion_api.checking import subject_of
    from vermilion_api.wiring import now
    from vermilion_ledger.fsck.sampling import check_sample, damage_found_for_sure

    found = check_sample(
        subject_of(ledger),
        share,
        seed=seed,
        clock=now,
        findings=findings,
        observed=observed,
        on_progress=progress,
    )
    printer.finish(
        "sample",
        findings,
        {
            "size": found.size,
            "bundles": found.bundle_count,
            "chosen": found.chosen_count,
            "share": found.share,
            "checked": found.checked,
            "seed": found.seed,
            "sure": damage_found_for_sure(found.share),
        },
    )


class _Printer:
    """Lines for people, or JSON lines for programs with a line for people beside the last."""

    def __init__(self, language: str, *, as_json: bool) -> None:
        self._words = _WORDS["zh" if language.startswith("zh") else "en"]
        self._language = language
        self._as_json = as_json
        self._hinted: set[str] = set()

    def show(self, finding: Finding) -> None:
        """Tell of a finding; the next step is told once for each code."""
        from vermilion_api.problems import hint_for

        hint = hint_for(finding.code, self._language)
        if self._as_json:
            print(json.dumps({**finding.to_json(), "hint": hint}, ensure_ascii=False), flush=True)
            return
        word = self._words["damage" if finding.is_damage else "notice"]
        print(f"{word}[{finding.code}]: {finding.place}: {_plain(finding.message)}", flush=True)
        if finding.code not in self._hinted:
            self._hinted.add(finding.code)
            print(f"  {hint}", flush=True)

    def tell(self, word: str, **values: Any) -> None:
        """Tell a person something that is no result."""
        say(self._words[word].format(**values))

    def finish(self, word: str, findings: Findings, values: Mapping[str, Any]) -> None:
        """Tell how the run went."""
        counts = {"damage": findings.damage_count, "notices": findings.notice_count}
        text = self._words[word].format(**values, **counts)
        if more := findings.damage_count + findings.notice_count - len(findings.kept):
            text += "\n" + self._words["more"].format(more=more)
        if values.get("erased"):
            text += "\n" + self._words["erased"].format(**values)
        if not findings.damage_count:
            text += "\n" + self._words["clean"]
        if self._as_json:
            print(json.dumps({"summary": {**values, **counts}}), flush=True)
            say(text)
        else:
            print(text, flush=True)


def _read_share(text: str) -> float | None:
    """Read ``5%`` as 0.05.

    Raises:
        InputError: ``fsck.options``: no share above 0 and up to 100 %.
    """
    if not text:
        return None
    try:
        share = float(text.removesuffix("%")) / 100
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise InputError("fsck.options", f"--subset is a percentage such as 5%, not {text[:20]!a}")
    return share


def _plain(text: str) -> str:
    """Escape what a damaged value might do to a terminal."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


@contextmanager
def progress_bar(*, shown: bool) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on a terminal; elsewhere nothing. Rich honours NO_COLOR."""
    if not shown:
        yield lambda _done, _count: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, count: bar.update(task, completed=done, total=count)
