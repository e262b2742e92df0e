"""Hashing documents: right digests, and none for bytes that did not stand still."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from archive_kit import code_of, open_folder, without_privileges
from vermilion_ledger.digest import digest_file, digest_stream, show_path
from vermilion_ledger.errors import (
    ConflictError,
    InputError,
    NotFoundError,
    UnavailableError,
)

MIB = 1024 * 1024
SIZES = [0, 1, 63, 64, 4096, MIB - 1, MIB, MIB + 1, 4 * MIB, 5 * MIB + 7]


@pytest.mark.parametrize("size", SIZES)
def test_the_digest_of_a_file_is_that_of_its_bytes(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    path = tmp_path / "document"
    path.write_bytes(data)
    told: list[int] = []

    digest = digest_file(path, sm3=True, progress=told.append)

    assert digest.sha256 == hashlib.sha256(data).digest()
    assert digest.sm3 == hashlib.new("sm3", data).digest()
    assert digest.size == sum(told) == size
    assert digest.identity is not None
    assert digest.identity.inode == path.stat().st_ino


def test_the_published_sm3_example_is_met() -> None:
    digest = digest_stream(io.BytesIO(b"abc"), sm3=True)

    assert digest.sm3 is not None
    assert digest.sm3.hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert digest.sha256.hex().startswith("ba7816bf8f01cfea414140de5dae2223")


def test_sm3_is_left_out_unless_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "document"
    path.write_bytes(b"x")

    assert digest_file(path).sm3 is None


@pytest.mark.parametrize("size", SIZES)
def test_the_digest_of_a_stream_is_that_of_its_bytes(size: int) -> None:
    data = os.urandom(size)

    digest = digest_stream(io.BytesIO(data))

    assert (digest.sha256, digest.size) == (hashlib.sha256(data).digest(), size)
    assert digest.identity is None


def _append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"!")


def _truncate(path: Path) -> None:
    os.truncate(path, 10)


def _rewrite(path: Path) -> None:
    status = path.stat()
    path.write_bytes(b"\0" * status.st_size)
    os.utime(path, ns=(0, status.st_mtime_ns + 1))


def _replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    other.replace(path)


@pytest.mark.parametrize("size", [100, 3 * MIB])
@pytest.mark.parametrize("change", [_append, _truncate, _rewrite, _replace])
def test_a_file_changed_while_it_is_read_is_refused(
    tmp_path: Path, size: int, change: Callable[[Path], None]
) -> None:
    path = tmp_path / "document"
    path.write_bytes(os.urandom(size))
    once = [change]

    with pytest.raises(ConflictError) as error:
        digest_file(path, progress=lambda _: once.pop()(path) if once else None)

    assert code_of(error) == "file.changed-while-read"


def test_a_file_removed_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "document"
    path.write_bytes(b"x")

    with pytest.raises(NotFoundError) as error:
        digest_file(path, progress=lambda _: path.unlink())

    assert code_of(error) == "file.vanished"


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as error:
        digest_file(tmp_path / "nothing")

    assert code_of(error) == "file.vanished"


def test_an_unreadable_file_is_refused() -> None:
    with open_folder() as folder:
        path = folder / "document"
        path.write_bytes(b"x")
        path.chmod(0)

        with without_privileges(), pytest.raises(UnavailableError) as error:
            digest_file(path)

        assert code_of(error) == "file.unreadable"


def test_a_symbolic_link_is_refused_unless_followed(tmp_path: Path) -> None:
    path, link = tmp_path / "document", tmp_path / "link"
    path.write_bytes(b"x")
    link.symlink_to(path)

    with pytest.raises(InputError) as error:
        digest_file(link)

    assert code_of(error) == "file.symlink"
    assert digest_file(link, follow=True) == digest_file(path)


def test_a_loop_of_links_is_refused_even_if_followed(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(link)

    with pytest.raises(InputError) as error:
        digest_file(link, follow=True)

    assert code_of(error) == "file.symlink"


def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    with pytest.raises(InputError) as error:
        digest_file(pipe)

    assert code_of(error) == "file.not-regular"


@pytest.mark.parametrize("path", ["/dev/zero", "/dev", "/"])
def test_what_is_no_regular_file_is_refused(path: str) -> None:
    with pytest.raises(InputError) as error:
        digest_file(path)

    assert code_of(error) == "file.not-regular"


def test_a_path_with_a_null_character_is_refused() -> None:
    with pytest.raises(InputError) as error:
        digest_file("a\0b")

    assert code_of(error) == "file.path"


def test_a_failing_disk_is_told() -> None:
    if not Path("/proc/self/mem").exists():
        pytest.skip("reading address 0 of /proc/self/mem is the failing read; there is no /proc")

    with pytest.raises(UnavailableError) as error:
        digest_file("/proc/self/mem")

    assert code_of(error) == "file.read-failed"


def test_a_file_longer_than_its_size_is_refused() -> None:
    if not Path("/proc/self/maps").exists():
        pytest.skip("/proc/self/maps, which says it has 0 bytes, is not here")

    with pytest.raises(ConflictError) as error:
        digest_file("/proc/self/maps")

    assert code_of(error) == "file.changed-while-read"


def test_a_stream_that_breaks_is_told() -> None:
    class Broken(io.RawIOBase):
        def readinto(self, buffer: object) -> int:
            raise OSError(5, "Input/output error")

    with pytest.raises(UnavailableError) as error:
        digest_stream(Broken())

    assert code_of(error) == "file.read-failed"


def test_stopping_in_the_middle_leaves_no_reader_behind(tmp_path: Path) -> None:
    path = tmp_path / "document"
    path.write_bytes(bytes(8 * MIB))
    descriptor = os.dup(0)
    os.close(descriptor)

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        digest_file(path, progress=stop)

    assert "digest-reader" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(descriptor)  # the lowest free number is free again


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("公文/合同.pdf", "公文/合同.pdf"),
        ("a\nb", "a\\nb"),
        ("合同\x1b[2J", "合同\\x1b[2J"),
        ("a\u202eb", "a\\u202eb"),
        ("a\udcffb", "a\\udcffb"),
    ],
)
def test_a_path_is_shown_without_anything_a_terminal_obeys(path: str, shown: str) -> None:
    assert show_path(path) == shown
