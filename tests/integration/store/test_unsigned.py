"""What keeps a checkpoint from being signed, and how a publisher comes back."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from store_kit import (
    NoteSigner,
    Writer,
    make_writer,
    published,
    replayed,
)
from vermilion_ledger.errors import ConflictError, EvidenceError, IntegrityError, UnavailableError
from vermilion_ledger.store import Database
from vermilion_ledger.tilestore.disk import OsDisk
from vermilion_ledger.tilestore.posix import PosixTileStore


def nothing_is_signed(writer: Writer, kind: type[EvidenceError]) -> str:
    """The code with which publishing is refused."""
    with pytest.raises(kind) as caught:
        writer.publisher.publish()
    return caught.value.code


class FailingDisk(OsDisk):
    """A disk of which one operation fails, before or after it was done."""

    def __init__(self) -> None:
        super().__init__()
        self.fails = ""
        self.is_done_first = False

    def _try(self, name: str, act: Callable[[], None]) -> None:
        if name != self.fails or self.is_done_first:
            act()
        if name == self.fails:
            raise OSError(errno.EIO, "the disk said no")

    def sync_files(self, files: Sequence[int]) -> None:
        self._try("sync_files", lambda: OsDisk.sync_files(self, files))

    def sync_folder(self, path: str) -> None:
        self._try("sync_folder", lambda: OsDisk.sync_folder(self, path))

    def link(self, source: str, target: str) -> None:
        self._try("link", lambda: OsDisk.link(self, source, target))

    def rename(self, source: str, target: str) -> None:
        self._try("rename", lambda: OsDisk.rename(self, source, target))

    def unlink(self, path: str) -> None:
        if "/.tmp/" in path:
            OsDisk.unlink(self, path)
        else:
            self._try("unlink", lambda: OsDisk.unlink(self, path))

    def read(self, path: str) -> bytes:
        if self.fails == "read":
            raise OSError(errno.EIO, "the disk said no")
        return super().read(path)


@pytest.fixture
def disk() -> FailingDisk:
    return FailingDisk()


@pytest.fixture
def failing(tmp_path: Path, disk: FailingDisk) -> PosixTileStore:
    """A tile store on a disk that can fail."""
    return PosixTileStore(disk, tmp_path / "log")


@pytest.mark.parametrize("is_done_first", [False, True])
@pytest.mark.parametrize("operation", ["sync_files", "link", "sync_folder", "read"])
def test_while_the_tiles_are_out_of_reach_nothing_is_signed(
    database: Database,
    failing: PosixTileStore,
    disk: FailingDisk,
    operation: str,
    is_done_first: bool,
) -> None:
    signer = NoteSigner()
    writer = make_writer(database, failing, signer=signer)
    writer.place(300)
    published(writer)
    writer.place(300)
    disk.fails, disk.is_done_first = operation, is_done_first

    assert nothing_is_signed(writer, UnavailableError) == "tiles.unreachable"
    writer.place(10)
    assert nothing_is_signed(writer, UnavailableError) == "tiles.unreachable"
    assert database.heads.load_head().size == 300
    disk.fails = ""

    assert published(writer) == replayed(database)
    assert [size for size, _ in signer.signed] == [300, 610]


@pytest.mark.parametrize("is_done_first", [False, True])
def test_a_note_that_could_not_be_published_is_published_by_the_next_call(
    database: Database, failing: PosixTileStore, disk: FailingDisk, is_done_first: bool
) -> None:
    signer = NoteSigner()
    writer = make_writer(database, failing, signer=signer)
    writer.place(3)
    disk.fails, disk.is_done_first = "rename", is_done_first

    assert nothing_is_signed(writer, UnavailableError) == "tiles.unreachable"
    disk.fails = ""
    assert writer.publisher.publish() is None

    note = database.heads.load_checkpoint()
    assert note is not None
    assert failing.load(["checkpoint"]) == {"checkpoint": note.note.encode()}
    assert [size for size, _ in signer.signed] == [3]


def test_a_partial_tile_that_cannot_be_removed_does_no_harm(
    database: Database, failing: PosixTileStore, disk: FailingDisk
) -> None:
    writer = make_writer(database, failing)
    writer.place(200)
    published(writer)
    writer.place(100)
    disk.fails = "unlink"

    assert nothing_is_signed(writer, UnavailableError) == "tiles.unreachable"
    assert database.heads.load_head().size == 300
    disk.fails = ""
    assert writer.publisher.publish() is None
    writer.place(1)

    assert published(writer) == replayed(database)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("tile/0/000", "tiles.differ"),
        ("tile/0/001.p/44", "tiles.differ"),
        ("tile/1/000.p/1", "tiles.differ"),
        ("tile/entries/000", "tiles.differ"),
        ("tile/entries/001.p/44", "tiles.differ"),
    ],
)
def test_over_a_file_of_another_log_nothing_is_signed(
    database: Database, tiles: PosixTileStore, path: str, code: str
) -> None:
    signer = NoteSigner()
    writer = make_writer(database, tiles, signer=signer)
    writer.place(300)
    tiles.put_new({path: b"another log's"})

    assert nothing_is_signed(writer, IntegrityError) == code
    assert signer.signed == []


@pytest.mark.parametrize("path", ["tile/0/001.p/44", "tile/entries/001.p/44", "tile/1/000.p/1"])
def test_a_file_that_is_gone_stops_publishing(
    database: Database, tiles: PosixTileStore, tmp_path: Path, path: str
) -> None:
    writer = make_writer(database, tiles)
    writer.place(300)
    published(writer)
    writer.sequencer.release()
    successor = make_writer(database, tiles)
    successor.place(1)
    (tmp_path / "log" / path).unlink()

    assert nothing_is_signed(successor, IntegrityError) == "log.gap"
    assert database.heads.load_head().size == 300


@pytest.mark.parametrize(
    ("path", "at", "code"),
    [
        ("tile/0/001.p/44", 40 * 32, "log.root-mismatch"),
        ("tile/1/000.p/1", 5, "log.root-mismatch"),
        ("tile/entries/001.p/44", 40 * 67 + 3, "tile-mismatch"),
    ],
)
def test_a_file_changed_while_running_stops_publishing(
    database: Database, tiles: PosixTileStore, tmp_path: Path, path: str, at: int, code: str
) -> None:
    writer = make_writer(database, tiles)
    writer.place(300)
    published(writer)
    writer.sequencer.release()
    successor = make_writer(database, tiles)
    successor.place(100)
    flip(tmp_path / "log" / path, at)

    assert nothing_is_signed(successor, IntegrityError).endswith(code)
    assert database.heads.load_head().size == 300


def flip(path: Path, at: int) -> None:
    """Change one bit of a file, past the store."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


