"""Measure everything and write the figures into ``docs/performance.md``.

``python bench/run.py [NAME…]`` runs the named benches (all by default) and
replaces their sections between the markers of the page; prose around them stays.
"""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from measure import Figure, describe_machine, table

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"
BENCHES = ("hashing", "merkle", "recording", "verifying", "gas")


def main(names: list[str]) -> int:
    """Run benches; return 1 if a target was missed."""
    unknown = sorted(set(names) - set(BENCHES))
    if unknown:
        print(f"no bench {', '.join(unknown)}; there are {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    missed = False
    for name in names or BENCHES:
        print(f"… {name}", file=sys.stderr, flush=True)
        if name == "gas":
            body = _gas()
        else:
            figures: list[Figure] = importlib.import_module(name).run()
            missed = missed or any(figure.met is False for figure in figures)
            body = table(figures)
        print(body, flush=True)
        stamp = f"{datetime.now(UTC):%Y-%m-%d}, {describe_machine()}."
        _replace(name, f"{stamp}\n\n{body}")
    return 1 if missed else 0


def _gas() -> str:
    """Return the gas table of the contract, measured on a real Anvil node."""
    done = subprocess.run(
        ["npm", "run", "--silent", "gas"],
        cwd=ROOT / "contracts",
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def _replace(name: str, body: str) -> None:
    """Put a section between its markers; a page without them is an error."""
    text = PAGE.read_text(encoding="utf-8")
    pattern = re.compile(f"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    if not pattern.search(text):
        raise SystemExit(f"{PAGE.name} has no section {name}")
    PAGE.write_text(
        pattern.sub(lambda match: f"{match[1]}{body}\n{match[2]}", text), encoding="utf-8"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
