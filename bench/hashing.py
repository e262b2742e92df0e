"""Hashing documents against sha256sum and OpenSSL, in the same run, on the same files.

The files are random and made in a temporary folder (``TMPDIR``) that is removed
afterwards; right after they are made they lie in the page cache for everybody.
Alone it prints JSON lines and a Markdown table.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from measure import Figure, describe_machine, folder, interleave, scaled, table

from vermilion_hooks.hashing import Hashed, hash_files
from vermilion_hooks.walk import find_roots, walk
from vermilion_ledger.digest import digest_file

__all__ = ["run"]

LARGE_SIZE = 1024**3  # bytes
SMALL_COUNT = 10_000
SMALL_SIZE = 4096  # bytes
RATIO_MAX = 1.05
_BLOCK_SIZE = 1024**2  # bytes
_PROCESS = "import sys; from vermilion_ledger.digest import digest_file; "
_PROCESS += "print(digest_file(sys.argv[1]).sha256.hex())"


def run(*, scale: float = 1.0) -> list[Figure]:
    """Measure and return the figures."""
    blocks = scaled(LARGE_SIZE // _BLOCK_SIZE, scale)
    with folder() as place:
        return [
            *_measure_large(place / "large", blocks),
            *_measure_small(place / "small", scaled(SMALL_COUNT, scale)),
        ]


def _measure_large(path: Path, blocks: int) -> list[Figure]:
    with path.open("wb") as file:
        for _ in range(blocks):
            file.write(os.urandom(_BLOCK_SIZE))
        os.fsync(file.fileno())
    contenders: dict[str, Callable[[], str]] = {
        "ours": lambda: _digest(path),
        "ours as a process": lambda: _output([sys.executable, "-c", _PROCESS, path]),
        "sha256sum": lambda: _output(["sha256sum", path])[:64],
    }
    if shutil.which("openssl"):
        contenders["openssl"] = lambda: _output(["openssl", "dgst", "-r", "-sha256", path])[:64]
    if len({contender().strip() for contender in contenders.values()}) != 1:
        raise SystemExit("the contenders do not agree on the digest")
    seconds = interleave(contenders)
    path.unlink()
    figures = [
        Figure(what=f"1 GiB file, {name}", value=taken, unit="s") for name, taken in seconds.items()
    ]
    figures += [
        _compare(f"1 GiB file, {name} / sha256sum", seconds[name] / seconds["sha256sum"])
        for name in ("ours", "ours as a process")
    ]
    if "openssl" in seconds:
        ratio = seconds["ours"] / seconds["openssl"]
        figures.append(Figure(what="1 GiB file, ours / openssl", value=ratio, unit="ratio"))
    return figures


def _measure_small(place: Path, count: int) -> list[Figure]:
    place.mkdir()
    for number in range(count):
        (place / f"{number:05}").write_bytes(os.urandom(SMALL_SIZE))
    os.sync()
    seconds = interleave(
        {
            "walked and hashed by us": lambda: _hash_tree(place, count),
            "find and xargs sha256sum": lambda: _output(
                ["sh", "-c", 'find "$1" -type f -print0 | xargs -0 sha256sum', "sh", place]
            ),
        }
    )
    what = f"{count:,} files of 4 KiB, "
    figures = [Figure(what=what + name, value=taken, unit="s") for name, taken in seconds.items()]
    ours, theirs = seconds.values()
    return [*figures, Figure(what=what + "ours / sha256sum", value=ours / theirs, unit="ratio")]


def _hash_tree(place: Path, expected: int) -> None:
    items = walk(find_roots([str(place)]))
    hashed = hash_files(items, workers=os.cpu_count() or 1, progress=lambda _: None)
    count = sum(isinstance(item, Hashed) for item in hashed)
    if count != expected:
        raise SystemExit(f"{count} files were hashed")


def _compare(what: str, ratio: float) -> Figure:
    return Figure(
        what=what,
        value=ratio,
        unit="ratio",
        target=f"at most {RATIO_MAX}",
        met=ratio <= RATIO_MAX,
    )


def _digest(path: Path) -> str:
    return digest_file(path).sha256.hex()


def _output(command: list[str | Path]) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        command, check=True, capture_output=True, text=True, env=environment
    ).stdout


def main() -> int:
    """Print every figure; return 1 if a target was missed."""
    figures = run()
    for figure in figures:
        print(json.dumps(asdict(figure)))
    print(f"\n{describe_machine()}\n\n{table(figures)}")
    return 1 if any(figure.met is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
