"""The command: inspect, trust show, audit, hashing, and what it loads."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from desk import Desk, Terminal
from evidence import DOCUMENT_BYTES, approved, plain
from office import DOCUMENT, secret
from trusted import trust_toml
from vermilion_ledger.statement import Subject
from vermilion_verify.cli import main

REPOSITORY = Path(__file__).resolve().parents[3]


# -- inspect, trust show, audit


def test_inspect_checks_nothing_and_says_so(desk: Desk) -> None:
    (desk.folder / "bundle").write_bytes(
        (desk.folder / "bundle").read_bytes().replace(b'"status":"current"', b'"status":"revoked"')
    )

    code, out, err = desk.raw("inspect", str(desk.folder / "bundle"))

    assert code == 0
    assert json.loads(out)["closing"]["status"] == "revoked"
    assert "Nothing above was checked" in err


def test_inspect_refuses_what_is_no_bundle(desk: Desk) -> None:
    code, _, err = desk.raw("inspect", str(desk.folder / "paper.pdf"))

    assert code == 2
    assert "json.malformed" in err


def test_trust_show_says_what_is_believed(desk: Desk) -> None:
    code, out, _ = desk.raw("trust", "show", str(desk.folder / "trust.toml"))

    assert code == 0
    assert json.loads(out)["chains"][0]["finality"] == "confirmations:3"
    assert desk.raw("trust", "show", str(desk.folder / "trust.toml"), "--json")[1].count("\n") == 1


def audit(desk: Desk, *more: str) -> tuple[int, str, str]:
    return desk.raw(
        "audit",
        str(desk.folder / "papers"),
        "--evidence",
        str(desk.folder / "evidence"),
        "--trust",
        str(desk.folder / "trust.toml"),
        "--header-hashes",
        str(desk.folder / "hashes"),
        *more,
    )


def shelve(desk: Desk, **papers: bytes) -> None:
    (desk.folder / "papers").mkdir()
    (desk.folder / "evidence").mkdir()
    bundle = (desk.folder / "bundle").read_bytes()
    for name, content in papers.items():
        (desk.folder / "papers" / name).write_bytes(content)
        (desk.folder / "evidence" / f"{name}.evidence.json").write_bytes(bundle)


def test_an_audit_of_good_papers_is_0(desk: Desk) -> None:
    shelve(desk, a=DOCUMENT_BYTES, b=DOCUMENT_BYTES)

    code, out, _ = audit(desk)

    assert code == 0
    assert out.splitlines() == ["proven       a", "proven       b"]


def test_an_audit_where_some_of_many_fail_is_7(desk: Desk) -> None:
    shelve(desk, a=DOCUMENT_BYTES, b=b"forged")

    code, out, _ = audit(desk, "--json")

    assert code == 7
    assert [json.loads(line)["verdict"] for line in out.splitlines()] == ["proven", "refuted"]


def test_an_audit_goes_on_where_evidence_is_missing(desk: Desk) -> None:
    shelve(desk, a=DOCUMENT_BYTES, b=DOCUMENT_BYTES)
    (desk.folder / "evidence" / "a.evidence.json").unlink()

    code, out, err = audit(desk, "--json")

    assert code == 7
    assert json.loads(out.splitlines()[0])["error"]["code"] == "bundle.missing"
    assert "a: error[bundle.missing]" in err


def test_an_audit_does_not_wait_for_a_pipe_among_the_evidence(desk: Desk) -> None:
    shelve(desk, a=DOCUMENT_BYTES, b=DOCUMENT_BYTES)
    (desk.folder / "evidence" / "a.evidence.json").unlink()
    os.mkfifo(desk.folder / "evidence" / "a.evidence.json")

    code, out, err = audit(desk, "--json")

    assert code == 7
    assert json.loads(out.splitlines()[0])["error"]["code"] == "bundle.unreadable"
    assert "a: error[bundle.unreadable]" in err


def test_an_audit_in_which_all_fail_alike_has_their_code(desk: Desk) -> None:
    shelve(desk, a=b"forged", b=b"forged too")

    assert audit(desk)[0] == 1


def test_an_audit_of_nothing_proves_nothing(desk: Desk) -> None:
    shelve(desk)

    code, _, err = audit(desk)

    assert code == 2
    assert "audit.empty" in err


def test_a_folder_that_is_not_there_or_is_a_file_is_refused(desk: Desk) -> None:
    assert audit(desk)[0] == 2
    (desk.folder / "papers").write_bytes(b"")

    code, _, err = audit(desk)

    assert code == 5
    assert "audit.unreadable" in err


def test_names_that_are_no_text_are_printed_escaped(desk: Desk) -> None:
    shelve(desk)
    evil = os.fsencode(desk.folder / "papers") + b"/\xff\x1b[31m"
    Path(os.fsdecode(evil)).write_bytes(b"x")

    code, out, err = audit(desk, "--json")

    assert code == 5
    assert "\x1b" not in out + err
    assert json.loads(out)["file"] == "\udcff\x1b[31m"


# -- hashing


def test_a_recorded_sm3_is_computed_from_the_file(desk: Desk) -> None:
    sm3 = hashlib.new("sm3", DOCUMENT_BYTES).digest()
    scene = plain(anchored=False)
    scene.event("version", subject=Subject(name="a", sha256=DOCUMENT, sm3=sm3))
    scene.anchor()

    code, out, _ = desk.lay(scene).run("--json")

    assert code == 0
    assert json.loads(out)["document"]["sm3"] == sm3.hex()


def test_without_sm3_on_this_machine_it_cannot_tell(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = plain(anchored=False)
    scene.event("version", subject=Subject(name="a", sha256=DOCUMENT, sm3=bytes(32)))
    scene.anchor()

    def refuse(name: str, *_: object, **__: object) -> None:
        raise ValueError(name)

    monkeypatch.setattr("vermilion_ledger.digest.hashlib.new", refuse)

    code, out, _ = desk.lay(scene).run()

    assert code == 5
    assert "document.sm3-not-computed" in out


def test_the_progress_of_a_large_file_is_shown_on_a_terminal_only(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (desk.folder / "paper.pdf").open("wb") as stream:
        stream.truncate(65 * 1024 * 1024)
    assert desk.run()[2] == ""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)

    assert main(desk.arguments()) == 1

    assert terminal.getvalue().endswith("\rpaper.pdf: 100 %\n")


def test_nodes_that_the_policy_names_are_asked_unless_offline(desk: Desk) -> None:
    table = desk.scene.chain.table(rpc='["ftp://no-node"]')
    (desk.folder / "trust.toml").write_text(trust_toml([table]))

    assert desk.run()[0] == 2  # the address is no address of a node
    assert desk.run("--offline")[0] == 0


# -- the program


def program(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    path = os.pathsep.join(str(REPOSITORY / name) for name in ("ledger", "verifier"))
    return subprocess.run(
        [sys.executable, "-m", "vermilion_verify", *arguments],
        capture_output=True,
        check=False,
        env={"PYTHONPATH": path, "PATH": "", **environment},
    )


def test_a_terminal_without_a_check_mark_is_no_obstacle(desk: Desk) -> None:
    run = program(*desk.arguments(), PYTHONIOENCODING="ascii")

    assert run.returncode == 0
    assert b"PROVEN" in run.stdout
    assert run.stdout.isascii()


def test_the_version_is_shown_without_the_machinery() -> None:
    run = program("--version", PYTHONPROFILEIMPORTTIME="1")

    assert run.returncode == 0
    assert b"vermilion-verify 0." in run.stdout
    for name in (
        b"vermilion_ledger.bundle",
        b"cryptography",
        b"Crypto",
        b"coincurve",
        b"urllib.request",
    ):
        assert name not in run.stderr


def test_offline_verification_loads_no_network_and_no_server(desk: Desk) -> None:
    desk.lay(approved())

    run = program(*desk.arguments(), PYTHONPROFILEIMPORTTIME="1")

    loaded = {line.rpartition(b"|")[2].strip().decode() for line in run.stderr.splitlines()}
    assert run.returncode == 0
    assert "coincurve" in loaded
    for name in ("http.client", "urllib.request", "ssl", "socket", "fastapi", "web3", "sqlalchemy"):
        assert name not in loaded
    assert not {name for name in loaded if name.startswith(("pydantic", "vermilion_api"))}


def test_secrets_of_these_tests_are_no_secrets() -> None:
    assert secret("x") == secret("x")
