"""Grades over HTTP: state secrets never enter, and that they were refused is all that is kept."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from command_kit import opened
from served import Served, prepare, refused, send, serving, sha256
from vermilion_api import cli
from vermilion_api.keyfiles import KeyFile
from vermilion_api.signing import describe_key
from vermilion_ledger.grades import encode_profiles, neutral_name

EMPTY = {"name": "", "post": "", "unit": ""}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("grades")) as made:
        made.register_key(made.root)
        yield made


def officer(served: Served, name: str) -> KeyFile:
    key = served.person(name)
    detail = describe_key(key, ("regrade", "version")) | {"officer": True}
    asked = {"event": "register", "detail": detail, "actor": served.root.owner.to_json()}
    served.event("keys", asked, served.root, key)
    return key


def body(name: str, **members: Any) -> dict[str, Any]:
    return {"name": f"{name}.pdf", "digest": {"sha256": sha256(name)}, **members}


def counted(served: Served) -> dict[str, int]:
    return {each["code"]: each["count"] for each in served.api.get("/v1/refusals")["refusals"]}


def stored(served: Served) -> bytes:
    """Everything in the database file, as bytes."""
    folder = served.ledger.home.path
    return b"".join(path.read_bytes() for path in sorted(folder.glob("ledger.db*")))


# -- at the door


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"grade": "秘密"}, "grade.refused"),
        ({"grade": "机密★10年"}, "grade.refused"),
        ({"grade": "絕密"}, "grade.refused"),
        ({"grade": "Top Secret"}, "grade.refused"),
        ({"grade": "机 密"}, "grade.refused"),
        ({"grade": "国家秘密"}, "grade.refused"),
        ({"grade": "ＳＥＣＲＥＴ"}, "grade.refused"),
        ({"grade": "很机密"}, "grade.unknown"),
        ({"grade": "普通"}, "grade.unknown"),
        ({"grade": ""}, "text.empty"),
        ({"name": "绝密★长期 计划.pdf"}, "grade.marked"),
        ({"name": "计划（机密）.pdf"}, "grade.marked"),
        ({"name": "TOP-SECRET plan.pdf"}, "grade.marked"),
        ({"name": "机密★.pdf", "grade": "公开"}, "grade.marked"),
        ({"grade": "工作秘密"}, "grade.name"),
        ({"grade": "商业秘密", "name": neutral_name(bytes(32))}, "grade.name"),
    ],
)
def test_what_may_not_enter_leaves_no_trace(
    served: Served, members: dict[str, str], code: str
) -> None:
    name = "trace of " + sha256(repr(members))[:16]
    before = served.ledger.reader().size()

    found = served.client.post("/v1/records", json=body(name) | members)
    bulk = served.client.post("/v1/records/bulk", json={"records": [body(name) | members]})

    assert (found.json()["code"], bulk.json()["code"]) == (code, code)
    assert found.status_code in {400, 422}
    assert served.api.get("/v1/records", {"digest": f"sha256:{sha256(name)}"})["records"] == []
    kept = stored(served)
    assert bytes.fromhex(sha256(name)) not in kept
    assert name.encode() not in kept
    if code in {"grade.refused", "grade.unknown"}:
        assert served.ledger.reader().size() - before <= 3  # the count, and its record


@pytest.mark.parametrize("grade", ["公开", "内部", "依申请公开", "public", "internal"])
def test_what_is_below_enters(served: Served, grade: str) -> None:
    record = served.register(f"graded {grade}", grade=grade)["record"]

    entry = served.api.get(f"/v1/records/{record}")["entries"][0]

    assert entry["detail"] == {"grade": grade}


def test_a_refusal_is_an_event_without_content(served: Served) -> None:
    assert refused(lambda: served.register("without content", grade="机密")) == "grade.refused"

    record = served.api.get("/v1/refusals")["record"]
    found = served.api.get(f"/v1/records/{record}")

    assert found["digest"] == hashlib.sha256(encode_profiles()).hexdigest()
    first, *events = found["entries"]
    assert (first["event"], first["name"]) == ("register", "control-profiles.json")
    assert events
    for event in events:
        assert event["event"] == "supervise"
        assert event["detail"].keys() == {"refused", "count"}
        assert event["actor"] == {"id": "ledger", **EMPTY}
        assert (event["name"], event["digest"]) == (first["name"], first["digest"])


def test_nobody_but_the_ledger_counts_refusals(served: Served) -> None:
    assert refused(lambda: served.register("count", grade="机密")) == "grade.refused"
    before, record = counted(served), served.api.get("/v1/refusals")["record"]
    asked = {"event": "supervise", "actor": {"id": "ledger", **EMPTY}}

    for count in (-1, 0, 1, True, "1"):
        detail = {"refused": "grade.refused", "count": count}
        made = prepare(served, record, **asked, detail=detail)
        assert refused(lambda made=made: send(served, record, made)) == "grade.own-record"  # type: ignore[misc]

    assert counted(served) == before


def test_each_refusal_is_an_event_before_it_is_answered(served: Served) -> None:
    before = counted(served).get("grade.unknown", 0)
    size = served.ledger.reader().size()

    for turn in range(1, 13):
        served.client.post("/v1/records", json=body(f"flood {turn}", grade="没有这个词"))
        assert counted(served)["grade.unknown"] - before == turn

    assert served.ledger.reader().size() - size == 12
    metrics = served.client.get("/metrics").text
    assert 'vermilion_refusals_total{code="grade.unknown"}' in metrics


def test_what_was_not_told_yet_is_told_when_the_ledger_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vermilion_api.services.refusals._SINGLE_COUNT_MAX", 0)
    with serving(tmp_path) as served:
        for turn in range(7):
            served.client.post("/v1/records", json=body(f"stop {turn}", grade="秘密"))
        assert counted(served) == {"grade.refused": 4}

    with serving(tmp_path / "again") as other:
        assert counted(other) == {}
    code = subprocess.run(
        [sys.executable, "-c", _COUNT, str(tmp_path / "home")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert code.stdout == "7\n", code.stderr


_COUNT = """
import sys
from pathlib import Path
from vermilion_api.wiring import open_ledger
from vermilion_ledger.envelope import parse_envelope
ledger = open_ledger(Path(sys.argv[1]))
reader, total = ledger.reader(), 0
for row in ledger.database.log.load_stored(0, reader.size()):
    statement = parse_envelope(row.envelope).statement
    total += statement.detail.get("count", 0) if statement.event == "supervise" else 0
