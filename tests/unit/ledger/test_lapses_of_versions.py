"""Changed after sign-off, converted unchecked, used though revoked, found changed."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from life_kit import SIGNED, Life, codes, sha
from office import LI, WANG

USES = ["seal", "issue", "dispatch", "archive"]
REJECTED = SIGNED | {"decision": "rejected"}


def signed(step: str = "sign-off") -> Life:
    """A record whose first version was signed off at entry 1."""
    life = Life()
    life.add("register")
    life.add("approve", SIGNED | {"step": step})
    return life


def found_in(life: Life) -> list[str]:
    """Codes, but for dispatches that nobody received."""
    return [code for code in codes(life.find()) if code != "undelivered"]


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("change", ["version", "correct"])
def test_a_changed_text_that_is_used_without_a_new_sign_off_is_critical(
    change: str, use: str
) -> None:
    life = signed()
    changed = life.add(change, content="second")
    used = life.add(use, content="second")

    found = life.find()[0]

    assert found.code == "finding.changed-after-sign-off"
    assert (found.severity, found.sequence, found.certain) == ("critical", changed.sequence, True)
    assert found.detail == {"signedOff": 1, "used": used.sequence}


@pytest.mark.parametrize("step", ["sign-off", "签发"])
def test_a_new_sign_off_before_it_is_used_lifts_it(step: str) -> None:
    life = signed(step)
    life.add("version", content="second")
    life.add("approve", SIGNED | {"step": step}, content="second")
    life.add("issue", content="second")

    assert life.find() == ()


def test_a_new_sign_off_after_it_was_used_does_not() -> None:
    life = signed()
    life.add("version", content="second")
    life.add("issue", content="second")
    life.add("approve", SIGNED, content="second")

    assert codes(life.find()) == ["changed-after-sign-off"]


@pytest.mark.parametrize(
    "event",
    [
        ("approve", SIGNED | {"step": "review"}),
        ("approve", REJECTED),
        ("countersign", SIGNED),
        ("review", {"step": "sign-off"}),
    ],
)
def test_other_decisions_are_no_new_sign_off(event: tuple[str, dict[str, Any]]) -> None:
    life = signed()
    life.add("version", content="second")
    life.add(*event, content="second")
    life.add("issue", content="second")

    assert codes(life.find()) == ["changed-after-sign-off"]


def test_a_sign_off_of_the_old_text_is_none_of_the_new() -> None:
    life = signed()
    life.add("version", content="second")
    life.add("approve", SIGNED, by=LI)
    life.add("issue", content="second")

    assert codes(life.find()) == ["changed-after-sign-off"]


def test_a_sign_off_that_its_owner_took_back_does_not_count() -> None:
    life = signed()
    life.add("version", content="second")
    life.add("approve", SIGNED, content="second", by=WANG)
    life.add("approve", REJECTED, content="second", by=LI)
    before = life.find()
    life.add("approve", REJECTED, content="second", by=WANG)
    life.add("issue", content="second")

    assert before == ()
    assert codes(life.find()) == ["changed-after-sign-off"]


def test_a_changed_text_that_waits_is_critical_until_it_is_signed_off() -> None:
    life = signed()
    life.add("version", content="second")

    (found,) = life.find()

    assert (found.severity, found.detail) == ("critical", {"signedOff": 1})
    assert "yet" in found.en

    life.add("approve", SIGNED, content="second")

    assert life.find() == ()


def test_only_the_newest_change_waits() -> None:
    life = signed()
    life.add("version", content="second")
    third = life.add("version", content="third")

    assert [each.sequence for each in life.find()] == [third.sequence]


def test_the_signed_text_may_be_used_while_a_change_waits() -> None:
    life = signed()
    life.add("version", content="second")
    life.add("seal")

    (found,) = life.find()
    assert found.detail == {"signedOff": 1}  # and not that it was used


def test_a_change_is_told_once_however_often_it_is_used() -> None:
    life = signed()
    life.add("version", content="second")
    for use in USES:
        life.add(use, content="second")

    assert found_in(life) == ["changed-after-sign-off"]


@pytest.mark.parametrize("use", USES)
def test_a_change_before_any_sign_off_is_no_lapse(use: str) -> None:
    life = Life()
    life.add("register")
    life.add("version", content="second")
    life.add("approve", SIGNED, content="second")
    life.add(use, content="second")

    assert found_in(life) == []


def test_going_back_to_the_signed_text_is_no_change() -> None:
    life = signed()
    life.add("version", content="second")
    life.add("correct", content="draft")
    life.add("issue", content="draft")

    assert life.find() == ()


def test_with_an_entry_left_out_a_change_is_not_certain() -> None:
    life = signed()
    life.add("version", content="second")
    life.add("review", content="second")
    life.add("issue", content="second")

    (found,) = life.find(without=3)

    assert not found.certain


# --- conversions


def converted(check: tuple[str, dict[str, Any]] | None) -> Life:
    """A signed version, converted twice at entries 2 and 3, perhaps checked."""
    life = signed()
    life.add("convert", {"from": sha("draft").hex()}, content="pdf")
    life.add("review", content="pdf")
    life.add("convert", {"from": sha("pdf").hex()}, content="ofd")
    if check is not None:
        life.add(*check, content="ofd")
    return life


@pytest.mark.parametrize("use", USES)
def test_a_conversion_that_is_used_before_it_was_checked_is_found(use: str) -> None:
    life = converted(None)
    used = life.add(use, content="ofd")
    life.add("review", content="ofd")

    found = life.find()[0]

    assert (found.code, found.sequence) == ("finding.converted-not-checked", 4)
    assert found.detail == {"used": used.sequence}


@pytest.mark.parametrize(
    "check",
    [
        ("review", {}),
        ("review", {"decision": "approved"}),
        ("approve", {"step": "check", "decision": "approved"}),
        ("countersign", {"step": "check", "decision": "approved"}),
        ("fixity", {"outcome": "pass"}),
    ],
)
def test_a_conversion_that_was_checked_is_no_lapse(check: tuple[str, dict[str, Any]]) -> None:
    life = converted(check)
    life.add("seal", content="ofd")

    assert life.find() == ()


@pytest.mark.parametrize(
    "check",
    [
        ("review", {"decision": "rejected"}),
        ("review", {"decision": ["approved"]}),
        ("approve", {"step": "check", "decision": "rejected"}),
        ("fixity", {"outcome": None}),
        ("access", {"how": "view"}),
    ],
)
def test_what_did_not_pass_is_no_check(check: tuple[str, dict[str, Any]]) -> None:
    life = converted(check)
    life.add("seal", content="ofd")

    assert codes(life.find()) == ["converted-not-checked"]


def test_a_conversion_that_is_not_used_is_no_lapse() -> None:
    assert converted(None).find() == ()


def test_using_a_conversion_of_a_changed_text_uses_that_text() -> None:
    life = signed()
    changed = life.add("version", content="second")
    life.add("convert", {"from": sha("second").hex()}, content="ofd")
    life.add("review", content="ofd")
    life.add("seal", content="ofd")

    (found,) = life.find()

    assert (found.code, found.sequence) == ("finding.changed-after-sign-off", changed.sequence)


def test_conversions_in_a_ring_come_to_an_end() -> None:
    life = signed()
    life.add("convert", {"from": sha("ofd").hex()}, content="pdf")
    life.add("convert", {"from": sha("pdf").hex()}, content="ofd")
    life.add("convert", content="ofd", detail={"from": sha("draft").hex()})
    life.add("review", content="ofd")
    life.add("seal", content="ofd")

    assert life.find() == ()


def test_only_so_many_conversions_are_looked_through() -> None:
    life = signed()
    life.add("version", content="second")
    names = ["second", *(f"conversion {number}" for number in range(64))]
    for source, name in itertools.pairwise(names):
        life.add("convert", {"from": sha(source).hex()}, content=name)
        life.add("review", content=name)
    life.add("seal", content=names[64])
    far = life.find()
    life.add("seal", content=names[63])

    assert ["used" in each.detail for each in far] == [False]
    assert ["used" in each.detail for each in life.find()] == [True]


def test_the_sign_off_that_is_named_is_the_last_of_another_text() -> None:
    life = signed()
    life.add("version", content="second")
    life.add("approve", SIGNED, content="second")
    life.add("approve", SIGNED)
    life.add("approve", REJECTED)
    life.add("version")

    (found,) = life.find()

    assert found.detail == {"signedOff": 3}


# --- revoked, damaged


@pytest.mark.parametrize("content", ["draft", "ofd"])
@pytest.mark.parametrize("use", ["seal", "issue", "dispatch"])
def test_a_revoked_text_that_is_used_afterwards_is_critical(use: str, content: str) -> None:
    life = converted(("review", {}))
    revoked = life.add("revoke", reason="wrong")
    used = life.add(use, content=content)
    life.add(use, content=content)

    found = [each for each in life.find(without=1) if each.severity == "critical"]

    assert [each.code for each in found] == ["finding.used-after-revocation"]
    assert (found[0].sequence, found[0].certain) == (used.sequence, True)
    assert found[0].detail == {"revoked": revoked.sequence}


def test_archiving_what_was_revoked_and_using_another_version_is_none() -> None:
    life = signed()
    life.add("revoke", reason="wrong")
    life.add("archive")
    life.add("version", content="second")
    life.add("approve", SIGNED, content="second")
    life.add("issue", content="second")

    assert life.find() == ()


def test_kept_bytes_that_changed_are_critical_until_they_pass_again() -> None:
    life = signed()
    life.add("fixity", outcome="fail")
    failed = life.add("fixity", outcome="fail")
    life.add("fixity", outcome="pass", content="another")

    (found,) = life.find()

    assert (found.code, found.severity) == ("finding.fixity-failed", "critical")
    assert found.sequence == failed.sequence

    life.add("fixity", outcome="pass")

    assert life.find() == ()
