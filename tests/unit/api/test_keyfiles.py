"""Key files: private, never overwritten, and only read when they belong together."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from vermilion_api.home import Home, add_ml_dsa, create_home, load_secrets
from vermilion_api.keyfiles import create_key_file, load_key_file, load_seed, write_seed
from vermilion_api.settings import Settings, load_settings, save_settings
from vermilion_ledger.actor import Actor
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.note import ED25519, ML_DSA_44

OWNER = Actor(id="u-1", name="王芳", post="主任", unit="财务处")


def code_of(caught: pytest.ExceptionInfo[EvidenceError]) -> str:
    return caught.value.code


@pytest.mark.parametrize("scheme", ["bls12381-g2-pop", "ed25519", "ml-dsa-44", "secp256k1-eip712"])
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


@pytest.mark.parametrize("scheme", ["webauthn-es256", "rsa", ""])
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


def kinds(home: Home) -> list[int]:
    return [key.kind for key in load_secrets(home).log_keys("log.example")]


def test_a_log_has_one_kind_of_key_unless_it_is_told_otherwise(tmp_path: Path) -> None:
    home, _ = create_home(tmp_path / "h", Settings())

    assert kinds(home) == [ED25519]
    assert not home.seed("log-ml-dsa").exists()


def test_a_home_is_made_with_both_keys_where_the_settings_say_so(tmp_path: Path) -> None:
    home, settings = create_home(tmp_path / "h", Settings(log_ml_dsa=True))

    assert kinds(home) == [ED25519, ML_DSA_44]
    assert settings.log_ml_dsa_from == 0
    assert home.seed("log-ml-dsa").stat().st_mode & 0o777 == 0o600


def test_a_second_key_joins_a_log_at_a_size_and_leaves_the_first_alone(tmp_path: Path) -> None:
    home, settings = create_home(tmp_path / "h", Settings(origin="log.example"))
    before = load_secrets(home)

    changed = add_ml_dsa(home, settings, size=1024)

    assert changed == load_settings(home.path)
    assert (changed.log_ml_dsa, changed.log_ml_dsa_from) == (True, 1024)
    assert changed.origin == "log.example"
    assert kinds(home) == [ED25519, ML_DSA_44]
    assert load_secrets(home).log_keys("w")[0] == before.log_keys("w")[0]


def test_a_second_key_is_added_once(tmp_path: Path) -> None:
    home, settings = create_home(tmp_path / "h", Settings())
    changed = add_ml_dsa(home, settings, size=7)
    before = load_secrets(home)

    with pytest.raises(EvidenceError) as caught:
        add_ml_dsa(home, changed, size=9)

    assert code_of(caught) == "key.in-use"
    assert load_settings(home.path).log_ml_dsa_from == 7
    assert load_secrets(home) == before


def test_adding_a_key_that_was_interrupted_goes_on_with_the_same_key(tmp_path: Path) -> None:
    home, settings = create_home(tmp_path / "h", Settings())
    seed = write_seed(home.seed("log-ml-dsa"))

    add_ml_dsa(home, settings, size=7)

    assert load_secrets(home).log_ml_dsa == seed


def test_an_ml_dsa_key_that_is_gone_stops_the_log_and_is_not_replaced(tmp_path: Path) -> None:
    home, settings = create_home(tmp_path / "h", Settings(log_ml_dsa=True))
    home.seed("log-ml-dsa").unlink()

    create_home(tmp_path / "h", settings)

    with pytest.raises(EvidenceError) as caught:
        load_secrets(home)
    assert code_of(caught) == "key.file-missing"


@pytest.mark.parametrize("other", ["log", "intake", "registry", "policies"])
def test_one_seed_for_both_kinds_of_key_is_refused(tmp_path: Path, other: str) -> None:
    home, _ = create_home(tmp_path / "h", Settings(log_ml_dsa=True))
    home.seed("log-ml-dsa").write_bytes(home.seed(other).read_bytes())

    with pytest.raises(EvidenceError) as caught:
        load_secrets(home)

    assert code_of(caught) == "key.shared"


@pytest.mark.parametrize(("text", "mode"), [("ab" * 31, 0o600), ("ab" * 32, 0o640)])
def test_an_ml_dsa_key_is_64_hex_digits_that_nobody_else_may_read(
    tmp_path: Path, text: str, mode: int
) -> None:
    home, _ = create_home(tmp_path / "h", Settings(log_ml_dsa=True))
    home.seed("log-ml-dsa").write_text(text)
    home.seed("log-ml-dsa").chmod(mode)

    with pytest.raises(EvidenceError):
        load_secrets(home)


def test_a_key_that_the_settings_do_not_name_does_not_sign(tmp_path: Path) -> None:
    home, settings = create_home(tmp_path / "h", Settings(log_ml_dsa=True))
    save_settings(home.path, replace(settings, log_ml_dsa=False))

    assert kinds(home) == [ED25519]


def test_a_home_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "h").write_text("")

    with pytest.raises(EvidenceError) as caught:
        create_home(tmp_path / "h", Settings())

    assert code_of(caught) == "home.unusable"


def test_the_database_lies_in_the_home_unless_named(tmp_path: Path) -> None:
    home = Home(path=tmp_path)

    assert home.database_url(Settings()) == f"sqlite:///{tmp_path}/ledger.db"
    assert home.database_url(Settings(database_url="postgresql://h/d")) == "postgresql://h/d"
