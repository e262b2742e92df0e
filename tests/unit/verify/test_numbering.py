"""A document number that somebody was shown: this record's, an earlier one, or none of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from desk import Desk
from evidence import Scene, entry_of, office
from vermilion_ledger.encoding import encode_json
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.numbering import make_number_detail
from vermilion_ledger.numbers import Disclosure, DocumentNumber
from vermilion_verify.numbering import load_disclosure
from vermilion_verify.report import CHECK_IDS

FIRST = Disclosure(number=DocumentNumber(office="国办发", year=2026, serial=1), salt=bytes(32))
SECOND = Disclosure(
    number=DocumentNumber(office="国办发", year=2026, serial=2), salt=bytes([1] * 32)
)
STRANGE = Disclosure(number=FIRST.number, salt=bytes([2] * 32))


def numbered(*given: Disclosure) -> Scene:
    """A record that was given numbers, one after the other."""
    scene = office(rules=None)
    scene.event("register", detail={})
    last: Disclosure | None = None
    for each in given:
        replaces = None if last is None else last.commitment
        scene.event("number", detail=make_number_detail(each.commitment, replaces=replaces))
        last = each
    scene.anchor()
    return scene


def test_the_number_of_a_record_is_in_the_report_and_in_no_check() -> None:
    scene = numbered(FIRST)

    plain, report = scene.verify(), scene.verify(number=FIRST)

    assert report.document["number"] == {
        "text": "国办发〔2026〕1号",
        "status": "given",
        "sequence": 1,
        "index": scene.log.size - 1,
        "signed": False,
    }
    assert "number" not in plain.document
    assert (report.verdict, report.checks) == (plain.verdict, plain.checks)
    assert tuple(check.id for check in report.checks) == CHECK_IDS


def test_a_number_that_was_replaced_is_called_so() -> None:
    scene = numbered(FIRST, SECOND)

    assert scene.verify(number=FIRST).document["number"]["status"] == "replaced"
    assert scene.verify(number=SECOND).document["number"]["status"] == "given"


@pytest.mark.parametrize("shown", [SECOND, STRANGE])
def test_a_number_of_another_record_is_refused(shown: Disclosure) -> None:
    with pytest.raises(EvidenceError) as caught:
        numbered(FIRST).verify(number=shown)

    assert caught.value.code == "number.not-here"


def test_a_record_without_a_number_has_none() -> None:
    with pytest.raises(EvidenceError) as caught:
        numbered().verify(number=FIRST)

    assert caught.value.code == "number.not-here"


def test_where_entries_were_left_out_a_missing_number_cannot_be_told() -> None:
    scene = numbered(FIRST, SECOND)
    second = entry_of(scene, scene.log.items[-1][0])
    assert second.sequence == 2

    part = scene.bundle(withhold=True, without=[2])

    assert scene.verify(part, number=FIRST).document["number"]["status"] == "unknown"
    with pytest.raises(EvidenceError) as caught:
        scene.verify(part, number=SECOND)
    assert caught.value.code == "number.left-out"


def test_a_refuted_bundle_proves_no_number() -> None:
    report = numbered(FIRST).verify(content=b"another file", number=FIRST)

    assert report.verdict == "refuted"
    assert report.document["number"]["status"] == "unproven"


def test_a_number_in_clear_of_an_older_ledger_is_no_commitment() -> None:
    scene = office(rules=None)
    scene.event("register", detail={})
    scene.event("number", detail={"number": str(FIRST.number)})
    scene.anchor()

    assert scene.verify().verdict == "proven"
    with pytest.raises(EvidenceError) as caught:
        scene.verify(number=FIRST)
    assert caught.value.code == "number.not-here"


# -- the command


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    made = Desk(tmp_path, capsys).lay(numbered(FIRST))
    for name, each in (("first", FIRST), ("second", SECOND)):
        (tmp_path / name).write_bytes(each.encode())
    return made


def test_the_command_says_the_number_in_both_languages(desk: Desk) -> None:
    code, english, _ = desk.run("--number", "@first")
    _, chinese, _ = desk.run("--number", "@first", "--lang", "zh-CN")

    assert code == 0
    assert "Document number: 国办发〔2026〕1号 – the number of this record" in english
    assert "发文字号: 国办发〔2026〕1号 – 为本卷字号" in chinese
    assert "as stated by the ledger" in english


def test_the_command_prints_the_number_as_json(desk: Desk) -> None:
    _, out, _ = desk.run("--number", "@first", "--json")

    assert json.loads(out)["document"]["number"]["text"] == "国办发〔2026〕1号"


def test_a_wrong_number_ends_with_1_and_without_a_report(desk: Desk) -> None:
    code, out, err = desk.run("--number", "@second")

    assert code == 1
    assert "error[number.not-here]" in err
    assert "PROVEN" not in out + err


def test_a_forged_number_file_ends_with_1(desk: Desk) -> None:
    value = json.loads(FIRST.encode()) | {"number": str(SECOND.number)}
    (desk.folder / "forged").write_bytes(encode_json(value))

    code, _, err = desk.run("--number", "@forged")

    assert code == 1
    assert "error[number.not-opened]" in err


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"{}", "json.missing-member"), (b"", "json.malformed"), (b" " * 5000, "json.too-large")],
)
def test_a_malformed_number_file_is_bad_usage(desk: Desk, data: bytes, code: str) -> None:
    (desk.folder / "bad").write_bytes(data)

    exit_code, _, err = desk.run("--number", "@bad")

    assert exit_code == 2
    assert f"error[{code}]" in err


def test_a_number_file_that_is_not_there_is_bad_usage(desk: Desk) -> None:
    code, _, err = desk.run("--number", "@nothing")

    assert code == 2
    assert "error[number.missing]" in err


def test_a_folder_is_no_number_file(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError) as caught:
        load_disclosure(tmp_path)

    assert caught.value.code == "number.unreadable"
