"""The benches measure what they say: turns, targets, flushes, refusals, the page."""

from __future__ import annotations

import importlib
import inspect
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
BENCH = ROOT / "bench"
PAGE = ROOT / "docs" / "performance.md"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Imports a module of the benches, whose folder is no package."""
    monkeypatch.syspath_prepend(BENCH)
    return importlib.import_module


def run_benches(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, BENCH / "run.py", *arguments], capture_output=True, text=True, check=False
    )


def test_each_bench_has_a_section_of_its_own_in_the_page(bench: Callable[[str], Any]) -> None:
    run = bench("run")

    sections = re.findall(r"<!-- ([a-z-]+) -->\n", PAGE.read_text(encoding="utf-8"))

    assert sorted(sections) == sorted((*run.BENCHES, *run.LONG))


def test_each_bench_can_be_tried_at_a_part_of_its_size(
    bench: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = bench("run")
    monkeypatch.syspath_prepend(ROOT / "tests")
    names = [
        name.replace("-", "_") for name in (*run.BENCHES, *run.LONG) if name not in run.ON_A_NODE
    ]

    scales = {name: inspect.signature(bench(name).run).parameters["scale"] for name in names}

    assert {name for name, scale in scales.items() if scale.default != 1.0} == set()


def test_a_trial_leaves_the_page_alone() -> None:
    before = PAGE.read_bytes()

    done = run_benches("--scale", "0.01", "verifying")

    assert "| a bundle verified in process" in done.stdout
    assert PAGE.read_bytes() == before


def test_a_bench_that_nobody_wrote_is_refused() -> None:
    done = run_benches("single", "speed")

    assert done.returncode == 2
    assert "no bench speed" in done.stderr
    assert done.stdout == ""


def test_contenders_take_turns(bench: Callable[[str], Any]) -> None:
    order: list[str] = []

    taken = bench("measure").take_turns(
        {name: lambda name=name: order.append(name) for name in ("ours", "theirs")}, rounds=3
    )

    assert order == ["ours", "theirs"] * 3
    assert {name: len(results) for name, results in taken.items()} == {"ours": 3, "theirs": 3}


@pytest.mark.parametrize(
    ("kind", "value", "met"),
    [
        ("at_least", 6.0, True),
        ("at_least", 5.999, False),
        ("at_most", 80.0, True),
        ("at_most", 80.001, False),
    ],
)
def test_a_target_is_met_at_its_limit_and_missed_beyond(
    bench: Callable[[str], Any], *, kind: str, value: float, met: bool
) -> None:
    measure = bench("measure")

    figure = getattr(measure, kind)("rate", value, "ratio", 6.0 if kind == "at_least" else 80.0)

    assert figure.met is met
    assert ("**no**" in measure.table([figure])) is not met


class _Refusing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the tests' output clean."""


@pytest.fixture
def refusing_port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Refusing) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_a_server_that_refuses_is_not_measured(
    bench: Callable[[str], Any], refusing_port: int
) -> None:
    put_load = bench("serving").put_load

    with pytest.raises(SystemExit, match="503"):
        put_load(
            refusing_port, "get", "/", connections=2, seconds=0.3, warm_up_seconds=0, core=None
        )


def write(path: Path, *, is_durable: bool) -> None:
    with path.open("wb") as file:
        file.write(b"entry")
        file.flush()
        if is_durable:
            os.fsync(file.fileno())


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize("is_durable", [True, False])
def test_only_flushed_writes_are_counted(
    bench: Callable[[str], Any], tmp_path: Path, *, is_durable: bool
) -> None:
    def write_five() -> None:
        for number in range(5):
            write(tmp_path / str(number), is_durable=is_durable)

    try:
        count = bench("syncs").count_syncs(os.getpid(), write_five)
    except SystemExit as exc:
        pytest.skip(f"no process may be traced here: {exc}")

    assert count == (5 if is_durable else 0)


def test_ready_entries_give_the_tree_of_the_log(bench: Callable[[str], Any]) -> None:
    with bench("measure").folder() as home, bench("ledgers").open_ledger(home) as ledger:
        ledger.fill(300)
        ledger.settle()
        reader = ledger.reader()

        assert reader.head().size == 300
        assert len(reader.entries_between(0, 300)) == 300
        assert reader.root_at(300) == reader.head().root
    assert not home.exists()
