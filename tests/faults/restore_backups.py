"""Restore backups that were taken while a log was written; tell how it went.

Run by ``make restore``; two minutes. Half on SQLite, half on PostgreSQL where
it is installed. Exit code 1 if a restored ledger forked its log.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
for folder in ("tests", "api", "hooks", "verifier", "anchor", "ledger"):
    sys.path.insert(0, str(TESTS.parent / folder))

from postgres import find_postgres, running_postgres  # noqa: E402
from restore_kit import PostgresDatabases, Restores, SqliteDatabases, collect  # noqa: E402


def main() -> int:
    """Restore, count, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=20261121)
    chosen = parser.parse_args()
    start, forks = time.monotonic(), []
    programs = find_postgres()
    with tempfile.TemporaryDirectory(prefix="vermilion-restore-") as name:
        counts = {"SQLite": chosen.count, "PostgreSQL": 0}
        if programs is not None and (programs / "pg_dump").exists():
            counts = {"SQLite": chosen.count - chosen.count // 2, "PostgreSQL": chosen.count // 2}
        found = {"SQLite": collect(counts["SQLite"], Path(name), SqliteDatabases, seed=chosen.seed)}
        if programs is not None and counts["PostgreSQL"]:
            with running_postgres() as server:
                found["PostgreSQL"] = collect(
                    counts["PostgreSQL"],
                    Path(name),
                    lambda: PostgresDatabases(server, programs),
                    seed=chosen.seed + counts["SQLite"],
                )
    for kind, each in found.items():
        _show(kind, each)
        forks += each.forks
    print(f"{chosen.count} restores in {time.monotonic() - start:.0f} s, {len(forks)} forked")
    return 1 if forks else 0


def _show(kind: str, found: Restores) -> None:
    print(f"{kind}:")
    print("\n".join([*found.lines(), *found.forks]), flush=True)


if __name__ == "__main__":
    sys.exit(main())
