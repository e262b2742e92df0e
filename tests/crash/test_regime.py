"""A part of ``make crash`` and ``make histories``, and proof that both see what they look for."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from crash.strace import why_not

pytestmark = pytest.mark.timeout(900)  # on a busy machine

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("tests", "ledger", "api", "anchor", "verifier")


def output(module: str, *arguments: str) -> str:
    """Run a module of the regime in a process that may fork and connect."""
    done = subprocess.run(
        [sys.executable, "-m", f"crash.{module}", *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(str(REPOSITORY / p) for p in PACKAGES)},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture
def _traceable() -> None:
    if reason := why_not():
        pytest.skip(reason)


@pytest.mark.usefixtures("_traceable")
def test_a_log_that_is_killed_at_any_call_loses_nothing_and_never_forks() -> None:
    table = output("run", "--points", "100")

    reached = re.search(r"^(\d+) distinct points", table, re.MULTILINE)
    assert reached is not None
    assert int(reached[1]) >= 95, table


def test_what_concurrent_clients_see_is_one_log() -> None:
    assert "0 of 20 not linearizable" in output("histories", "--number", "20")


@pytest.mark.parametrize(
    ("bug", "kind"),
    [
        ("acknowledge early", "lost"),
        ("forget keys", "double"),
        ("forget envelopes", "double"),
        ("write in place", "other"),
        ("swap in two steps", "other"),
    ],
)
@pytest.mark.usefixtures("_traceable")
def test_a_bug_that_only_a_crash_shows_is_found(bug: str, kind: str) -> None:
    assert kind in output("planted", bug).split()


def test_stale_reads_are_no_history_of_a_log() -> None:
    assert output("planted", "stale reads").split() == ["history"]
