"""What the demonstration tells: progress while it runs, a short story at its end."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

__all__ = ["Reporter", "Story", "tell"]


class Reporter:
    """Prints each step with the time it took, and keeps the times."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Announce a step, and say how long it took."""
        print(f"  … {what}", end="", flush=True, file=sys.stderr)
        start = time.monotonic()
        try:
            yield
        except BaseException:
            print(file=sys.stderr)
            raise
        self.seconds[what] = round(time.monotonic() - start, 3)
        print(f"\r  ✓ {what} ({self.seconds[what]:.1f} s)", flush=True, file=sys.stderr)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What happened, as ``demo.json`` has it.

    Attributes:
        anchor: The newest final anchor, as ``/v1/anchors`` lists it.
        verdicts: Verdict by file name.
        tampered: Verdict of the changed copy.
        seconds: Seconds by step.
        sample_report: The verifier's words on the first document.
    """

    documents: int
    total_bytes: int
    bundles: int
    anchor: Mapping[str, Any]
    verdicts: Mapping[str, str]
    tampered: Mapping[str, str]
    seconds: Mapping[str, float]
    total_seconds: float
    sample_report: str

    @property
    def as_expected(self) -> bool:
        """Whether every original is proven and the changed copy refuted."""
        return (
            self.bundles == self.documents
            and set(self.verdicts.values()) == {"proven"}
            and set(self.tampered.values()) == {"refuted"}
        )

    def to_json(self) -> str:
        """Return ``demo.json``."""
        value = {
            "documents": self.documents,
            "bytes": self.total_bytes,
            "bundles": self.bundles,
            "approvals": 2 * self.bundles,
            "anchor": dict(self.anchor),
            "verdicts": dict(self.verdicts),
            "tampered": dict(self.tampered),
            "seconds": dict(self.seconds),
            "totalSeconds": round(self.total_seconds, 3),
        }
        return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def tell(story: Story) -> str:
    """Return the story for a terminal."""
    anchor = story.anchor
    proven = sum(verdict == "proven" for verdict in story.verdicts.values())
    tampered, verdict = next(iter(story.tampered.items()))
    lines = [
        "",
        (
            f"{story.documents} documents ({story.total_bytes / 2**20:.1f} MiB) were recorded;"
            " their bytes never left their folder."
        ),
        (
            "Two people approved each: 王芳 (财务处) with Ed25519, J. Smith (Legal) with an"
            " Ethereum wallet key."
        ),
        (
            f"The log is anchored at size {anchor['size']} in block {anchor['block']} of chain"
            f" {anchor['chainId']}, for {anchor['gasUsed']:,} gas."
        ),
        f"{story.bundles} evidence bundles lie in build/demo/evidence/.",
        "",
        "Then server and chain were stopped, and the offline verifier judged:",
        f"  PROVEN    {proven} of {story.documents} originals",
        f"  {verdict.upper():<9} a copy of {tampered} with one byte changed",
        "",
        "Its words on the first document:",
        *("  " + line for line in story.sample_report.splitlines()),
        "",
        (
            f"All of this took {story.total_seconds:.1f} s. Figures: build/demo/demo.json. Try it"
            " yourself:"
        ),
        (
            "  .venv/bin/vermilion-verify audit build/demo/documents --evidence build/demo/evidence"
            " --trust build/demo/trust.toml --header-hashes build/demo/block-hashes.txt"
        ),
    ]
    return "\n".join(lines)
