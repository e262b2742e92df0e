"""FORMATS section 12: one function maps checks to a verdict; here is its table."""

from __future__ import annotations

import itertools

import pytest

from vermilion_ledger.records import Status
from vermilion_verify.report import CHECK_IDS, CheckStatus, Verdict
from vermilion_verify.verdict import EXIT_CODES, decide_verdict

PASS, FAIL, UNKNOWN, ABSENT = CheckStatus
RELAXED = ("timestamp.token", "record.completeness")
NEEDED = [check for check in CHECK_IDS if check not in RELAXED]


def decide(
    changed: dict[str, CheckStatus] | None = None,
    *,
    status: Status = Status.CURRENT,
    anchors: int = 1,
    timestamps: int = 0,
    needed: bool = True,
) -> Verdict:
    return decide_verdict(
        dict.fromkeys(CHECK_IDS, PASS) | (changed or {}),
        status=status,
        anchors_required=anchors,
        timestamps_required=timestamps,
        completeness_needed=needed,
    )


def expected(
    finality: CheckStatus,
    other: CheckStatus,
    completeness: CheckStatus,
    token: CheckStatus,
    *,
    status: Status,
    anchors: int,
    timestamps: int,
    needed: bool,
) -> Verdict:
    """The sentences of FORMATS, one by one, written anew."""
    if FAIL in (finality, other, completeness, token):
        return Verdict.REFUTED
    if status is Status.REVOKED:
        return Verdict.REVOKED
    unknown = [finality is UNKNOWN, other is UNKNOWN]
    unknown += [completeness is UNKNOWN and needed, token is UNKNOWN and timestamps > 0]
    if any(unknown):
        return Verdict.CANNOT_TELL
    if finality is ABSENT and anchors > 0:
        return Verdict.PENDING
    return Verdict.SUPERSEDED if status is Status.SUPERSEDED else Verdict.PROVEN


def test_every_combination_comes_to_the_verdict_of_the_formats() -> None:
    count = 0

    for statuses in itertools.product(CheckStatus, repeat=4):
        for status, anchors, timestamps, needed in itertools.product(
            Status, (0, 1, 2), (0, 1), (False, True)
        ):
            finality, other, completeness, token = statuses
            found = decide(
                {
                    "anchor.finality": finality,
                    "signature.actor": other,
                    "record.completeness": completeness,
                    "timestamp.token": token,
                },
                status=status,
                anchors=anchors,
                timestamps=timestamps,
                needed=needed,
            )
            wanted = expected(
                *statuses, status=status, anchors=anchors, timestamps=timestamps, needed=needed
            )
            assert found is wanted, (statuses, status, anchors, timestamps, needed)
            count += 1

    assert count == 256 * 36


@pytest.mark.parametrize("check", CHECK_IDS)
@pytest.mark.parametrize("status", Status)
def test_any_failed_check_refutes_whatever_the_status(check: str, status: Status) -> None:
    assert decide({check: FAIL}, status=status, anchors=0, needed=False) is Verdict.REFUTED


@pytest.mark.parametrize("check", NEEDED)
def test_any_needed_check_that_is_unknown_cannot_tell(check: str) -> None:
    assert decide({check: UNKNOWN}) is Verdict.CANNOT_TELL
    assert decide({check: UNKNOWN}, status=Status.SUPERSEDED) is Verdict.CANNOT_TELL


@pytest.mark.parametrize("check", CHECK_IDS)
def test_a_revocation_comes_before_what_is_unknown(check: str) -> None:
    assert decide({check: UNKNOWN}, status=Status.REVOKED) is Verdict.REVOKED


@pytest.mark.parametrize(
    ("status", "verdict"),
    [("current", "pending"), ("superseded", "pending"), ("revoked", "revoked")],
)
def test_a_missing_anchor_comes_before_supersession_only(status: str, verdict: str) -> None:
    assert decide({"anchor.finality": ABSENT}, status=Status(status)) == verdict


def test_a_bundle_that_could_not_be_read_is_refuted_or_of_a_later_version() -> None:
    def alone(status: CheckStatus) -> Verdict:
        return decide_verdict(
            {"bundle.parse": status},
            status=Status.CURRENT,
            anchors_required=0,
            timestamps_required=0,
            completeness_needed=False,
        )

    assert alone(FAIL) is Verdict.REFUTED
    assert alone(UNKNOWN) is Verdict.CANNOT_TELL


def test_exit_codes_are_those_of_the_formats() -> None:
    assert EXIT_CODES == {
        "proven": 0,
        "superseded": 0,
        "refuted": 1,
        "revoked": 1,
        "pending": 3,
        "cannot_tell": 5,
        "no_record": 6,
    }
    assert set(EXIT_CODES) == set(Verdict)
