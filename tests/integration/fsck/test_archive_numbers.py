"""Document numbers leave with an export that has salts, of a version of its own, and come back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from integration.fsck.test_archive import export, load
from log_kit import WrittenLog, check, fill, open_log, submission, texts
from office import envelope, secret, statement
from vermilion_ledger.archive.reading import check_export
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.numbers import DocumentNumber, Numbering
from vermilion_ledger.rows import IntakeBatch

TABLE = "tables/document_numbers.jsonl"


def give_numbers(log: WrittenLog) -> None:
    """Give a record a number, void another, and forget a third."""
    for serial, record in enumerate(log.records[:2], 1):
        numbering = Numbering(
            number=DocumentNumber(office="国办发", year=2026, serial=serial), salt=secret("salt")
        )
        made = statement(
            "number",
            record=record.record_id,
            subject=replace(statement().subject, sha256=record.digest),
            detail={"commitment": numbering.commitment.hex()},
            nonce=secret(f"number {serial}")[:16],
        )
        numbered = replace(submission(envelope(made), record.record_key), numbering=numbering)
        log.database.intake.save_batches([IntakeBatch(submissions=(numbered,))])
    log.database.numbers.void(DocumentNumber(office="国办发", year=2026, serial=3), "withdrawn")
    log.database.numbers.forget(log.records[1].record_id)


def test_the_book_comes_back_as_it_was(tmp_path: Path, new_url: Callable[[Path], str]) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    old, new = (open_log(tmp_path / each, url=new_url(tmp_path / each)) for each in ("old", "new"))
    fill(old, 40)
    give_numbers(old)

    header = export(old, tmp_path / "export")
    load(tmp_path / "export", new)

    assert header.version == 2
    assert new.database.numbers.load_rows() == old.database.numbers.load_rows()
    with old.audit.view() as before, new.audit.view() as after:
        assert list(after.scan("document_numbers")) == list(before.scan("document_numbers"))
    assert texts(check(new)) == []
    old.close()
    new.close()


def test_an_export_without_numbers_is_what_it_was(log: WrittenLog, tmp_path: Path) -> None:
    header = export(log, tmp_path / "export")

    assert header.version == 1
    assert not (tmp_path / "export" / TABLE).exists()


def test_an_export_for_outsiders_has_no_number(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    fill(log, 40)
    give_numbers(log)

    header = export(log, tmp_path / "export", with_salts=False)

    assert header.version == 1
    for path in (tmp_path / "export").rglob("*"):
        assert path.is_dir() or "国办发".encode() not in path.read_bytes()
    log.close()


def rewritten(folder: Path, *, version: int, without: str = "") -> None:
    """Change the version that an export states, and leave a file out, with sums that fit."""
    sums = folder / "SHA256SUMS"
    if without:
        (folder / without).unlink()
        kept = [line for line in sums.read_text().splitlines(True) if without not in line]
        sums.write_text("".join(kept))
    header = json.loads((folder / "export.json").read_bytes())
    header["mediaType"] = f"application/vnd.vermilion.export.v{version}+json"
    header["sums"] = hashlib.sha256(sums.read_bytes()).hexdigest()
    text = json.dumps(header, sort_keys=True, separators=(",", ":"))
    (folder / "export.json").write_text(text)


@pytest.mark.parametrize(("version", "without"), [(1, ""), (2, TABLE)])
def test_numbers_belong_to_the_second_version_and_to_no_other(
    tmp_path: Path, version: int, without: str
) -> None:
    log = open_log(tmp_path)
    fill(log, 40)
    give_numbers(log)
    export(log, tmp_path / "export")
    rewritten(tmp_path / "export", version=version, without=without)

    with pytest.raises(EvidenceError) as caught:
        check_export(tmp_path / "export")

    assert caught.value.code == "export.malformed"
    log.close()
