"""The names of a log's public files: C2SP tlog-tiles, strict in both directions.

``tile/<L>/<N>[.p/<W>]`` is a tile of hashes, ``tile/entries/<N>[.p/<W>]`` an
entry bundle, ``checkpoint`` the newest signed checkpoint. ``<N>`` is written in
groups of three digits, all but the last behind an ``x``: 1234067 is
``x001/x234/067``. ``.p/<W>`` marks a partial tile of W hashes or entries.
One file has one name: whatever would not be written here is not read either.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vermilion_ledger.errors import InputError
from vermilion_ledger.limits import TREE_SIZE_MAX

__all__ = [
    "CHECKPOINT",
    "TILE_LEVEL_MAX",
    "TILE_WIDTH",
    "TilePath",
    "check_prefix",
    "entries_path",
    "full_paths",
    "parse_path",
    "tile_path",
]

CHECKPOINT = "checkpoint"
TILE_LEVEL_MAX = 63
TILE_WIDTH = 256  # hashes of a full tile, entries of a full bundle

# ASCII digits only; zeros in front and empty groups are caught by writing the path again.
_PATH = re.compile(
    r"tile/(?P<level>entries|[0-9]{1,2})"
    r"/(?P<groups>(?:x[0-9]{3}/){0,5}[0-9]{3})"
    r"(?:\.p/(?P<width>[0-9]{1,3}))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TilePath:
    """What the path of a tile or of an entry bundle says; `str` writes it.

    Attributes:
        level: Level of the tile, or None for an entry bundle.
        position: Zero-based position among the tiles of that level.
        width: Hashes or entries in it, 256 if it is full.

    Raises:
        InputError: ``tiles.path``: no log has such a file.
    """

    level: int | None
    position: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        if not 0 <= (self.level or 0) <= TILE_LEVEL_MAX:
            raise InputError("tiles.path", f"no tile has level {self.level}")
        if not 0 <= self.position <= TREE_SIZE_MAX // TILE_WIDTH:
            raise InputError("tiles.path", f"no tile has position {self.position}")
        if not 1 <= self.width <= TILE_WIDTH:
            raise InputError("tiles.path", f"no tile has width {self.width}")

    def __str__(self) -> str:
        rest, last = divmod(self.position, 1000)
        groups = f"{last:03}"
        while rest:
            rest, group = divmod(rest, 1000)
            groups = f"x{group:03}/{groups}"
        kind = "entries" if self.level is None else str(self.level)
        partial = f".p/{self.width}" if self.is_partial else ""
        return f"tile/{kind}/{groups}{partial}"

    @property
    def is_partial(self) -> bool:
        """Whether the tile can still grow."""
        return self.width < TILE_WIDTH

    def full(self) -> TilePath:
        """Return the path of the same tile once it is full."""
        return TilePath(level=self.level, position=self.position)


def tile_path(level: int, position: int, width: int = TILE_WIDTH) -> str:
    """Return the path of a tile of hashes.

    Raises:
        InputError: ``tiles.path``: no log has such a tile.

    >>> tile_path(0, 1234067), tile_path(1, 1, 17)
    ('tile/0/x001/x234/067', 'tile/1/001.p/17')
    """
    return str(TilePath(level=level, position=position, width=width))


def entries_path(position: int, width: int = TILE_WIDTH) -> str:
    """Return the path of an entry bundle.

    Raises:
        InputError: ``tiles.path``: no log has such a bundle.

    >>> entries_path(273, 112)
    'tile/entries/273.p/112'
    """
    return str(TilePath(level=None, position=position, width=width))


def parse_path(path: str) -> TilePath:
    """Return what the path of a tile or bundle says; `CHECKPOINT` is neither.

    Raises:
        InputError: ``tiles.path``: not the one name of a file of a log.
    """
    match = _PATH.fullmatch(path)
    if match is None:
        raise InputError("tiles.path", f"{path[:200]!r} is no path of a tile")
    level, width = match["level"], match["width"]
    found = TilePath(
        level=None if level == "entries" else int(level),
        position=int(match["groups"].replace("/", "").replace("x", "")),
        width=TILE_WIDTH if width is None else int(width),
    )
    if str(found) != path:
        raise InputError("tiles.path", f"{path!r} is not how {str(found)!r} is written")
    return found


def check_prefix(prefix: str) -> None:
    """Check that a prefix of paths stays among the public files.

    Raises:
        InputError: ``tiles.path``: it leads out of the folder, or to hidden files.
    """
    if prefix.startswith("/") or any(part.startswith(".") for part in prefix.split("/")):
        raise InputError("tiles.path", f"{prefix[:200]!r} leads out of the log")


def full_paths(partials: Iterable[str]) -> Sequence[str]:
    """Return the paths that partial tiles have once they are full, each once, sorted.

    Raises:
        InputError: ``tiles.path``: a full tile, or no tile at all.
    """
    full = set()
    for path in partials:
        tile = parse_path(path)
        if not tile.is_partial:
            raise InputError("tiles.path", f"{path} is full and stays for good")
        full.add(str(tile.full()))
    return sorted(full)
