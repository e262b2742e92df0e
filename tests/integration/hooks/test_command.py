"""`vermilion record` as people run it: a process, a folder, a server, and Ctrl-C."""

from __future__ import annotations

import os
import pty
import resource
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bulk_server import BulkServer, serve_bulk
from command_kit import TIMEOUT, Office


@pytest.fixture
def server() -> Iterator[BulkServer]:
    with serve_bulk() as served:
        yield served


@pytest.fixture
def office(tmp_path: Path, server: BulkServer) -> Office:
    return Office(tmp_path, server.url)


def _once_each(server: BulkServer, names: list[str]) -> None:
    assert Counter(server.names) == Counter(names)


def test_a_folder_is_recorded_and_a_second_run_sends_nothing(
    office: Office, server: BulkServer
) -> None:
    names = office.write(3)

    first = office.run("--json", office.folder)
    second = office.run("--json", office.folder)

    assert (first.code, second.code) == (0, 0)
    assert first.summary == {"recorded": 3, "changed": 0, "known": 0, "skipped": 0, "failed": 0}
    assert second.summary == {"recorded": 0, "changed": 0, "known": 3, "skipped": 0, "failed": 0}
    assert [line["record"] for line in first.lines[:3]] == [
        line["record"] for line in second.lines[:3]
    ]
    assert len(server.keys) == 1
    _once_each(server, names)


def test_names_and_digests_are_all_that_leaves(office: Office, server: BulkServer) -> None:
    (office.folder / "机密计划").mkdir()
    (office.folder / "机密计划" / "a.txt").write_text("the content")

    office.run()

    digest = "6e569e05cb6f8608572c79d63b365dc31617bf84d7393d2cb9d2f1ffe0edf95b"
    assert server.items == [{"name": "a.txt", "digest": {"sha256": digest}}]
    body = next(iter(server.answers.values()))[0].decode()
    assert "content" not in body
    assert "机密" not in body


@pytest.mark.parametrize("killer", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_stopped_while_an_answer_is_due_is_continued(
    office: Office, server: BulkServer, killer: signal.Signals
) -> None:
    names = office.write(2300)
    server.faults = ["", "hold"]
    run = office.start(office.folder)
    assert server.held.wait(TIMEOUT)

    run.process.send_signal(killer)
    stopped = run.finish()
    server.hold.set()
    resumed = office.run("--json", office.folder)

    assert stopped.code == (130 if killer == signal.SIGINT else -killer)
    assert resumed.code == 0
    assert resumed.summary["recorded"] == 1300
    assert resumed.summary["known"] == 2000
    assert sum(line.get("resumed", False) for line in resumed.lines) == 1000
    assert server.keys[1] == server.keys[2]
    _once_each(server, names)


def test_an_interrupt_tells_how_to_go_on(office: Office, server: BulkServer) -> None:
    office.write(1)
    with (office.folder / "large").open("wb") as file:
        file.truncate(200 * 1024**3)  # no blocks on disk; minutes of hashing
    run = office.start("--journal", office.place / "mine.journal", office.folder)
    _wait_for((office.place / "mine.journal").exists)

    run.process.send_signal(signal.SIGINT)
    stopped = run.finish()
    (office.folder / "large").unlink()
    resumed = office.run("--journal", office.place / "mine.journal", office.folder)

    assert stopped.code == 130
    assert "run the same command again" in stopped.out
    assert "mine.journal" in stopped.out
    assert resumed.code == 0
    _once_each(server, ["0000.txt"])


def test_a_server_that_is_down_is_told_and_the_run_continued(office: Office) -> None:
    names = office.write(2)
    down = Office(office.place, "http://127.0.0.1:9").run("--json", office.folder)

    assert down.code == 5
    assert "error[server.unreachable]" in down.err
    assert "run the same command again" in down.err
    with serve_bulk() as server:
        assert Office(office.place, server.url).run().code == 0
        _once_each(server, names)


def test_a_server_that_goes_down_between_chunks_loses_nothing(
    office: Office, server: BulkServer
) -> None:
    names = office.write(1500)
    server.faults = ["", *["reset after"] * 5]

    broken = office.run("--json", office.folder)
    resumed = office.run("--json", office.folder)

    assert broken.code == 5
    assert broken.summary["recorded"] == 1000
    assert resumed.summary == {
        "recorded": 500,
        "changed": 0,
        "known": 1500,
        "skipped": 0,
        "failed": 0,
    }
    _once_each(server, names)


def test_one_bad_file_of_many_gives_exit_code_7(office: Office, server: BulkServer) -> None:
    names = office.write(2)
    os.mkfifo(office.folder / "pipe")
    (office.folder / "a\nb").write_text("x")
    (office.folder / "link").symlink_to("0000.txt")

    result = office.run()

    assert result.code == 7
    assert "error[file.not-regular]" in result.out
    assert "error[name.unusable]" in result.out
    assert "skipped [walk.symlink]" in result.out
    assert result.out.endswith("2 recorded (0 of them changed), 0 already recorded, "
                               "1 skipped, 2 failed\n")  # fmt: skip
    _once_each(server, names)


def test_a_loop_of_links_is_told(office: Office, server: BulkServer) -> None:
    names = office.write(1)
    (office.folder / "loop").symlink_to(".")

    result = office.run("--follow", office.folder)

    assert result.code == 7
    assert "error[walk.loop]" in result.out
    _once_each(server, names)


def test_a_path_that_is_not_there_is_told(office: Office, server: BulkServer) -> None:
    result = office.run(office.folder / "nothing")

    assert result.code == 7
    assert "error[file.vanished]" in result.out
    assert server.keys == []


def test_a_grade_of_state_secrets_is_refused_before_anything_is_read(
    office: Office, server: BulkServer
) -> None:
    office.write(1)

    result = office.run("--grade", "机密★10年", office.folder)

    assert result.code == 4
    assert "error[grade.refused]" in result.err
    assert server.keys == []
    assert not (office.place / "state").exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--policy", "abc"), "hex.malformed"),
        (("--actor", "a,b,c,d,e"), "actor.shape"),
        (("--actor", ",name"), "text.empty"),
        (("--url", "ftp://127.0.0.1"), "server.url"),
        (("--grade", "a\nb"), "text.control-character"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(
    office: Office, server: BulkServer, arguments: tuple[str, ...], code: str
) -> None:
    office.write(1)

    result = office.run(*arguments, office.folder)

    assert result.code == 2
    assert f"error[{code}]" in result.err
    assert server.keys == []


def test_what_is_said_of_all_documents_is_sent_with_each(
    office: Office, server: BulkServer
) -> None:
    office.write(2)

    office.run(
        *("--sm3", "--actor", "u-1,王芳,主任,财务处", "--policy", "ab" * 32),
        *("--grade", "内部", office.folder),
    )

    for item in server.items:
        assert set(item["digest"]) == {"sha256", "sm3"}
        assert item["actor"] == {"id": "u-1", "name": "王芳", "post": "主任", "unit": "财务处"}
        assert (item["policy"], item["grade"]) == ("ab" * 32, "内部")


def test_two_runs_at_once_do_not_share_a_journal(office: Office, server: BulkServer) -> None:
    names = office.write(2)
    server.faults = ["hold"]
    first = office.start(office.folder)
    assert server.held.wait(TIMEOUT)

    second = office.run()
    server.hold.set()

    assert second.code == 1
    assert "error[journal.in-use]" in second.err
    assert first.finish().code == 0
    _once_each(server, names)


def test_a_server_that_lost_everything_is_not_believed(office: Office, server: BulkServer) -> None:
    office.write(1)
    office.run()
    server.answers.clear()

    result = office.run()

    assert result.code == 1
    assert "error[journal.other-ledger]" in result.err


def test_a_journal_that_cannot_grow_loses_nothing(office: Office, server: BulkServer) -> None:
    names = office.write(800)
    journal = office.place / "run.journal"

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, 64 * 1024))

    full = office.run("--journal", journal, office.folder, preexec_fn=limit)
    resumed = office.run("--journal", journal, office.folder)

    assert full.code == 5
    assert "error[journal.unwritable]" in full.err
    assert resumed.code == 0
    _once_each(server, names)


