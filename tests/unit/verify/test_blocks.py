"""Lists of trusted block hashes (FORMATS section 8)."""

from __future__ import annotations

from pathlib import Path

import pytest

from vermilion_ledger.errors import EvidenceError
from vermilion_verify.blocks import load_block_hashes, parse_block_hashes

A, B = "0x" + "aa" * 32, "0x" + "bb" * 32


def test_lines_comments_and_blank_lines_are_read() -> None:
    text = f"# trusted\n\n1 5 {A}\n  31337 5 {B}\t# said by phone\n"

    assert parse_block_hashes(text.encode()) == {(1, 5): b"\xaa" * 32, (31337, 5): b"\xbb" * 32}
    assert parse_block_hashes(b"") == {}


@pytest.mark.parametrize(
    "line",
    [
        f"1 5 {A[2:]}",
        f"1 5 {A.upper()}",
        f"1 5 {A}00",
        f"1 05 {A}",
        f"1  5 {A}",
        f"-1 5 {A}",
        f"1 5 {A} x",
        f"1,5,{A}",
        f"1 5 {A}\r",
        f"٣ 5 {A}",
        "1 5",
        "\ufeff# list",
    ],
)
def test_a_malformed_line_is_refused(line: str) -> None:
    with pytest.raises(EvidenceError) as error:
        parse_block_hashes(line.encode())

    assert error.value.code == "headers.malformed"


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(EvidenceError, match="UTF-8"):
        parse_block_hashes(b"\xff")


@pytest.mark.parametrize("second", [A, B])
def test_a_height_stands_once_in_a_list(second: str) -> None:
    with pytest.raises(EvidenceError) as error:
        parse_block_hashes(f"1 5 {A}\n1 5 {second}\n".encode())

    assert error.value.code == "headers.repeated"


def test_two_lists_may_agree_but_not_differ(tmp_path: Path) -> None:
    first, same, other = (tmp_path / name for name in ("first", "same", "other"))
    first.write_text(f"1 5 {A}\n")
    same.write_text(f"1 5 {A}\n1 6 {B}\n")
    other.write_text(f"1 5 {B}\n")

    assert len(load_block_hashes([first, same])) == 2
    with pytest.raises(EvidenceError) as error:
        load_block_hashes([first, other])
    assert error.value.code == "headers.conflict"


def test_a_list_that_cannot_be_read_is_missing_unreadable_or_too_large(tmp_path: Path) -> None:
    for path, refused in (
        (tmp_path / "none", "headers.missing"),
        (Path("a\0b"), "headers.missing"),
        (tmp_path, "headers.unreadable"),
        (Path("/dev/zero"), "headers.too-large"),
    ):
        with pytest.raises(EvidenceError) as error:
            load_block_hashes([path])
        assert error.value.code == refused
