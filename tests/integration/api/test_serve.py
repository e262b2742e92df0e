"""`vermilion serve` as a real process: far too much load, several processes, orderly ends."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from postgres import PostgresServer, find_postgres, running_postgres
from serve_kit import Process, children_of, press, running, wait_until
from served import refused
from vermilion_api.cli.workers import Workers
from vermilion_api.home import create_home
from vermilion_api.settings import Settings, load_settings, save_settings
from vermilion_api.wiring import open_ledger

SETTINGS = Settings(port=0, node_port=0, publish_interval_seconds=0.05)
GROWTH_MAX = 200.0  # MiB


def make_home(folder: Path, settings: Settings) -> Path:
    create_home(folder / "home", settings)
    ledger = open_ledger(folder / "home")
    ledger.database.migrate()
    ledger.database.close()
    return folder / "home"


def is_ready(process: Process) -> bool:
    return httpx.get(f"{process.url}/readyz").status_code == 200


def test_far_too_much_load_is_refused_and_memory_stays_flat(tmp_path: Path) -> None:
    settings = replace(
        SETTINGS, requests_max=40, bodies_max_bytes=2_000_000, queue_count_max=10_000
    )
    home = make_home(tmp_path, settings)
    with running("serve", "--home", home) as process:
        wait_until(lambda: is_ready(process))
        usual = asyncio.run(press(process.port, callers=8, seconds=3, counts=(1, 1000)))
        before = process.peak_mib()

        # Each caller comes back at once: some twenty times what is ever in flight.
        seen = asyncio.run(press(process.port, callers=400, seconds=10, counts=(1, 1000, 1, 5000)))

        assert set(usual.statuses) == {200}
        assert set(seen.statuses) == {200, 503}
        assert seen.codes <= {"serve.overloaded", "intake.overloaded"}
        assert seen.without_retry == 0
        assert sum(seen.statuses.values()) > settings.requests_max  # a slow machine answers few
        assert process.peak_mib() - before < GROWTH_MAX
        # Nothing acknowledged is lost, and everybody is served again.
        indices = usual.indices + seen.indices
        assert len(set(indices)) == len(indices) == usual.acknowledged + seen.acknowledged
        assert httpx.get(f"{process.url}/v1/log").json()["size"] == len(indices)
        again = asyncio.run(press(process.port, callers=8, seconds=1, counts=(1,)))
        assert set(again.statuses) == {200}
        assert process.stop() == 0


def test_two_processes_on_one_file_are_refused(tmp_path: Path) -> None:
    home = make_home(tmp_path, SETTINGS)

    with running("serve", "--home", home, "--processes", "2", expect="error[") as process:
        assert process.child.wait(30) == 2
        assert "error[serve.one-process]" in process.lines


def test_a_child_that_gives_up_ends_them_all(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        workers = Workers(tmp_path / "no home", [door, door])

        assert refused(lambda: workers.run(threading.Event())) == "serve.child-ended"

    assert children_of(os.getpid()) == set()


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    if find_postgres() is None:
        pytest.skip("no PostgreSQL programs (initdb, pg_ctl, postgres) on this machine")
    with running_postgres() as found:
        yield found


@contextmanager
def many(folder: Path, server: PostgresServer, processes: int) -> Iterator[Process]:
    """API processes and a sequencer on PostgreSQL."""
    url = server.url(server.create_database())
    home = make_home(folder, replace(SETTINGS, database_url=url))
    save_settings(home, replace(load_settings(home), processes=processes))
    with (
        running("sequencer", "--home", home, expect="sequencing"),
        running("serve", "--home", home) as process,
    ):
        wait_until(lambda: len(children_of(process.child.pid)) == processes and is_ready(process))
        yield process


def test_several_processes_share_a_port_and_give_no_index_twice(
    tmp_path: Path, server: PostgresServer
) -> None:
    with many(tmp_path, server, 3) as process:
        seen = asyncio.run(press(process.port, callers=30, seconds=3, counts=(1, 1, 20)))

        assert set(seen.statuses) == {200}
        assert len(set(seen.indices)) == len(seen.indices) == seen.acknowledged
        assert httpx.get(f"{process.url}/v1/log").json()["size"] == seen.acknowledged
        assert process.stop() == 0


def test_a_process_that_dies_is_replaced(tmp_path: Path, server: PostgresServer) -> None:
    with many(tmp_path, server, 2) as process:
        before = children_of(process.child.pid)
        victim = min(before)

        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: len(now := children_of(process.child.pid)) == 2 and victim not in now)

        wait_until(lambda: is_ready(process))
        seen = asyncio.run(press(process.port, callers=8, seconds=1, counts=(1,)))
        assert set(seen.statuses) == {200}
        assert "another takes its place" in process.lines
        children = children_of(process.child.pid)
        assert process.stop() == 0
        assert not any(Path(f"/proc/{child}").exists() for child in children)


def test_children_end_with_their_parent_whatever_becomes_of_it(
    tmp_path: Path, server: PostgresServer
) -> None:
    with many(tmp_path, server, 2) as process:
        children = children_of(process.child.pid)

        process.stop(signal.SIGKILL)

        wait_until(lambda: not any(Path(f"/proc/{child}/exe").exists() for child in children))
