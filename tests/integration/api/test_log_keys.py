"""`vermilion keys add-ml-dsa` and `rotate-intake`: new keys for a ledger that is already there."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from served import listening, refused, sequencing, serving, sha256
from vermilion_api.app import create_app
from vermilion_api.cli import main
from vermilion_api.client import Ledger as Api
from vermilion_api.home import Home
from vermilion_api.settings import load_settings
from vermilion_api.wiring import now, open_ledger
from vermilion_ledger.checkpoint import parse_checkpoint_unverified, verify_signatures
from vermilion_ledger.encoding import encode_json
from vermilion_ledger.note import ED25519, ML_DSA_44, parse_vkey
from vermilion_verify.blocks import BlockJudge
from vermilion_verify.case import Document
from vermilion_verify.policy import parse_trust_policy
from vermilion_verify.report import Verdict
from vermilion_verify.verify import Question, verify_bundle


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(words)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def add(capsys: pytest.CaptureFixture[str], home: Path) -> tuple[int, str, str]:
    return run(capsys, "keys", "add-ml-dsa", "--home", str(home), "--json")


def rotate(capsys: pytest.CaptureFixture[str], home: Path) -> tuple[int, str, str]:
    return run(capsys, "keys", "rotate-intake", "--home", str(home), "--json")


def exported(
    capsys: pytest.CaptureFixture[str], home: Path, kind: str = "keys"
) -> Sequence[dict[str, Any]]:
    code, out, _ = run(capsys, "trust", "export", "--home", str(home))
    assert code == 0
    keys: Sequence[dict[str, Any]] = tomllib.loads(out)["log"][kind]
    return keys


@contextmanager
def started_again(home: Path) -> Iterator[Api]:
    ledger = open_ledger(home)
    with sequencing(ledger), listening(create_app(ledger)) as url, Api(url) as api:
        yield api
    ledger.database.close()


def register(api: Api, name: str) -> dict[str, Any]:
    return api.post("/v1/records", {"name": name, "digest": {"sha256": sha256(name)}})


# -- add-ml-dsa


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
    assert run(capsys, "migrate", "--home", str(tmp_path))[0] == 0

    assert add(capsys, tmp_path)[0] == 0

    assert [key["from"] for key in exported(capsys, tmp_path)] == [0, 0]


def test_a_second_key_is_added_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "migrate", "--home", str(tmp_path))[0] == 0
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

    with started_again(tmp_path / "home") as api:
        register(api, "second")
        found = api.get("/v1/log")

    signed = parse_checkpoint_unverified(found["checkpoint"].encode())
    keys = [parse_vkey(vkey) for vkey in found["vkeys"]]
    assert [key.kind for key in keys] == [ED25519, ML_DSA_44]
    assert verify_signatures(signed, keys) == set(keys)


# -- rotate-intake


def test_the_old_key_retires_at_the_size_of_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    with serving(tmp_path) as served:
        served.register("first")
        (old,) = served.api.get("/v1/log")["intakeKeys"]
    size = served.ledger.database.log.count_entries()

    code, out, _ = rotate(capsys, home)

    rotated = json.loads(out)
    assert code == 0
    assert (rotated["retired"], rotated["until"]) == (old, size)
    assert exported(capsys, home, "intake") == [
        {"key": old, "from": 0, "until": size},
        {"key": rotated["key"], "from": 0},
    ]


def test_a_ledger_goes_on_with_its_new_intake_key_and_serves_what_the_old_one_took_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(tmp_path) as served:
        old = served.register("first")["record"]
    code, out, _ = rotate(capsys, tmp_path / "home")
    assert code == 0

    with started_again(tmp_path / "home") as api:
        assert api.get("/v1/log")["intakeKeys"] == [json.loads(out)["key"]]
        new = register(api, "second")["record"]
        bundles = [api.get(f"/v1/records/{record}/bundle") for record in (old, new)]

    text = run(capsys, "trust", "export", "--home", str(tmp_path / "home"))[1]
    for name, bundle in zip(("first", "second"), bundles, strict=True):
        report = verify_bundle(
            encode_json(bundle),
            Document(sha256=bytes.fromhex(sha256(name)), sm3=None, name=name),
            parse_trust_policy(text.encode(), folder=tmp_path),
            judge=BlockJudge({}, ()),
            question=Question(now=now()),
        )
        assert report.verdict is Verdict.PENDING


def test_what_waits_when_its_key_retires_still_gets_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    with serving(tmp_path, sequenced=False) as served:
        body = {"name": "a.pdf", "digest": {"sha256": sha256("waiting")}}
        key = {"Idempotency-Key": "later"}
        found = served.client.post("/v1/records?timeout=0.1", json=body, headers=key)
        assert found.json()["code"] == "intake.not-sequenced"

    code, out, _ = rotate(capsys, home)

    assert (code, json.loads(out)["until"]) == (0, 1)
    with started_again(home) as api:
        assert register(api, "second")["index"] == 1


def test_what_the_old_key_takes_in_after_its_end_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    with serving(tmp_path, sequenced=False) as served:  # its API process is not stopped
        assert rotate(capsys, home)[0] == 0
        ledger = open_ledger(home)
        with sequencing(ledger):
            assert refused(lambda: served.register("late")) == "intake.retired"
        assert ledger.database.log.count_entries() == 0
        ledger.database.close()


def test_a_running_ledger_keeps_its_intake_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(tmp_path):
        code, _, err = rotate(capsys, tmp_path / "home")

    assert code != 0
    assert "sequencer.lease-held" in err
    assert load_settings(tmp_path / "home").retired_intakes == ()


def test_intake_keys_retire_one_after_the_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "migrate", "--home", str(tmp_path))[0] == 0

    keys = [json.loads(rotate(capsys, tmp_path)[1])["key"] for _ in range(2)]

    found = exported(capsys, tmp_path, "intake")
    assert [each["key"] for each in found][1:] == keys
    assert [each.get("until") for each in found] == [0, 0, None]
