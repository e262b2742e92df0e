"""Writes pages as PDF 1.7 (ISO 32000-1) without compression and without clock.

Chinese text uses the predefined character map UniGB-UCS2-H with the standard font
name STSong-Light (ISO 32000-1, section 9.7.5.2), so no font has to be embedded.
"""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING

from .page import PAGE_HEIGHT, PAGE_WIDTH, Font, Page, Path, Point, Text

if TYPE_CHECKING:
    from .content import Properties

__all__ = ["encode_pdf"]

_FONT_NAMES: dict[Font, str] = {"song": "F1", "times": "F2", "times-bold": "F3"}

# Objects 1 to 9 are the same in every file; pages follow, two objects each.
_FIRST_PAGE = 10


def _number(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _point(point: Point) -> str:
    """Return a point with the origin moved to the lower left corner."""
    return f"{_number(point[0])} {_number(PAGE_HEIGHT - point[1])}"


def _hex(text: str) -> str:
    return text.encode("utf-16-be").hex().upper()


def _string(text: str) -> str:
    escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"({escaped})"


def _encode_text(mark: Text) -> str:
    turn = math.radians(-mark.angle)
    cos, sin = round(math.cos(turn), 4), round(math.sin(turn), 4)
    matrix = f"{_number4(cos)} {_number4(sin)} {_number4(-sin)} {_number4(cos)}"
    shown = f"<{_hex(mark.text)}>" if mark.font == "song" else _string(mark.text)
    colour = " ".join(_number(part) for part in mark.colour)
    return (
        f"BT {colour} rg /{_FONT_NAMES[mark.font]} {_number(mark.size)} Tf "
        f"{matrix} {_point((mark.x, mark.y))} Tm {shown} Tj ET"
    )


def _number4(value: float) -> str:
    return f"{value + 0.0:.4f}".rstrip("0").rstrip(".")


def _encode_path(mark: Path) -> str:
    operators = {"M": "m", "L": "l", "B": "c", "C": "h"}
    colour = " ".join(_number(part) for part in mark.colour)
    steps = " ".join(
        " ".join([*(_point(point) for point in points), operators[step]])
        for step, points in mark.steps
    )
    if mark.width is None:
        return f"{colour} rg {steps} f"
    return f"{colour} RG {_number(mark.width)} w {steps} S"


def _encode_content(page: Page) -> bytes:
    lines = (_encode_text(mark) if isinstance(mark, Text) else _encode_path(mark) for mark in page)
    return "\n".join(lines).encode("ascii")


def _stream(content: bytes) -> bytes:
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)


def _fixed_objects(properties: Properties, kids: str, count: int) -> list[str]:
    moment = properties.created.strftime("D:%Y%m%d%H%M%S+08'00'")
    latin = "<< /Type /Font /Subtype /Type1 /BaseFont /{} /Encoding /WinAnsiEncoding >>"
    return [
        (
            f"<< /Type /Catalog /Pages 2 0 R /Lang ({properties.language}) "
            "/ViewerPreferences << /DisplayDocTitle true >> >>"
        ),
        f"<< /Type /Pages /Kids [{kids}] /Count {count} >>",
        (
            "<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light-UniGB-UCS2-H "
            "/Encoding /UniGB-UCS2-H /DescendantFonts [4 0 R] >>"
        ),
        (
            "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo "
            "<< /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> /FontDescriptor 5 0 R "
            "/DW 1000 /W [1 95 500 814 939 500] >>"
        ),
        (
            "<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6"
            " /FontBBox [-25 -254 1000 880]"
            " /ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>"
        ),
        latin.format("Times-Roman"),
        latin.format("Times-Bold"),
        "<< /Font << /F1 3 0 R /F2 6 0 R /F3 7 0 R >> >>",
        (
            f"<< /Title <FEFF{_hex(properties.title)}> /Author <FEFF{_hex(properties.author)}> "
            f"/Producer (Vermilion example maker) /CreationDate ({moment}) /ModDate ({moment}) >>"
        ),
    ]


def encode_pdf(pages: tuple[Page, ...], properties: Properties) -> bytes:
    """Write a PDF file.

    The file identifier is the digest of everything before it, not of a clock, so
    the same pages always give the same bytes.
    """
    kids = " ".join(f"{_FIRST_PAGE + 2 * place} 0 R" for place in range(len(pages)))
    bodies = [text.encode("ascii") for text in _fixed_objects(properties, kids, len(pages))]
    box = f"[0 0 {_number(PAGE_WIDTH)} {_number(PAGE_HEIGHT)}]"
    for place, page in enumerate(pages):
        content = _FIRST_PAGE + 2 * place + 1
        bodies.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox {box} /Resources 8 0 R "
            f"/Contents {content} 0 R >>".encode("ascii")
        )
        bodies.append(_stream(_encode_content(page)))
    out = bytearray(b"%PDF-1.7\n%\xe4\xba\x91\xe6\xb2\xb3\n")
    offsets = []
    for number, body in enumerate(bodies, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    identifier = hashlib.sha256(out).hexdigest()[:32].upper()
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    for offset in offsets:
        out += b"%010d 00000 n \n" % offset
    out += (
        f"trailer\n<< /Size {len(bodies) + 1} /Root 1 0 R /Info 9 0 R "
        f"/ID [<{identifier}> <{identifier}>] >>\nstartxref\n{start}\n%%EOF\n"
    ).encode("ascii")
    return bytes(out)
