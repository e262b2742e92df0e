"""Sets paragraphs, tables and letterheads onto pages.

The geometry of official letters follows GB/T 9704-2012, section 5: a type area of
156 mm by 225 mm, 22 lines a page, 28 characters a line, number three type (16 pt).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, TypeAlias

from .content import Heading
from .page import (
    BLACK,
    PAGE_HEIGHT,
    PAGE_WIDTH,
    RED,
    Colour,
    Font,
    Mark,
    Page,
    Text,
    draw_seal,
    measure,
    rule,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .content import Letter, Paper, Table

__all__ = ["Flow", "lay_out_letter", "lay_out_paper", "wrap"]

# Marks that may not open a line: they hang over the end of the one before.
_CLOSING = frozenset("\uff0c\u3002\uff1b\uff1a\u3001\uff09\u300b\u3015\u201d\uff1f\uff01")
_TOKEN = re.compile(r"[!-~]+ *| +|.")

_MM = 72 / 25.4
_SONG: Font = "song"
_BOLD: Font = "times-bold"

Align: TypeAlias = Literal["left", "centre", "right"]


def wrap(text: str, *, size: float, font: Font, width: float, indent: float = 0.0) -> list[str]:
    """Break a paragraph into lines; the first is `indent` shorter.

    Words and numbers stay whole, Chinese text breaks anywhere except before a
    closing mark.
    """
    lines, line, used = [], "", indent
    for token in _TOKEN.findall(text):
        advance = measure(token.rstrip(" "), size=size, font=font)
        if line and used + advance > width + 0.01 and token not in _CLOSING:
            lines.append(line.rstrip(" "))
            line, used = "", 0.0
        line += token
        used += measure(token, size=size, font=font)
    lines.append(line.rstrip(" "))
    return lines


class Flow:
    """A cursor that walks down the pages and opens a new one at the foot."""

    def __init__(self, *, font: Font, size: float, leading: float) -> None:
        self.font: Font = font
        self.size = size
        self.leading = leading
        self.left = 28 * _MM
        self.width = 28 * 16.0
        self.foot = (37 + 225) * _MM
        self.y = 37 * _MM
        self._pages: list[list[Mark]] = [[]]

    def add(self, *marks: Mark) -> None:
        """Put marks on the current page."""
        self._pages[-1].extend(marks)

    def space(self, height: float) -> None:
        """Move down, to a new page if less than this height is left."""
        if self.y + height > self.foot:
            self._pages.append([])
            self.y = 37 * _MM
        else:
            self.y += height

    def write(
        self,
        text: str,
        *,
        align: Align = "left",
        indent: float = 0.0,
        size: float | None = None,
        font: Font | None = None,
        colour: Colour = BLACK,
        inset: float = 0.0,
    ) -> None:
        """Set one paragraph.

        Args:
            text: The paragraph, without line breaks.
            align: Where each line stands.
            indent: Additional room before the first line.
            size: Type size, if not that of the flow.
            font: Font, if not that of the flow.
            colour: Colour of the text.
            inset: Room kept free at the side the lines stand at.
        """
        size = size or self.size
        font = font or self.font
        leading = max(self.leading, size * 1.35)
        width = self.width - inset
        lines = wrap(text, size=size, font=font, width=width, indent=indent)
        for number, line in enumerate(lines):
            self.space(leading)
            room = width - measure(line, size=size, font=font)
            x = (
                self.left
                + {
                    "left": inset + (indent if number == 0 else 0.0),
                    "centre": (inset + room) / 2,
                    "right": room,
                }[align]
            )
            self.add(Text(x=x, y=self.y, text=line, size=size, font=font, colour=colour))

    def table(self, table: Table) -> None:
        """Set a ruled table; columns of numbers stand at the right."""
        size, pad = self.size * 0.8, 4.0
        height = size * 1.9
        self.space(self.size * 0.6)
        edges = [self.left]
        for share in table.shares:
            edges.append(edges[-1] + self.width * share)
        for row in (table.head, *table.rows):
            self.space(height)
            top, base = self.y - height, self.y - height * 0.34
            self.add(rule((edges[0], self.y), (edges[-1], self.y)))
            if row is table.head:
                self.add(rule((edges[0], top), (edges[-1], top)))
            self.add(*(rule((edge, top), (edge, self.y)) for edge in edges))
            for column, cell in enumerate(row):
                x = edges[column] + pad
                if column in table.numbers:
                    x = edges[column + 1] - pad - measure(cell, size=size, font=self.font)
                self.add(Text(x=x, y=base, text=cell, size=size, font=self.font))
        self.space(self.size * 0.6)

    def seal(self, *, office: str, foot: str, x: float) -> None:
        """Stamp the round seal across the lines just set."""
        self.add(*draw_seal((x, self.y - self.size), office=office, foot=foot))

    def pages(self) -> tuple[Page, ...]:
        """Return the pages with their numbers at the foot."""
        numbered: list[Page] = []
        for number, marks in enumerate(self._pages, start=1):
            text = f"- {number} -"
            x = (PAGE_WIDTH - measure(text, size=12, font="times")) / 2
            foot = Text(x=x, y=PAGE_HEIGHT - 25 * _MM, text=text, size=12, font="times")
            numbered.append((*marks, foot))
        return tuple(numbered)


def _set_head(flow: Flow, letter: Letter) -> None:
    flow.space(30)
    size = min(40.0, flow.width / len(letter.letterhead))
    flow.write(letter.letterhead, align="centre", size=size, colour=RED)
    flow.space(14)
    if letter.signer:
        flow.write(letter.number, inset=16)
        signer = Text(
            x=flow.left + flow.width - measure(letter.signer, size=16, font="song") - 16,
            y=flow.y,
            text=letter.signer,
            size=16,
        )
        flow.add(signer)
    else:
        flow.write(letter.number, align="centre")
    flow.space(12)
    flow.add(rule((flow.left, flow.y), (flow.left + flow.width, flow.y), width=1.8, colour=RED))
    flow.space(14)
    for line in letter.title:
        flow.write(line, align="centre", size=22)
    flow.space(14)


def _set_imprint(flow: Flow, rows: Sequence[tuple[str, str]]) -> None:
    """Set the imprint (copies to, printed by, date) at the foot of the page."""
    leading = 24.0
    if flow.y > flow.foot - leading * (len(rows) + 1):
        flow.space(flow.foot)
    right = flow.left + flow.width
    y = flow.foot - leading * len(rows)
    flow.add(rule((flow.left, y), (right, y), width=1.0))
    for number, (start, end) in enumerate(rows, start=1):
        y += leading
        flow.add(Text(x=flow.left + 14, y=y - 7, text=start, size=14))
        x = right - 14 - measure(end, size=14, font="song")
        flow.add(Text(x=x, y=y - 7, text=end, size=14))
        flow.add(rule((flow.left, y), (right, y), width=1.0 if number == len(rows) else 0.5))


def lay_out_letter(letter: Letter) -> tuple[Page, ...]:
    """Set an official letter, from the red letterhead to the imprint."""
    flow = Flow(font="song", size=16.0, leading=28.9)
    _set_head(flow, letter)
    if letter.recipients:
        flow.write(letter.recipients)
    for part in letter.body:
        if isinstance(part, str):
            flow.write(part, indent=32)
        else:
            flow.table(part)
    for attachment in letter.attachments:
        flow.write(attachment, indent=32)
    # The signature keeps together with the seal that covers it.
    if flow.y > flow.foot - 5 * flow.leading:
        flow.space(flow.foot)
    flow.space(2 * flow.leading)
    width = measure(letter.office, size=16, font="song")
    flow.write(letter.office, align="right", inset=64)
    flow.write(letter.date, align="right", inset=64)
    if letter.seal_foot:
        middle = flow.left + flow.width - 64 - width / 2
        flow.seal(office=letter.office, foot=letter.seal_foot, x=middle)
    if letter.note:
        flow.space(flow.leading * 0.6)
        flow.write(letter.note, indent=32)
    _set_imprint(flow, letter.imprint)
    return flow.pages()


def _set_signatures(flow: Flow, paper: Paper) -> None:
    if flow.y > flow.foot - 9 * flow.leading:
        flow.space(flow.foot)
    flow.space(2.5 * flow.leading)
    columns = (flow.left, flow.left + flow.width * 0.52)
    for row in paper.signatures:
        flow.space(flow.leading * 1.2)
        for x, text in zip(columns, row, strict=True):
            flow.add(Text(x=x, y=flow.y, text=text, size=flow.size, font=flow.font))
    for x, office in zip(columns, paper.seals, strict=False):
        width = measure(office, size=flow.size, font=flow.font)
        flow.seal(office=office, foot=paper.seal_foot, x=x + width / 2)


def lay_out_paper(paper: Paper, *, chinese: bool) -> tuple[Page, ...]:
    """Set a paper, from the title to the signature block."""
    if chinese:
        flow, bold, indent = Flow(font="song", size=12.0, leading=21.0), _SONG, 24.0
    else:
        flow, bold, indent = Flow(font="times", size=11.5, leading=16.5), _BOLD, 0.0
    align: Align = "centre" if chinese else "left"
    flow.write(paper.title, align=align, size=flow.size * 1.6, font=bold)
    flow.space(flow.leading * 0.4)
    for line in paper.subtitle:
        flow.write(line, align=align)
    flow.space(flow.leading * 0.4)
    flow.add(rule((flow.left, flow.y), (flow.left + flow.width, flow.y)))
    flow.space(flow.leading * 0.4)
    for part in paper.parts:
        if isinstance(part, str):
            flow.write(part, indent=indent)
            flow.space(0.0 if chinese else flow.leading * 0.35)
        elif isinstance(part, Heading):
            flow.space(flow.leading * 0.3)
            flow.write(part.text, size=flow.size * 1.08, font=bold)
        else:
            flow.table(part)
    _set_signatures(flow, paper)
    return flow.pages()
