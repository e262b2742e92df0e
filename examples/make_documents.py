#!/usr/bin/env python3
"""Write the example documents into a folder.

    python examples/make_documents.py OUT [--large-mib 65]

The small files are the ones committed in ``examples/documents``; the large scan is
only ever made here. ``--large-mib 0`` leaves it out.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from documents_maker import LARGE_NAME, make_documents, save_documents, save_large

__all__ = ["LARGE_NAME", "main", "make_documents", "save_documents", "save_large"]


def main(arguments: list[str] | None = None) -> int:
    """Write the files, name each with its size, and return the exit code."""
    parser = argparse.ArgumentParser(description="Write the example documents into a folder.")
    parser.add_argument("folder", type=Path, metavar="OUT", help="folder to write into")
    parser.add_argument(
        "--large-mib",
        type=int,
        default=65,
        metavar="N",
        help="size of the large scan in MiB, at least; 0 leaves it out (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    if options.large_mib < 0:
        parser.error("--large-mib: expected 0 or more")
    paths = save_documents(options.folder)
    if options.large_mib:
        paths.append(save_large(options.folder, size_mib=options.large_mib))
    for path in paths:
        sys.stdout.write(f"{path.stat().st_size:>10}  {path.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
