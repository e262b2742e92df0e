"""Draws a receipt and a seal as a scanner sees them, and writes them as PNG.

The image data is stored in zlib's container without compression (RFC 1950 and
RFC 1951, section 3.2.4), so that its bytes do not depend on a version of zlib.
"""

from __future__ import annotations

import itertools
import struct
import zlib

from .canvas import Canvas, make_noise
from .letters import OFFICE, SPECIMEN

__all__ = ["draw_receipt", "draw_seal_specimen", "encode_png"]

_STORED_MAX = 65_535
_DOTS_PER_METRE = 5906
_SHADES = 4

# Four shades each of paper, seal red, and ink; the last four are red over ink.
_PALETTE = (
    ((252, 249, 240), (249, 245, 234), (246, 241, 228), (240, 235, 220)),
    ((243, 205, 196), (232, 140, 130), (220, 78, 72), (204, 32, 38)),
    ((196, 196, 200), (140, 141, 152), (84, 86, 104), (36, 38, 62)),
    ((168, 120, 122), (140, 74, 80), (112, 44, 54), (84, 20, 34)),
)


def _shade(cover: int) -> int:
    return min(_SHADES - 1, cover * _SHADES // 256)


def _develop(red: Canvas, black: Canvas, seed: str) -> list[bytes]:
    """Turn two inks on noisy paper into rows of palette indexes, two pixels a byte."""
    width, faint = red.width, 40
    noise = make_noise(seed, width * red.height)
    indexes = bytearray(len(noise))
    for at, (stamp, ink, grain) in enumerate(zip(red.ink, black.ink, noise, strict=True)):
        if stamp > faint and ink > 2 * faint:
            indexes[at] = 12 + max(_shade(stamp), _shade(ink))
        elif stamp > faint:
            indexes[at] = 4 + _shade(stamp)
        elif ink > faint:
            indexes[at] = 8 + _shade(ink)
        else:
            indexes[at] = 0 if grain < 128 else 1 + (grain > 196) + (grain > 248)
    rows = (indexes[start : start + width] for start in range(0, len(indexes), width))
    return [
        bytes(left << 4 | right for left, right in zip(row[::2], row[1::2], strict=True))
        for row in rows
    ]


def _store(data: bytes) -> bytes:
    """Wrap bytes as a zlib stream of stored blocks."""
    out = bytearray(b"\x78\x01")
    for start in range(0, len(data), _STORED_MAX):
        block = data[start : start + _STORED_MAX]
        last = start + _STORED_MAX >= len(data)
        out += struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF) + block
    return bytes(out + struct.pack(">I", zlib.adler32(data)))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def encode_png(rows: list[bytes], *, title: str) -> bytes:
    """Write rows of four-bit palette indexes (PNG, third edition, section 11)."""
    header = struct.pack(">IIBBBBB", len(rows[0]) * 2, len(rows), 4, 3, 0, 0, 0)
    palette = bytes(part for shades in _PALETTE for colour in shades for part in colour)
    image = b"".join(b"\0" + row for row in rows)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            _chunk(b"IHDR", header),
            _chunk(b"PLTE", palette),
            _chunk(b"pHYs", struct.pack(">IIB", _DOTS_PER_METRE, _DOTS_PER_METRE, 1)),
            _chunk(b"iTXt", b"Title\0\0\0zh-CN\0\0" + title.encode()),
            _chunk(b"IDAT", _store(image)),
            _chunk(b"IEND", b""),
        )
    )


def _draw_form(black: Canvas) -> None:
    black.write(252, 28, "收据", size=52, width=3.6)
    black.write(480, 40, "NO. 2026-0318", size=22)
    for y in (110, 162, 214, 266, 318, 370):
        black.line((40, y + 0.0), (680, y + 2.0), 1.4)
    for x in (40, 250, 680):
        black.line((x + 0.0, 110), (x - 1.0, 371), 1.4)
    lines = (
        ("DATE", "2026年3月18日"),
        ("RECEIVED FROM", "QINGHE ARCHIVES LTD"),
        ("FOR", "TENDER BOND 2026-017"),
        ("金额 CNY", "8,600.00元"),
        ("PAID BY", "BANK TRANSFER"),
    )
    for number, (label, text) in enumerate(lines):
        y = 122 + 52 * number
        black.write(52, y, label, size=20)
        black.write(266, y - 1, text, size=25, width=2.0)
    black.write(52, 396, "CASHIER: BAI YANQIU", size=20)
    black.write(52, 440, "云河市财政局", size=24, width=1.8)
    scrawl = ((300, 420), (318, 394), (326, 424), (346, 398), (352, 420), (384, 400), (412, 416))
    for start, end in itertools.pairwise(scrawl):
        black.line(start, end, 2.2)


def draw_receipt() -> bytes:
    """Draw the scan of a receipt with a seal across the amount."""
    black, red = Canvas(720, 500), Canvas(720, 500)
    _draw_form(black)
    # The edge of the sheet and the fold, as a scanner shows them.
    black.line((0, 497), (719, 494), 3.0)
    black.line((717, 0), (714, 499), 2.4)
    red.seal(560, 366, radius=96, texts=(OFFICE, SPECIMEN), tilt=-8)
    black.wear("receipt ink", patch=3)
    red.wear("receipt seal", patch=5)
    return encode_png(_develop(red, black, "receipt paper"), title="收据 2026-0318")


def draw_seal_specimen() -> bytes:
    """Draw the impression of a seal on empty paper."""
    black, red = Canvas(400, 400), Canvas(400, 400)
    red.seal(200, 188, radius=150, texts=(OFFICE, SPECIMEN), tilt=3)
    black.write(118, 366, "2026-03-18", size=24)
    black.wear("specimen ink", patch=3)
    red.wear("specimen seal", patch=6)
    return encode_png(_develop(red, black, "specimen paper"), title="印章样章")