class LyingDisk(OsDisk):
    """A disk that keeps one byte of one file otherwise than it was told."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def read(self, path: str) -> bytes:
        data = bytearray(super().read(path))
        if path.endswith(self.path):
            data[10] ^= 1
        return bytes(data)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("tile/0/000", "log.tile-mismatch"),
        ("tile/0/001", "log.tile-mismatch"),
        ("tile/0/002.p/88", "log.tile-mismatch"),
        ("tile/1/000.p/2", "log.tile-mismatch"),
        ("tile/entries/001", "log.tile-mismatch"),
        ("tile/entries/002.p/88", "log.tile-mismatch"),
    ],
)
def test_what_reads_back_otherwise_than_it_was_written_is_not_signed(
    sqlite_database: Database, tmp_path: Path, path: str, code: str
) -> None:
    signer = NoteSigner()
    lying = PosixTileStore(LyingDisk(path), tmp_path / "log")
    writer = make_writer(sqlite_database, lying, signer=signer)
    writer.place(600)

    assert nothing_is_signed(writer, IntegrityError) == code
    assert signer.signed == []


def test_a_head_moved_by_somebody_else_stops_publishing(
    database: Database, tiles: PosixTileStore
) -> None:
    writer = make_writer(database, tiles)
    writer.place(1)
    head = database.heads.load_head()
    database.heads.take_head(head, epoch=99)

    assert nothing_is_signed(writer, ConflictError) == "log.head-moved"
    assert nothing_is_signed(writer, ConflictError) == "log.head-moved"
    assert database.heads.load_checkpoint() is None


def test_an_epoch_leads_once(database: Database, tiles: PosixTileStore) -> None:
    first = make_writer(database, tiles)
    second = make_writer(database, tiles, started=False)

    with pytest.raises(ConflictError) as caught:
        second.publisher.start(first.sequencer.epoch)

    assert caught.value.code == "log.head-moved"
    first.place(5)
    assert published(first) == replayed(database)


def test_a_publisher_of_an_older_epoch_does_not_start(
    database: Database, tiles: PosixTileStore
) -> None:
    writer = make_writer(database, tiles, started=False)
    writer.sequencer.acquire()
    database.heads.take_head(database.heads.load_head(), epoch=99)

    with pytest.raises(ConflictError) as caught:
        writer.publisher.start(writer.sequencer.epoch)

    assert caught.value.code == "log.head-moved"
    assert database.heads.load_head().state == "open"


def test_an_unstarted_publisher_signs_nothing(database: Database, tiles: PosixTileStore) -> None:
    leading = make_writer(database, tiles)
    leading.place(1)

    unstarted = make_writer(database, tiles, started=False)

    assert nothing_is_signed(unstarted, ConflictError) == "log.head-moved"


class Away(NoteSigner):
    """A signer whose key is out of reach."""

    is_away = True

    def sign_checkpoint(self, size: int, root: bytes) -> str:
        if self.is_away:
            raise UnavailableError("key.away", "the key is locked away")
        return super().sign_checkpoint(size, root)


def test_a_signer_that_fails_leaves_everything_as_it_was(
    database: Database, tiles: PosixTileStore
) -> None:
    signer = Away()
    writer = make_writer(database, tiles, signer=signer)
    writer.place(300)

    assert nothing_is_signed(writer, UnavailableError) == "key.away"
    assert database.heads.load_head().size == 0
    signer.is_away = False

    assert published(writer) == replayed(database)
