"""time.interval: quoted blocks, anchors, freshness."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from evidence import WANG, Scene, approved, codes, office, plain
from trusted import START
from vermilion_ledger.statement import Seen
from vermilion_verify.blocks import Standing
from vermilion_verify.policy import ChainTrust
from vermilion_verify.report import CheckStatus, Report, Verdict

ANCHOR_TIME = datetime.fromtimestamp(START + 12 * 110, UTC)


def quoting(seen: Any = None, *, number: int = 10) -> Scene:
    scene = office(rules=None)
    scene.event("register", detail={})
    scene.event("seal", WANG, seen=seen or scene.chain.seen(number))
    return scene


def unknown(report: Report) -> dict[str, str]:
    assert report.verdict is Verdict.CANNOT_TELL
    return codes(report, CheckStatus.UNKNOWN)


def failed(report: Report) -> dict[str, str]:
    assert report.verdict is Verdict.REFUTED
    return codes(report)


# -- quoted blocks


def test_a_quote_of_another_number_is_refuted() -> None:
    scene = office(rules=None)
    scene.event("register", detail={})
    scene.event("seal", WANG, seen=replace(scene.chain.seen(), number=9))
    scene.anchor()

    assert failed(scene.verify()) == {"time.interval": "seen.other-number"}


def test_a_quote_that_contradicts_a_trusted_block_is_refuted() -> None:
    scene = quoting()
    scene.anchor()

    hashes = scene.hashes() | {(31337, 10): bytes(32)}

    assert failed(scene.verify(hashes=hashes)) == {"time.interval": "seen.contradicted"}


def test_it_is_refuted_without_an_anchor_and_without_a_table_of_that_chain_too() -> None:
    scene = office(rules=None)
    scene.event("register", detail={})
    scene.event("seal", WANG, seen=scene.second.seen())

    report = scene.verify(hashes={(1, 10): bytes(32)})

    assert failed(report) == {"time.interval": "seen.contradicted"}


def test_a_quote_that_a_node_contradicts_is_refuted() -> None:
    scene = quoting()

    class Node:
        def judge(self, chain: ChainTrust, *, number: int, block_hash: bytes) -> Standing:
            return Standing.CONTRADICTED

    assert failed(scene.verify(hashes={}, endpoints=[Node()])) == {
        "time.interval": "seen.contradicted"
    }


@pytest.mark.parametrize("number", [106, 107])
def test_a_quote_that_is_not_below_its_anchor_is_refuted(number: int) -> None:
    scene = quoting(number=number)
    scene.anchor(number=106)

    report = scene.verify(hashes=scene.hashes())

    assert report.verdict is Verdict.REFUTED
    assert codes(report)["time.interval"] in {"seen.not-below-anchor", "seen.contradicted"}


def test_a_quote_above_the_anchor_of_another_chain_is_judged_by_time() -> None:
    scene = quoting(number=500)
    scene.anchor(chain=scene.second, number=20)
    policy = scene.trust(scene.chain, scene.second)

    report = scene.verify(policy=policy)

    assert unknown(report) == {"time.interval": "time.bounds-cross"}


def test_a_quote_above_an_anchor_that_does_not_cover_it_is_fine() -> None:
    scene = office(rules=None)
    scene.event("register", detail={})
    scene.anchor(number=50)
    scene.event("seal", WANG, seen=scene.chain.seen(60))
    scene.anchor(number=70)

    assert scene.verify().verdict is Verdict.PROVEN


def test_a_quote_that_nobody_can_check_claims_nothing() -> None:
    scene = quoting()
    scene.anchor()
    hashes = {place: found for place, found in scene.hashes().items() if place[1] != 10}

    trusted, alone = scene.verify(), scene.verify(hashes=hashes)

    assert alone.verdict is Verdict.PROVEN
    assert trusted.verdict is Verdict.PROVEN


def test_a_quote_of_a_chain_that_the_policy_does_not_name_claims_nothing() -> None:
    scene = office(rules=None)
    scene.event("register", detail={}, seen=scene.second.seen())
    scene.anchor()

    report = scene.verify()

    assert report.verdict is Verdict.PROVEN
    assert report.interval["notBefore"] is None


def test_a_quoted_block_bounds_the_first_recording() -> None:
    scene = office(rules=None)
    scene.event("register", detail={}, seen=scene.chain.seen())
    scene.anchor()

    report = scene.verify()

    assert report.interval["notBefore"]["number"] == 10
    assert report.interval["notAfter"]["number"] == 106


def test_claimed_times_are_never_looked_at() -> None:
    scene = plain(anchored=False)
    scene.event("review", time="1970-01-01T00:00:00Z")
    scene.event("review", time="9999-12-31T23:59:59Z")
    scene.anchor()

    assert scene.verify().verdict is Verdict.PROVEN


def test_the_last_second_of_the_calendar_is_a_time() -> None:
    scene = office(rules=None)
    scene.chain.block(11, time=253_402_300_799)
    scene.event("register", detail={})
    scene.event("seal", WANG, seen=scene.chain.seen(11))
    scene.anchor()

    assert unknown(scene.verify()) == {"time.interval": "time.bounds-cross"}


# -- freshness


def test_a_checkpoint_is_as_of_the_block_of_its_newest_final_anchor() -> None:
    report = approved().verify()

    assert report.as_of_time == ANCHOR_TIME
    assert report.as_of_size == 10


def test_an_anchor_of_a_smaller_size_does_not_date_the_checkpoint() -> None:
    scene = plain()
    scene.event("review")

    report = scene.verify(policy=scene.trust(anchors="0"))

    assert report.as_of_time is None


@pytest.mark.parametrize(
    ("as_of", "is_met"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), True),
        (ANCHOR_TIME, True),
        (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), False),
    ],
)
def test_a_checkpoint_older_than_asked_cannot_be_judged(as_of: datetime, is_met: bool) -> None:
    report = approved().verify(as_of=as_of)

    if is_met:
        assert report.verdict is Verdict.PROVEN
    else:
        assert unknown(report) == {"time.interval": "time.not-fresh"}


@pytest.mark.parametrize(
    ("age", "is_met"), [("P30D", True), ("P999999D", True), ("P1D", False), ("PT1S", False)]
)
def test_a_checkpoint_older_than_the_policy_allows_cannot_be_judged(age: str, is_met: bool) -> None:
    scene = approved()

    report = scene.verify(policy=scene.trust(max_age=f'"{age}"'))

    if is_met:
        assert report.verdict is Verdict.PROVEN
    else:
        assert unknown(report) == {"time.interval": "time.not-fresh"}
    assert report.to_json()["verifier"]["clock"] == "2026-11-22T00:00:00Z"


def test_a_pending_record_waits_for_its_anchor_before_its_age() -> None:
    scene = plain(anchored=False)

    report = scene.verify(policy=scene.trust(max_age='"PT1S"'), as_of=ANCHOR_TIME)

    assert report.verdict is Verdict.PENDING


def test_without_any_anchor_asked_for_an_unknown_age_cannot_be_judged() -> None:
    scene = plain(anchored=False)

    report = scene.verify(policy=scene.trust(anchors="0", max_age='"P30D"'))

    assert unknown(report) == {"time.interval": "time.not-fresh"}


def test_a_quote_of_the_largest_numbers_is_no_crash() -> None:
    scene = office(rules=None)
    known = scene.chain.seen()
    scene.event("register", detail={}, seen=Seen(chain_id=0, number=0, hash=known.hash))
    scene.anchor()

    assert failed(scene.verify()) == {"time.interval": "seen.other-number"}
