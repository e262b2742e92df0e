"""`vermilion keys rotate-log`: a fresh Ed25519 log key for a ledger that is already there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from homes import grow_home, write_home
from restarted import exported, judged, record_of, register, run, started
from served import sha256
from vermilion_api import chains
from vermilion_api.home import Home
from vermilion_api.settings import load_settings, save_settings
from vermilion_api.wiring import build_publisher, build_sequencer, open_ledger
from vermilion_ledger.checkpoint import parse_checkpoint_unverified, verify_signatures
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.note import ED25519, ML_DSA_44, parse_vkey
from vermilion_ledger.rows import ObservedHead
from vermilion_verify.report import CheckStatus, Report, Verdict


def rotate(capsys: pytest.CaptureFixture[str], home: Path) -> tuple[int, str, str]:
    return run(capsys, "keys", "rotate-log", "--home", str(home), "--json")


def trust_of(capsys: pytest.CaptureFixture[str], home: Path) -> str:
    code, text, _ = run(capsys, "trust", "export", "--home", str(home))
    assert code == 0
    return text


def signers(note: bytes, *vkeys: str) -> set[str]:
    """Which of these keys signed a checkpoint."""
    found = verify_signatures(parse_checkpoint_unverified(note), map(parse_vkey, vkeys))
    return {key.encode() for key in found}


def fault(report: Report) -> str:
    assert report.verdict is Verdict.REFUTED
    (found,) = (each for each in report.checks if each.status is CheckStatus.FAIL)
    return f"{found.id} {found.detail['code']}"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A stopped ledger with five entries under its newest checkpoint."""
    return write_home(tmp_path, size=5)


