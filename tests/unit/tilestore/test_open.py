"""The address of a tile store: what it may say, and that it holds no secret."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from conftest import REPOSITORY
from vermilion_ledger.errors import InputError, NotFoundError
from vermilion_ledger.tilestore import open_tile_store
from vermilion_ledger.tilestore.posix import PosixTileStore
from vermilion_ledger.tilestore.s3 import S3TileStore

FILE = {"tile/0/000": b"bytes"}


def test_no_address_is_a_folder_in_the_home_folder(tmp_path: Path) -> None:
    open_tile_store("", tmp_path).put_new(FILE)

    assert (tmp_path / "log" / "tile" / "0" / "000").read_bytes() == b"bytes"


def test_a_file_address_is_that_folder(tmp_path: Path) -> None:
    folder = tmp_path / "日志 log"

    open_tile_store(folder.as_uri(), Path("elsewhere")).put_new(FILE)

    assert (folder / "tile" / "0" / "000").read_bytes() == b"bytes"


def test_opening_touches_nothing(tmp_path: Path) -> None:
    open_tile_store("", tmp_path)
    open_tile_store("s3://bucket/log?endpoint=http://127.0.0.1:1&allow_http=true", tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["s3://bucket", "s3://bucket/", "s3://bucket/a/b?region=eu-1"])
def test_an_s3_address_is_a_bucket(url: str, tmp_path: Path) -> None:
    assert isinstance(open_tile_store(url, tmp_path), S3TileStore)


@pytest.mark.parametrize(
    "url",
    [
        "log",
        "/var/log",
        "memory:",
        "http://bucket/log",
        "file:",
        "file://",
        "file:///",
        "file://host/folder",
        "file:///folder?x=1",
        "file:///folder#x",
        "s3:bucket",
        "s3://",
        "s3:///prefix",
        "s3://key:secret@bucket/prefix",
        "s3://bucket:9000/prefix",
        "s3://bucket/prefix#x",
        "s3://bucket/a//b",
        "s3://bucket/../b",
        "s3://bucket/prefix?secret_access_key=x",
        "s3://bucket/prefix?region=a&region=b",
        "s3://bucket/prefix?region",
        "s3://bucket/prefix?allow_http=yes",
        "s3://bucket/prefix?Region=a",
        "s3://[",
    ],
)
def test_any_other_address_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        open_tile_store(url, tmp_path)

    assert caught.value.code == "tiles.url"
    assert "secret@" not in caught.value.message


def credentials_file(tmp_path: Path, text: str, mode: int = 0o600) -> str:
    path = tmp_path / "credentials"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return f"s3://bucket/log?credentials={path}"


KEYS = "[default]\naws_access_key_id = AKIA\naws_secret_access_key = 100%/hush\n"


@pytest.mark.parametrize("text", [KEYS, KEYS + "aws_session_token = t\n", "[other]\na=b\n" + KEYS])
def test_keys_may_come_from_a_private_file(text: str, tmp_path: Path) -> None:
    assert isinstance(open_tile_store(credentials_file(tmp_path, text), tmp_path), S3TileStore)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hush",
        "[default]",
        KEYS.replace("[default]", "[x]"),
        KEYS + KEYS,
        KEYS.replace("key_id", "key"),
        KEYS.replace("secret_", ""),
    ],
)
def test_a_file_without_keys_is_refused_and_not_quoted(text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        open_tile_store(credentials_file(tmp_path, text), tmp_path)

    assert caught.value.code == "tiles.credentials"
    assert "hush" not in caught.value.message
    assert caught.value.__cause__ is None


def test_keys_that_others_may_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        open_tile_store(credentials_file(tmp_path, KEYS, 0o644), tmp_path)

    assert caught.value.code == "key.file-readable"


def test_a_file_of_keys_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        open_tile_store(f"s3://bucket/log?credentials={tmp_path}/none", tmp_path)


@pytest.mark.parametrize(
    ("url", "wanted"), [("", "PosixTileStore"), ("s3://bucket", "tiles.not-installed")]
)
def test_only_a_bucket_needs_the_extra(url: str, wanted: str, tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['obstore'] = None\n"
        "from pathlib import Path\n"
        "from vermilion_ledger.errors import InputError\n"
        "from vermilion_ledger.tilestore import open_tile_store\n"
        "try: print(type(open_tile_store(sys.argv[1], Path(sys.argv[2]))).__name__)\n"
        "except InputError as exc: print(exc.code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, url, str(tmp_path)],
        env={"PYTHONPATH": str(REPOSITORY / "ledger")},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == wanted


def test_the_default_is_the_posix_driver(tmp_path: Path) -> None:
    assert isinstance(open_tile_store("", tmp_path), PosixTileStore)
