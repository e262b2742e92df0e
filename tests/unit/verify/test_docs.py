"""The verifier's reference names every option, check, verdict and exit code that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evidence import approved
from vermilion_verify.cli import main
from vermilion_verify.report import CHECK_IDS
from vermilion_verify.verdict import EXIT_CODES

REPOSITORY = Path(__file__).resolve().parents[3]
REFERENCE = REPOSITORY / "docs" / "reference" / "verifier.md"
COMMANDS = ((), ("audit",), ("headers",))


def options_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> set[str]:
    with pytest.raises(SystemExit):
        main([*arguments, "--help"])
    return set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}


def test_every_option_is_in_the_reference_and_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    options = {name for command in COMMANDS for name in options_of(capsys, *command)}
    documented = set(re.findall(r"^\| `(--[a-z-]+)`", REFERENCE.read_text(), re.MULTILINE))

    assert documented == options


def test_checks_are_documented_in_their_order() -> None:
    documented = re.findall(r"^\| `([a-z]+\.[a-z]+)`", REFERENCE.read_text(), re.MULTILINE)

    assert tuple(documented) == CHECK_IDS


def test_verdicts_are_documented_with_their_exit_codes() -> None:
    documented = re.findall(r"^\| `([a-z_]+)` \| (\d+) \|", REFERENCE.read_text(), re.MULTILINE)

    assert {verdict: int(code) for verdict, code in documented} == EXIT_CODES


def test_the_guide_shows_a_hash_that_the_program_prints() -> None:
    guide = (REPOSITORY / "docs" / "how-to" / "verify-without-us.md").read_text()
    found = approved().verify(hashes={}).check("anchor.block")

    assert found is not None
    message = str(found.detail["message"])
    assert message[: message.index("0x") + 6] in guide
