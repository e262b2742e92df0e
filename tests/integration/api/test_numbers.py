"""Document numbers over HTTP and by command: given once, told to the office, to nobody else."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from postgres import find_postgres, running_postgres
from served import Served, refused, serving
from vermilion_api import cli
from vermilion_api.services.history import StoredHistory
from vermilion_ledger.admission import LedgerAdmission
from vermilion_ledger.numbering import present_commitment
from vermilion_ledger.numbers import DocumentNumber, commit_number, parse_disclosure

OFFICE = "京试发"  # not the one of examples in hints


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A ledger that gives entries their index itself."""
    with serving(tmp_path_factory.mktemp("numbers")) as made:
        yield made


@pytest.fixture(scope="module")
def queued(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A ledger on PostgreSQL, whose sequencer is another one than the API."""
    if find_postgres() is None:
        # An outside program; the same rules are tested on SQLite, which every machine has.
        pytest.skip("initdb, pg_ctl and postgres are not installed")
    folder = tmp_path_factory.mktemp("queued")
    with (
        running_postgres() as server,
        serving(folder, database_url=server.url(server.create_database())) as made,
    ):
        yield made


@pytest.fixture(params=["served", "queued"])
def either(request: pytest.FixtureRequest) -> Served:
    """Each of the two."""
    found: Served = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def year(request: pytest.FixtureRequest) -> int:
    """A year of its own for each test, so that tests do not number into one book."""
    return 2000 + sum(map(ord, request.node.name)) % 7000


def numbered(served: Served, record: str, **asked: Any) -> dict[str, Any]:
    return served.api.post(f"/v1/records/{record}/number", asked)


def book(served: Served, year: int) -> dict[str, Any]:
    return served.api.get("/v1/numbers", {"office": OFFICE, "year": str(year)})


def test_the_next_free_number_is_given(either: Served, year: int) -> None:
    records = [either.register(f"next {year} {each}")["record"] for each in range(3)]

    found = [numbered(either, each, office=OFFICE, year=year)["number"] for each in records]

    assert found == [f"{OFFICE}〔{year}〕{serial}号" for serial in (1, 2, 3)]
    assert book(either, year)["books"] == [
        {"office": OFFICE, "year": year, "count": 3, "last": 3, "gaps": []}
    ]
    assert [each["record"] for each in book(either, year)["numbers"]] == records


def test_a_number_is_asked_for_as_people_write_it(served: Served, year: int) -> None:
    record = served.register(f"written {year}")["record"]

    found = numbered(served, record, number=f" {OFFICE}（{year}） ７ 号")

    assert found["number"] == f"{OFFICE}〔{year}〕7号"
    assert book(served, year)["books"][0]["gaps"] == [[1, 6]]


def test_the_statement_carries_a_commitment_and_nothing_else(served: Served, year: int) -> None:
    record = served.register(f"commitment {year}")["record"]
    numbered(served, record, office=OFFICE, year=year)

    (entry,) = (
        each
        for each in served.api.get(f"/v1/records/{record}")["entries"]
        if each["event"] == "number"
    )
    bundle = served.api.fetch(f"/v1/records/{record}/bundle")

    assert entry["detail"].keys() == {"commitment"}
    assert OFFICE.encode() not in bundle
    reader = served.ledger.reader()
    history = LedgerAdmission(served.ledger.identity).history(record, StoredHistory(reader))
    present = present_commitment(history)
    assert present is not None
    opened = served.ledger.database.numbers.load_disclosure(present)
    number = DocumentNumber(office=OFFICE, year=year, serial=1)
    assert opened.number == number
    assert commit_number(number, opened.salt).hex() == entry["detail"]["commitment"]


@pytest.mark.parametrize("second", [{"serial": 1}, {"serial": 2}])
def test_a_number_and_a_record_are_matched_once(
    either: Served, year: int, second: dict[str, int]
) -> None:
    first = either.register(f"first {year}")["record"]
    other = either.register(f"other {year}")["record"]
    numbered(either, first, number=f"{OFFICE}〔{year}〕1号")
    record, code = (other, "number.taken") if second["serial"] == 1 else (first, "number.second")

    found = refused(
        lambda: numbered(either, record, number=f"{OFFICE}〔{year}〕{second['serial']}号")
    )

    assert found == code
    assert [each["number"] for each in book(either, year)["numbers"]] == [f"{OFFICE}〔{year}〕1号"]


def test_a_number_is_corrected_by_one_that_replaces_it(either: Served, year: int) -> None:
    record = either.register(f"replaced {year}")["record"]
    numbered(either, record, office=OFFICE, year=year)

    found = numbered(either, record, number=f"{OFFICE}〔{year}〕9号", replace=True)

    assert found["number"] == f"{OFFICE}〔{year}〕9号"
    states = {each["number"]: each["state"] for each in book(either, year)["numbers"]}
    assert states == {f"{OFFICE}〔{year}〕1号": "replaced", f"{OFFICE}〔{year}〕9号": "given"}
    events = either.api.get(f"/v1/records/{record}")["entries"][1:]
    assert events[1]["detail"]["replaces"] == events[0]["detail"]["commitment"]


def test_nothing_is_replaced_where_there_is_no_number(served: Served, year: int) -> None:
    record = served.register(f"nothing to replace {year}")["record"]

    call = lambda: numbered(served, record, office=OFFICE, year=year, replace=True)  # noqa: E731

    assert refused(call) == "number.replaces"
    assert book(served, year)["numbers"] == []


def test_gaps_are_filled_only_when_asked_for(served: Served, year: int) -> None:
    records = [served.register(f"gap {year} {each}")["record"] for each in range(4)]
    numbered(served, records[0], number=f"{OFFICE}〔{year}〕3号")

    after = numbered(served, records[1], office=OFFICE, year=year)["number"]
    gap = numbered(served, records[2], office=OFFICE, year=year, fill=True)["number"]
    served.api.post("/v1/numbers/void", {"number": f"{OFFICE}〔{year}〕2号", "reason": "withdrawn"})

    assert (after, gap) == (f"{OFFICE}〔{year}〕4号", f"{OFFICE}〔{year}〕1号")
    assert book(served, year)["books"][0]["gaps"] == []
    assert refused(lambda: numbered(served, records[3], number=f"{OFFICE}〔{year}〕2号")) == (
        "number.taken"
    )


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"number": "国办发〔2026〕第5号"}, "number.ordinal"),
        ({"number": "国办发〔2026〕05号"}, "number.leading-zero"),
        ({"number": "国办发2026-5"}, "number.shape"),
        ({"number": 5}, "number.shape"),
        ({"number": "国办发〔2026〕5号", "office": "国办发"}, "number.shape"),
        ({"number": "国办发〔2026〕5号", "fill": True}, "number.shape"),
        ({"office": "国办发"}, "number.shape"),
        ({"year": 2026}, "number.shape"),
        ({}, "number.shape"),
        ({"office": "国办发", "year": "2026"}, "number.year"),
        ({"office": "国办发", "year": 1948}, "number.year"),
        ({"office": "国 办", "year": 2026}, "number.office"),
        ({"office": "国办发", "year": 2026, "fill": 1}, "json.shape"),
        ({"office": "国办发", "year": 2026, "salt": "00"}, "json.unknown-member"),
    ],
)
def test_what_is_no_number_is_refused(served: Served, asked: dict[str, Any], code: str) -> None:
    record = served.register("what is no number")["record"]

    assert refused(lambda: numbered(served, record, **asked)) == code
    assert len(served.api.get(f"/v1/records/{record}")["entries"]) == 1


@pytest.mark.parametrize(
    ("detail", "code"),
    [
        ({"number": "国办发〔2026〕5号"}, "number.clear"),
        ({"commitment": "ab" * 32, "number": "国办发〔2026〕5号"}, "number.clear"),
        ({"commitment": "ab" * 32}, "number.unassigned"),
        ({"commitment": "国办发〔2026〕5号"}, "number.clear"),
        ({"commitment": "ab" * 32, "title": "国办发〔2026〕5号"}, "number.clear"),
        ({"commitment": "ab" * 32, "title": "notice"}, "number.detail"),
        ({}, "number.detail"),
    ],
)
def test_a_number_comes_from_the_book_and_from_nowhere_else(
    served: Served, detail: dict[str, str], code: str
) -> None:
    record = served.register("from nowhere else")["record"]
    asked = {
        "event": "number",
        "detail": detail,
        "actor": dict.fromkeys(("name", "post", "unit"), "") | {"id": "u"},
    }

    assert refused(lambda: served.event(record, asked)) == code
    assert len(served.api.get(f"/v1/records/{record}")["entries"]) == 1


@pytest.mark.parametrize(
    "detail",
    [
        {"number": "国办发〔2026〕5号"},
        {"x-office": [{"of": " 国办发 [２０２６] 5 号"}]},
        {"国办发(2026)5号": True},
    ],
)
def test_no_other_event_takes_a_number_in_clear(served: Served, detail: dict[str, Any]) -> None:
    record = served.register("no other event")["record"]
    asked = {
        "event": "issue",
        "detail": detail,
        "actor": dict.fromkeys(("name", "post", "unit"), "") | {"id": "u"},
    }

    assert refused(lambda: served.register("nor a new record", detail=detail)) == "number.clear"
    assert refused(lambda: served.event(record, asked)) == "number.clear"
    assert len(served.api.get(f"/v1/records/{record}")["entries"]) == 1


def test_a_sentence_may_quote_the_number_of_another_document(served: Served) -> None:
    detail = {"x-basis": "根据国办发〔2026〕5号文件精神"}

    assert served.register("quotes", detail=detail)["record"]


def test_a_record_that_is_not_here_is_not_numbered(served: Served, year: int) -> None:
    nobody = "rec_" + "0" * 32

    assert refused(lambda: numbered(served, nobody, office=OFFICE, year=year)) == "record.unknown"
    assert book(served, year)["numbers"] == []


def test_a_repeated_request_gets_the_same_number(either: Served, year: int) -> None:
    record = either.register(f"repeated {year}")["record"]
    asked = {"office": OFFICE, "year": year}
    headers = {"Idempotency-Key": f"number {year}".replace(" ", "-")}
    path = f"/v1/records/{record}/number"

    answers = [either.client.post(path, json=asked, headers=headers) for _ in range(3)]
    other = either.client.post(path, json={**asked, "fill": True}, headers=headers)

    assert [each.status_code for each in answers] == [200] * 3
    assert {each.json()["number"] for each in answers} == {f"{OFFICE}〔{year}〕1号"}
    assert other.json()["code"] == "idempotency.other-body"
    assert either.ledger.database.responses.load(headers["Idempotency-Key"]).body is None  # type: ignore[union-attr]


def test_many_that_number_at_once_get_one_each(either: Served, year: int) -> None:
    records = [either.register(f"at once {year} {each}")["record"] for each in range(12)]
    path = "/v1/records/{}/number"
    asked = {"office": OFFICE, "year": year}

    with ThreadPoolExecutor(12) as pool:
        answers = list(
            pool.map(lambda each: either.client.post(path.format(each), json=asked), records)
        )

    found = sorted(int(each.json()["number"].split("〕")[1][:-1]) for each in answers)
    assert found == list(range(1, 13))
    assert book(either, year)["books"][0]["gaps"] == []


def test_no_error_no_metric_and_no_log_line_names_a_number(
    served: Served, year: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    first, second = (served.register(f"quiet {year} {each}")["record"] for each in range(2))
    number = f"{OFFICE}〔{year}〕1号"
    path = "/v1/records/{}/number"
    served.client.post(path.format(first), json={"number": number})

    taken = served.client.post(path.format(second), json={"number": number})
    twice = served.client.post(path.format(first), json={"number": f"{OFFICE}〔{year}〕2号"})
    wrong = served.client.post(path.format(second), json={"number": f"{OFFICE}〔{year}〕第1号"})
    void = served.client.post("/v1/numbers/void", json={"number": number, "reason": "x"})
    metrics = served.client.get("/metrics")

    for answer in (taken, twice, wrong, void, metrics):
        assert OFFICE not in answer.text
    assert [each.status_code for each in (taken, twice, wrong, void)] == [409, 409, 400, 409]
    assert OFFICE not in caplog.text
    with served.ledger.database.engine.connect() as connection:
        for table in ("responses", "submissions", "refusals", "idempotency"):
            rows = connection.exec_driver_sql(f"SELECT * FROM {table}").all()
            assert OFFICE not in str(rows)
            assert OFFICE.encode() not in b"".join(
                bytes(each) for row in rows for each in row if isinstance(each, bytes | memoryview)
            )


def test_the_book_is_not_kept_by_caches(served: Served, year: int) -> None:
    found = served.client.get("/v1/numbers", params={"office": OFFICE, "year": year})

    assert found.headers["cache-control"] == "no-store"


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    code = cli.main([str(each) for each in arguments])
    told = capsys.readouterr()
    return code, told.out + told.err


def test_the_commands_number_list_void_and_disclose(
    served: Served, year: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = served.register(f"by command {year}")["record"]
    url, home = f"--url={served.api.url}", f"--home={served.ledger.home.path}"
    named = ("--office", OFFICE, "--year", str(year))

    assert run(capsys, "number", "assign", record, f"{OFFICE}[{year}]2号", url)[0] == 0
    assert run(capsys, "number", "gaps", *named, url)[1].endswith(": 1 of 2 spent, missing 1\n")
    assert (
        run(capsys, "number", "void", f"{OFFICE}〔{year}〕1号", "--reason", "spoiled", url)[0] == 0
    )
    code, listed = run(capsys, "number", "list", *named, url)
    assert code == 0
    assert listed == (
        f"{OFFICE}〔{year}〕1号  void  spoiled\n{OFFICE}〔{year}〕2号  given  {record}\n"
    )
    file = tmp_path / "number.json"
    code, told = run(capsys, "number", "disclose", record, "-o", file, home)
    assert code == 0
    assert OFFICE not in told
    found = parse_disclosure(file.read_bytes())
    assert str(found.number) == f"{OFFICE}〔{year}〕2号"
    assert json.loads(file.read_bytes()).keys() == {"number", "salt", "commitment"}
    assert run(capsys, "number", "assign", record, *named, url)[0] == 1
    unnumbered = served.register(f"unnumbered {year}")["record"]
    code, told = run(capsys, "number", "disclose", unnumbered, "-o", file, home)
    assert code == 2
    assert "number.unknown" in told
