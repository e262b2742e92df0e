"""Key files: private, never overwritten, and only read when they belong together."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vermilion_api.home import Home, create_home, load_secrets
from vermilion_api.keyfiles import create_key_file, load_key_file, load_seed, write_seed
from vermilion_api.settings import Settings
from vermilion_ledger.actor import Actor
from vermilion_ledger.errors import EvidenceError

OWNER = Actor(id="u-1", name="王芳", post="主任", unit="财务处")


def code_of(caught: pytest.ExceptionInfo[EvidenceError]) -> str:
    return caught.value.code


@pytest.mark.parametrize("scheme", ["ed25519", "secp256k1-eip712"])
def test_a_key_file_is_read_back_and_private(tmp_path: Path, scheme: str) -> None:
    made = create_key_file(tmp_path / "k.json", scheme=scheme, owner=OWNER)

    assert load_key_file(tmp_path / "k.json") == made
    assert (tmp_path / "k.json").stat().st_mode & 0o777 == 0o600


def test_an_existing_key_is_never_overwritten(tmp_path: Path) -> None:
    create_key_file(tmp_path / "k.json", scheme="ed25519", owner=OWNER)
    before = (tmp_path / "k.json").read_bytes()

    with pytest.raises(EvidenceError) as caught:
        create_key_file(tmp_path / "k.json", scheme="ed25519", owner=OWNER)

    assert code_of(caught) == "key.file-exists"
    assert (tmp_path / "k.json").read_bytes() == before


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660, 0o644, 0o601])
def test_a_key_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    create_key_file(tmp_path / "k.json", scheme="ed25519", owner=OWNER)
    (tmp_path / "k.json").chmod(mode)

    with pytest.raises(EvidenceError) as caught:
        load_key_file(tmp_path / "k.json")

    assert code_of(caught) == "key.file-readable"


@pytest.mark.parametrize("name", ["private", "public", "keyid", "scheme", "owner"])
def test_a_changed_member_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "k.json"
    create_key_file(path, scheme="ed25519", owner=OWNER)
    value = json.loads(path.read_text())
    value[name] = "00" * 32
    path.write_text(json.dumps(value))

    with pytest.raises(EvidenceError) as caught:
        load_key_file(path)

    assert code_of(caught) == "key.malformed"


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"scheme":"ed25519","scheme":"ed25519"}'])
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "k.json").write_text(text)
    (tmp_path / "k.json").chmod(0o600)

    with pytest.raises(EvidenceError) as caught:
        load_key_file(tmp_path / "k.json")

    assert code_of(caught) == "key.malformed"


def test_a_missing_file_and_a_missing_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError) as caught:
        load_key_file(tmp_path / "none.json")
    assert code_of(caught) == "key.file-missing"

    with pytest.raises(EvidenceError) as caught:
        create_key_file(tmp_path / "no" / "k.json", scheme="ed25519", owner=OWNER)
    assert code_of(caught) == "key.file-missing"


@pytest.mark.parametrize("scheme", ["ml-dsa-44", "rsa", ""])
def test_a_scheme_that_cannot_sign_here_is_refused(tmp_path: Path, scheme: str) -> None:
    with pytest.raises(EvidenceError) as caught:
        create_key_file(tmp_path / "k.json", scheme=scheme, owner=OWNER)

    assert code_of(caught) == "key.scheme"


@pytest.mark.parametrize("text", ["", "AB" * 32, "ab" * 31, "ab" * 33, "zz" * 32])
def test_a_seed_is_64_lower_case_hex_digits(tmp_path: Path, text: str) -> None:
    (tmp_path / "log.key").write_text(text)
    (tmp_path / "log.key").chmod(0o600)

    with pytest.raises(EvidenceError) as caught:
        load_seed(tmp_path / "log.key")

    assert code_of(caught) == "key.malformed"


def test_a_second_start_keeps_the_keys_of_the_first(tmp_path: Path) -> None:
    home, _ = create_home(tmp_path / "h", Settings())
    before = load_secrets(home)

    create_home(tmp_path / "h", Settings(origin="another/origin"))

    assert load_secrets(home) == before
    assert (tmp_path / "h").stat().st_mode & 0o077 == 0


def test_an_interrupted_first_start_is_finished_with_the_same_keys(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir(mode=0o700)
    seed = write_seed(tmp_path / "keys" / "log.key")

    home, _ = create_home(tmp_path, Settings())

    assert load_secrets(home).log == seed


@pytest.mark.parametrize("name", ["log", "intake", "registry", "policies"])
def test_a_key_that_is_gone_is_not_replaced_by_a_fresh_one(tmp_path: Path, name: str) -> None:
    home, _ = create_home(tmp_path / "h", Settings())
    home.seed(name).unlink()

    create_home(tmp_path / "h", Settings())

    with pytest.raises(EvidenceError) as caught:
        load_secrets(home)
    assert code_of(caught) == "key.file-missing"


def test_one_key_for_two_purposes_is_refused(tmp_path: Path) -> None:
    home, _ = create_home(tmp_path / "h", Settings())
    home.seed("intake").write_bytes(home.seed("log").read_bytes())

    with pytest.raises(EvidenceError) as caught:
        load_secrets(home)

    assert code_of(caught) == "key.shared"


def test_a_home_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "h").write_text("")

    with pytest.raises(EvidenceError) as caught:
        create_home(tmp_path / "h", Settings())

    assert code_of(caught) == "home.unusable"


def test_the_database_lies_in_the_home_unless_named(tmp_path: Path) -> None:
    home = Home(path=tmp_path)

    assert home.database_url(Settings()) == f"sqlite:///{tmp_path}/ledger.db"
    assert home.database_url(Settings(database_url="postgresql://h/d")) == "postgresql://h/d"
