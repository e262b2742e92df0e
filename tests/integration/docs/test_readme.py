"""Both READMEs say what works: every command in them is run, in their order."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from chain import free_port

ROOT = Path(__file__).resolve().parents[3]
READMES = ("README.md", "README.zh-CN.md")
LONG = {"make test", "make bench"}  # this very run, and an hour of measuring
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(readme: str) -> list[str]:
    text = (ROOT / readme).read_text(encoding="utf-8")
    return [line for block in _BLOCK.findall(text) for line in block.splitlines() if line.strip()]


def run(command: str, *, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        shlex.split(command),
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def environment() -> dict[str, str]:
    inherited = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}  # of the make that runs the tests
    return {name: value for name, value in os.environ.items() if name not in inherited}


@pytest.fixture(scope="module")
def demonstration() -> str:
    """`make demo` as a newcomer runs it; its bundles serve both READMEs."""
    done = run("make demo")
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_the_demonstration_proves_originals_and_refutes_a_changed_copy(demonstration: str) -> None:
    told = json.loads((ROOT / "build/demo/demo.json").read_text(encoding="utf-8"))

    assert set(told["verdicts"].values()) == {"proven"}
    assert set(told["tampered"].values()) == {"refuted"}
    assert told["documents"] >= 12
    assert told["bytes"] > 64 * 2**20
    assert told["anchor"]["gasUsed"] > 21_000
    assert "This does not prove" in demonstration


@pytest.mark.parametrize("readme", READMES)
def test_every_command_of_the_readme_works(readme: str, demonstration: str) -> None:
    ran = 0
    for command in commands(readme):
        if command in LONG:
            assert run(f"{command} --dry-run").returncode == 0
        elif command not in {"make demo", "make up"}:
            done = run(command)
            assert done.returncode == 0, f"{command}: {done.stderr[-500:]}"
        ran += 1

    assert ran >= 8


def test_both_readmes_have_the_same_commands() -> None:
    english, chinese = (commands(readme) for readme in READMES)

    assert [line.replace(" --lang zh-CN", "") for line in chinese] == english


def test_help_has_a_line_for_each_target_of_the_readme() -> None:
    listed = run("make help").stdout

    for command in commands("README.md"):
        if command.startswith("make "):
            assert f"{command.split()[1]} " in listed.replace("make ", "")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """`make up`, in a home and on ports of its own."""
    flags = f"--port {free_port()} --chain-port {free_port()}"
    child = subprocess.Popen(
        ["make", "up", f"LEDGER={tmp_path / 'ledger'}", f"UP_FLAGS={flags}"],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    yield child
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.communicate()


def test_make_up_tells_its_address_and_stops_on_ctrl_c(ledger: subprocess.Popen[str]) -> None:
    assert ledger.stdout is not None
    lines = []
    for line in ledger.stdout:
        lines.append(line)
        if "http://127.0.0.1:" in line and "up" in line:
            break
    else:
        pytest.fail("".join(lines))

    os.killpg(ledger.pid, signal.SIGINT)  # what a terminal sends on Ctrl-C
    rest = ledger.stdout.read()
    ledger.wait(timeout=60)

    assert "Traceback" not in "".join(lines) + rest
    assert "stopped" in rest
