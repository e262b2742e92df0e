"""Pages as lists of placed marks, free of any file format.

Both page formats of this package, PDF and OFD, are written from the same pages. A
page is measured in points (1/72 inch) from its upper left corner; A4 upright.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = [
    "BLACK",
    "PAGE_HEIGHT",
    "PAGE_WIDTH",
    "RED",
    "Colour",
    "Font",
    "Mark",
    "Page",
    "Path",
    "Point",
    "Step",
    "Text",
    "draw_seal",
    "measure",
    "rule",
]

PAGE_WIDTH = 595.28
PAGE_HEIGHT = 841.89

Font: TypeAlias = Literal["song", "times", "times-bold"]
Colour: TypeAlias = tuple[float, float, float]
Point: TypeAlias = tuple[float, float]
Step: TypeAlias = tuple[Literal["M", "L", "B", "C"], tuple[Point, ...]]

BLACK: Colour = (0.0, 0.0, 0.0)
RED: Colour = (0.84, 0.06, 0.1)

# Advance widths of Times-Roman for U+0020 to U+007E, in thousandths of the size
# (Adobe core 14 font metrics).
_TIMES_WIDTHS = (
    (250, 333, 408, 500, 500, 833, 778, 180, 333, 333, 500, 564, 250, 333, 250, 278)
    + (500,) * 10
    + (278, 278, 564, 564, 564, 444, 921, 722, 667, 667, 722, 611, 556, 722, 722, 333)
    + (389, 722, 611, 889, 722, 722, 556, 722, 667, 556, 611, 722, 722, 944, 722, 722)
    + (611, 333, 278, 333, 469, 500, 333, 444, 500, 444, 500, 444, 333, 500, 500, 278)
    + (278, 500, 278, 778, 500, 500, 500, 500, 333, 389, 278, 500, 500, 722, 500, 500)
    + (444, 480, 200, 480, 541)
)

# Distance of a control point that makes four Bezier arcs a circle.
_CIRCLE = 0.5523


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One run of text; `x` and `y` are the start of its baseline."""

    x: float
    y: float
    text: str
    size: float
    font: Font = "song"
    colour: Colour = BLACK
    angle: float = 0.0
    """Degrees, clockwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A line that is drawn if `width` is given and filled if it is not."""

    steps: tuple[Step, ...]
    width: float | None
    colour: Colour = BLACK


Mark: TypeAlias = Text | Path
Page: TypeAlias = tuple[Mark, ...]


def measure(text: str, *, size: float, font: Font) -> float:
    """Return how wide a text is.

    In the Chinese font a character of ASCII takes half a square, any other a whole
    one; the others use the widths of Times-Roman, which is a little too narrow for
    the bold cut but only ever used there for headings at the left margin.
    """
    if font == "song":
        units = sum(500 if ord(char) < 0x80 else 1000 for char in text)
    else:
        units = sum(_TIMES_WIDTHS[ord(char) - 0x20] for char in text)
    return units * size / 1000


def rule(start: Point, end: Point, *, width: float = 0.6, colour: Colour = BLACK) -> Path:
    """Return a straight line."""
    return Path(steps=(("M", (start,)), ("L", (end,))), width=width, colour=colour)


def _circle(centre: Point, radius: float, width: float) -> Path:
    x, y = centre
    near = radius * _CIRCLE
    east, south, west, north = (x + radius, y), (x, y + radius), (x - radius, y), (x, y - radius)
    steps: tuple[Step, ...] = (
        ("M", (east,)),
        ("B", ((x + radius, y + near), (x + near, y + radius), south)),
        ("B", ((x - near, y + radius), (x - radius, y + near), west)),
        ("B", ((x - radius, y - near), (x - near, y - radius), north)),
        ("B", ((x + near, y - radius), (x + radius, y - near), east)),
        ("C", ()),
    )
    return Path(steps=steps, width=width, colour=RED)


def _star(centre: Point, radius: float) -> Path:
    corners = []
    for corner in range(10):
        reach = radius if corner % 2 == 0 else radius * 0.382
        turn = math.radians(36 * corner)
        corners.append((centre[0] + reach * math.sin(turn), centre[1] - reach * math.cos(turn)))
    steps: list[Step] = [("M", (corners[0],))]
    steps.extend(("L", (corner,)) for corner in corners[1:])
    steps.append(("C", ()))
    return Path(steps=tuple(steps), width=None, colour=RED)


def draw_seal(centre: Point, *, office: str, foot: str, radius: float = 57.0) -> tuple[Mark, ...]:
    """Draw a round red seal: ring, star, the office on an arc, a word at the foot."""
    marks: list[Mark] = [_circle(centre, radius, 2.6), _star(centre, radius * 0.3)]
    size = radius * 0.29
    step = 216 / (len(office) - 1)
    for place, char in enumerate(office):
        degrees = -108 + step * place
        turn = math.radians(degrees)
        # The start of the baseline, so that the middle of the glyph lies on the arc.
        inner, aside = radius * 0.66, size / 2
        x = centre[0] + inner * math.sin(turn) - aside * math.cos(turn)
        y = centre[1] - inner * math.cos(turn) - aside * math.sin(turn)
        marks.append(Text(x=x, y=y, text=char, size=size, colour=RED, angle=degrees))
    width = measure(foot, size=size, font="song")
    marks.append(
        Text(x=centre[0] - width / 2, y=centre[1] + radius * 0.68, text=foot, size=size, colour=RED)
    )
    return tuple(marks)