print(total)
"""


@pytest.mark.parametrize("code", ["grade.drafter", "number.taken", "", None, 4])
def test_only_refusals_for_a_grade_are_counted(served: Served, code: object) -> None:
    found = served.client.post("/v1/refusals", json={"refused": code})

    assert (found.status_code, found.json()["code"]) == (400, "request.malformed")


def test_a_refusal_tells_nothing_but_its_code(served: Served) -> None:
    found = served.client.post("/v1/refusals", json={"refused": "grade.marked", "name": "x"})

    assert found.json()["code"] == "json.unknown-member"


# -- the client


def test_a_state_secret_is_refused_before_its_file_is_looked_at(
    served: Served, tmp_path: Path
) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    (archive / "plan.pdf").write_bytes(b"plan")
    before = counted(served).get("grade.refused", 0)

    code, paths, told = opened("record", archive, "--grade", "绝密★30年", "--url", served.api.url)

    assert code == 4
    assert "grade.refused" in told
    assert [each for each in paths if str(archive) in each] == []
    assert counted(served)["grade.refused"] >= before


def test_a_marked_file_is_not_opened_and_its_neighbour_is_recorded(
    served: Served, tmp_path: Path
) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    (archive / "绝密★长期.pdf").write_bytes(b"secret of state")
    (archive / "open.pdf").write_bytes(b"open to all")

    code, paths, _ = opened(
        "record", archive, "--url", served.api.url, "--journal", tmp_path / "journal"
    )

    assert code == 7
    assert [each for each in paths if each.startswith("open ") and "open.pdf" in each]
    assert [each for each in paths if each.startswith("open ") and "绝密" in each] == []
    digest = hashlib.sha256(b"secret of state").hexdigest()
    assert served.api.get("/v1/records", {"digest": f"sha256:{digest}"})["records"] == []
    assert counted(served)["grade.marked"] > 0


def test_a_ledger_out_of_reach_does_not_keep_the_refusal_away(tmp_path: Path) -> None:
    (tmp_path / "plan.pdf").write_bytes(b"plan")
    arguments = ("--grade", "机密", "--url", "http://127.0.0.1:9")

    assert opened("record", tmp_path / "plan.pdf", *arguments)[0] == 4


def test_the_client_names_work_secrets_by_their_digest(
    served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "人事任免草案.docx"
    file.write_bytes(b"who goes where")
    digest = hashlib.sha256(b"who goes where").digest()

    where = ["--url", served.api.url, "--journal", str(tmp_path / "journal")]
    code = cli.main(["record", str(file), "--grade", "工作秘密", *where])

    assert code == 0
    (found,) = served.api.get("/v1/records", {"digest": f"sha256:{digest.hex()}"})["records"]
    assert found["name"] == neutral_name(digest)
    assert "人事".encode() not in stored(served)


def test_the_command_lists_refusals(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    served.client.post("/v1/records", json=body("listed", grade="秘密"))

    assert cli.main(["refusals", "--url", served.api.url]) == 0
    assert "grade.refused  " in capsys.readouterr().out


# -- work secrets


def work_secret(served: Served, name: str) -> str:
    digest = sha256(name)
    neutral = neutral_name(bytes.fromhex(digest))
    members = {"name": neutral, "digest": {"sha256": digest}, "grade": "工作秘密"}
    return str(served.api.post("/v1/records", members)["record"])


def test_later_events_of_a_work_secret_tell_no_name_either(served: Served) -> None:
    record = work_secret(served, "later events")
    actor = {"id": "u", **EMPTY}
    version = {"event": "version", "digest": {"sha256": sha256("second")}, "actor": actor}

    named = refused(lambda: served.event(record, {**version, "name": "人事.pdf"}))
    served.event(record, version)
    served.event(record, {"event": "archive", "actor": actor})

    assert named == "grade.name"
    names = [each["name"] for each in served.api.get(f"/v1/records/{record}")["entries"]]
    assert names[0] == neutral_name(bytes.fromhex(sha256("later events")))
    assert names[1:] == [neutral_name(bytes.fromhex(sha256("second")))] * 2


def test_no_event_takes_a_marked_name_in(served: Served) -> None:
    record = served.register("marked later")["record"]
    asked = {
        "event": "version",
        "digest": {"sha256": sha256("marked second")},
        "actor": {"id": "u", **EMPTY},
        "name": "机密★10年.pdf",
    }

    assert refused(lambda: served.event(record, asked)) == "grade.marked"


def test_handing_a_work_secret_out_is_an_event_of_its_record(served: Served) -> None:
    record = work_secret(served, "handed out")

    for _ in range(5):
        served.api.fetch(f"/v1/records/{record}/bundle")

    events = served.api.get(f"/v1/records/{record}")["entries"][1:]
    assert [each["event"] for each in events] == ["access"] * 5
    assert [each["detail"] for each in events] == [
        {"how": "download", "what": "bundle", "count": 1}
    ] * 5


@pytest.mark.parametrize("grade", [None, "内部", "公开"])
def test_handing_others_out_is_no_event(served: Served, grade: str | None) -> None:
    members = {} if grade is None else {"grade": grade}
    record = served.register(f"freely {grade}", **members)["record"]

    served.api.fetch(f"/v1/records/{record}/bundle")

    assert len(served.api.get(f"/v1/records/{record}")["entries"]) == 1


# -- changes of grade


def regrade(served: Served, record: str, *keys: KeyFile, **detail: str) -> dict[str, Any]:
    return served.event(record, {"event": "regrade", "detail": detail}, *keys)


@pytest.fixture(scope="module")
def guard(served: Served) -> KeyFile:
    return officer(served, "guard")


def test_an_officer_changes_a_grade_and_its_profile_counts_from_then_on(
    served: Served, guard: KeyFile
) -> None:
    record = served.register("regraded", grade="内部")["record"]

    regrade(served, record, guard, **{"from": "内部", "to": "工作秘密", "reason": "人事"})
    served.api.fetch(f"/v1/records/{record}/bundle")
    back = {"from": "工作秘密", "to": "公开", "reason": "published"}
    regrade(served, record, guard, **back)
    served.api.fetch(f"/v1/records/{record}/bundle")

    events = [each["event"] for each in served.api.get(f"/v1/records/{record}")["entries"]]
    assert events == ["register", "regrade", "access", "regrade"]


@pytest.mark.parametrize(
    ("detail", "code"),
    [
        ({"from": "内部", "to": "机密", "reason": "x"}, "grade.refused"),
        ({"from": "内部", "to": "普通", "reason": "x"}, "grade.unknown"),
        ({"from": "公开", "to": "工作秘密", "reason": "x"}, "grade.from"),
        ({"from": "秘密", "to": "公开", "reason": "x"}, "grade.refused"),
        ({"from": "内部", "to": "内部", "reason": "x"}, "grade.same"),
        ({"from": "内部", "to": "公开", "reason": "  "}, "grade.detail"),
        ({"from": "内部", "to": "公开"}, "grade.detail"),
        ({"to": "公开", "reason": "x"}, "grade.detail"),
        ({}, "grade.detail"),
    ],
)
def test_a_change_that_says_something_else_is_refused(
    served: Served, guard: KeyFile, detail: dict[str, str], code: str
) -> None:
    record = served.register("regrade " + sha256(repr(detail))[:16])["record"]

    assert refused(lambda: regrade(served, record, guard, **detail)) == code
    assert len(served.api.get(f"/v1/records/{record}")["entries"]) == 1


CHANGE = {"from": "内部", "to": "公开", "reason": "published"}


def test_nobody_but_an_officer_changes_a_grade(served: Served, guard: KeyFile) -> None:
    clerk = served.enrol("clerk", may=("regrade",))
    record = served.register("clerk's wish")["record"]

    assert refused(lambda: regrade(served, record, clerk, **CHANGE)) == "grade.officer"
    assert refused(lambda: regrade(served, record, guard, clerk, **CHANGE)) == "grade.officer"
    asked = {"event": "regrade", "detail": CHANGE, "actor": {"id": "u", **EMPTY}}
    assert refused(lambda: served.event(record, asked)) == "statement.unsigned"


def test_who_recorded_a_version_does_not_regrade_it(served: Served) -> None:
    drafter = officer(served, "drafter")
    stated = served.register("stated drafter", actor={"id": "drafter", **EMPTY})["record"]
    signed = served.register("signed drafter")["record"]
    version = {"event": "version", "digest": {"sha256": sha256("v2")}, "name": "v2.pdf"}
    served.event(signed, version, drafter)

    for record in (stated, signed):
        assert refused(lambda at=record: regrade(served, at, drafter, **CHANGE)) == "grade.drafter"  # type: ignore[misc]
