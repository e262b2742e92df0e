"""``vermilion export`` and ``vermilion import``, as an operator runs them."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from damage_kit import Damage
from homes import write_home
from store_kit import stored_between
from vermilion_api.cli import main
from vermilion_api.wiring import build_sequencer, open_ledger
from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.rows import Accepted, IntakeBatch, Submission

SIZE = 700


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder with a log; nobody changes it."""
    return write_home(tmp_path_factory.mktemp("source"), size=SIZE)


@pytest.fixture(scope="module")
def exported(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of it with salts; nobody changes it."""
    folder = tmp_path_factory.mktemp("exported") / "export"
    assert main(["export", str(folder), "--home", str(source)]) == 0
    return folder


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    code = main([str(word) for word in words])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def head_of(home: Path) -> tuple[int, bytes]:
    ledger = open_ledger(home)
    head = ledger.database.heads.load_head()
    ledger.database.close()
    return head.size, head.root


def tree_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def with_keys_of(source: Path, home: Path) -> Path:
    home.mkdir()
    shutil.copy(source / "vermilion.toml", home)
    shutil.copytree(source / "keys", home / "keys")
    return home


def test_a_rebuilt_ledger_has_the_same_root_and_the_same_files(
    capsys: pytest.CaptureFixture[str], source: Path, exported: Path, tmp_path: Path
) -> None:
    home = with_keys_of(source, tmp_path / "home")

    code, out, _ = run(capsys, "import", exported, "--home", home)

    assert code == 0
    assert head_of(home) == head_of(source)
    assert head_of(home)[1].hex() in out
    assert tree_of(home / "log") == {
        path: data
        for path, data in tree_of(source / "log").items()
        if path in tree_of(exported / "log")
    }
    assert run(capsys, "fsck", "--home", home, "--offline")[0] == 0


def test_an_export_of_the_rebuilt_ledger_is_the_same_export(
    capsys: pytest.CaptureFixture[str], source: Path, exported: Path, tmp_path: Path
) -> None:
    home = with_keys_of(source, tmp_path / "home")
    run(capsys, "import", exported, "--home", home)

    assert run(capsys, "export", tmp_path / "again", "--home", home)[0] == 0

    assert tree_of(tmp_path / "again") == tree_of(exported)


def test_without_keys_the_data_alone_is_rebuilt(
    capsys: pytest.CaptureFixture[str], exported: Path, tmp_path: Path
) -> None:
    code, out, _ = run(capsys, "import", exported, "--home", tmp_path / "home", "--json")

    assert code == 0
    assert json.loads(out)["complete"] is False
    assert sorted(path.name for path in (tmp_path / "home").iterdir()) == ["ledger.db", "log"]


def test_what_was_submitted_before_gets_its_first_index_from_the_rebuilt_ledger(
    capsys: pytest.CaptureFixture[str], source: Path, exported: Path, tmp_path: Path
) -> None:
    home = with_keys_of(source, tmp_path / "home")
    run(capsys, "import", exported, "--home", home)
    ledger = open_ledger(home)
    (stored,) = stored_between(ledger.database.log, 300, 301)
    again = Submission(
        record_id=make_record_id(stored.record_key),
        record_key=stored.record_key,
        envelope=stored.envelope,
        envelope_hash=hashlib.sha256(stored.envelope).digest(),
        salt=bytes(32),
        digest=bytes(32),
    )
    sequencer = build_sequencer(ledger)
    sequencer.acquire()

    result = sequencer.save_batches([IntakeBatch(submissions=(again,))])[0]

    assert isinstance(result, Accepted)
    assert result.positions == (stored.position,)
    sequencer.release()
    ledger.database.close()


def test_two_exports_are_the_same_bytes(
    capsys: pytest.CaptureFixture[str], source: Path, exported: Path, tmp_path: Path
) -> None:
    run(capsys, "export", tmp_path / "second", "--home", source)

    assert tree_of(tmp_path / "second") == tree_of(exported)


def test_coreutils_check_the_sums(exported: Path) -> None:
    program = shutil.which("sha256sum")
    if program is None:
        pytest.skip("sha256sum is not installed")

    done = subprocess.run(
        [program, "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=exported, check=False
    )

    assert done.returncode == 0


def test_without_salts_nothing_that_opens_a_commitment_leaves(
    capsys: pytest.CaptureFixture[str], source: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "public"

    code, _, _ = run(capsys, "export", folder, "--home", source, "--without-salts")

    assert code == 0
    whole = b"".join(tree_of(folder).values())
    connection = sqlite3.connect(source / "ledger.db")
    rows = connection.execute("SELECT record_key, salt, envelope FROM submissions").fetchall()
    connection.close()
    assert len(rows) == SIZE
    for secret in (each for row in rows for each in row):
        assert secret not in whole
        assert secret.hex().encode() not in whole


def test_a_folder_with_something_in_it_is_refused(
    capsys: pytest.CaptureFixture[str], source: Path, tmp_path: Path
) -> None:
    (tmp_path / "kept").write_text("mine")

    code, _, err = run(capsys, "export", tmp_path, "--home", source)

    assert code == 1
    assert "export.exists" in err
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


@pytest.mark.parametrize(
    "words", [(), ("a", "--database", "b"), ("--database", "b", "--without-salts")]
)
def test_a_folder_or_a_database_but_not_both(
    capsys: pytest.CaptureFixture[str], source: Path, words: tuple[str, ...]
) -> None:
    code, _, err = run(capsys, "export", *words, "--home", source)

    assert code == 2
    assert "export.options" in err


def test_a_log_whose_rows_do_not_lead_to_the_signed_root_is_not_exported(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    home = write_home(tmp_path, size=20)
    damage = Damage(home / "ledger.db")
    damage.execute("UPDATE submissions SET salt = zeroblob(32) WHERE position = 3")
    damage.close()

    code, _, err = run(capsys, "export", tmp_path / "export", "--home", home)

    assert code == 70
    assert "log.root-mismatch" in err
    assert not (tmp_path / "export").exists()


def test_a_damaged_tile_does_not_get_into_an_export(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    home = write_home(tmp_path, size=300)
    path = home / "log/tile/0/000"
    good = path.read_bytes()
    path.write_bytes(bytes(len(good)))

    code, _, _ = run(capsys, "export", tmp_path / "export", "--home", home)

    assert code == 0
    assert (tmp_path / "export/log/tile/0/000").read_bytes() == good


def test_a_copied_database_is_private_and_whole(
    capsys: pytest.CaptureFixture[str], source: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"

    code, _, _ = run(capsys, "export", "--database", copy, "--home", source)

    assert code == 0
    assert copy.stat().st_mode & 0o777 == 0o600
    connection = sqlite3.connect(copy)
    assert connection.execute("SELECT count(*) FROM entries").fetchone() == (SIZE,)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_a_copy_is_never_written_over_a_file(
    capsys: pytest.CaptureFixture[str], source: Path, tmp_path: Path
) -> None:
    (tmp_path / "copy.db").write_text("mine")

    code, _, err = run(capsys, "export", "--database", tmp_path / "copy.db", "--home", source)

    assert code == 1
    assert "export.exists" in err
    assert (tmp_path / "copy.db").read_text() == "mine"
