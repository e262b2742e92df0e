"""Writes a long scan as one TIFF file: grey pages in strips, without compression.

Follows TIFF 6.0, sections 2 to 4 and 12. The file is written page by page; a page
takes the same room in every file, so all offsets are known beforehand.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from .canvas import Canvas, make_noise

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PAGE_SIZE", "generate_scan"]

# A4 at 200 dots per inch.
_WIDTH, _HEIGHT, _DPI = 1654, 2339, 200
_ROWS_PER_STRIP = 128
_STRIPS = -(-_HEIGHT // _ROWS_PER_STRIP)
_SHORT, _LONG, _RATIONAL, _ASCII = 3, 4, 5, 2
_SOFTWARE = b"Vermilion example maker\0"
_DATE = b"2026:04:20 09:00:00\0"
_TAGS = 16
_HEADER = 8
_VALUES = _HEADER + 2 + 12 * _TAGS + 4 - _HEADER
_DIRECTORY = _VALUES + 8 * _STRIPS + 16 + len(_SOFTWARE) + len(_DATE)

PAGE_SIZE = _DIRECTORY + _WIDTH * _HEIGHT
"""Bytes of one page in the file."""

# Scanned text: lines of black words every 48 rows between the margins.
_MARGIN, _LINE, _LETTERS, _TOP, _BOTTOM = 180, 48, 26, 320, 2120
_PAPER_ROWS = 64


def _directory(start: int, page: int, count: int) -> bytes:
    """Write the directory of the page that starts at an offset, with its values."""
    values = start + _VALUES
    strips = start + _DIRECTORY
    ratio = values + 8 * _STRIPS
    software, date = ratio + 16, ratio + 16 + len(_SOFTWARE)
    tags = (
        (254, _LONG, 1, 2),
        (256, _LONG, 1, _WIDTH),
        (257, _LONG, 1, _HEIGHT),
        (258, _SHORT, 1, 8),
        (259, _SHORT, 1, 1),
        (262, _SHORT, 1, 1),
        (273, _LONG, _STRIPS, values),
        (277, _SHORT, 1, 1),
        (278, _LONG, 1, _ROWS_PER_STRIP),
        (279, _LONG, _STRIPS, values + 4 * _STRIPS),
        (282, _RATIONAL, 1, ratio),
        (283, _RATIONAL, 1, ratio + 8),
        (296, _SHORT, 1, 2),
        (297, _SHORT, 2, page | count << 16),
        (305, _ASCII, len(_SOFTWARE), software),
        (306, _ASCII, len(_DATE), date),
    )
    sizes = [_WIDTH * min(_ROWS_PER_STRIP, _HEIGHT - row) for row in range(0, _HEIGHT, 128)]
    offsets = [strips + _WIDTH * row for row in range(0, _HEIGHT, _ROWS_PER_STRIP)]
    following = start + PAGE_SIZE if page + 1 < count else 0
    return b"".join(
        (
            struct.pack("<H", len(tags)),
            *(struct.pack("<HHII", *tag) for tag in tags),
            struct.pack("<I", following),
            struct.pack(f"<{2 * _STRIPS}I", *offsets, *sizes),
            struct.pack("<4I", _DPI, 1, _DPI, 1),
            _SOFTWARE,
            _DATE,
        )
    )


def _paper_rows() -> list[bytes]:
    """Make a few rows of paper: light grey with grain."""
    table = bytes(236 + value % 14 for value in range(256))
    noise = make_noise("scan paper", _WIDTH * _PAPER_ROWS).translate(table)
    return [noise[row * _WIDTH : (row + 1) * _WIDTH] for row in range(_PAPER_ROWS)]


def _text_row(paper: bytes, words: bytes) -> bytes:
    """Lay words over a row of paper: dark runs with gaps between them."""
    out = bytearray(paper)
    x = _MARGIN
    for word in words:
        length = 20 + word % 90
        if x + length > _WIDTH - _MARGIN:
            break
        out[x : x + length] = b"\x30\xc0\x38" * (length // 3) + b"\x30" * (length % 3)
        x += length + 14
    return bytes(out)


def _page_rows(page: int, count: int, paper: list[bytes]) -> list[bytes]:
    noise = make_noise(f"scan page {page}", _HEIGHT + 64 * _HEIGHT // _LINE)
    rows = [paper[noise[row] % _PAPER_ROWS] for row in range(_HEIGHT)]
    for top in range(_TOP, _BOTTOM, _LINE):
        words = noise[_HEIGHT + top : _HEIGHT + top + 24 - top % 7]
        inked = _text_row(paper[top % _PAPER_ROWS], words)
        rows[top : top + _LETTERS] = [inked] * _LETTERS
    canvas = Canvas(_WIDTH - 2 * _MARGIN, 48)
    canvas.write(0, 4, f"2026-1 {page + 1}/{count}", size=40, width=3.0)
    shades = bytes(240 - value * 200 // 255 for value in range(256))
    for row in range(canvas.height):
        ink = canvas.ink[row * canvas.width : (row + 1) * canvas.width].translate(shades)
        rows[200 + row] = rows[200 + row][:_MARGIN] + ink + rows[200 + row][-_MARGIN:]
    return rows


def generate_scan(count: int) -> Iterator[bytes]:
    """Generate the pieces of a TIFF file with this many pages."""
    paper = _paper_rows()
    yield struct.pack("<2sHI", b"II", 42, _HEADER)
    for page in range(count):
        yield _directory(_HEADER + page * PAGE_SIZE, page, count)
        yield b"".join(_page_rows(page, count, paper))
