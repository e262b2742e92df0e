"""What an export holds comes back row by row, from either database into either."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from log_kit import WrittenLog, check, fill, open_log, texts
from office import INTAKE_KEYID, ORIGIN
from vermilion_ledger.anchor_rows import AnchorAttempt, AnchorTarget, ChainBlock
from vermilion_ledger.archive.layout import Header, parse_header, parse_line, parse_sums
from vermilion_ledger.archive.reading import check_export, load_export
from vermilion_ledger.archive.writing import PublicFiles, export_log
from vermilion_ledger.errors import ConflictError, EvidenceError, InputError
from vermilion_ledger.evm.header import parse_header as parse_block_header
from vermilion_ledger.evm.keccak import keccak256
from vermilion_ledger.evm.rlp import encode_integer, encode_rlp
from vermilion_ledger.store.restoring import SqlRestorer

PUBLIC = PublicFiles(trust=b"trust", registry=b"registry")
KEPT_TABLES = (
    "submissions",
    "known_envelopes",
    "nonces",
    "queue",
    "entries",
    "places",
    "digests",
    "refusals",
    "blocks",
    "anchors",
    "anchor_attempts",
    "idempotency",
    "responses",
)


def rows_of(log: WrittenLog) -> dict[str, list[Any]]:
    with log.audit.view() as view:
        found: dict[str, list[Any]] = {table: list(view.scan(table)) for table in KEPT_TABLES}
    found["checkpoints"] = list(log.audit.next_checkpoints(None, 1000))
    return found


def fill_more(log: WrittenLog) -> None:
    """Put something into the tables beside the log, and leave entries unpublished."""
    log.register(4, key="late")
    moment = log.clock()
    log.database.responses.save("request 0", status=202, body=b'{"a":1}', created_at=moment)
    root = log.database.heads.load_head().root
    size = log.database.heads.load_head().size
    target = AnchorTarget(chain_id=31337, contract=b"\x01" * 20, log=b"\x02" * 32)
    job = log.database.anchors.plan(target, size=size, root=root, now=moment)
    raw = b"\x02" + encode_rlp([*map(encode_integer, (31337, 7, 2, 3, 21000)), b"", b"", b"", b""])
    log.database.anchors.save_signed(
        job,
        AnchorAttempt(
            nonce=7,
            gas_limit=21000,
            max_fee=3,
            priority_fee=2,
            raw=raw,
            transaction=keccak256(raw),
            signed_block=9,
            signed_at=moment,
        ),
    )
    fields = [bytes(32)] * 8 + [encode_integer(5), b"", b"", encode_integer(1_790_000_000)]
    block = encode_rlp([*fields, b"", bytes(32), bytes(8), b""])
    found = parse_block_header(block)
    log.database.blocks.save(
        ChainBlock(chain_id=31337, number=5, hash=found.hash, time=found.time, header=block),
        offered_at=moment,
    )


def export(log: WrittenLog, folder: Path, *, with_salts: bool = True) -> Header:
    return export_log(log.audit, folder, origin=ORIGIN, public=PUBLIC, with_salts=with_salts)


def load(folder: Path, log: WrittenLog) -> None:
    header, sums = check_export(folder)
    load_export(
        folder,
        header,
        sums.keys(),
        intake_keyids={INTAKE_KEYID},
        restorer=SqlRestorer(log.database.engine, log.database.head_engine),
        tiles=log.tiles,
    )


@pytest.mark.parametrize("head", ["same", "separate"])
def test_every_row_and_every_file_comes_back(
    tmp_path: Path, new_url: Callable[[Path], str], head: str
) -> None:
    folders = [tmp_path / name for name in ("old", "new", "head")]
    for folder in folders:
        folder.mkdir()
    old = open_log(folders[0], url=new_url(folders[0]))
    fill(old, 300)
    fill_more(old)
    assert texts(check(old)) == []
    new = open_log(
        folders[1],
        url=new_url(folders[1]),
        head_url=new_url(folders[2]) if head == "separate" else "",
    )

    export(old, tmp_path / "export")
    load(tmp_path / "export", new)

    assert rows_of(new) == rows_of(old)
    assert new.database.heads.load_head() == old.database.heads.load_head()
    assert texts(check(new)) == []
    old.close()
    new.close()


def test_a_rebuilt_log_goes_on_where_the_first_one_stood(
    tmp_path: Path, new_url: Callable[[Path], str]
) -> None:
    folders = [tmp_path / name for name in ("old", "new")]
    for folder in folders:
        folder.mkdir()
    old, new = (open_log(folder, url=new_url(folder)) for folder in folders)
    fill(old, 300)
    size, epoch = old.database.heads.load_head().size, old.sequencer.epoch
    export(old, tmp_path / "export")
    load(tmp_path / "export", new)

    new.start()
    accepted = new.register(2)
    again = new.register(300, key="request 0")

    assert new.sequencer.epoch == epoch + 1
    assert accepted.states is not None
    assert [each.index for each in accepted.states] == [size, size + 1]
    assert again.replayed
    new.publisher.publish()
    assert texts(check(new)) == []
    old.close()
    new.close()


def test_a_database_with_something_in_it_is_not_filled(log: WrittenLog) -> None:
    with pytest.raises(ConflictError) as caught:
        SqlRestorer(log.database.engine, log.database.head_engine).check_empty()

    assert caught.value.code == "export.not-empty"


def test_an_empty_log_is_exported_and_comes_back(
    tmp_path: Path, new_url: Callable[[Path], str]
) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    old, new = (open_log(tmp_path / name, url=new_url(tmp_path / name)) for name in ("old", "new"))

    header = export(old, tmp_path / "export")
    load(tmp_path / "export", new)

    assert (header.size, header.entries) == (0, 0)
    assert new.database.heads.load_head() == old.database.heads.load_head()
    old.close()
    new.close()


def test_a_public_export_ends_at_the_published_size(log: WrittenLog, tmp_path: Path) -> None:
    log.start()
    log.register(9)
    size = log.database.heads.load_head().size

    header = export(log, tmp_path / "export", with_salts=False)

    assert (header.size, header.entries) == (size, size)
    names = {path.name for path in (tmp_path / "export").iterdir()}
    assert names == {"SHA256SUMS", "export.json", "log", "registry.json", "tables", "trust.toml"}
    log.sequencer.release()


def test_files_are_complete_before_they_have_their_name(log: WrittenLog, tmp_path: Path) -> None:
    def stop(_done: int, _size: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_log(
            log.audit,
            tmp_path / "export",
            origin=ORIGIN,
            public=PUBLIC,
            with_salts=True,
            on_progress=stop,
        )

    assert [path.name for path in tmp_path.iterdir()] == ["log"]


# -- reading the lines


HEADER = Header(
    origin="log.example", size=1, root=bytes(32), entries=1, with_salts=True, sums=bytes(32)
)


def refusal(call: Callable[..., object], *arguments: object) -> str:
    with pytest.raises(EvidenceError) as caught:
        call(*arguments)
    return caught.value.code


def test_a_header_is_read_as_it_was_written() -> None:
    assert parse_header(HEADER.encode()) == HEADER


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ((b'"salts":true', b'"salts":1'), "export.malformed"),
        ((b"export.v1", b"export.v3"), "export.later-version"),
        ((b"export.v1", b"export.v0"), "export.malformed"),
        ((b'"size":1,', b""), "json.missing-member"),
        ((b'"size":1', b'"more":1,"size":1'), "json.unknown-member"),
        ((b'"size":1', b'"size":-1'), "json.not-count"),
        ((b"{", b"[{"), "json.malformed"),
    ],
)
def test_a_changed_header_is_refused(change: tuple[bytes, bytes], code: str) -> None:
    assert refusal(parse_header, HEADER.encode().replace(*change, 1)) == code


@pytest.mark.parametrize(
    "line",
    [
        b"00  a\n",
        b"0" * 64 + b" a\n",
        b"0" * 64 + b"  a",
        b"0" * 64 + b"  ../a\n",
        b"0" * 64 + b"  /a\n",
        b"0" * 64 + b"  a//b\n",
        b"0" * 64 + b"  .hidden\n",
        b"A" * 64 + b"  a\n",
        b"0" * 64 + b"  b\n" + b"0" * 64 + b"  a\n",
        b"0" * 64 + b"  a\n" + b"0" * 64 + b"  a\n",
    ],
)
def test_sums_of_another_form_are_refused(line: bytes) -> None:
    header = replace(HEADER, sums=hashlib.sha256(line).digest())

    assert refusal(parse_sums, line, header) == "export.malformed"


@pytest.mark.parametrize(
    "line",
    [b'{"a":"1", "envelope":{}}\n', b'{"envelope":{},"a":"1"}\n', b'{"a":"1","envelope":{}}',
     b'{"envelope":{}}\n', b'{"a":"1","b":"2","envelope":{}}\n', b"\n", b"\xff\n"],
)  # fmt: skip
def test_a_line_of_another_form_is_refused(line: bytes) -> None:
    with pytest.raises(InputError):
        parse_line(line, ("a",))
