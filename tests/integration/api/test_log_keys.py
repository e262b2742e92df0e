"""`vermilion keys add-ml-dsa` and `rotate-intake`: new keys for a ledger that is already there."""

from __future__ import annotations

import json
import threading
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from served import listening, refused, sha256
from vermilion_api.app import create_app
from vermilion_api.cli import main
from vermilion_api.client import Ledger as Api
from vermilion_api.home import Home, create_home
from vermilion_api.settings import Settings, load_settings
from vermilion_api.wiring import build_keeper, now, open_ledger
from vermilion_ledger.checkpoint import parse_checkpoint_unverified, verify_signatures
from vermilion_ledger.encoding import encode_json
from vermilion_ledger.errors import UnavailableError
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
def started(home: Path) -> Iterator[Api]:
    """The ledger of a home folder, served; made if there is none."""
    create_home(home, Settings(publish_interval_seconds=0.05))
    ledger = open_ledger(home)
    ledger.database.migrate()
    with listening(create_app(ledger)) as url, Api(url) as api:
        yield api
    ledger.database.close()


@contextmanager
def sequencing(home: Path) -> Iterator[None]:
    """A sequencer of its own for a ledger that is served elsewhere."""
    ledger, stop = open_ledger(home), threading.Event()
    thread = threading.Thread(target=build_keeper(ledger).run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        ledger.database.close()


def register(api: Api, name: str, *, timeout: float = 30.0) -> dict[str, Any]:
    body = {"name": name, "digest": {"sha256": sha256(name)}}
    while True:
        try:
            return api.post("/v1/records", body, {"timeout": str(timeout)})
        except UnavailableError as exc:
            if exc.code != "intake.no-sequencer":  # it has not taken the lease yet
                raise
            time.sleep(0.02)


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
        records = [_record(api, name) for name in ("first", "second")]
        bundles = [api.get(f"/v1/records/{record}/bundle") for record in records]
        bundles.append(api.get(f"/v1/records/{records[0]}/bundle", {"size": "1"}))

    for name, bundle in zip(("first", "second", "first"), bundles, strict=True):
        assert _judged(capsys, home, name, bundle) is Verdict.PENDING


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


def _record(api: Api, name: str) -> str:
    (found,) = api.get("/v1/records", {"digest": f"sha256:{sha256(name)}"})["records"]
    return str(found["record"])


def _judged(
    capsys: pytest.CaptureFixture[str], home: Path, name: str, bundle: dict[str, Any]
) -> Verdict:
    """The verdict under the trust policy that the ledger hands out."""
    _, policy, _ = run(capsys, "trust", "export", "--home", str(home))
    return verify_bundle(
        encode_json(bundle),
        Document(sha256=bytes.fromhex(sha256(name)), sm3=None, name=name),
        parse_trust_policy(policy.encode(), folder=home),
        judge=BlockJudge({}, ()),
        question=Question(now=now()),
    ).verdict
