"""`vermilion keys add-ml-dsa` and `rotate-intake`: new keys for a ledger that is already there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from restarted import exported, judged, record_of, register, run, sequencing, started
from served import refused
from vermilion_api.home import Home, create_home
from vermilion_api.settings import Settings, load_settings
from vermilion_ledger.checkpoint import parse_checkpoint_unverified, verify_signatures
from vermilion_ledger.note import ED25519, ML_DSA_44, parse_vkey
from vermilion_verify.report import Verdict


def add(capsys: pytest.CaptureFixture[str], home: Path) -> tuple[int, str, str]:
    return run(capsys, "keys", "add-ml-dsa", "--home", str(home), "--json")


def rotate(capsys: pytest.CaptureFixture[str], home: Path) -> tuple[int, str, str]:
    return run(capsys, "keys", "rotate-intake", "--home", str(home), "--json")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A stopped ledger with one entry and one checkpoint."""
    with started(tmp_path / "home") as api:
        assert register(api, "first")["index"] == 0
    return tmp_path / "home"


@pytest.fixture
def queued(tmp_path: Path) -> Path:
    """A ledger whose API process only queues."""
    create_home(tmp_path / "home", Settings(publish_interval_seconds=0.05, sequencer="outside"))
    return tmp_path / "home"


# -- add-ml-dsa


def test_a_key_joins_a_stopped_ledger_from_its_last_checkpoint_on(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (before,) = exported(capsys, home)

    code, out, _ = add(capsys, home)

    added = json.loads(out)
    assert code == 0
    assert added["from"] == load_settings(home).log_ml_dsa_from == 1
    assert parse_vkey(added["vkey"]).kind == ML_DSA_44
    assert exported(capsys, home) == [before, {"vkey": added["vkey"], "from": 1}]


def test_a_ledger_that_is_started_again_signs_with_both_keys_and_lists_them(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add(capsys, home)[0] == 0

    with started(home) as api:
        register(api, "second")
        found = api.get("/v1/log")

    signed = parse_checkpoint_unverified(found["checkpoint"].encode())
    keys = [parse_vkey(vkey) for vkey in found["vkeys"]]
    assert [key.kind for key in keys] == [ED25519, ML_DSA_44]
    assert verify_signatures(signed, keys) == set(keys)


def test_a_running_ledger_gets_no_second_key(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with started(home) as api:
        register(api, "second")
        code, _, err = add(capsys, home)

        assert len(api.get("/v1/log")["vkeys"]) == 1
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


def test_a_second_key_is_added_once(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert add(capsys, home)[0] == 0
    keys = exported(capsys, home)

    code, _, err = add(capsys, home)

    assert code != 0
    assert "key.in-use" in err
    assert exported(capsys, home) == keys


def test_a_folder_that_is_no_home_gets_no_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for change in (add, rotate):
        code, _, err = change(capsys, tmp_path)
        assert code != 0
        assert "settings.missing" in err
    assert list(tmp_path.iterdir()) == []


# -- rotate-intake


def test_the_old_key_retires_at_the_size_of_the_log(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (old,) = exported(capsys, home, "intake")

    code, out, _ = rotate(capsys, home)

    rotated = json.loads(out)
    assert code == 0
    assert (rotated["retired"], rotated["until"]) == (old["key"], 1)
    assert exported(capsys, home, "intake") == [
        {**old, "until": 1},
        {"key": rotated["key"], "from": 0},
    ]


def test_a_ledger_goes_on_with_its_new_keys_and_serves_what_the_old_ones_signed(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert add(capsys, home)[0] == 0
    new = json.loads(rotate(capsys, home)[1])["key"]

    with started(home) as api:
        assert api.get("/v1/log")["intakeKeys"] == [new]
        register(api, "second")
        records = [record_of(api, name) for name in ("first", "second")]
        bundles = [api.get(f"/v1/records/{record}/bundle") for record in records]
        bundles.append(api.get(f"/v1/records/{records[0]}/bundle", {"size": "1"}))

    _, trust, _ = run(capsys, "trust", "export", "--home", str(home))
    for name, bundle in zip(("first", "second", "first"), bundles, strict=True):
        assert judged(trust, name, bundle).verdict is Verdict.PENDING


def test_what_waits_when_its_key_retires_still_gets_its_place(
    queued: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with started(queued) as api:
        assert refused(lambda: register(api, "first", timeout=0.1)) == "intake.not-sequenced"

    code, out, _ = rotate(capsys, queued)

    assert (code, json.loads(out)["until"]) == (0, 1)
    with started(queued) as api, sequencing(queued):
        assert register(api, "second")["index"] == 1


def test_what_the_old_key_takes_in_after_its_end_is_refused(
    queued: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with started(queued) as api:  # this process is not stopped
        assert rotate(capsys, queued)[0] == 0

        with sequencing(queued):
            assert refused(lambda: register(api, "late")) == "intake.retired"
            assert api.get("/v1/log")["checkpoint"] is None


def test_a_running_ledger_keeps_its_intake_key(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with started(home) as api:
        register(api, "second")
        code, _, err = rotate(capsys, home)

    assert code != 0
    assert "sequencer.lease-held" in err
    assert load_settings(home).retired_intakes == ()


def test_intake_keys_retire_one_after_the_other(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = [json.loads(rotate(capsys, home)[1])["key"] for _ in range(2)]

    found = exported(capsys, home, "intake")
    assert [each["key"] for each in found][1:] == keys
    assert [each.get("until") for each in found] == [1, 1, None]
