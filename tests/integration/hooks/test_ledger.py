"""`vermilion record` against the whole real ledger: every file once, whoever is killed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from archive_kit import settle

COMMAND = "import sys; from vermilion_api.cli import main; sys.exit(main())"
TIMEOUT = 120.0  # seconds


class Office:
    """A ledger's home, an archive, and the command for both."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.archive = place / "archive"
        self.archive.mkdir()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._server: subprocess.Popen[bytes] | None = None

    def write(self, count: int) -> None:
        for number in range(count):
            path = self.archive / f"{number:05}.txt"
            path.write_text(f"document {number}")
            settle(path)

    def up(self) -> None:
        """Start the ledger without a chain, in a process group of its own."""
        command = ("up", "--home", self.place / "home", "--port", str(self.port))
        self._server = self._start(
            *command, "--chain-port", "0", start_new_session=True, log="server"
        )
        _wait_for(lambda: self.get("/readyz") is not None)

    def down(self, number: signal.Signals) -> None:
        """Stop the ledger: with SIGINT in order, with SIGKILL all of it at once."""
        if self._server is not None:
            with contextlib.suppress(ProcessLookupError):
                if number == signal.SIGKILL:
                    os.killpg(self._server.pid, number)
                else:
                    self._server.send_signal(number)
            self._server.wait(TIMEOUT)
            self._server = None

    def start_recording(self, *arguments: str | Path) -> subprocess.Popen[bytes]:
        return self._start(
            "record", "--url", self.url, "--json", *arguments, self.archive, log="record"
        )

    def record(self, *arguments: str | Path) -> tuple[int, list[dict[str, Any]], str]:
        code = self.start_recording(*arguments).wait(TIMEOUT)
        out, err = ((self.place / f"record.{name}").read_text() for name in ("out", "err"))
        assert "Traceback" not in out + err
        return code, [json.loads(line) for line in out.splitlines()], err

    def get(self, path: str) -> Any:
        """Return an answer, or None if there is none (yet)."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return json.load(answer)
        except (urllib.error.URLError, OSError):
            return None

    def size(self) -> int:
        log = self.get("/v1/log")
        return 0 if log is None else int(log["size"])

    def _start(self, *command: str | Path, log: str, **options: Any) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "XDG_STATE_HOME": str(self.place / "state"),
        }
        with (
            (self.place / f"{log}.out").open("w") as out,
            (self.place / f"{log}.err").open("w") as err,
        ):
            return subprocess.Popen(
                [sys.executable, "-c", COMMAND, *command],
                env=environment,
                stdout=out,
                stderr=err,
                **options,
            )


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    made.up()
    try:
        yield made
    finally:
        made.down(signal.SIGKILL)


def _wait_for(condition: Callable[[], bool]) -> None:
    tick = threading.Event()
    for _ in range(int(TIMEOUT * 50)):
        if condition():
            return
        tick.wait(0.02)
    pytest.fail("it did not come to that")


def test_what_is_told_is_what_the_ledger_has(office: Office) -> None:
    office.write(30)

    code, lines, _ = office.record("--sm3", "--actor", "u-1,王芳,主任,财务处")
    again, known, _ = office.record()

    assert (code, again) == (0, 0)
    assert office.size() == 30
    assert lines[-1]["recorded"] == known[-1]["known"] == 30
    for line in lines[:-1]:
        content = Path(line["path"]).read_bytes()
        assert line["sha256"] == hashlib.sha256(content).hexdigest()
        history = office.get(f"/v1/records/{line['record']}")
        assert [entry["index"] for entry in history["entries"]] == [line["index"]]
        assert history["entries"][0]["actor"]["name"] == "王芳"
        found = office.get(f"/v1/records?digest=sha256:{line['sha256']}")
        assert line["record"] in json.dumps(found)


def test_a_policy_that_is_not_in_force_is_refused_with_the_ledgers_code(office: Office) -> None:
    office.write(2)

    code, lines, err = office.record("--policy", "ab" * 32)
    plain, recorded, _ = office.record()

    assert code == 1
    assert lines[-1]["recorded"] == 0
    assert err.startswith("error[policy.")
    assert (plain, recorded[-1]["recorded"]) == (0, 2)
    assert office.size() == 2


@pytest.mark.parametrize("killer", [signal.SIGINT, signal.SIGKILL])
def test_a_killed_recorder_records_each_file_once(office: Office, killer: signal.Signals) -> None:
    office.write(4000)
    run = office.start_recording()
    _wait_for(lambda: office.size() >= 1000)

    run.send_signal(killer)
    run.wait(TIMEOUT)
    code, lines, _ = office.record()

    assert code == 0
    assert lines[-1]["recorded"] + lines[-1]["known"] >= 4000
    _each_once(office, 4000)


def test_a_killed_ledger_loses_nothing_and_doubles_nothing(office: Office) -> None:
    office.write(6000)
    run = office.start_recording()
    _wait_for(lambda: office.size() >= 2000)

    office.down(signal.SIGKILL)
    run.wait(TIMEOUT)
    office.up()
    code, _, _ = office.record()

    assert code == 0
    _each_once(office, 6000)


def _each_once(office: Office, count: int) -> None:
    """Every file has one record, which the journal and the ledger agree on."""
    code, lines, _ = office.record()
    assert code == 0
    assert lines[-1]["known"] == count
    assert sorted(line["index"] for line in lines[:-1]) == list(range(count))
    assert office.size() == count
    for line in lines[:-1:97]:
        history = office.get(f"/v1/records/{line['record']}")
        assert history["entries"][0]["index"] == line["index"]
