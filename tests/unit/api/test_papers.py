"""What leaves on paper: the trust policy, tile paths, statements to sign, result files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from office import RECORD, WANG, statement
from vermilion_api.cli.common import read_detail, write_file
from vermilion_api.home import add_ml_dsa, create_home, load_secrets
from vermilion_api.keyfiles import KeyFile
from vermilion_api.services.logfiles import parse_tile_path
from vermilion_api.settings import ChainSettings, Settings
from vermilion_api.signing import check_statement
from vermilion_api.trust import render_trust_policy
from vermilion_ledger.errors import EvidenceError
from vermilion_verify.policy import parse_trust_policy

CHAIN = ChainSettings(
    id=31337,
    rpc="http://user:word@node.example/",
    contract="0x" + 20 * "ab",
    log="0x" + 32 * "cd",
    code_hash="0x" + 32 * "ef",
)
KEY = KeyFile(scheme=WANG.scheme, private=WANG.seed, public=WANG.public_key, owner=WANG.actor)
ASKED: dict[str, Any] = {
    "event": "approve",
    "detail": {"step": "sign-off", "decision": "approved"},
}


def test_the_verifier_reads_the_trust_policy(tmp_path: Path) -> None:
    home, _ = create_home(tmp_path / "h", Settings())
    secrets = load_secrets(home)
    settings = Settings(origin="l.example/办公室", roots=("ab" * 32,), chains=(CHAIN,))

    policy = parse_trust_policy(render_trust_policy(settings, secrets).encode(), folder=tmp_path)

    assert policy.origin == settings.origin
    assert policy.registry.record == secrets.identity(settings).keys_record
    assert policy.policies.record == secrets.identity(settings).policies_record
    assert policy.roots.keyids == {"ab" * 32}
    assert [chain.chain_id for chain in policy.chains] == [31337]


def test_the_address_of_a_node_is_not_handed_out(tmp_path: Path) -> None:
    home, _ = create_home(tmp_path / "h", Settings())
    settings = Settings(chains=(CHAIN,))

    text = render_trust_policy(settings, load_secrets(home))

    assert "word" not in text
    assert "word" in render_trust_policy(settings, load_secrets(home), with_rpc=True)


def test_no_secret_of_the_log_is_in_the_trust_policy(tmp_path: Path) -> None:
    home, _ = create_home(tmp_path / "h", Settings())
    secrets = load_secrets(home)

    text = render_trust_policy(Settings(), secrets)

    assert secrets.log.hex() not in text
    assert secrets.intake.hex() not in text


@pytest.mark.parametrize("start", [0, 1024])
def test_the_trust_policy_has_each_kind_of_log_key_from_where_it_starts(
    tmp_path: Path, start: int
) -> None:
    home, settings = create_home(tmp_path / "h", Settings(origin="l.example/办公室"))
    settings = add_ml_dsa(home, settings, size=start)
    secrets = load_secrets(home)

    text = render_trust_policy(settings, secrets)

    policy = parse_trust_policy(text.encode(), folder=tmp_path)
    assert [key.key for key in policy.log_keys] == list(secrets.log_keys(settings.origin))
    assert [(key.start, key.end) for key in policy.log_keys] == [(0, None), (start, None)]
    assert secrets.log_ml_dsa is not None
    assert secrets.log_ml_dsa.hex() not in text


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("000", (0, 256)),
        ("067", (67, 256)),
        ("x001/000", (1000, 256)),
        ("x001/x234/067", (1234067, 256)),
        ("000.p/1", (0, 1)),
        ("x001/000.p/255", (1000, 255)),
    ],
)
def test_a_tile_path_is_read(path: str, place: tuple[int, int]) -> None:
    assert parse_tile_path(path) == place


@pytest.mark.parametrize(
    "path",
    [
        "",
        "0",
        "00",
        "0000",
        "x000/001",
        "x1/000",
        "001/000",
        "x001/x000",
        "000.p/0",
        "000.p/256",
        "000.p/01",
        "000.p/",
        "000/",
        "/000",
        "٠٠٠",
        "x001/" * 9 + "000",
        "../000",
    ],
)
def test_a_tile_path_of_another_form_is_refused(path: str) -> None:
    with pytest.raises(EvidenceError) as caught:
        parse_tile_path(path)

    assert caught.value.code == "log.no-tile"


def test_a_statement_as_it_was_asked_for_is_signed() -> None:
    check_statement(statement("approve"), RECORD, ASKED, [KEY])


def test_the_ledger_may_add_the_policy_of_the_record() -> None:
    made = statement("approve", detail={**ASKED["detail"], "policy": "ab" * 32})

    check_statement(made, RECORD, ASKED, [KEY])


@pytest.mark.parametrize(
    ("changes", "asked", "record"),
    [
        ({"event": "countersign"}, {}, RECORD),
        ({"detail": {"step": "sign-off", "decision": "rejected"}}, {}, RECORD),
        ({"detail": {"step": "other", "decision": "approved"}}, {}, RECORD),
        ({"detail": {**ASKED["detail"], "amount": "1"}}, {}, RECORD),
        ({"actor": replace(WANG.actor, id="other")}, {}, RECORD),
        ({}, {"digest": {"sha256": "00" * 32}}, RECORD),
        ({}, {"actor": {"id": "x", "name": "", "post": "", "unit": ""}}, RECORD),
        ({}, {}, "rec_" + "0" * 32),
    ],
)
def test_a_statement_that_says_something_else_is_not_signed(
    changes: dict[str, Any], asked: dict[str, Any], record: str
) -> None:
    made = replace(statement("approve"), **changes)

    with pytest.raises(EvidenceError) as caught:
        check_statement(made, record, {**ASKED, **asked}, [KEY])

    assert caught.value.code == "statement.not-as-asked"


def test_a_result_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    write_file(tmp_path / "b.json", b"one")
    write_file(tmp_path / "b.json", b"two")

    assert (tmp_path / "b.json").read_bytes() == b"two"
    with pytest.raises(EvidenceError) as caught:
        write_file(tmp_path / "none" / "b.json", b"")
    assert caught.value.code == "output.unwritable"
    assert [path.name for path in tmp_path.iterdir()] == ["b.json"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[]", "detail.shape"),
        ('{"a":1,"a":2}', "json.duplicate-key"),
        ('{"a":1.5}', "json.not-integer"),
        ("@/nonexistent/file", "input.missing"),
        ("", "json.malformed"),
    ],
)
def test_a_detail_is_a_strict_object(text: str, code: str) -> None:
    with pytest.raises(EvidenceError) as caught:
        read_detail(text)

    assert caught.value.code == code
