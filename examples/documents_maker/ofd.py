"""Writes pages as OFD, the Chinese fixed-layout format (GB/T 33190-2016)."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from .packed import encode_zip
from .page import PAGE_HEIGHT, PAGE_WIDTH, Colour, Font, Page, Path, Text, measure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .content import Properties

__all__ = ["encode_ofd"]

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACE = 'xmlns:ofd="http://www.ofdspec.org/2016"'
_FONT_IDS: dict[Font, int] = {"song": 2, "times": 3, "times-bold": 4}
_FIRST_FREE_ID = 10
_MM = 25.4 / 72


def _mm(points: float) -> str:
    text = f"{points * _MM:.3f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _colour(colour: Colour) -> str:
    return " ".join(str(round(part * 255)) for part in colour)


def _deltas(mark: Text) -> str:
    """Return the advance after each character but the last (section 11.3)."""
    advances = (measure(char, size=mark.size, font=mark.font) for char in mark.text[:-1])
    text = " ".join(_mm(advance) for advance in advances)
    return f' DeltaX="{text}"' if text else ""


def _encode_text(mark: Text, identifier: int) -> str:
    width = measure(mark.text, size=mark.size, font=mark.font)
    box, turn = f"{_mm(mark.x)} {_mm(mark.y - mark.size)}", ""
    origin = f'X="0" Y="{_mm(mark.size)}"'
    if mark.angle:
        radians = math.radians(mark.angle)
        cos, sin = (
            f"{round(part, 4) + 0.0:.4f}" for part in (math.cos(radians), math.sin(radians))
        )
        back = f"{-round(math.sin(radians), 4) + 0.0:.4f}"
        # The box of a turned glyph reaches one square to every side of its origin.
        box = f"{_mm(mark.x - mark.size)} {_mm(mark.y - mark.size)}"
        turn = f' CTM="{cos} {sin} {back} {cos} {_mm(mark.size)} {_mm(mark.size)}"'
        origin, extent = 'X="0" Y="0"', f"{_mm(mark.size * 2)} {_mm(mark.size * 2)}"
    else:
        extent = f"{_mm(width)} {_mm(mark.size * 1.3)}"
    return (
        f'<ofd:TextObject ID="{identifier}" Boundary="{box} {extent}"{turn} '
        f'Font="{_FONT_IDS[mark.font]}" Size="{_mm(mark.size)}">'
        f'<ofd:FillColor Value="{_colour(mark.colour)}"/>'
        f"<ofd:TextCode {origin}{_deltas(mark)}>{escape(mark.text)}</ofd:TextCode>"
        "</ofd:TextObject>"
    )


def _encode_path(mark: Path, identifier: int) -> str:
    steps = " ".join(
        " ".join([step, *(f"{_mm(x)} {_mm(y)}" for x, y in points)]) for step, points in mark.steps
    )
    if mark.width is None:
        style = 'Stroke="false" Fill="true"'
        paint = f'<ofd:FillColor Value="{_colour(mark.colour)}"/>'
    else:
        style = f'LineWidth="{_mm(mark.width)}"'
        paint = f'<ofd:StrokeColor Value="{_colour(mark.colour)}"/>'
    return (
        f'<ofd:PathObject ID="{identifier}" '
        f'Boundary="0 0 {_mm(PAGE_WIDTH)} {_mm(PAGE_HEIGHT)}" {style}>'
        f"{paint}<ofd:AbbreviatedData>{steps}</ofd:AbbreviatedData></ofd:PathObject>"
    )


def _encode_page(page: Page, identifiers: Iterator[int]) -> str:
    layer = next(identifiers)
    objects = "\n".join(
        _encode_text(mark, next(identifiers))
        if isinstance(mark, Text)
        else _encode_path(mark, next(identifiers))
        for mark in page
    )
    return (
        f"{_HEAD}<ofd:Page {_NAMESPACE}>\n"
        f'<ofd:Content>\n<ofd:Layer ID="{layer}" Type="Body">\n{objects}\n'
        "</ofd:Layer>\n</ofd:Content>\n</ofd:Page>\n"
    )


def _root(properties: Properties, identifier: str) -> str:
    return (
        f'{_HEAD}<ofd:OFD {_NAMESPACE} Version="1.0" DocType="OFD">\n<ofd:DocBody>\n'
        f"<ofd:DocInfo>\n<ofd:DocID>{identifier}</ofd:DocID>\n"
        f"<ofd:Title>{escape(properties.title)}</ofd:Title>\n"
        f"<ofd:Author>{escape(properties.author)}</ofd:Author>\n"
        f"<ofd:CreationDate>{properties.created:%Y-%m-%d}</ofd:CreationDate>\n"
        "<ofd:Creator>Vermilion example maker</ofd:Creator>\n</ofd:DocInfo>\n"
        "<ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot>\n</ofd:DocBody>\n</ofd:OFD>\n"
    )


def _document(page_ids: list[int], last_id: int) -> str:
    pages = "\n".join(
        f'<ofd:Page ID="{identifier}" BaseLoc="Pages/Page_{place}/Content.xml"/>'
        for place, identifier in enumerate(page_ids)
    )
    return (
        f"{_HEAD}<ofd:Document {_NAMESPACE}>\n<ofd:CommonData>\n"
        f"<ofd:MaxUnitID>{last_id}</ofd:MaxUnitID>\n"
        f"<ofd:PageArea><ofd:PhysicalBox>0 0 {_mm(PAGE_WIDTH)} {_mm(PAGE_HEIGHT)}"
        "</ofd:PhysicalBox></ofd:PageArea>\n"
        "<ofd:PublicRes>PublicRes.xml</ofd:PublicRes>\n</ofd:CommonData>\n"
        f"<ofd:Pages>\n{pages}\n</ofd:Pages>\n</ofd:Document>\n"
    )


def _resources() -> str:
    return (
        f'{_HEAD}<ofd:Res {_NAMESPACE} BaseLoc="Res">\n<ofd:Fonts>\n'
        '<ofd:Font ID="2" FontName="\u5b8b\u4f53" FamilyName="\u5b8b\u4f53" Charset="unicode"/>\n'
        '<ofd:Font ID="3" FontName="Times New Roman" FamilyName="Times New Roman"/>\n'
        '<ofd:Font ID="4" FontName="Times New Roman" FamilyName="Times New Roman" Bold="true"/>\n'
        "</ofd:Fonts>\n</ofd:Res>\n"
    )


def encode_ofd(pages: tuple[Page, ...], properties: Properties) -> bytes:
    """Write an OFD file.

    The document identifier is the digest of the pages, so that the same pages
    always give the same bytes.
    """
    identifiers = iter(range(_FIRST_FREE_ID, 100_000))
    page_ids, contents = [], {}
    for place, page in enumerate(pages):
        page_ids.append(next(identifiers))
        contents[f"Doc_0/Pages/Page_{place}/Content.xml"] = _encode_page(page, identifiers)
    digest = hashlib.sha256("".join(contents.values()).encode()).hexdigest()[:32]
    return encode_zip(
        {
            "OFD.xml": _root(properties, digest),
            "Doc_0/Document.xml": _document(page_ids, next(identifiers)),
            "Doc_0/PublicRes.xml": _resources(),
            **contents,
        }
    )
