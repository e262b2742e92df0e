"""Hashing many files: in order, side by side, and stopped at once."""

from __future__ import annotations

import hashlib
import threading
import time
from pathlib import Path

import pytest

from vermilion_hooks.hashing import Hashed, hash_files
from vermilion_hooks.walk import Failed, Found, Skipped, find_roots, walk

MIB = 1024 * 1024


def _nothing(_: int) -> None:
    return


def test_results_keep_the_order_of_the_files(tmp_path: Path) -> None:
    sizes = [9 * MIB, 1, 5 * MIB, 0, 4 * MIB, 4 * MIB - 1, 6 * MIB, 2]
    for number, size in enumerate(sizes):
        (tmp_path / str(number)).write_bytes(bytes([number]) * size)
    (tmp_path / "link").symlink_to("0")

    results = list(hash_files(walk(find_roots([str(tmp_path)])), workers=3, progress=_nothing))

    assert isinstance(results[-1], Skipped)
    for number, (size, result) in enumerate(zip(sizes, results[:-1], strict=True)):
        assert isinstance(result, Hashed)
        assert result.path == str(tmp_path / str(number))
        assert result.digest.sha256 == hashlib.sha256(bytes([number]) * size).digest()


def test_a_failure_stands_in_its_place(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).write_bytes(bytes(5 * MIB))
    items = list(walk(find_roots([str(tmp_path)])))
    (tmp_path / "b").unlink()

    results = list(hash_files(items, workers=2, progress=_nothing))

    assert [type(each) for each in results] == [Hashed, Failed, Hashed]
    assert isinstance(results[1], Failed)
    assert results[1].error.code == "file.vanished"


def test_the_walk_is_not_read_far_ahead(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(5 * MIB))
    found = next(walk((str(path),)))
    assert isinstance(found, Found)
    taken: list[Found] = []

    def endless() -> object:
        while True:
            taken.append(found)
            yield found

    results = hash_files(endless(), workers=2, progress=_nothing)  # type: ignore[arg-type]
    next(results)
    results.close()

    assert len(taken) <= 4


def test_closing_stops_the_files_at_work(tmp_path: Path) -> None:
    for name in "abcd":
        with (tmp_path / name).open("wb") as file:
            file.truncate(20_000 * MIB)  # no blocks on disk, and far too long to wait for
    (tmp_path / "_").write_bytes(b"first")

    results = hash_files(walk(find_roots([str(tmp_path)])), workers=2, progress=_nothing)
    assert isinstance(next(results), Hashed)
    started = time.monotonic()
    results.close()

    assert time.monotonic() - started < 10
    assert not any(thread.name.startswith(("hash", "digest")) for thread in threading.enumerate())


@pytest.mark.parametrize("size", [10, 5 * MIB])
def test_an_interrupt_while_hashing_gets_through(tmp_path: Path, size: int) -> None:
    (tmp_path / "a").write_bytes(bytes(size))

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(hash_files(walk((str(tmp_path),)), workers=2, progress=interrupt))
