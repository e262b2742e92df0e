"""The POSIX driver on a disk that fails: every call, each way, and again."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from vermilion_ledger.errors import IntegrityError, UnavailableError
from vermilion_ledger.tilestore.disk import Disk, OsDisk
from vermilion_ledger.tilestore.paths import CHECKPOINT, entries_path, tile_path
from vermilion_ledger.tilestore.posix import PosixTileStore

FILES = {
    tile_path(0, 0): b"full" * 2048,
    tile_path(0, 1, 9): b"part" * 72,
    entries_path(1234067): b"bundle",
}
NOBODY = 65534


class TriedDisk(OsDisk):
    """A real disk that notes what is asked of it, and fails at one of its calls."""

    def __init__(self, *, fails_at: int = -1, error: int = errno.EIO) -> None:
        super().__init__(sync_thread_count=1)
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.fails_at = fails_at
        self.error = error

    def _note(self, name: str, *arguments: Any) -> None:
        self.calls.append((name, arguments))
        if len(self.calls) - 1 == self.fails_at:
            raise OSError(self.error, os.strerror(self.error))

    def create(self, path: str, data: bytes) -> int:
        self._note("create", path)
        return super().create(path, data)

    def sync_files(self, files: Sequence[int]) -> None:
        self._note("sync_files", len(files))
        super().sync_files(files)

    def link(self, source: str, target: str) -> None:
        self._note("link", source, target)
        super().link(source, target)

    def rename(self, source: str, target: str) -> None:
        self._note("rename", source, target)
        super().rename(source, target)

    def unlink(self, path: str) -> None:
        self._note("unlink", path)
        super().unlink(path)

    def make_folder(self, path: str) -> None:
        self._note("make_folder", path)
        super().make_folder(path)

    def remove_folder(self, path: str) -> None:
        self._note("remove_folder", path)
        super().remove_folder(path)

    def sync_folder(self, path: str) -> None:
        self._note("sync_folder", path)
        super().sync_folder(path)

    def read(self, path: str) -> bytes:
        self._note("read", path)
        return super().read(path)

    def list_folder(self, path: str) -> Sequence[tuple[str, bool]]:
        self._note("list_folder", path)
        return super().list_folder(path)

    def named(self, name: str) -> list[Any]:
        return [arguments[0] for call, arguments in self.calls if call == name]


def files_in(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def whole_cycle(disk: Disk, root: Path) -> None:
    store = PosixTileStore(disk, root)
    store.check()
    store.put_new(FILES)
    store.replace(CHECKPOINT, b"note")
    store.put_new(FILES | {tile_path(0, 1): b"full"})
    store.remove([tile_path(0, 1, 9)])
    store.load(list(FILES))
    store.list_paths("")


def outcome(disk: Disk, root: Path) -> UnavailableError | None:
    try:
        whole_cycle(disk, root)
    except UnavailableError as exc:
        return exc
    return None


def call_count(tmp_path: Path) -> int:
    disk = TriedDisk()
    whole_cycle(disk, tmp_path / "count")
    return len(disk.calls)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errno.EIO, "tiles.unreachable"),
        (errno.EROFS, "tiles.unreachable"),
        (errno.ESTALE, "tiles.unreachable"),
        (errno.ENOSPC, "tiles.disk-full"),
        (errno.EDQUOT, "tiles.disk-full"),
    ],
)
def test_each_call_that_fails_is_told_and_the_cycle_may_be_repeated(
    tmp_path: Path, error: int, code: str
) -> None:
    swallowed = []
    count = call_count(tmp_path)
    for number in range(count):
        root = tmp_path / f"log-{number}"
        disk = TriedDisk(fails_at=number, error=error)
        told = outcome(disk, root)
        if told is None:
            swallowed.append(disk.calls[number])
        else:
            assert (told.code, os.strerror(error) in told.message) == (code, True)

        found = files_in(root)
        good = FILES | {tile_path(0, 1): b"full", CHECKPOINT: b"note"}
        assert {path: good[path] for path in found if not path.startswith(".tmp")}.items() <= (
            found.items()
        )
        whole_cycle(OsDisk(), root)
        assert files_in(root) == {p: data for p, data in good.items() if p != tile_path(0, 1, 9)}

    assert count > 60
    # Only a temporary file that cannot be removed is no failure: the check sweeps it.
    assert {(name, "/.tmp/" in arguments[0]) for name, arguments in swallowed} == {("unlink", True)}


def test_a_failed_batch_leaves_no_temporary_files(tmp_path: Path) -> None:
    for fails_at in range(20):
        root = tmp_path / f"log-{fails_at}"
        with pytest.raises(UnavailableError):
            PosixTileStore(TriedDisk(fails_at=fails_at), root).put_new(FILES)

        assert not any(path.startswith(".tmp") for path in files_in(root))


def test_a_folder_whose_sync_failed_is_synced_again(tmp_path: Path) -> None:
    disk = TriedDisk()
    store = PosixTileStore(disk, tmp_path / "log")
    store.check()
    disk.fails_at = len(disk.calls) + call_count_to_sync(tmp_path)
    with pytest.raises(UnavailableError):
        store.put_new(FILES)
    disk.fails_at = -1
    disk.calls.clear()

    store.put_new(FILES)

    log = f"{tmp_path}/log"
    assert set(disk.named("sync_folder")) == {
        *(log, f"{log}/tile", f"{log}/tile/0", f"{log}/tile/0/001.p", f"{log}/tile/entries"),
        *(f"{log}/tile/entries/x001", f"{log}/tile/entries/x001/x234"),
    }


def call_count_to_sync(tmp_path: Path) -> int:
    """Return how many calls of a first batch come before its first folder is synced."""
    disk = TriedDisk()
    store = PosixTileStore(disk, tmp_path / "other")
    store.check()
    before = len(disk.calls)
    store.put_new(FILES)
    names = [name for name, _ in disk.calls[before:]]
    return names.index("sync_folder")


def test_a_file_that_was_there_has_its_folder_synced_all_the_same(tmp_path: Path) -> None:
    """Whoever linked it may have died before the folder was synced."""
    PosixTileStore(OsDisk(), tmp_path / "log").put_new(FILES)
    disk = TriedDisk()

    PosixTileStore(disk, tmp_path / "log").put_new({entries_path(1234067): b"bundle"})

    log = f"{tmp_path}/log"
    folders = ["", "/tile", "/tile/entries", "/tile/entries/x001", "/tile/entries/x001/x234"]
    assert {str(tmp_path), *(f"{log}{folder}" for folder in folders)} == set(
        disk.named("sync_folder")
    )


def test_folders_known_to_be_durable_are_not_made_again(tmp_path: Path) -> None:
    disk = TriedDisk()
    store = PosixTileStore(disk, tmp_path / "log")
    store.put_new({tile_path(0, 0): b"x"})
    disk.calls.clear()

    store.put_new({tile_path(0, 1): b"x", tile_path(1, 0, 2): b"y"})

    log = f"{tmp_path}/log/tile"
    assert disk.named("make_folder") == [f"{log}/1", f"{log}/1/000.p"]
    assert set(disk.named("sync_folder")) == {log, f"{log}/0", f"{log}/1", f"{log}/1/000.p"}


def test_no_more_files_are_open_than_a_process_may_have(tmp_path: Path) -> None:
    disk = TriedDisk()

    PosixTileStore(disk, tmp_path / "log").put_new({tile_path(0, at): b"x" for at in range(600)})

    assert disk.named("sync_files") == [256, 256, 88]


def test_a_file_system_that_links_over_files_is_found_at_the_start(tmp_path: Path) -> None:
    class Overwriting(OsDisk):
        def link(self, source: str, target: str) -> None:
            Path(target).unlink(missing_ok=True)
            super().link(source, target)

    with pytest.raises(IntegrityError) as caught:
        PosixTileStore(Overwriting(), tmp_path / "log").check()

    assert caught.value.code == "tiles.create-only"
    assert files_in(tmp_path / "log") == {}


def test_what_a_crash_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    root = tmp_path / "log"
    PosixTileStore(OsDisk(), root).put_new(FILES)
    (root / ".tmp" / "0123456789abcdef-7").write_bytes(b"half a ti")
    os.link(root / tile_path(0, 0), root / ".tmp" / "0123456789abcdef-8")

    PosixTileStore(OsDisk(), root).check()

    assert files_in(root) == FILES


def test_a_writer_whose_temporary_files_are_swept_is_told_and_repeats(tmp_path: Path) -> None:
    root = tmp_path / "log"

    class Swept(OsDisk):
        done = False

        def link(self, source: str, target: str) -> None:
            if not self.done:
                self.done = True
                PosixTileStore(OsDisk(), root).check()
            super().link(source, target)

    store = PosixTileStore(Swept(), root)

    with pytest.raises(UnavailableError):
        store.put_new(FILES)

    store.put_new(FILES)
    assert files_in(root) == FILES


@pytest.mark.parametrize("name", ["tile/0/junk", "tile/0/000.bak", "note.txt"])
def test_a_strangers_file_is_listed_for_fsck(tmp_path: Path, name: str) -> None:
    store = PosixTileStore(OsDisk(), tmp_path)
    store.put_new(FILES)
    (tmp_path / name).write_bytes(b"")

    assert name in store.list_paths("")


def test_a_folder_in_a_files_place_is_told(tmp_path: Path) -> None:
    store = PosixTileStore(OsDisk(), tmp_path)
    (tmp_path / "tile" / "0" / "000").mkdir(parents=True)

    with pytest.raises(UnavailableError, match="tile/0/000"):
        store.load([tile_path(0, 0)])
    with pytest.raises(UnavailableError):
        store.put_new({tile_path(0, 0): b"x"})


def test_a_symbolic_link_in_a_files_place_is_never_written_through(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    root = tmp_path / "log"
    (root / "tile" / "0").mkdir(parents=True)
    (root / "tile" / "0" / "000").symlink_to(victim)

    with pytest.raises(IntegrityError):
        PosixTileStore(OsDisk(), root).put_new({tile_path(0, 0): b"x"})

    assert victim.read_bytes() == b"precious"


def test_a_home_that_is_missing_is_told(tmp_path: Path) -> None:
    store = PosixTileStore(OsDisk(), tmp_path / "missing" / "log")

    with pytest.raises(UnavailableError):
        store.check()
    with pytest.raises(UnavailableError):
        store.put_new(FILES)
    assert store.load(list(FILES)) == {}


@contextmanager
def without_privileges() -> Iterator[None]:
    """Let the file system say no, which it never does to the superuser."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_that_cannot_be_written_is_told() -> None:
    with tempfile.TemporaryDirectory(prefix="vermilion-test-") as name:
        home = Path(name)
        PosixTileStore(OsDisk(), home / "log").put_new(FILES)
        for folder in [home, *(path for path in home.rglob("*") if path.is_dir())]:
            folder.chmod(0o555)

        with without_privileges():
            store = PosixTileStore(OsDisk(), home / "log")
            assert store.load(list(FILES)) == FILES
            for act in (
                store.check,
                lambda: store.put_new({tile_path(0, 7): b"x"}),
                lambda: store.replace(CHECKPOINT, b"note"),
            ):
                with pytest.raises(UnavailableError) as caught:
                    act()
                assert caught.value.code == "tiles.unreachable"

        for folder in [home, *(path for path in home.rglob("*") if path.is_dir())]:
            folder.chmod(0o755)


def test_files_can_be_read_by_a_web_server(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        PosixTileStore(OsDisk(), tmp_path / "log").put_new(FILES)
    finally:
        os.umask(before)

    for path in (tmp_path / "log").rglob("*"):
        wanted = 0o755 if path.is_dir() else 0o644
        assert stat.S_IMODE(path.stat().st_mode) == wanted
