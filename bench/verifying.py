"""Verifying a bundle: in process, and as a command with its start-up."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from measure import Figure, at_most, interleave, scaled

from vermilion_ledger.digest import digest_file
from vermilion_verify.blocks import BlockJudge, load_block_hashes
from vermilion_verify.case import Document
from vermilion_verify.policy import load_trust_policy
from vermilion_verify.report import Verdict
from vermilion_verify.verify import Question, verify_bundle

CASES = Path(__file__).resolve().parent.parent / "tests" / "conformance"
ED25519_CASE = "root_quorum"  # 13 signatures, all Ed25519
MIXED_CASE = "approved_on_three_curves"  # 3 approvals and the keys they were given under
MIXED_MILLISECONDS_MAX = 15
COMMAND_MILLISECONDS_MAX = 250
_REPEATS = 20


def run(*, scale: float = 1.0) -> list[Figure]:
    """Measure and return the figures."""
    case = CASES / ED25519_CASE
    document, bundle = case / "document", case / "bundle.evidence.json"
    trust, hashes = case / "trust.toml", case / "block-hashes.txt"
    command: list[str | Path] = [
        Path(sys.executable).parent / "vermilion-verify",
        document,
        *("--bundle", bundle, "--trust", trust, "--header-hashes", hashes, "--json"),
    ]

    def as_command() -> None:
        subprocess.run(command, check=True, capture_output=True)

    def bare_python() -> None:
        subprocess.run([sys.executable, "-c", "pass"], check=True, capture_output=True)

    seconds = interleave(
        {
            "in_process": _verifier(case),
            "mixed": _verifier(CASES / MIXED_CASE),
            "command": as_command,
            "python": bare_python,
        },
        rounds=scaled(11, scale),
    )
    milliseconds = 1000 * seconds["command"]
    return [
        Figure(
            what="a bundle verified in process, Ed25519 only",
            value=1000 * seconds["in_process"] / _REPEATS,
            unit="ms",
        ),
        at_most(
            "three approvals by three schemes, verified in process",
            1000 * seconds["mixed"] / _REPEATS,
            "ms",
            MIXED_MILLISECONDS_MAX,
        ),
        Figure(
            what="that bundle",
            value=(CASES / MIXED_CASE / "bundle.evidence.json").stat().st_size,
            unit="bytes",
        ),
        Figure(
            what="an Ed25519 bundle by the command, start-up included",
            value=milliseconds,
            unit="ms",
            target=f"≤ {COMMAND_MILLISECONDS_MAX}",
            met=milliseconds <= COMMAND_MILLISECONDS_MAX,
        ),
        Figure(what="an empty Python process", value=1000 * seconds["python"], unit="ms"),
    ]


def _verifier(case: Path) -> Callable[[], None]:
    """Return what verifies the bundle of a case some times, in process."""
    policy = load_trust_policy(case / "trust.toml")
    listed = load_block_hashes([case / "block-hashes.txt"])
    data, digest = (case / "bundle.evidence.json").read_bytes(), digest_file(case / "document")
    subject = Document(sha256=digest.sha256, name="document", size=digest.size)

    def verify() -> None:
        for _ in range(_REPEATS):
            report = verify_bundle(
                data,
                subject,
                policy,
                judge=BlockJudge(listed),
                question=Question(now=datetime.now(UTC)),
            )
            if report.verdict is not Verdict.PROVEN:
                raise SystemExit(f"{case.name} is {report.verdict}: nothing to measure")

    return verify
