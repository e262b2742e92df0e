"""Writers in processes of their own: killed, watched call by call, racing, out of space."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import REPOSITORY
from integration.tilestore.victim import contents
from vermilion_ledger.tilestore import open_tile_store
from vermilion_ledger.tilestore.disk import OsDisk
from vermilion_ledger.tilestore.paths import tile_path
from vermilion_ledger.tilestore.posix import PosixTileStore

VICTIM = Path(__file__).with_name("victim.py")
FOLDERS = ":".join(str(REPOSITORY / name) for name in ("ledger", "tests"))


def command(url: str, *arguments: object) -> list[str]:
    return [sys.executable, str(VICTIM), url, *map(str, arguments)]


def start(line: list[str], monkeypatch: pytest.MonkeyPatch) -> subprocess.Popen[str]:
    monkeypatch.setenv("PYTHONPATH", FOLDERS)
    return subprocess.Popen(line, stdout=subprocess.PIPE, text=True)


def output(line: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    with start(line, monkeypatch) as process:
        written, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return written.splitlines()


@pytest.mark.parametrize("after_milliseconds", [1, 4, 9, 16, 25, 36])
def test_a_killed_writer_leaves_whole_files_and_all_it_acknowledged(
    tile_url: str, after_milliseconds: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with start(command(tile_url, 40, 10_000, ""), monkeypatch) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]  # it is at work
        time.sleep(after_milliseconds / 1000)
        process.kill()
        lines += process.stdout.read().splitlines()

    acknowledged = sum(line.startswith("ok") for line in lines) * 40
    store = open_tile_store(tile_url, tmp_path)
    found = store.load(store.list_paths("tile/"))
    assert {path: contents(path) for path in found} == found
    assert {tile_path(0, position) for position in range(acknowledged)} <= found.keys()
    store.check()
    store.put_new(found)


def test_what_a_killed_writer_left_half_done_is_swept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = tmp_path / "log"
    for milliseconds in range(1, 21):
        with start(command(root.as_uri(), 100, 10_000, ""), monkeypatch) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(milliseconds / 1000)
            process.kill()
        if any((root / ".tmp").iterdir()):
            break
    left = list((root / ".tmp").iterdir())
    assert left, "twenty writers were killed, none of them at work"

    open_tile_store(root.as_uri(), tmp_path).check()

    assert list((root / ".tmp").iterdir()) == []


def test_of_racing_processes_one_wins_each_batch_and_the_others_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = (tmp_path / "log").as_uri()
    writers = {mark: start(command(url, 0, 60, mark), monkeypatch) for mark in "abc"}
    told = {mark: writer.communicate(timeout=60)[0].split("\n") for mark, writer in writers.items()}

    store = open_tile_store(url, tmp_path)
    stored = store.load(store.list_paths("tile/"))
    # The victim with no tiles writes one path again and again.
    assert len(stored) == 1
    winners = [mark for mark, lines in told.items() if "ok 0" in lines]
    assert [{path: contents(path, mark) for path in stored} for mark in winners] == [stored]
    for mark in told.keys() - set(winners):
        assert told[mark][:60] == [f"told {number} tiles.differ" for number in range(60)]


def test_a_file_that_does_not_fit_is_told_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = tmp_path / "log"

    assert output(command(root.as_uri(), 3, 1, "", 4096), monkeypatch) == ["told 0 tiles.disk-full"]

    assert [path for path in root.rglob("*") if path.is_file()] == []
    assert output(command(root.as_uri(), 3, 1, "", 8192), monkeypatch) == ["ok 0"]


def test_a_full_disk_is_told_and_leaves_only_whole_files(tmp_path: Path) -> None:
    """On a file system of its own, in a namespace of its own."""
    small = tmp_path / "small"
    small.mkdir()
    inside = (
        f"mount -t tmpfs -o size=256k none {small} && "
        f"PYTHONPATH={FOLDERS} {shlex.join(command(f'file://{small}/log', 10, 8, ''))} && "
        f"cd {small}/log && ls .tmp && find tile -type f -size -16"
    )
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", inside],
        capture_output=True,
        text=True,
        check=False,
    )
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"no namespace to mount a small file system in: {done.stderr.strip()}")

    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[:2] == ["ok 0", "ok 1"]
    assert lines[-1] == "told 7 tiles.disk-full"  # and nothing after: no temporary, no short file
    assert {line.split()[-1] for line in lines[2:]} <= {"2", "tiles.disk-full"}


CALL = re.compile(r"^(\d+) +(\w+)\((.*)\) += (-?\d+)")
UNFINISHED = re.compile(r"^(\d+) +(\w+)\((.*) <unfinished \.\.\.>")
RESUMED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (-?\d+)")
STRINGS = re.compile(r'"([^"]*)"|\d+<([^>]*)>')


def calls_in_order(trace: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return the calls that succeeded, in the order in which they ended."""
    begun: dict[tuple[str, str], str] = {}
    calls = []
    for line in trace.splitlines():
        if match := UNFINISHED.match(line):
            begun[match[1], match[2]] = match[3]
            continue
        if match := RESUMED.match(line):
            arguments = begun.pop((match[1], match[2])) + match[3]
        elif match := CALL.match(line):
            arguments = match[3]
        else:
            continue
        if int(match[4]) >= 0:
            names = tuple(text or name for text, name in STRINGS.findall(arguments))
            calls.append((match[2], names))
    return calls


