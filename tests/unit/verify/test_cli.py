"""The command: its exit codes."""

from __future__ import annotations

import pytest

from desk import Desk
from evidence import ZHAO, approved, office, plain
from trusted import trust_toml
from vermilion_verify.cli import main

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
