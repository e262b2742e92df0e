"""Letters as strokes of a pen, drawn by hand for this project.

Each letter is a list of strokes; each stroke is a row of points, two hexadecimal
digits a point: x to the right, y downwards, both from 0 to 15. Latin letters use the
left half of the square.
"""

from __future__ import annotations

__all__ = ["advance", "strokes_of"]

_GLYPHS = {
    "云": "43c3 17e7 773dcc a9de",
    "河": "2244 1638 1e4a 53f3 76a6aa7a76 d3dfbd",
    "市": "7182 13e3 3d36c6cdac 838f",
    "财": "1a12626a 444a1e 4b6e 75f5 c1cead c67c",
    "政": "1272 424d 4777 262d 0d8c a187 94f4 d4c98f 97bbff",
    "局": "21d1d525 21280f 38e8dfbe 5b9b9e5e5b",
    "收": "232b59 515f 9177 84f4 d4c97f 87bbff",
    "据": "0454 313e1d 0a58 61e1e464 61684f 77f7 b5ba 8aeaee8e8a",
    "样": "0565 313f 360b 3669 91a3 e1d3 84f4 88f8 7bfb b4bf",
    "章": "8081 22d2 5365 a395 15e5 47b7bb4b47 49b9 1ded 8b8f",
    "金": "8017 80e7 47b7 2ada 878e 4b5d bbad 1eee",
    "额": "1021 1424 1462 3327 3658 1858 588d 3b6b 3b3e6e6b 80f0 c082 82e2e98a 829b c4c9 bafd 9c7f",
    "年": "4015 33d3 47c7 474b 0bfb 838f",
    "月": "41491f 41c1cead 45c5 49c9",
    "日": "31c1ce3e31 37c7",
    "元": "32c2 16e6 665b1f 969eeeec",
    "A": "1d427d 2969",
    "B": "1d125263665717 57797b5d1d",
    "C": "745232141b3d5d7b",
    "D": "121d5d7b745212",
    "E": "72121d7d 1757",
    "F": "72121d 1757",
    "G": "745232141b3d5d7b7848",
    "H": "121d 727d 1777",
    "I": "424d 2262 2d6d",
    "J": "626b4d2d1b",
    "K": "121d 7218 377d",
    "L": "121d7d",
    "M": "1d1247727d",
    "N": "1d127d72",
    "O": "5232141b3d5d7b7452",
    "P": "1d125273765818",
    "Q": "5232141b3d5d7b7452 5a7d",
    "R": "1d125273765818 487d",
    "S": "74523214153757797b5d3d1b",
    "T": "1272 424d",
    "U": "121b3d5d7b72",
    "V": "124d72",
    "W": "122d476d72",
    "X": "127d 721d",
    "Y": "124772 474d",
    "Z": "12721d7d",
    "0": "5232141b3d5d7b7452",
    "1": "24424d 2d6d",
    "2": "14325274761d7d",
    "3": "12724657797b5d3d1b",
    "4": "6d621979",
    "5": "72121757797b5d3d1b",
    "6": "6232141b3d5d7b795718",
    "7": "12723d",
    "8": "325274755737151432 37191b3d5d7b795737",
    "9": "2d5d7b7452321416385876",
    ".": "4c4d",
    ",": "4c3f",
    "-": "2868",
    ":": "4647 4b4c",
    "/": "721d",
    " ": "",
}

# A word ends its letters early: what a Latin letter takes of the square.
_NARROW = 0.6


def advance(char: str) -> float:
    """Return what a letter takes of the width of a square."""
    return _NARROW if char.isascii() else 1.0


def strokes_of(char: str) -> tuple[tuple[tuple[float, float], ...], ...]:
    """Return the strokes of a letter in a square from 0 to 1.

    Raises:
        KeyError: Nobody has drawn this letter.
    """
    return tuple(
        tuple(
            (int(stroke[at], 16) / 15, int(stroke[at + 1], 16) / 15)
            for at in range(0, len(stroke), 2)
        )
        for stroke in _GLYPHS[char].split()
    )