def test_bytes_are_synced_before_their_name_and_names_before_the_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    root, log = tmp_path / "log", tmp_path / "trace"
    wanted = "trace=fsync,fdatasync,link,linkat,rename,mkdir,mkdirat,write,openat"
    strace = ["strace", "-f", "-y", "-s", "16", "-e", wanted, "-o", str(log)]
    lines = output([*strace, *command(root.as_uri(), 40, 3, "")], monkeypatch)
    if not log.exists() or not log.read_text():
        pytest.skip("strace may not trace here")
    assert lines == ["ok 0", "ok 1", "ok 2"]

    synced: set[str] = set()
    names_to_sync: set[str] = set()
    link_count = answer_count = 0
    for name, arguments in calls_in_order(log.read_text()):
        if name in {"fsync", "fdatasync"}:
            synced.add(arguments[0])
            names_to_sync.discard(arguments[0])
        elif name in {"link", "linkat"}:
            source, target = (text for text in arguments if text.startswith(str(root)))
            assert source in synced, f"{source} was linked before it was synced"
            names_to_sync.add(str(Path(target).parent))
            link_count += 1
        elif name in {"mkdir", "mkdirat"}:
            names_to_sync.add(str(Path(arguments[-1]).parent))
        elif name == "write" and str(root) in arguments[0]:
            synced.discard(arguments[0])
        elif name == "write" and arguments[-1].startswith("ok "):
            assert names_to_sync == set()
            answer_count += 1

    assert (link_count, answer_count) == (3 * 41, 3)
    folders = ["", "/tile", "/tile/0", "/tile/entries"]
    assert {f"{root}{folder}" for folder in folders} | {str(tmp_path)} <= synced


def test_the_driver_touches_files_through_the_disk_alone(tmp_path: Path) -> None:
    """What a simulated disk does not see it cannot lose."""
    program = (
        "import builtins, io, os, sys\n"
        "from pathlib import Path\n"
        "from vermilion_ledger.tilestore.posix import PosixTileStore\n"
        "seen = []\n"
        "sys.addaudithook(lambda event, _: seen.append(event))\n"
        "class Nowhere:\n"
        "    def __getattr__(self, name):\n"
        "        return lambda *_: [] if name == 'list_folder' else b'bytes'\n"
        "store = PosixTileStore(Nowhere(), Path('/log'))\n"
        "seen.clear()\n"
        "store.put_new({'tile/0/000': b'bytes', 'tile/0/001.p/3': b'bytes'})\n"
        "store.replace('checkpoint', b'bytes')\n"
        "store.load(['checkpoint', 'tile/0/000'])\n"
        "store.remove(['tile/0/001.p/3'])\n"
        "store.list_paths('')\n"
        "print([event for event in seen if event.startswith(('open', 'os.', 'shutil'))])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": FOLDERS},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "[]\n"


@pytest.mark.parametrize("threads", [1, 3, 8])
def test_any_number_of_threads_syncs_every_file(threads: int, tmp_path: Path) -> None:
    store = PosixTileStore(OsDisk(sync_thread_count=threads), tmp_path / "log")
    files = {tile_path(0, position): contents(str(position)) for position in range(50)}

    store.put_new(files)

    assert store.load(list(files)) == files
