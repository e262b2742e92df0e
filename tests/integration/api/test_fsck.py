"""``vermilion fsck`` on a home folder, as an operator runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from damage_kit import Damage
from homes import write_home
from vermilion_api.cli import main
from vermilion_api.cli.fsck import progress_bar
from vermilion_api.home import create_home
from vermilion_api.settings import Settings

SIZE = 700


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return write_home(tmp_path, size=SIZE)


def run(capsys: pytest.CaptureFixture[str], home: Path, *words: str) -> tuple[int, str, str]:
    code = main(["fsck", "--home", str(home), "--offline", *words])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def flip(path: Path, byte: int) -> None:
    data = bytearray(path.read_bytes())
    data[byte] ^= 1
    path.write_bytes(data)


def test_a_sound_log_is_clean(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    code, out, _ = run(capsys, home)

    assert code == 0
    assert f"{SIZE} entries" in out
    assert "no damage found" in out
    assert not (home / "fsck.state").exists()


def test_a_damaged_tile_is_named_with_its_byte(
    capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    flip(home / "log/tile/0/001", 32 * 7 + 3)

    code, out, _ = run(capsys, home, "--json")

    assert code == 1
    found, summary = lines(out)
    assert (found["path"], found["byte"], found["index"]) == ("tile/0/001", 227, 256 + 7)
    assert summary["summary"]["damage"] == 1


def test_a_damaged_row_is_named_in_chinese_too(
    capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    damage = Damage(home / "ledger.db")
    damage.execute("UPDATE submissions SET salt = zeroblob(32) WHERE position = 300")
    damage.close()

    code, out, _ = run(capsys, home, "--lang", "zh-CN")

    assert code == 1
    assert "损坏[fsck.row-differs]: submissions position=300 envelope or salt (entry 299)" in out
    assert "损坏 1 处" in out


def test_a_part_tells_its_seed_and_its_chances(
    capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    code, out, _ = run(capsys, home, "--subset", "34%", "--seed", "7")

    assert code == 0
    assert "2 of 3 bundles (66.7%)" in out
    assert "seed 7" in out


def test_a_whole_subset_finds_what_a_run_finds(
    capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    flip(home / "log/tile/entries/001", 67 * 7 + 2)

    code, out, _ = run(capsys, home, "--subset", "100%", "--json")

    assert code == 1
    assert lines(out)[0]["index"] == 256 + 7


@pytest.mark.parametrize(
    "words",
    [("--subset", "0%"), ("--subset", "101%"), ("--subset", "some"), ("--subset", "nan"),
     ("--subset", "5%", "--resume")],
)  # fmt: skip
def test_a_share_that_is_none_is_a_usage_error(
    capsys: pytest.CaptureFixture[str], home: Path, words: tuple[str, ...]
) -> None:
    code, _, err = run(capsys, home, *words)

    assert code == 2
    assert "fsck.options" in err


def test_nothing_to_resume_is_told(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    code, _, err = run(capsys, home, "--resume")

    assert code == 0
    assert "starting from the first entry" in err


def test_a_folder_without_a_ledger_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, _, err = run(capsys, tmp_path / "nothing")

    assert code == 2
    assert "settings.missing" in err


def test_a_database_that_is_not_migrated_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    home, _ = create_home(tmp_path / "home", Settings())

    code, _, err = run(capsys, home.path)

    assert code == 5
    assert "store.not-migrated" in err


def test_a_bar_shows_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar(shown=True) as progress:
        progress(256, 700)
        progress(700, 700)

    assert "700/700" in capsys.readouterr().err
