"""The verifier alone: judge the demonstration's bundles with a base install.

``python examples/alone.py VERIFIER FOLDER`` runs a `vermilion-verify` from
whatever environment it is in over each document of ``FOLDER/documents`` with
its bundle, and over each copy in ``FOLDER/tampered``. Needs nothing but the
standard library. Exits with 0 if every original is proven and every tampered
copy is not.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PROVEN, REFUTED = "proven", "refuted"


def main(arguments: Sequence[str]) -> int:
    """Judge the folder; print one line and what was unexpected."""
    if len(arguments) != 2:
        print("usage: alone.py VERIFIER FOLDER", file=sys.stderr)
        return 2
    verifier, folder = Path(arguments[0]), Path(arguments[1])
    documents = sorted(path for path in (folder / "documents").rglob("*") if path.is_file())
    copies = sorted(path for path in (folder / "tampered").rglob("*") if path.is_file())
    unexpected = []
    for expected, paths, root in (
        (PROVEN, documents, folder / "documents"),
        (REFUTED, copies, folder / "tampered"),
    ):
        for path in paths:
            inside = path.relative_to(root)
            bundle = folder / "evidence" / inside.parent / f"{inside.name}.evidence.json"
            if (verdict := judge(verifier, path, bundle, folder)) != expected:
                unexpected.append(f"{inside}: {verdict}, expected {expected}")
    print(f"{len(documents)} originals and {len(copies)} tampered copies judged by {verifier}")
    for line in unexpected:
        print(line, file=sys.stderr)
    return 1 if unexpected or not documents or not copies else 0


def judge(verifier: Path, document: Path, bundle: Path, folder: Path) -> str:
    """Return the verdict of the verifier, offline."""
    command: list[str | Path] = [
        verifier,
        document,
        "--bundle",
        bundle,
        "--trust",
        folder / "trust.toml",
    ]
    command += ["--header-hashes", folder / "block-hashes.txt", "--offline", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return str(json.loads(done.stdout)["verdict"])
    except (ValueError, KeyError):
        return f"exit code {done.returncode}: {done.stderr.strip()[-300:]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
