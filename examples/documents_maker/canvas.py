"""A sheet of paper to draw on: two inks, kept as coverage for each pixel."""

from __future__ import annotations

import hashlib
import itertools
import math
from typing import TYPE_CHECKING, TypeAlias

from .strokes import advance, strokes_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Canvas", "Placing", "make_noise", "placed", "turned"]

Placing: TypeAlias = "Callable[[float, float], tuple[float, float]]"
"""Moves a point of the unit square to the paper."""


def make_noise(seed: str, size: int) -> bytes:
    """Return bytes that look random and depend on the seed only."""
    return hashlib.shake_128(seed.encode()).digest(size)


def placed(x: float, y: float, size: float) -> Placing:
    """Place the unit square upright, its upper left corner at a point."""
    return lambda u, v: (x + u * size, y + v * size)


def turned(x: float, y: float, size: float, degrees: float) -> Placing:
    """Place the unit square with its middle at a point, turned clockwise.

    Sine and cosine are rounded, so that a difference in the last place between two
    mathematics libraries cannot move a pixel.
    """
    turn = math.radians(degrees)
    cos, sin = round(math.cos(turn), 6), round(math.sin(turn), 6)

    def place(u: float, v: float) -> tuple[float, float]:
        across, down = (u - 0.5) * size, (v - 0.5) * size
        return x + across * cos - down * sin, y + across * sin + down * cos

    return place


class Canvas:
    """Coverage from 0 to 255 of one ink, for each pixel."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self.ink = bytearray(width * height)

    def dot(self, x: int, y: int, cover: float) -> None:
        """Darken one pixel to at least this coverage, from 0 to 1."""
        if 0 <= x < self.width and 0 <= y < self.height and cover > 0:
            at = y * self.width + x
            self.ink[at] = max(self.ink[at], min(255, int(cover * 255)))

    def line(self, start: tuple[float, float], end: tuple[float, float], width: float) -> None:
        """Draw a line with round ends."""
        (x0, y0), (x1, y1) = start, end
        dx, dy = x1 - x0, y1 - y0
        length = dx * dx + dy * dy or 1e-9
        reach = width / 2 + 1
        for y in range(int(min(y0, y1) - reach), int(max(y0, y1) + reach) + 1):
            for x in range(int(min(x0, x1) - reach), int(max(x0, x1) + reach) + 1):
                along = max(0.0, min(1.0, ((x - x0) * dx + (y - y0) * dy) / length))
                off_x, off_y = x - x0 - along * dx, y - y0 - along * dy
                self.dot(x, y, width / 2 + 0.5 - math.sqrt(off_x * off_x + off_y * off_y))

    def ring(self, x: float, y: float, radius: float, width: float) -> None:
        """Draw a circle."""
        reach = int(radius + width) + 1
        for row in range(int(y) - reach, int(y) + reach + 1):
            for column in range(int(x) - reach, int(x) + reach + 1):
                distance = math.sqrt((column - x) ** 2 + (row - y) ** 2)
                self.dot(column, row, width / 2 + 0.5 - abs(distance - radius))

    def star(self, x: float, y: float, radius: float, degrees: float) -> None:
        """Fill a star with five points."""
        place = turned(x, y, 2 * radius, degrees)
        corners = []
        for corner in range(10):
            reach = 0.5 if corner % 2 == 0 else 0.191
            turn = math.radians(36 * corner)
            across, up = round(math.sin(turn), 6), round(math.cos(turn), 6)
            corners.append(place(0.5 + reach * across, 0.5 - reach * up))
        edges = list(zip(corners, corners[1:] + corners[:1], strict=True))
        for row in range(int(y - radius) - 1, int(y + radius) + 2):
            crossings = sorted(
                x0 + (row - y0) * (x1 - x0) / (y1 - y0)
                for (x0, y0), (x1, y1) in edges
                if (y0 <= row) != (y1 <= row)
            )
            for left, right in zip(crossings[::2], crossings[1::2], strict=True):
                for column in range(int(left) + 1, int(right) + 1):
                    self.dot(column, row, 1.0)

    def glyph(self, char: str, place: Placing, width: float) -> None:
        """Draw one letter with a pen of this width."""
        for stroke in strokes_of(char):
            points = [place(u, v) for u, v in stroke]
            for start, end in itertools.pairwise(points):
                self.line(start, end, width)

    def write(self, x: float, y: float, text: str, *, size: float, width: float = 1.6) -> None:
        """Draw a line of letters from its upper left corner."""
        for char in text:
            self.glyph(char, placed(x, y, size), width)
            x += size * (advance(char) + 0.06)

    def seal(
        self, x: float, y: float, *, radius: float, texts: tuple[str, str], tilt: float
    ) -> None:
        """Stamp a round seal: the office on an arc, a star, a word at the foot."""
        office, foot = texts
        self.ring(x, y, radius, radius * 0.05)
        self.star(x, y, radius * 0.3, tilt)
        size, pen = radius * 0.27, radius * 0.035
        step = 216 / (len(office) - 1)
        for number, char in enumerate(office):
            degrees = -108 + step * number + tilt
            turn = math.radians(degrees)
            across, up = round(math.sin(turn), 6), round(math.cos(turn), 6)
            reach = radius * 0.76
            self.glyph(char, turned(x + reach * across, y - reach * up, size, degrees), pen)
        lean = math.radians(tilt)
        cos, sin = round(math.cos(lean), 6), round(math.sin(lean), 6)
        for number, char in enumerate(foot):
            across, down = (number - (len(foot) - 1) / 2) * size * 1.15, radius * 0.58
            middle = (x + across * cos - down * sin, y + across * sin + down * cos)
            self.glyph(char, turned(*middle, size, tilt), pen)

    def wear(self, seed: str, *, patch: int) -> None:
        """Take ink away at random, in patches of this size, as on rough paper."""
        coarse = make_noise(seed, (self.width // patch + 1) * (self.height // patch + 1))
        fine = make_noise(f"{seed} fine", self.width * self.height)
        across = self.width // patch + 1
        for at, cover in enumerate(self.ink):
            if cover:
                y, x = divmod(at, self.width)
                rough = coarse[y // patch * across + x // patch]
                self.ink[at] = cover * (205 + min(50, rough) - (fine[at] % 90)) // 255
