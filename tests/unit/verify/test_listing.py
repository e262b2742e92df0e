"""The list of trusted block hashes as a file that only grows."""

from __future__ import annotations

import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from vermilion_ledger.errors import EvidenceError
from vermilion_verify.blocks import BlockId, load_block_hashes
from vermilion_verify.listing import ListSection, append_block_hashes

A, B = b"\xaa" * 32, b"\xbb" * 32


def block(number: int, block_hash: bytes = A, *, chain_id: int = 1) -> BlockId:
    return BlockId(chain_id=chain_id, number=number, hash=block_hash)


def section(*blocks: BlockId, remark: str = "by two nodes") -> ListSection:
    return ListSection(remark=remark, blocks=blocks)


def refused(path: Path, *sections: ListSection) -> str:
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(EvidenceError) as error:
        append_block_hashes(path, sections)
    assert before == (path.read_bytes() if path.is_file() else None)
    return error.value.code


def test_a_new_list_has_its_remarks_and_lines(tmp_path: Path) -> None:
    path = tmp_path / "list"

    added = append_block_hashes(
        path, [section(block(5), block(6, B)), section(block(5, B, chain_id=7), remark="later")]
    )

    assert added == (block(5), block(6, B), block(5, B, chain_id=7))
    assert path.read_text() == (
        f"# by two nodes\n1 5 0x{A.hex()}\n1 6 0x{B.hex()}\n# later\n7 5 0x{B.hex()}\n"
    )
    assert [each.name for each in tmp_path.iterdir()] == ["list"]


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "  # by phone", "\n# end"])
def test_what_stands_there_stays_byte_for_byte(tmp_path: Path, end: str) -> None:
    path = tmp_path / "list"
    old = f"# mine\n  1 5 0x{A.hex()}\t# said by phone\n\n9 1 0x{B.hex()}{end}"
    path.write_text(old)

    assert append_block_hashes(path, [section(block(5), block(6))]) == (block(6),)

    assert path.read_text().startswith(old)
    assert len(load_block_hashes([path])) == 3


def test_a_block_that_two_sections_have_stands_once(tmp_path: Path) -> None:
    path = tmp_path / "list"

    assert append_block_hashes(path, [section(block(5)), section(block(5))]) == (block(5),)
    assert load_block_hashes([path]) == {(1, 5): A}


@pytest.mark.parametrize(
    ("old", "code"),
    [
        (f"1 5 0x{B.hex()}\n", "headers.conflict"),
        (f"1 5 0x{B.hex()}\n1 5 0x{A.hex()}\n", "headers.repeated"),
        ("no list", "headers.malformed"),
        ("\ufeff", "headers.malformed"),
    ],
)
def test_a_list_that_contradicts_or_is_none_is_left_alone(
    tmp_path: Path, old: str, code: str
) -> None:
    path = tmp_path / "list"
    path.write_text(old)

    assert refused(path, section(block(4), block(5))) == code


def test_sections_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "list", section(block(5)), section(block(5, B))) == "headers.conflict"


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    assert refused(tmp_path, section(block(5))) == "headers.unreadable"
    assert refused(Path("/dev/null"), section(block(5))) == "headers.unreadable"
    assert refused(tmp_path / "none" / "list", section(block(5))) == "headers.unwritable"
    (tmp_path / "file").write_text("")
    assert refused(tmp_path / "file" / "list", section(block(5))) == "headers.unwritable"


def test_a_list_that_would_grow_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "list"
    path.write_text(f"1 5 0x{A.hex()}\n")
    monkeypatch.setattr("vermilion_verify.blocks._FILE_SIZE_MAX", 100)

    assert refused(path, section(block(6))) == "headers.too-large"


def test_a_disk_that_fails_leaves_the_old_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "list"
    path.write_text(f"1 5 0x{A.hex()}\n")

    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)

    assert refused(path, section(block(6))) == "headers.unwritable"


def test_a_draft_that_a_crash_left_behind_is_written_over(tmp_path: Path) -> None:
    (tmp_path / ".list.new").write_text("half a li" * 1000)

    append_block_hashes(tmp_path / "list", [section(block(5))])

    assert load_block_hashes([tmp_path / "list"]) == {(1, 5): A}
    assert not (tmp_path / ".list.new").exists()


def test_a_link_stays_a_link_and_a_mode_stays_a_mode(tmp_path: Path) -> None:
    path, link = tmp_path / "list", tmp_path / "link"
    path.write_text("")
    path.chmod(0o640)
    link.symlink_to(path)

    append_block_hashes(link, [section(block(5))])

    assert link.is_symlink()
    assert load_block_hashes([path]) == {(1, 5): A}
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_writers_at_one_time_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "list"

    def write(start: int) -> None:
        for number in range(start, start + 10):
            append_block_hashes(path, [section(block(number))])

    threads = [threading.Thread(target=write, args=(100 * each,)) for each in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(load_block_hashes([path])) == 40