@contextmanager
def _tiny_disk(place: Path) -> Iterator[Path]:
    place.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", place], check=False, capture_output=True
    )
    if mount.returncode:
        pytest.skip("mounting a small tmpfs is not allowed here")
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def test_a_full_disk_is_told_and_loses_nothing(office: Office, server: BulkServer) -> None:
    names = office.write(800)
    with _tiny_disk(office.place / "disk") as disk:
        journal = disk / "run.journal"
        full = office.run("--journal", journal, office.folder)
        subprocess.run(["mount", "-o", "remount,size=8m", disk], check=True)
        resumed = office.run("--journal", journal, office.folder)

    assert full.code == 5
    assert "error[journal.disk-full]" in full.err
    assert resumed.code == 0
    _once_each(server, names)


def test_chinese_is_spoken_where_asked_for(office: Office) -> None:
    office.write(1)

    result = office.run("--lang", "zh-CN", office.folder)

    assert result.out.startswith("已登记")


def test_a_bar_is_shown_on_a_terminal_only(office: Office) -> None:
    office.write(5)
    office.extra = {"NO_COLOR": "1", "TERM": "xterm", "COLUMNS": "100"}
    leader, follower = pty.openpty()
    shown: list[bytes] = []

    def read() -> None:
        try:
            while data := os.read(leader, 65536):
                shown.append(data)
        except OSError:
            return  # the other side has been closed

    reader = threading.Thread(target=read)
    reader.start()
    run = office.start(office.folder, stderr=follower)
    os.close(follower)
    out = run.finish().out
    reader.join(TIMEOUT)
    os.close(leader)
    plain = office.run("--rehash", office.folder)

    assert b"40/40 bytes" in b"".join(shown).replace(b"40.0/40.0", b"40/40")
    assert b"\x1b[3" not in b"".join(shown)  # no colours
    assert out == "5 recorded (0 of them changed), 0 already recorded, 0 skipped, 0 failed\n"
    assert len(plain.out.splitlines()) == 6
    assert plain.err == ""


def _wait_for(condition: Callable[[], bool]) -> None:
    tick = threading.Event()
    for _ in range(int(TIMEOUT * 20)):
        if condition():
            return
        tick.wait(0.05)
    pytest.fail("it did not come to that")
