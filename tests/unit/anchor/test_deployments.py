"""Deployment records: one form, one file per chain, never overwritten."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vermilion_anchor.deployments import DeploymentRecord, load_deployment, save_deployment
from vermilion_ledger.errors import ConflictError, InputError, UnavailableError

RECORD = DeploymentRecord(
    chain_id=11155111, contract=b"\x12" * 20, code_hash=b"\x34" * 32, block=5_120_000
)
ROOT = Path(__file__).resolve().parents[3]


def changed(**members: Any) -> bytes:
    return json.dumps(json.loads(RECORD.encode()) | members).encode()


def write(folder: Path, data: bytes) -> None:
    (folder / "11155111.json").write_bytes(data)


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    save_deployment(tmp_path, RECORD)

    assert load_deployment(tmp_path, 11155111) == RECORD
    assert [path.name for path in tmp_path.iterdir()] == ["11155111.json"]


def test_the_form_is_that_of_the_page() -> None:
    page = (ROOT / "contracts/deployments/README.md").read_text(encoding="utf-8")
    sample = page.partition("```json\n")[2].partition("```")[0]

    assert list(json.loads(sample)) == list(json.loads(RECORD.encode()))


def test_a_chain_without_a_record_has_none(tmp_path: Path) -> None:
    save_deployment(tmp_path, RECORD)

    assert load_deployment(tmp_path, 1) is None


def test_a_record_is_never_overwritten(tmp_path: Path) -> None:
    write(tmp_path, b"whatever it is")

    with pytest.raises(ConflictError) as refused:
        save_deployment(tmp_path, RECORD)

    assert refused.value.code == "deployment.exists"
    assert (tmp_path / "11155111.json").read_bytes() == b"whatever it is"
    assert [path.name for path in tmp_path.iterdir()] == ["11155111.json"]


def test_a_record_of_another_chain_is_refused(tmp_path: Path) -> None:
    (tmp_path / "1.json").write_bytes(RECORD.encode())

    with pytest.raises(InputError) as refused:
        load_deployment(tmp_path, 1)

    assert refused.value.code == "deployment.other-chain"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        RECORD.encode() + b"x",
        changed(contract="0x12"),
        changed(contract="0x" + "AB" * 20),
        changed(codeHash="34" * 32),
        changed(block=-1),
        changed(block=True),
        changed(chainId="11155111"),
        changed(note="safe"),
        changed(note=" " * 5000),
        json.dumps({"chainId": 11155111}).encode(),
    ],
)
def test_a_malformed_record_is_refused(tmp_path: Path, data: bytes) -> None:
    write(tmp_path, data)

    with pytest.raises(InputError):
        load_deployment(tmp_path, 11155111)


def test_a_folder_that_is_not_there_is_found_out_before_anything_is_paid(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError) as refused:
        load_deployment(tmp_path / "nowhere", 1)

    assert refused.value.code == "deployment.unusable"


def test_a_record_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "1.json").mkdir()

    with pytest.raises(UnavailableError) as refused:
        load_deployment(tmp_path, 1)

    assert refused.value.code == "deployment.unusable"


def test_what_could_not_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError) as refused:
        save_deployment(tmp_path / "nowhere", RECORD)

    assert refused.value.code == "deployment.unusable"
    assert "12" * 20 in refused.value.message
