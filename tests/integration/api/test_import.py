"""What ``vermilion import`` refuses: nothing is put in place before all of it is sound."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from homes import write_home
from vermilion_api.cli import main
from vermilion_api.settings import load_settings, save_settings

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


@pytest.fixture
def export(exported: Path, tmp_path: Path) -> Path:
    """A copy to be changed."""
    return Path(shutil.copytree(exported, tmp_path / "export"))


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    code = main([str(word) for word in words])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def tree_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def reseal(folder: Path) -> None:
    """Write sums and header anew, as somebody would who changes an export on purpose."""
    paths = sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and path.name not in {"SHA256SUMS", "export.json"}
    )
    sums = "".join(
        f"{hashlib.sha256((folder / path).read_bytes()).hexdigest()}  {path}\n" for path in paths
    )
    (folder / "SHA256SUMS").write_text(sums)
    header = json.loads((folder / "export.json").read_bytes())
    header["sums"] = hashlib.sha256(sums.encode()).hexdigest()
    (folder / "export.json").write_text(json.dumps(header, sort_keys=True, separators=(",", ":")))


def test_an_export_without_salts_is_not_imported(
    capsys: pytest.CaptureFixture[str], source: Path, tmp_path: Path
) -> None:
    run(capsys, "export", tmp_path / "public", "--home", source, "--without-salts")

    code, _, err = run(capsys, "import", tmp_path / "public", "--home", tmp_path / "home")

    assert code == 2
    assert "export.without-salts" in err
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    "path",
    ["entries/000000000.jsonl", "log/tile/0/001", "log/tile/entries/002.p/188", "log/checkpoint",
     "tables/checkpoints.jsonl", "trust.toml", "registry.json", "SHA256SUMS"],
)  # fmt: skip
def test_a_changed_file_is_refused(
    capsys: pytest.CaptureFixture[str], export: Path, tmp_path: Path, path: str
) -> None:
    data = bytearray((export / path).read_bytes())
    data[len(data) // 2] ^= 1
    (export / path).write_bytes(data)

    code, _, err = run(capsys, "import", export, "--home", tmp_path / "home")

    assert code == 70
    assert "export.differs" in err
    assert not (tmp_path / "home").exists()


def test_a_missing_file_is_refused(
    capsys: pytest.CaptureFixture[str], export: Path, tmp_path: Path
) -> None:
    (export / "log/tile/1/000.p/2").unlink()

    code, _, err = run(capsys, "import", export, "--home", tmp_path / "home")

    assert code == 70
    assert "export.differs" in err


def test_a_file_too_many_is_refused(
    capsys: pytest.CaptureFixture[str], export: Path, tmp_path: Path
) -> None:
    (export / "log/more").write_bytes(b"")

    code, _, err = run(capsys, "import", export, "--home", tmp_path / "home")

    assert code == 70
    assert "export.differs" in err


def test_a_link_is_refused(
    capsys: pytest.CaptureFixture[str], export: Path, tmp_path: Path
) -> None:
    (export / "registry.json").rename(tmp_path / "registry.json")
    (export / "registry.json").symlink_to(tmp_path / "registry.json")

    code, _, err = run(capsys, "import", export, "--home", tmp_path / "home")

    assert code == 70
    assert "export.differs" in err


def test_a_folder_that_is_no_export_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, _, err = run(capsys, "import", tmp_path, "--home", tmp_path / "home")

    assert code == 2
    assert "export.missing" in err


def test_a_later_version_is_refused(
    capsys: pytest.CaptureFixture[str], export: Path, tmp_path: Path
) -> None:
    text = (export / "export.json").read_text().replace("export.v1", "export.v3")
    (export / "export.json").write_text(text)

    code, _, err = run(capsys, "import", export, "--home", tmp_path / "home")

    assert code == 2
    assert "export.later-version" in err


def swap_salts(line: dict[str, object]) -> None:
    line["salt"] = "00" * 32


def swap_kind(line: dict[str, object]) -> None:
    line["kind"] = "keys"


def change_sequence(line: dict[str, object]) -> None:
    line["sequence"] = 1


@pytest.mark.parametrize("change", [swap_salts, swap_kind, change_sequence])
def test_a_changed_entry_is_found_although_the_sums_fit(
    capsys: pytest.CaptureFixture[str], export: Path, tmp_path: Path, change: object
) -> None:
    path = export / "entries/000000000.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    line = json.loads(lines[5])
    change(line)  # type: ignore[operator]
    lines[5] = (
        json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
    )
    path.write_bytes(b"".join(lines))
    reseal(export)

    code, _, err = run(capsys, "import", export, "--home", tmp_path / "home")

    assert code == 70
    assert "export.unsound" in err
    assert list((tmp_path / "home").iterdir()) == []


def test_another_head_is_found_although_the_sums_fit(
    capsys: pytest.CaptureFixture[str], export: Path, tmp_path: Path
) -> None:
    header = json.loads((export / "export.json").read_bytes())
    header["root"] = "00" * 32
    (export / "export.json").write_text(json.dumps(header, sort_keys=True, separators=(",", ":")))

    code, _, err = run(capsys, "import", export, "--home", tmp_path / "home")

    assert code == 70
    assert "export.unsound" in err


def test_a_home_that_has_a_ledger_is_not_written_over(
    capsys: pytest.CaptureFixture[str], source: Path, exported: Path
) -> None:
    before = tree_of(source)

    code, _, err = run(capsys, "import", exported, "--home", source)

    assert code == 1
    assert "export.not-empty" in err
    assert tree_of(source) == before


def test_keys_of_another_ledger_are_refused(
    capsys: pytest.CaptureFixture[str], exported: Path, tmp_path: Path
) -> None:
    other = write_home(tmp_path, size=1)
    (other / "ledger.db").unlink()
    shutil.rmtree(other / "log")

    code, _, err = run(capsys, "import", exported, "--home", other)

    assert code == 1
    assert "export.other-ledger" in err


def elsewhere(source: Path, folder: Path) -> Path:
    """A home folder with keys of the ledger whose stores are in other places."""
    home = folder / "home"
    home.mkdir()
    for name in ("log", "data"):
        (folder / name).mkdir()
    shutil.copytree(source / "keys", home / "keys")
    save_settings(
        home,
        replace(
            load_settings(source),
            database_url=f"sqlite:///{folder}/data/ledger.db",
            head_url=f"sqlite:///{folder}/data/head.db",
            tiles_url=f"file://{folder}/log",
        ),
    )
    return home


def test_stores_that_the_settings_name_are_filled(
    capsys: pytest.CaptureFixture[str], source: Path, exported: Path, tmp_path: Path
) -> None:
    home = elsewhere(source, tmp_path)

    code, out, _ = run(capsys, "import", exported, "--home", home, "--json")

    assert code == 0
    assert json.loads(out)["complete"] is True
    assert sorted(path.name for path in home.iterdir()) == ["keys", "vermilion.toml"]
    assert run(capsys, "fsck", "--home", home, "--offline")[0] == 0


def test_stores_that_hold_a_log_already_are_not_filled(
    capsys: pytest.CaptureFixture[str], source: Path, exported: Path, tmp_path: Path
) -> None:
    home = elsewhere(source, tmp_path)
    run(capsys, "import", exported, "--home", home)

    code, _, err = run(capsys, "import", exported, "--home", home)

    assert code == 1
    assert "export.not-empty" in err
