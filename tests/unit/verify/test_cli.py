"""The command: exit codes, two streams, two languages, and nothing that steers a terminal."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evidence import DOCUMENT_BYTES, WANG, ZHAO, Scene, approved, office, plain, trust_toml
from office import DOCUMENT, Person, secret
from vermilion_ledger.encoding import encode_json
from vermilion_ledger.statement import Subject
from vermilion_verify.cli import main

REPOSITORY = Path(__file__).resolve().parents[3]


class Desk:
    """A folder with everything the command needs."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capsys = capsys
        self.lay(plain())

    def lay(self, scene: Scene, *, content: bytes = DOCUMENT_BYTES, **policy: Any) -> Desk:
        self.scene = scene
        (self.folder / "paper.pdf").write_bytes(content)
        (self.folder / "bundle").write_bytes(encode_json(scene.bundle().to_json()))
        (self.folder / "trust.toml").write_text(trust_toml([scene.chain], **policy))
        (self.folder / "hashes").write_text(scene.hash_list())
        (self.folder / "entries").write_bytes(b"".join(scene.log.entries))
        (self.folder / "registry").write_bytes(scene.registry_file())
        return self

    def arguments(self, *more: str, hashes: bool = True) -> list[str]:
        place = [str(self.folder / name) for name in ("paper.pdf", "bundle", "trust.toml")]
        arguments = [place[0], "--bundle", place[1], "--trust", place[2]]
        if hashes:
            arguments += ["--header-hashes", str(self.folder / "hashes")]
        return arguments + [each.replace("@", f"{self.folder}/") for each in more]

    def run(self, *more: str, hashes: bool = True) -> tuple[int, str, str]:
        return self.raw(*self.arguments(*more, hashes=hashes))

    def raw(self, *arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        captured = self.capsys.readouterr()
        return code, captured.out, captured.err


@pytest.fixture
def desk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Desk:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "NO_COLOR", "VERMILION_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    return Desk(tmp_path, capsys)


# -- exit codes


def test_proven_is_0(desk: Desk) -> None:
    code, out, err = desk.run()

    assert (code, err) == (0, "")
    assert "PROVEN: these exact bytes" in out
    assert "This does not prove:" in out


def test_superseded_is_0_with_a_notice(desk: Desk) -> None:
    scene = plain(anchored=False)
    scene.event("version", content=b"second")
    scene.anchor()

    code, out, _ = desk.lay(scene).run()

    assert code == 0
    assert "SUPERSEDED" in out


def test_refuted_is_1_and_names_the_next_step(desk: Desk) -> None:
    code, out, _ = desk.lay(plain(), content=b"another").run()

    assert code == 1
    assert "REFUTED" in out
    assert "[document.other-bytes]" in out
    assert "next step: " in out


def test_revoked_is_1(desk: Desk) -> None:
    scene = office(rules=None)
    scene.event("register", detail={})
    scene.event("revoke", ZHAO)
    scene.anchor()

    assert desk.lay(scene).run()[0] == 1


def test_pending_is_3(desk: Desk) -> None:
    assert desk.lay(plain(anchored=False)).run()[0] == 3


def test_without_block_hashes_it_is_5_with_the_hash_to_look_up(desk: Desk) -> None:
    code, out, _ = desk.run(hashes=False)

    assert code == 5
    assert "look up 0x" + desk.scene.chain.hashes[31337, 101].hex() in out


def test_block_hashes_named_in_the_policy_are_used(desk: Desk) -> None:
    table = desk.scene.chain.table(headers='["hashes"]')
    (desk.folder / "trust.toml").write_text(trust_toml([table]))

    assert desk.run(hashes=False)[0] == 0


@pytest.mark.parametrize(
    "more",
    [
        ["--offline", "--rpc", "http://127.0.0.1:1"],
        ["--as-of", "yesterday"],
        ["--as-of", "2026-11-21"],
        ["--lang", "fr"],
        ["--no-such-option"],
        ["second.pdf"],
    ],
)
def test_bad_usage_is_2(desk: Desk, more: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        desk.run(*more)

    assert stop.value.code == 2


@pytest.mark.parametrize("arguments", [[], ["paper.pdf"], ["trust"], ["inspect"], ["audit", "x"]])
def test_missing_arguments_are_2(desk: Desk, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)

    assert stop.value.code == 2


def test_a_registry_without_the_log_is_2(desk: Desk) -> None:
    code, _, err = desk.run("--registry", "@registry")

    assert code == 2
    assert "registry.without-log" in err


def test_an_audit_with_registry_and_log_passes(desk: Desk) -> None:
    code, out, _ = desk.lay(approved()).run(
        "--registry", "@registry", "--log-entries", "@entries", "--as-of", "2026-11-01T00:00:00Z"
    )

    assert code == 0
    assert "left out" not in out


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("paper.pdf", "file.vanished"),
        ("bundle", "bundle.missing"),
        ("trust.toml", "trust.missing"),
        ("hashes", "headers.missing"),
    ],
)
def test_a_missing_file_is_2_with_its_code_and_the_next_step(
    desk: Desk, name: str, refused: str
) -> None:
    (desk.folder / name).unlink()

    code, out, err = desk.run()

    assert (code, out) == (2, "")
    assert f"error[{refused}]" in err
    assert "next step: " in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("name", "refused", "exit_code"),
    [
        ("paper.pdf", "file.not-regular", 2),
        ("bundle", "bundle.unreadable", 5),
        ("trust.toml", "trust.unreadable", 5),
        ("hashes", "headers.unreadable", 5),
    ],
)
def test_a_folder_in_place_of_a_file_is_refused(
    desk: Desk, name: str, refused: str, exit_code: int
) -> None:
    (desk.folder / name).unlink()
    (desk.folder / name).mkdir()

    code, _, err = desk.run()

    assert code == exit_code
    assert f"error[{refused}]" in err


