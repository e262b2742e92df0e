"""Measure everything and write the figures into ``docs/performance.md``.

``python bench/run.py [NAME…]`` runs the named benches (by default all but
``growth``, which takes long) and replaces their sections between the markers of
the page; prose around them stays. ``--scale 0.05`` tries them at a part of
their size: that is printed, and not written.
"""

from __future__ import annotations

import argparse
import importlib
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from measure import Figure, describe_machine, table

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"
BENCHES = (
    "hashing",
    "merkle",
    "single",
    "single-postgres",
    "approving",
    "bulk",
    "sequencer",
    "proofs",
    "disk",
    "reading",
    "starting",
    "verifying",
    "schemes",
    "pairings",
    "receipt",
    "gas",
    "anchoring",
    "lasting",
)
LONG = ("growth",)  # run when named
ON_A_NODE = {"gas": "gas", "anchoring": "costs"}  # benches that are npm scripts of the contracts


def main(arguments: list[str]) -> int:
    """Run benches; return 1 if a target was missed."""
    parser = argparse.ArgumentParser(description="take the figures of docs/performance.md")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join((*BENCHES, *LONG)))
    parser.add_argument("--scale", type=float, default=1.0, help="part of the full size")
    asked = parser.parse_args(arguments)
    if unknown := sorted(set(asked.names) - {*BENCHES, *LONG}):
        parser.error(f"no bench {', '.join(unknown)}; there are {', '.join((*BENCHES, *LONG))}")
    sys.path.append(str(ROOT / "tests"))  # the PostgreSQL that the tests start
    missed = False
    for name in asked.names or BENCHES:
        print(f"… {name}", file=sys.stderr, flush=True)
        if name in ON_A_NODE:
            body = _run_script(ON_A_NODE[name])
        else:
            figures = _measure(name, asked.scale)
            missed = missed or any(figure.met is False for figure in figures)
            body = table(figures)
        print(body, flush=True)
        if asked.scale == 1.0:
            stamp = f"{datetime.now(UTC):%Y-%m-%d}, {describe_machine()}."
            _replace(name, f"{stamp}\n\n{body}")
    return 1 if missed else 0


def _measure(name: str, scale: float) -> list[Figure]:
    bench = importlib.import_module(name.replace("-", "_"))
    figures: list[Figure] = bench.run(scale=scale)
    return figures


def _run_script(name: str) -> str:
    """Return tables of gas of the contract, measured on a real Anvil node."""
    done = subprocess.run(
        ["npm", "run", "--silent", name],
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
