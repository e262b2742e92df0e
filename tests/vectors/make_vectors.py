"""Writes the committed vectors: one JSON file per attack, below a folder per format.

Each file has `why`, `accept`, where refused the stable `code`, and the input.
Run it (`make vectors`) after a format changed; a test runs it too and fails
on any difference. Everything is derived from names, nothing from chance.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
if __name__ == "__main__":
    root = FOLDER.parents[1]
    sys.path[:0] = [str(root / each) for each in ("ledger", "verifier", "tests")]

from vectors import codecs, evidence, logs, pairings, signatures  # noqa: E402 - the path is set up above

__all__ = ["make_vectors", "render"]

Vector = dict[str, Any]
SOURCES: tuple[Callable[[], Iterator[tuple[str, str, Vector]]], ...] = (
    codecs.vectors,
    logs.vectors,
    evidence.vectors,
    signatures.vectors,
    pairings.vectors,
)


def make_vectors() -> dict[str, str]:
    """Return the text of every vector file by its path below this folder."""
    files: dict[str, str] = {}
    for source in SOURCES:
        for folder, name, vector in source():
            path = f"{folder}/{'accept' if vector['accept'] else 'refuse'}-{name}.json"
            if path in files:
                raise ValueError(f"two vectors are called {path}")
            files[path] = render(vector)
    return files


def render(vector: Vector) -> str:
    """Return the bytes of a vector file as text."""
    return json.dumps(vector, indent=1, ensure_ascii=True) + "\n"


def main() -> None:
    """Write all vectors and remove those that are no longer made."""
    files = make_vectors()
    for old in FOLDER.glob("*/*.json"):
        if str(old.relative_to(FOLDER)) not in files:
            old.unlink()
    for path, text in files.items():
        target = FOLDER / path
        target.parent.mkdir(exist_ok=True)
        target.write_text(text, encoding="ascii")


if __name__ == "__main__":
    main()
