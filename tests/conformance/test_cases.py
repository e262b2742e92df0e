"""Runs the conformance cases through the command, and writes them anew to compare.

Every twentieth case goes through the installed command, the others through the
same function in this process; ``make conformance`` sends all through it.
Another implementation is tested with the same folders: name its command in
``VERMILION_VERIFY``.
"""

from __future__ import annotations

import io
import json
import os
import shlex
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from conformance.make_cases import all_cases
from vermilion_verify.cli import main

HERE = Path(__file__).resolve().parent

FOUND = ("code", "severity", "sequence", "certain")
FOLDERS = sorted(path.parent for path in HERE.glob("*/expected.json"))
INSTALLED = frozenset(sorted(FOLDERS, key=lambda path: path.name.endswith("_fail"))[::20])


def command(folder: Path) -> list[str] | None:
    """The command that judges a case, or None where this process does."""
    if stated := os.environ.get("VERMILION_VERIFY"):
        return shlex.split(stated)
    if folder not in INSTALLED:
        return None
    found = shutil.which("vermilion-verify", path=Path(sys.executable).parent)
    assert found, "vermilion-verify is not installed beside this Python: make setup"
    return [found]


def verify(folder: Path, expected: dict[str, Any]) -> tuple[int, str]:
    """Run the command, or what it runs; returns its exit code and what it printed."""
    arguments = [str(folder / "document"), "--bundle", str(folder / "bundle.evidence.json")]
    for option, name in (
        ("--trust", "trust.toml"),
        ("--header-hashes", "block-hashes.txt"),
        ("--registry", "registry.json"),
        ("--log-entries", "log-entries.bin"),
    ):
        if (folder / name).exists():
            arguments += [option, str(folder / name)]
    arguments += ["--json", *expected["arguments"]]
    if (words := command(folder)) is not None:
        run = subprocess.run(
            [*words, *arguments],
            stdout=subprocess.PIPE,
            check=False,
            timeout=60,
            encoding="utf-8",
        )
        return run.returncode, run.stdout
    with redirect_stdout(io.StringIO()) as printed, redirect_stderr(io.StringIO()):
        code = main(arguments)
    return code, printed.getvalue()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_command_comes_to_the_expected_verdict(folder: Path) -> None:
    expected = json.loads((folder / "expected.json").read_bytes())

    code, printed = verify(folder, expected)

    report = json.loads(printed)
    wanted = {"refuted": "fail", "cannot_tell": "unknown"}.get(expected["verdict"])
    found = [each["id"] for each in report["checks"] if each["status"] == wanted]
    assert report["verdict"] == expected["verdict"], report["checks"]
    assert code == expected["exit"]
    assert set(expected["checks"]) <= set(found), report["checks"]
    assert bool(found) == bool(expected["checks"])
    if "findings" in expected:
        listed = [{name: each[name] for name in FOUND} for each in report["findings"]]
        assert listed == expected["findings"]


def test_good_and_bad_cases_go_through_the_installed_command() -> None:
    refused = [folder.name.endswith("_fail") for folder in INSTALLED]

    assert len(refused) >= len(FOLDERS) / 20
    assert 2 <= refused.count(False) <= refused.count(True)


def test_writing_the_cases_anew_changes_no_byte() -> None:
    written = {case.name: case.files() for case in all_cases()}

    assert sorted(written) == [folder.name for folder in FOLDERS]
    for folder in FOLDERS:
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == written[folder.name]


def test_refusals_outnumber_acceptances() -> None:
    refused = [folder for folder in FOLDERS if folder.name.endswith("_fail")]

    assert len(FOLDERS) >= 40
    assert len(refused) >= 0.7 * len(FOLDERS)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_name_of_a_case_says_whether_it_is_refused(folder: Path) -> None:
    verdict = json.loads((folder / "expected.json").read_bytes())["verdict"]

    assert folder.name.endswith("_fail") is (verdict not in {"proven", "superseded"})