def test_the_old_key_retires_at_the_size_of_the_last_checkpoint(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (old,) = exported(capsys, home)

    code, out, _ = rotate(capsys, home)

    rotated = json.loads(out)
    assert code == 0
    assert (rotated["retired"], rotated["until"]) == (old["vkey"], 5)
    assert exported(capsys, home) == [
        {**old, "until": 5},
        {"vkey": rotated["vkey"], "from": 5},
    ]


def test_a_ledger_goes_on_with_its_new_key_and_serves_what_the_old_one_signed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    with started(home) as api:
        register(api, "first")
        record = record_of(api, "first")
        handed_out = api.get(f"/v1/records/{record}/bundle")
        (old,) = api.get("/v1/log")["vkeys"]
    old_trust = trust_of(capsys, home)

    new = json.loads(rotate(capsys, home)[1])["vkey"]

    with started(home) as api:
        register(api, "second")
        log = api.get("/v1/log")
        shown = api.fetch("/log/checkpoint")
        again = api.get(f"/v1/records/{record}/bundle", {"size": "1"})
        later = api.get(f"/v1/records/{record}/bundle")
        bundles = (handed_out, again, later)
        asked = [{"digest": f"sha256:{sha256('first')}", "bundle": each} for each in bundles]
        own = [api.post("/v1/verify", each) for each in asked]
    trust = trust_of(capsys, home)
    assert log["vkeys"] == [new]
    assert log["tree"]["size"] == 2
    assert signers(log["checkpoint"].encode(), old, new) == {new}
    assert signers(shown, old, new) == {new}
    assert signers(again["checkpoint"].encode(), old, new) == {old}
    for bundle in bundles:
        assert judged(trust, "first", bundle).verdict is Verdict.PENDING
    assert [each["verdict"] for each in own] == ["pending"] * 3
    assert judged(old_trust, "first", handed_out).verdict is Verdict.PENDING
    assert fault(judged(old_trust, "first", later)) == "checkpoint.signature checkpoint.unsigned"


def test_what_was_indexed_and_not_yet_published_is_signed_by_the_new_key(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _index_unpublished(home)

    rotated = json.loads(rotate(capsys, home)[1])

    assert rotated["until"] == 5
    grow_home(home, ["published.pdf"])
    shown = (home / "log" / "checkpoint").read_bytes()
    assert parse_checkpoint_unverified(shown).checkpoint.size == 7
    assert signers(shown, rotated["retired"], rotated["vkey"]) == {rotated["vkey"]}


def test_a_publisher_that_was_only_suspended_signs_nothing_with_the_old_key(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _index_unpublished(home)
    ledger = open_ledger(home)
    sequencer, publisher = build_sequencer(ledger), build_publisher(ledger)
    sequencer.acquire()
    publisher.start(sequencer.epoch)
    sequencer.release()  # as if its lease had run out
    assert rotate(capsys, home)[0] == 0

    with pytest.raises(EvidenceError) as caught:
        publisher.publish()

    assert caught.value.code == "log.head-moved"
    newest = ledger.reader().newest_checkpoint()
    assert newest is not None
    assert newest.size == 5
    ledger.database.close()


def test_a_log_without_a_checkpoint_has_the_new_key_from_its_first_entry_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "migrate", "--home", str(tmp_path))[0] == 0

    assert rotate(capsys, tmp_path)[0] == 0

    found = exported(capsys, tmp_path)
    assert [(each["from"], each.get("until")) for each in found] == [(0, 0), (0, None)]


def test_log_keys_retire_one_after_the_other_beside_a_key_of_another_kind(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rotate(capsys, home)[0] == 0
    grow_home(home, ["sixth.pdf"])
    assert run(capsys, "keys", "add-ml-dsa", "--home", str(home))[0] == 0
    assert rotate(capsys, home)[0] == 0

    found = exported(capsys, home)

    assert [parse_vkey(each["vkey"]).kind for each in found] == [ED25519] * 3 + [ML_DSA_44]
    assert len({each["vkey"] for each in found}) == 4
    spans = [(each["from"], each.get("until")) for each in found]
    assert spans == [(0, 5), (5, 6), (6, None), (6, None)]


def test_a_running_ledger_keeps_its_log_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    with started(home) as api:
        register(api, "first")
        code, _, err = rotate(capsys, home)

    assert code != 0
    assert "sequencer.lease-held" in err
    assert load_settings(home).retired_logs == ()
    assert not Home(path=home).seed("log-2").exists()


def test_a_log_that_a_chain_has_seen_more_of_keeps_its_log_key(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = ObservedHead(size=6, root=bytes(32), source="chain 31337")
    monkeypatch.setattr(chains, "observe_chains", lambda _chains: [seen])

    code, _, err = rotate(capsys, home)

    assert code != 0
    assert "log.behind-head" in err
    assert load_settings(home).retired_logs == ()
    assert not Home(path=home).seed("log-2").exists()


def test_a_folder_that_is_no_home_gets_no_log_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = rotate(capsys, tmp_path)

    assert code != 0
    assert "settings.missing" in err
    assert list(tmp_path.iterdir()) == []


# -- what reads the log's keys later


@pytest.fixture
def rotated(home: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A stopped ledger with checkpoints by the old key and by the new one."""
    assert rotate(capsys, home)[0] == 0
    grow_home(home, ["sixth.pdf"])
    return home


def test_fsck_finds_a_log_with_two_keys_sound(
    rotated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, "fsck", "--home", str(rotated), "--offline")

    assert code == 0, out + err


def test_fsck_names_a_checkpoint_by_the_old_key_above_its_end(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = load_settings(home)
    assert rotate(capsys, home)[0] == 0
    settings = load_settings(home)
    save_settings(home, old)  # as on a machine that nobody told
    grow_home(home, ["sixth.pdf"])
    save_settings(home, settings)

    code, out, _ = run(capsys, "fsck", "--home", str(home), "--offline", "--json")

    assert code == 1
    (found,) = (each for each in map(json.loads, out.splitlines()) if "code" in each)
    assert (found["code"], found["row"], found["column"]) == ("fsck.checkpoint", "size=6", "note")


def test_an_export_with_two_keys_is_imported_and_goes_on(
    rotated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export, fresh = tmp_path / "export", tmp_path / "fresh"
    assert run(capsys, "export", str(export), "--home", str(rotated))[0] == 0
    fresh.mkdir()
    shutil.copy(rotated / "vermilion.toml", fresh)
    shutil.copytree(rotated / "keys", fresh / "keys")
    Home(path=fresh).seed("log").unlink()  # the retired key may be destroyed

    code, _, err = run(capsys, "import", str(export), "--home", str(fresh))

    assert code == 0, err
    assert exported(capsys, fresh) == exported(capsys, rotated)
    grow_home(fresh, ["seventh.pdf"])
    assert run(capsys, "fsck", "--home", str(fresh), "--offline")[0] == 0


def test_an_export_with_a_checkpoint_by_the_old_key_above_its_end_is_not_imported(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = load_settings(home)
    assert rotate(capsys, home)[0] == 0
    settings = load_settings(home)
    save_settings(home, old)
    grow_home(home, ["sixth.pdf"])
    save_settings(home, settings)
    assert run(capsys, "export", str(tmp_path / "export"), "--home", str(home))[0] == 0

    code, _, err = run(capsys, "import", str(tmp_path / "export"), "--home", str(tmp_path / "new"))

    assert code != 0
    assert "export.unsound" in err


def _index_unpublished(home: Path) -> None:
    """Give an entry its index, and end before a checkpoint."""
    grow_home(home, ["indexed.pdf"], publishes=False)
