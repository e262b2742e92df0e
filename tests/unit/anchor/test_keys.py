from __future__ import annotations

import json
from pathlib import Path

import pytest

from vermilion_anchor.evm import AccountSigner
from vermilion_anchor.keys import create_key, load_signer
from vermilion_anchor.ports import TransactionFields
from vermilion_ledger.errors import ConflictError, EvidenceError, InputError, NotFoundError


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, bytes]:
    folder = tmp_path_factory.mktemp("keys")
    keystore, password = folder / "anchor.json", folder / "anchor.password"
    return keystore, password, create_key(keystore, password).address


def copy(pair: tuple[Path, Path, bytes], folder: Path) -> tuple[Path, Path]:
    paths = []
    for source in pair[:2]:
        path = folder / source.name
        path.write_bytes(source.read_bytes())
        path.chmod(0o600)
        paths.append(path)
    return paths[0], paths[1]


def code_of(keystore: Path, password: Path) -> str:
    with pytest.raises(EvidenceError) as error:
        load_signer(keystore, password)
    assert isinstance(error.value, InputError | NotFoundError)
    return error.value.code


def test_a_created_key_is_loaded_again(pair: tuple[Path, Path, bytes]) -> None:
    keystore, password, address = pair

    assert load_signer(keystore, password).address == address
    assert [path.stat().st_mode & 0o777 for path in (keystore, password)] == [0o600, 0o600]
    assert json.loads(keystore.read_bytes())["version"] == 3


def test_a_key_is_never_overwritten(pair: tuple[Path, Path, bytes]) -> None:
    before = pair[0].read_bytes()

    with pytest.raises(ConflictError) as error:
        create_key(pair[0], pair[1])

    assert error.value.code == "key.file-exists"
    assert pair[0].read_bytes() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601])
@pytest.mark.parametrize("which", [0, 1])
def test_a_file_that_others_may_touch_is_refused(
    pair: tuple[Path, Path, bytes], tmp_path: Path, mode: int, which: int
) -> None:
    paths = copy(pair, tmp_path)
    paths[which].chmod(mode)

    assert code_of(*paths) == "key.file-readable"


def test_another_password_is_refused(pair: tuple[Path, Path, bytes], tmp_path: Path) -> None:
    keystore, password = copy(pair, tmp_path)
    password.write_text("another")

    assert code_of(keystore, password) == "key.file-malformed"


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"version":3}', '{"crypto":1}'])
def test_what_is_no_keystore_is_refused(
    pair: tuple[Path, Path, bytes], tmp_path: Path, text: str
) -> None:
    keystore, password = copy(pair, tmp_path)
    keystore.write_text(text)

    assert code_of(keystore, password) == "key.file-malformed"


def test_missing_files_are_told(pair: tuple[Path, Path, bytes], tmp_path: Path) -> None:
    keystore, password = copy(pair, tmp_path)

    assert code_of(tmp_path / "none.json", password) == "key.file-missing"
    assert code_of(keystore, tmp_path / "none") == "key.file-missing"
    with pytest.raises(NotFoundError):
        create_key(tmp_path / "none" / "key.json", tmp_path / "none" / "password")


@pytest.mark.parametrize("key", [b"", b"\x01" * 31, b"\x01" * 33, bytes(32), b"\xff" * 32])
def test_what_is_no_private_key_is_refused(key: bytes) -> None:
    with pytest.raises(InputError) as error:
        AccountSigner(key)

    assert error.value.code == "key.file-malformed"


def test_the_same_fields_give_the_same_bytes() -> None:
    fields = TransactionFields(
        chain_id=1, nonce=0, to=b"\x01" * 20, data=b"", gas_limit=21_000, max_fee=2, priority_fee=1
    )
    signer = AccountSigner(b"\x01" * 32)

    assert signer.sign(fields) == signer.sign(fields)
    assert signer.sign(fields)[0] == 2
    assert signer.address.hex() == "1a642f0e3c3af545e7acbd38b07251b3990914f1"
