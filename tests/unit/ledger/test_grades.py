"""Grades as pure logic: which are taken, which names tell too much, who may change them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence import Scene, office
from office import ROOT, Person
from vermilion_ledger.encoding import parse_json
from vermilion_ledger.errors import InputError
from vermilion_ledger.grades import (
    GRADE_CODES,
    GRADE_DEFAULT,
    PROFILES,
    check_grade,
    check_name,
    check_regrades,
    encode_profiles,
    find_profile,
    neutral_name,
    present_grade,
    profile_of,
)
from vermilion_ledger.keys import collect_keys
from vermilion_ledger.logged import LoggedEnvelope

GUARD = Person(name="guard", may=("regrade", "version"), officer=True)
CLERK = Person(name="clerk", may=("regrade", "version"))
LEVELS = ["秘密", "机密", "绝密", "機密", "絕密", "祕密", "secret", "Top Secret", "confidential"]


def refusal(grade: str) -> str:
    with pytest.raises(InputError) as caught:
        find_profile(grade)
    return caught.value.code


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("form", ["{}", "{}★10年", " {}", "【{}】", "★{}★", "国家{}", "{}级"])
def test_state_secrets_are_refused_however_they_are_written(level: str, form: str) -> None:
    assert refusal(form.format(level)) == "grade.refused"


@given(st.sampled_from(["机密", "绝密", "秘密"]), st.sampled_from(" \t\u3000\u200b\u00a0"))
def test_what_stands_between_the_letters_hides_nothing(level: str, between: str) -> None:
    assert refusal(between.join(level)) == "grade.refused"


@pytest.mark.parametrize(
    "grade", ["secretariat", "普通", "机", "公 开", "公开★", "工作秘密★1年", ""]
)
def test_a_word_that_no_profile_has_is_refused_with_the_list(grade: str) -> None:
    with pytest.raises(InputError) as caught:
        find_profile(grade)

    assert caught.value.code == "grade.unknown"
    assert "工作秘密" in caught.value.message


def test_every_grade_has_one_profile() -> None:
    words = [word for profile in PROFILES for word in profile.grades]

    assert len(set(words)) == len(words)
    for word in words:
        check_grade(word)
        assert word in find_profile(word).grades
    assert find_profile(GRADE_DEFAULT).level == "L1"


def test_only_the_second_level_hides_names_and_logs_views() -> None:
    for profile in PROFILES:
        assert profile.is_neutral is profile.has_view_log is (profile.level == "L2")


def test_the_profiles_are_a_document_that_does_not_change_by_itself() -> None:
    value = parse_json(encode_profiles(), size_max=4096, what="profiles")

    assert [each["level"] for each in value["profiles"]] == ["L1", "L1", "L2"]
    assert value["default"] == GRADE_DEFAULT
    assert {each["by"] for item in value["profiles"] for each in item["controls"]} == {
        "ledger",
        "office",
    }
    assert json.loads(encode_profiles()) == value


MARKED = [
    "绝密★长期.pdf",
    "计划 机密★10年.pdf",
    "【机密】合同.pdf",
    "关于某事的通知（秘密）.doc",
    "報告-絕密.pdf",
    "机 密★.pdf",
    "农业机密★10年.pdf",
    "企业绝密★长期.pdf",
    "手工秘密★.pdf",
    "工作机密★10年.pdf",
    "秘密",
    "TOP SECRET plan.pdf",
    "top_secret.pdf",
    "secret.pdf",
    "(Confidential) offer.pdf",
]
NOT_MARKED = [
    "工作秘密清单.pdf",
    "工作秘密★1年.pdf",
    "商业秘密保护办法.pdf",
    "商业秘密★5年.pdf",
    "保守国家秘密法.pdf",
    "秘密花园.pdf",
    "the-secret-garden.pdf",
    "secretary.pdf",
    "合同-2026-017.pdf",
    "document-0011223344556677",
]


@pytest.mark.parametrize("name", MARKED)
def test_a_marked_name_is_refused(name: str) -> None:
    with pytest.raises(InputError) as caught:
        check_name(name)

    assert caught.value.code == "grade.marked"
    assert ".pdf" not in caught.value.message


@pytest.mark.parametrize("name", NOT_MARKED)
def test_a_name_about_secrets_is_none(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize(
    "name", ["合同.pdf", neutral_name(bytes(32)), neutral_name(b"\x01" * 32) + ".pdf"]
)
def test_a_name_that_tells_something_is_refused_where_the_grade_forbids_it(name: str) -> None:
    with pytest.raises(InputError) as caught:
        check_name(name, profile=profile_of("工作秘密"), sha256=b"\x01" * 32)

    assert caught.value.code == "grade.name"
    check_name(neutral_name(b"\x01" * 32), profile=profile_of("工作秘密"), sha256=b"\x01" * 32)
    check_name(name, profile=profile_of("内部"), sha256=b"\x01" * 32)


def test_a_grade_of_older_times_has_no_profile() -> None:
    assert profile_of("随便") is None
    assert set(GRADE_CODES) == {"grade.marked", "grade.name", "grade.refused", "grade.unknown"}


# -- changes of grade, as whoever verifies sees them


def scene_of(*changes: tuple[Person, dict[str, str]], grade: str | None = None) -> Scene:
    scene = office(rules=None)
    for person in (GUARD, CLERK):
        scene.register_key(person, ROOT)
    scene.event("register", detail={} if grade is None else {"grade": grade})
    for person, detail in changes:
        scene.event("regrade", person, detail=detail)
    return scene


def problems(scene: Scene) -> list[tuple[int, str]]:
    keys = [place for place, _, key in scene.log.items if place.statement.predicate.name == "KEY"]
    return [
        (each.sequence, each.code) for each in check_regrades(entries_of(scene), collect_keys(keys))
    ]


def entries_of(scene: Scene) -> tuple[LoggedEnvelope, ...]:
    return tuple(
        place for place, _, _ in scene.log.items if place.statement.predicate.name == "RECORD"
    )


def change(before: str, after: str, reason: str = "because") -> dict[str, str]:
    return {"from": before, "to": after, "reason": reason}


def test_changes_by_an_officer_that_follow_on_each_other_are_fine() -> None:
    scene = scene_of(
        (GUARD, change("公开", "内部")), (GUARD, change("内部", "工作秘密")), grade="公开"
    )

    assert problems(scene) == []
    assert present_grade(entries_of(scene)) == "工作秘密"


def test_a_record_without_a_grade_is_internal() -> None:
    assert present_grade(()) == "内部"
    assert problems(scene_of((GUARD, change("内部", "公开")))) == []


def test_every_change_that_should_not_have_been_taken_is_told_with_its_place() -> None:
    scene = scene_of(
        (CLERK, change("内部", "公开")),
        (GUARD, change("内部", "工作秘密")),
        (GUARD, change("公开", "机密")),
        (GUARD, {"from": "机密"}),
        (GUARD, change("机密", "内部")),
    )

    assert problems(scene) == [
        (1, "grade.officer"),
        (2, "grade.from"),
        (3, "grade.refused"),
        (4, "grade.detail"),
    ]


def test_a_drafter_among_the_officers_is_told() -> None:
    scene = scene_of()
    scene.event("version", GUARD, content=b"second")
    scene.event("regrade", GUARD, content=b"second", detail=change("内部", "公开"))

    assert problems(scene) == [(2, "grade.drafter")]


def test_a_verdict_does_not_hang_on_it() -> None:
    scene = scene_of((CLERK, change("公开", "公开")))
    scene.anchor()

    assert scene.verify().verdict == "proven"
