"""Whole lives over HTTP, from the operator's command to the verifier's findings."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from served import Served, prepare, refused, send, sha256
from vermilion_api.cli import main
from vermilion_api.keyfiles import KeyFile
from vermilion_api.trust import render_trust_policy
from vermilion_ledger.recipients import parse_recipients
from vermilion_verify.cli import main as verify_main

CLERK = ("--actor", "u-7,李明,科员,办公室")
LATER = "2999-01-01T00:00:00Z"
PAST = "2020-01-01T00:00:00Z"


class Clerk:
    """Somebody with a folder of files, who runs the commands there."""

    def __init__(self, served: Served, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.served = served
        self.folder = folder
        self._capsys = capsys
        self._told = ""

    @property
    def told(self) -> str:
        """What the last command said on standard error."""
        return self._told

    def run(self, *arguments: str, expect: int = 0, over: bool = True) -> str:
        """Run a command; what it printed."""
        where = ("--url", self.served.api.url) if over else ("--home", str(self.home))
        self._capsys.readouterr()
        code = main([*arguments, *where])
        printed, self._told = self._capsys.readouterr()
        assert code == expect, self._told
        return printed

    @property
    def home(self) -> Path:
        return self.served.folder / "home"

    def write(self, name: str) -> Path:
        path = self.folder / name
        path.write_text(f"{self.folder} {name}")
        return path

    def record(self, name: str, flow: str) -> str:
        journal = ("--journal", str(self.folder / f"{name}.journal"))
        printed = self.run("record", str(self.write(name)), "--flow", flow, "--json", *journal)
        return str(json.loads(printed.splitlines()[0])["record"])

    def event(self, record: str, name: str, *options: str, expect: int = 0) -> str:
        signed = () if "--key" in options else CLERK
        return self.run("event", record, name, *options, *signed, expect=expect)

    def number(self, record: str) -> None:
        """Give it a number, by the office's book."""
        path = f"/v1/records/{record}/number"
        self.served.api.post(path, {"office": "国办发", "year": 2026})

    def findings(self, record: str) -> list[str]:
        listed = self.served.api.get(f"/v1/records/{record}")["findings"]
        return [each["code"].removeprefix("finding.") for each in listed]

    def verify(self, record: str, name: str) -> tuple[int, dict[str, Any], str]:
        """Fetch the bundle and verify it offline, as a stranger would."""
        bundle, trust = self.folder / f"{name}.evidence.json", self.folder / "trust.toml"
        self.run("bundle", record, "-o", str(bundle))
        text = render_trust_policy(self.served.ledger.settings, self.served.ledger.secrets)
        trust.write_text(text.replace("required = 1", "required = 0"))
        file = str(self.folder / name)
        code = verify_main([file, "--bundle", str(bundle), "--trust", str(trust), "--json"])
        printed, text = self._capsys.readouterr()
        return code, json.loads(printed), text


