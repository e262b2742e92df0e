"""`vermilion keys add-ml-dsa`: a second log key for a ledger that is already there."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from served import listening, sequencing, serving, sha256
from vermilion_api.app import create_app
from vermilion_api.cli import main
from vermilion_api.client import Ledger as Api
from vermilion_api.home import Home
from vermilion_api.settings import load_settings
from vermilion_api.wiring import open_ledger
from vermilion_ledger.checkpoint import parse_checkpoint_unverified, verify_signatures
from vermilion_ledger.note import ED25519, ML_DSA_44, parse_vkey


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(words)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def add(capsys: pytest.CaptureFixture[str], home: Path) -> tuple[int, str, str]:
    return run(capsys, "keys", "add-ml-dsa", "--home", str(home), "--json")


def exported(capsys: pytest.CaptureFixture[str], home: Path) -> Sequence[dict[str, Any]]:
    code, out, _ = run(capsys, "trust", "export", "--home", str(home))
    assert code == 0
    keys: Sequence[dict[str, Any]] = tomllib.loads(out)["log"]["keys"]
    return keys


def test_a_key_joins_a_stopped_ledger_from_its_last_checkpoint_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    with serving(tmp_path) as served:
        served.register("first")
        before = served.api.get("/v1/log")["vkeys"]
    size = served.ledger.reader().checkpoint().size
    assert size > 0

    code, out, _ = add(capsys, home)

    added = json.loads(out)
    assert code == 0
    assert added["from"] == load_settings(home).log_ml_dsa_from == size
    assert parse_vkey(added["vkey"]).kind == ML_DSA_44
    assert exported(capsys, home) == [
        {"vkey": before[0], "from": 0},
        {"vkey": added["vkey"], "from": size},
    ]


def test_a_running_ledger_gets_no_second_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    with serving(tmp_path) as served:
        code, _, err = add(capsys, home)

        assert len(served.api.get("/v1/log")["vkeys"]) == 1
    assert code != 0
    assert "sequencer.lease-held" in err
    assert not load_settings(home).log_ml_dsa
    assert not Home(path=home).seed("log-ml-dsa").exists()


def test_a_log_without_a_checkpoint_has_both_keys_from_its_first_entry_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["migrate", "--home", str(tmp_path)]) == 0

    assert add(capsys, tmp_path)[0] == 0

    assert [key["from"] for key in exported(capsys, tmp_path)] == [0, 0]


def test_a_second_key_is_added_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate", "--home", str(tmp_path)]) == 0
    assert add(capsys, tmp_path)[0] == 0
    keys = exported(capsys, tmp_path)

    code, _, err = add(capsys, tmp_path)

    assert code != 0
    assert "key.in-use" in err
    assert exported(capsys, tmp_path) == keys


def test_a_folder_that_is_no_home_gets_no_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = add(capsys, tmp_path)

    assert code != 0
    assert "settings.missing" in err
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_that_is_started_again_signs_with_both_keys_and_lists_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(tmp_path) as served:
        served.register("first")
    assert add(capsys, tmp_path / "home")[0] == 0

    ledger = open_ledger(tmp_path / "home")
    with sequencing(ledger), listening(create_app(ledger)) as url, Api(url) as api:
        api.post("/v1/records", {"name": "b.pdf", "digest": {"sha256": sha256("second")}})
        found = api.get("/v1/log")
    ledger.database.close()

    signed = parse_checkpoint_unverified(found["checkpoint"].encode())
    keys = [parse_vkey(vkey) for vkey in found["vkeys"]]
    assert [key.kind for key in keys] == [ED25519, ML_DSA_44]
    assert verify_signatures(signed, keys) == set(keys)