@pytest.mark.parametrize("name", ["registry", "entries"])
def test_a_missing_file_of_the_auditor_is_2(desk: Desk, name: str) -> None:
    (desk.folder / name).unlink()

    assert desk.run("--registry", "@registry", "--log-entries", "@entries")[0] == 2


def test_a_malformed_policy_is_2(desk: Desk) -> None:
    (desk.folder / "trust.toml").write_text("version = ")

    code, _, err = desk.run()

    assert code == 2
    assert "trust.malformed" in err


def test_a_bundle_larger_than_8_mib_is_refuted(desk: Desk) -> None:
    (desk.folder / "bundle").write_bytes(b" " * (8 * 1024 * 1024 + 1))

    code, out, _ = desk.run()

    assert code == 1
    assert "json.too-large" in out


def test_an_endless_bundle_is_refuted(desk: Desk) -> None:
    arguments = desk.arguments()
    arguments[2] = "/dev/zero"

    assert desk.raw(*arguments)[0] == 1


def test_a_fault_of_ours_is_70_without_a_traceback(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("secret")

    monkeypatch.setattr("vermilion_verify.cli.commands.verify_bundle", fail)

    code, _, err = desk.run()

    assert code == 70
    assert "error[internal]: KeyError" in err
    assert "secret" not in err
    monkeypatch.setenv("VERMILION_DEBUG", "1")
    with pytest.raises(KeyError):
        desk.run()


def test_an_interruption_is_130(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("vermilion_verify.cli.commands.verify_bundle", stop)

    assert desk.run()[0] == 130


# -- output


def test_json_is_one_line_on_standard_output_and_text_goes_to_standard_error(desk: Desk) -> None:
    code, out, err = desk.run("--json")

    assert code == 0
    assert out.count("\n") == 1
    assert json.loads(out)["verdict"] == "proven"
    assert "PROVEN" in err


def test_an_error_is_one_line_of_json_too(desk: Desk) -> None:
    (desk.folder / "bundle").unlink()

    code, out, err = desk.run("--json")

    assert code == 2
    assert json.loads(out)["error"]["code"] == "bundle.missing"
    assert "bundle.missing" in err


def test_chinese_is_spoken_where_asked_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "已证实" in desk.run("--lang", "zh-CN")[1]
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert "已证实" in desk.run()[1]
    assert "PROVEN" in desk.run("--lang", "en")[1]
    monkeypatch.setenv("LC_ALL", "C")
    assert "PROVEN" in desk.run()[1]


def test_codes_are_never_translated(desk: Desk) -> None:
    out = desk.lay(plain(), content=b"another").run("--lang", "zh-CN")[1]

    assert "[document.other-bytes]" in out
    assert "下一步" in out


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colours_are_for_terminals_without_no_color(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "\x1b" not in desk.run()[1]
    for no_color, is_coloured in (("", True), ("1", False)):
        terminal = Terminal()
        monkeypatch.setattr(sys, "stdout", terminal)
        monkeypatch.setenv("NO_COLOR", no_color)
        assert main(desk.arguments()) == 0
        assert ("\x1b[32m" in terminal.getvalue()) is is_coloured


EVIL = "合同\u202e\u2066fdp.exe"
ESCAPE = "\x1b[2J\x9b31m\u202egood"


def test_a_file_name_cannot_steer_the_terminal(desk: Desk) -> None:
    evil = desk.folder / f"{ESCAPE}.pdf"
    (desk.folder / "paper.pdf").rename(evil)
    arguments = desk.arguments()
    arguments[0] = str(evil)

    code, out, _ = desk.raw(*arguments)

    assert code == 0
    assert "\\u001b[2J\\u009b31m\\u202egood.pdf" in out
    assert not {"\x1b", "\x9b", "\u202e"} & set(out)


def test_a_missing_evil_name_cannot_either(desk: Desk) -> None:
    arguments = desk.arguments()
    arguments[2] = str(desk.folder / ESCAPE)

    _, _, err = desk.raw(*arguments, "--json")

    assert not {"\x1b", "\x9b", "\u202e"} & set(err)


def test_free_text_of_a_statement_cannot_steer_whoever_inspects_it(desk: Desk) -> None:
    scene = office(rules=None)
    scene.event("register", detail={"grade": ESCAPE, ESCAPE: "\U000e0041\u2028"})
    scene.anchor()
    desk.lay(scene)

    for more in ([], ["--json"]):
        code, out, _ = desk.raw("inspect", str(desk.folder / "bundle"), *more)
        assert code == 0
        assert not {"\x1b", "\x9b", "\u202e", "\u2028", "\U000e0041"} & set(out)
        statement = json.loads(out)["entries"][0]["statement"]
        assert statement["predicate"]["detail"]["grade"] == ESCAPE


def test_chinese_names_are_printed_as_they_are(desk: Desk) -> None:
    wang = replace(WANG, name="王芳")
    scene = office(rules=None, people=(wang,))
    scene.event("register", detail={})
    scene.approve(wang)
    scene.anchor()

    out = desk.lay(scene).run()[1]

    assert "sign-off approved – 王芳" in out


def test_a_recording_that_nobody_signed_is_marked_as_the_ledgers_word(desk: Desk) -> None:
    scene = office(rules=None, people=(Person(name="clerk", may=("register",)),))
    scene.event("register", Person(name="clerk", may=("register",)))
    scene.anchor()

    assert "(as stated by the ledger)" in desk.run()[1]
    assert "(as stated by the ledger)" not in desk.lay(scene).run()[1]


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