@pytest.fixture
def clerk(
    served: Served,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Clerk:
    monkeypatch.chdir(tmp_path)
    return Clerk(served, tmp_path, capsys)


@pytest.fixture(scope="module")
def director(served: Served) -> KeyFile:
    return served.enrol("director")


@pytest.fixture(scope="module")
def key(served: Served, director: KeyFile) -> str:
    """The path of the director's key file."""
    return str(served.folder / "director.json")


def sent(clerk: Clerk, key: str) -> str:
    """A notice that was drafted, signed off, numbered, sealed and issued."""
    record = clerk.record("notice.pdf", "outgoing")
    clerk.event(record, "review")
    clerk.run("approve", record, "--key", key)
    clerk.event(record, "review", "--detail", '{"step":"recheck"}')
    clerk.number(record)
    clerk.event(record, "seal", "--key", key)
    clerk.event(record, "issue", "--detail", '{"copies":2}')
    return record


def test_a_notice_goes_out_and_nothing_is_found(clerk: Clerk, key: str) -> None:
    record = sent(clerk, key)
    to = ("--to", "财政局", "--to", "档案馆", "--due", LATER)
    clerk.event(record, "dispatch", *to)
    assert clerk.findings(record) == ["undelivered"]
    for name in ("财政局", "档案馆"):
        clerk.event(record, "receive", "--of", "7", "--copy", name)
    clerk.event(record, "archive", "--detail", '{"keep":"永久"}')
    clerk.event(record, "access", "--how", "print")

    code, report, _ = clerk.verify(record, "notice.pdf")

    assert clerk.findings(record) == []
    assert (code, report["verdict"], report["findings"]) == (0, "proven", [])
    assert "财政局" not in (clerk.folder / "notice.pdf.evidence.json").read_text()
    opened = parse_recipients((clerk.folder / f"{record}.recipients").read_bytes())
    dispatch = clerk.served.api.get(f"/v1/records/{record}")["entries"][7]
    assert {each.name for each in opened} == {"财政局", "档案馆"}
    assert sorted(each.commitment.hex() for each in opened) == dispatch["detail"]["to"]
    assert (clerk.folder / f"{record}.recipients").stat().st_mode & 0o77 == 0


def test_a_notice_that_was_changed_after_its_sign_off_is_proven_with_its_lapses(
    clerk: Clerk, key: str
) -> None:
    record = sent(clerk, key)
    clerk.event(record, "version", "--file", str(clerk.write("second.pdf")))
    clerk.event(record, "convert", "--file", str(clerk.write("second.ofd")), "--from", "second.pdf")
    clerk.event(record, "dispatch", "--file", "second.ofd", "--to", "财政局", "--due", PAST)

    code, report, text = clerk.verify(record, "second.pdf")

    lapses = ["changed-after-sign-off", "converted-not-checked", "undelivered"]
    assert clerk.findings(record) == lapses
    assert [each["code"].removeprefix("finding.") for each in report["findings"]] == lapses
    assert (code, report["verdict"]) == (0, "proven")
    assert "critical: changed after the sign-off of entry 2" in text
    status = clerk.run("status", record, "--lang", "zh-CN")
    assert "严重: 条目 7: 第 2 条签发之后内容已更改" in status


def test_a_letter_comes_in_and_is_answered(clerk: Clerk) -> None:
    record = clerk.record("letter.pdf", "incoming")
    clerk.event(record, "receive", "--detail", '{"sender":"市财政局"}')
    clerk.event(record, "review")
    clerk.event(record, "handle", "--owner", "综合科", "--due", PAST)
    clerk.event(record, "dispatch", "--detail", '{"mode":"circulate"}', "--to", "张局长")
    clerk.event(record, "receive", "--of", "4", "--copy", "张局长")
    clerk.event(record, "urge", "--of", "3")
    unanswered = clerk.findings(record)
    clerk.event(record, "handle", "--of", "3", "--outcome", "replied")
    clerk.event(record, "archive")

    code, report, text = clerk.verify(record, "letter.pdf")

    assert unanswered == clerk.findings(record) == ["overdue"]
    (found,) = report["findings"]
    assert (code, found["code"], found["detail"]["answer"]) == (0, "finding.overdue", 7)
    assert (found["severity"], found["certain"]) == ("notice", False)  # no block bounds the answer
    assert "perhaps" in text


# --- for whoever supervises


def test_a_supervisor_sees_every_record_with_a_lapse(
    clerk: Clerk, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vermilion_api.supervising._PAGE_COUNT", 1)
    record = clerk.record("late.pdf", "incoming")
    clerk.event(record, "handle", "--due", PAST)
    clerk.event(record, "dispatch")
    lawful = clerk.record("quiet.pdf", "incoming")
    clerk.event(lawful, "access", "--how", "view")

    text = clerk.run("findings", "--lang", "en", over=False, expect=7)
    counted = clerk.told
    lines = clerk.run("findings", "--all", "--json", over=False, expect=7).splitlines()
    overdue = clerk.run("findings", "--overdue", "--lang", "zh-CN", over=False, expect=7)

    walked = {each["record"]: each for each in map(json.loads, lines)}
    assert f"{record}  late.pdf" in text
    listed = text[text.index(record) :]
    assert "[finding.missing]" in listed
    assert "[finding.undelivered]" not in listed  # a notice
    assert "records with a life" in counted
    found = [each["code"].removeprefix("finding.") for each in walked[record]["findings"]]
    assert found == clerk.findings(record) == ["missing", "overdue", "undelivered"]
    assert walked[record]["name"] == "late.pdf"
    assert lawful not in walked
    assert "finding.missing" not in overdue
    assert f"期限为 {PAST},未见办结" in overdue


def test_a_ledger_without_a_lapse_ends_with_nothing(tmp_path: Path, clerk: Clerk) -> None:
    home = tmp_path / "empty"
    main(["migrate", "--home", str(home)])

    assert main(["findings", "--home", str(home)]) == 0


# --- what is not taken


@pytest.mark.parametrize(
    ("name", "options", "code", "told"),
    [
        ("handle", ("--due", "2026-12-05"), 2, "detail.schema"),
        ("fixity", ("--outcome", "perhaps"), 2, "detail.schema"),
        ("access", (), 2, "detail.schema"),
        ("seal", ("--to", "财政局"), 2, "detail.option"),
        ("archive", ("--owner", "综合科"), 2, "detail.option"),
        ("handle", ("--owner", "a", "--detail", '{"owner":"b"}'), 2, "detail.twice"),
        ("receive", ("--of", "9"), 2, "record.no-such-entry"),
        ("receive", ("--of", "0", "--copy", "财政局"), 2, "input.missing"),
        ("dispatch", ("--to", ""), 2, "text.empty"),
        ("convert", ("--from", "nothing.pdf"), 2, "file.vanished"),
    ],
)
def test_what_does_not_fit_is_refused_and_leaves_nothing(
    clerk: Clerk, name: str, options: tuple[str, ...], code: int, told: str
) -> None:
    record = clerk.served.register(f"refused {name} {options}")["record"]

    clerk.event(record, name, *options, expect=code)

    assert f"error[{told}]" in clerk.told
    assert len(clerk.served.api.get(f"/v1/records/{record}")["entries"]) == 1
    assert list(clerk.folder.iterdir()) == []


def test_a_copy_that_nobody_was_sent_cannot_be_received(clerk: Clerk) -> None:
    record = clerk.served.register("copies")["record"]
    clerk.event(record, "dispatch", "--to", "财政局")

    clerk.event(record, "receive", "--of", "1", "--copy", "档案馆", expect=2)

    assert "error[recipient.none]" in clerk.told


def test_recipients_that_cannot_be_kept_are_not_sent(clerk: Clerk) -> None:
    record = clerk.served.register("unwritable")["record"]
    kept = ("--recipients", str(clerk.folder / "missing" / "file"))

    clerk.event(record, "dispatch", "--to", "财政局", *kept, expect=2)

    assert "error[output.unwritable]" in clerk.told
    assert len(clerk.served.api.get(f"/v1/records/{record}")["entries"]) == 1


def posting(served: Served, path: str, **members: Any) -> Callable[[], object]:
    body = {"name": "a.pdf", "digest": {"sha256": sha256("a")}, **members}
    return lambda: served.api.post(path, body if path == "/v1/records" else {"records": [body]})


@pytest.mark.parametrize("path", ["/v1/records", "/v1/records/bulk"])
@pytest.mark.parametrize("detail", [{"flow": "sideways"}, {"size": "1"}, {"derivedFrom": []}])
def test_a_registration_whose_detail_does_not_fit_is_refused(
    served: Served, path: str, detail: dict[str, Any]
) -> None:
    assert refused(posting(served, path, detail=detail)) == "detail.schema"


def test_a_signed_event_whose_detail_does_not_fit_is_refused(
    served: Served, director: KeyFile
) -> None:
    record = served.register("signed by itself")["record"]
    made = prepare(served, record, director)
    odd = replace(made, detail={**made.detail, "opinion": 7})
    free = replace(made, detail={**made.detail, "x-office": 7})

    assert refused(lambda: send(served, record, odd, director)) == "detail.schema"
    assert send(served, record, free, director)["sequence"] == 1
