"""Writes the conformance cases: one folder each, for any verifier.

A case is a folder with ``document``, ``bundle.evidence.json``, ``trust.toml``
and ``block-hashes.txt``; where they lie there, also ``registry.json`` and
``log-entries.bin``. ``expected.json`` says what must come out: the verdict, the
exit code, the checks that fail (for `refuted`) or are unknown (for
`cannot_tell`), further arguments and, where they are asked about, the findings
in their order. A folder whose name ends in ``_fail``
must not be proven.

What is expected stands here by hand; nothing is copied from a run. Everything
is derived from names, so that writing the cases anew changes no byte.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
for source in ("tests", "verifier", "ledger"):
    sys.path.insert(0, str(HERE.parents[1] / source))

from conformance.case import Case  # noqa: E402
from conformance.certificate_cases import certificate_cases  # noqa: E402
from conformance.completeness_cases import completeness_cases  # noqa: E402
from conformance.curve_cases import curve_cases  # noqa: E402
from conformance.finding_cases import finding_cases  # noqa: E402
from conformance.format_cases import bundle_cases, log_cases  # noqa: E402
from conformance.good_cases import good_cases  # noqa: E402
from conformance.joint_cases import joint_cases  # noqa: E402
from conformance.key_cases import key_cases, rule_cases  # noqa: E402
from conformance.key_history_cases import key_history_cases  # noqa: E402
from conformance.number_cases import number_cases  # noqa: E402
from conformance.record_cases import (  # noqa: E402
    anchor_cases,
    audit_cases,
    record_cases,
    time_cases,
)
from conformance.rule_cases import office_rule_cases  # noqa: E402
from conformance.statement_cases import statement_cases  # noqa: E402


def all_cases() -> Iterator[Case]:
    """Every case; names are unique."""
    yield from good_cases()
    yield from bundle_cases()
    yield from log_cases()
    yield from statement_cases()
    yield from curve_cases()
    yield from certificate_cases()
    yield from key_cases()
    yield from rule_cases()
    yield from office_rule_cases()
    yield from joint_cases()
    yield from key_history_cases()
    yield from record_cases()
    yield from anchor_cases()
    yield from time_cases()
    yield from audit_cases()
    yield from finding_cases()
    yield from number_cases()
    yield from completeness_cases()


def main() -> int:
    """Write every case anew; folders of cases that are no more go away."""
    for folder in HERE.iterdir():
        if (folder / "expected.json").is_file():
            shutil.rmtree(folder)
    count = 0
    for each in all_cases():
        folder = HERE / each.name
        folder.mkdir()
        for name, data in each.files().items():
            (folder / name).write_bytes(data)
        count += 1
    print(f"{count} cases")
    return 0


if __name__ == "__main__":
    sys.exit(main())
