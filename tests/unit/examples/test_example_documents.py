"""The example documents are made by the project, and made the same every time."""

from __future__ import annotations

import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
COMMITTED = ROOT / "examples" / "documents"
LARGE_SIZE_MIN = 64 * 2**20


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    subprocess.run(
        [sys.executable, ROOT / "examples" / "make_documents.py", folder],
        check=True,
        capture_output=True,
    )
    return folder


def test_the_maker_gives_the_committed_bytes_again(made: Path) -> None:
    committed = {path.name: path.read_bytes() for path in COMMITTED.iterdir()}
    again = {path.name: path.read_bytes() for path in made.iterdir() if path.name in committed}

    assert again == committed


def test_one_file_more_is_made_on_the_fly_and_it_is_large(made: Path) -> None:
    more = [path for path in made.iterdir() if not (COMMITTED / path.name).exists()]

    assert [path.stat().st_size > LARGE_SIZE_MIN for path in more] == [True]


def test_there_are_documents_of_every_kind_with_names_of_both_languages() -> None:
    names = [path.name for path in COMMITTED.iterdir()]

    kinds = {Path(name).suffix for name in names}
    assert len(names) >= 12
    assert {".pdf", ".ofd", ".docx", ".xlsx", ".png", ".txt"} <= kinds
    assert any(name.isascii() for name in names)
    assert any(not name.isascii() for name in names)
    assert any(path.stat().st_size == 0 for path in COMMITTED.iterdir())


def test_packed_documents_are_sound() -> None:
    packed = [path for path in COMMITTED.iterdir() if path.suffix in {".docx", ".xlsx", ".ofd"}]

    assert packed
    for path in packed:
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None


def test_cross_reference_tables_of_pdfs_point_at_their_objects() -> None:
    for path in COMMITTED.glob("*.pdf"):
        data = path.read_bytes()
        start = int(data.rpartition(b"startxref\n")[2].split()[0])
        lines = data[start:].split(b"\n")
        assert lines[0].strip() == b"xref"
        count = int(lines[1].split()[1])
        for number, line in enumerate(lines[3 : 2 + count], start=1):
            offset = int(line.split()[0])
            assert data[offset:].startswith(b"%d 0 obj" % number)


def test_checksums_of_pictures_hold() -> None:
    for path in COMMITTED.glob("*.png"):
        data, place = path.read_bytes(), 8
        while place < len(data):
            size = int.from_bytes(data[place : place + 4], "big")
            chunk = data[place + 4 : place + 8 + size]
            stated = int.from_bytes(data[place + 8 + size : place + 12 + size], "big")
            assert zlib.crc32(chunk) == stated
            place += 12 + size
