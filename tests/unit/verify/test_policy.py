"""The trust policy: read strictly, and refused where it contradicts itself."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from office import INTAKE_PUBLIC, LOG_SEED, ORIGIN, REGISTRY, REGISTRY_KEY, Person, secret
from trusted import Chain, log_vkey, trust_toml
from vermilion_ledger.durations import parse_duration
from vermilion_ledger.errors import EvidenceError, InputError
from vermilion_ledger.note import COSIGNATURE
from vermilion_ledger.schemes import ed25519
from vermilion_verify.policy import load_trust_policy, parse_trust_policy

CHAIN = Chain()
INTAKE = f'{{key = "{INTAKE_PUBLIC.hex()}", from = 0}}'


def code(text: str | bytes) -> str:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(InputError) as error:
        parse_trust_policy(data, folder=Path())
    return error.value.code


def test_a_policy_says_what_is_believed() -> None:
    policy = parse_trust_policy(trust_toml([CHAIN]).encode(), folder=Path())

    assert policy.origin == ORIGIN
    assert policy.chains[0].chain_id == 31337
    assert policy.max_age is None
    assert policy.log_keys[0].is_in_force(2**53 - 2)


def test_optional_tables_may_be_left_out() -> None:
    text = trust_toml([])
    short = text[: text.index("[witnesses]")]

    policy = parse_trust_policy(short.encode(), folder=Path())

    assert (policy.anchors_required, policy.witness_quorum, policy.chains) == (1, 0, ())


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"version": "2"}, "trust.version"),
        ({"version": "true"}, "trust.version"),
        ({"version": "1.0"}, "trust.version"),
        ({"version": '"1"'}, "trust.version"),
        ({"version": "1979-05-27"}, "trust.version"),
        ({"origin": '""'}, "text.empty"),
        ({"origin": "1"}, "text.shape"),
        ({"origin": '"another.example"'}, "trust.log-key"),
        ({"log_keys": "1"}, "trust.malformed"),
        ({"log_keys": "[1]"}, "json.shape"),
        ({"log_keys": '[{vkey = "x", from = 0}]'}, "vkey.malformed"),
        ({"log_keys": f'[{{vkey = "{log_vkey()}"}}]'}, "json.missing-member"),
        ({"log_keys": f'[{{vkey = "{log_vkey()}", from = -1}}]'}, "json.not-count"),
        ({"log_keys": f'[{{vkey = "{log_vkey()}", from = 0, to = 1}}]'}, "json.unknown-member"),
        ({"log_keys": f'[{{vkey = "{log_vkey(kind=COSIGNATURE)}", from = 0}}]'}, "trust.log-key"),
        ({"intake": f'[{{key = "{"00" * 32}", from = 0}}]'}, "key.small-order"),
        ({"intake": f'[{{key = "{INTAKE_PUBLIC.hex().upper()}", from = 0}}]'}, "hex.malformed"),
        ({"registry_key": f'"{"00" * 32}"'}, "trust.record-key"),
        ({"registry_record": '"rec_1"'}, "record.malformed-id"),
        ({"roots": '["x"]'}, "hex.malformed"),
        ({"quorum": "0"}, "trust.quorum"),
        ({"quorum": "1.5"}, "json.not-count"),
        ({"quorum": "nan"}, "json.not-count"),
        ({"quorum": "9" * 40}, "json.not-count"),
        ({"witness_quorum": "true"}, "json.not-count"),
        ({"witness_keys": f'["{log_vkey(name="w.example")}"]'}, "trust.witness-key"),
        ({"anchors": '"1"'}, "json.not-count"),
        ({"max_age": '"P1M"'}, "duration.malformed"),
        ({"max_age": "30"}, "duration.malformed"),
        ({"rules": "{}"}, "rules.shape"),
        ({"rules": '[{event = "fly", count = 1}]'}, "rules.event"),
        ({"rules": '[{event = "approve", count = 101}]'}, "rules.count"),
        ({"rules": '[{event = "approve", count = 1, after = "x"}]'}, "rules.after"),
        ({"more": "[more]\nx = 1\n"}, "json.unknown-member"),
        ({"more": "x = 1\n"}, "json.unknown-member"),
    ],
)
def test_a_malformed_member_is_refused(changes: dict[str, Any], refused: str) -> None:
    assert code(trust_toml([CHAIN], **changes)) == refused


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"id": '"31337"'}, "json.not-count"),
        ({"contract": '"0x00"'}, "hex.malformed"),
        ({"code_hash": f'"{"00" * 32}"'}, "hex.malformed"),
        ({"log": f'"0x{"AB" * 32}"'}, "hex.malformed"),
        ({"finality": '"soon"'}, "finality.malformed"),
        ({"finality": '"confirmations:0"'}, "finality.malformed"),
        ({"finality": "3"}, "trust.malformed"),
        ({"rpc": '"http://x"'}, "trust.malformed"),
        ({"rpc": "[1]"}, "trust.malformed"),
        ({"headers": "[{}]"}, "trust.malformed"),
        ({"name": '"x"'}, "json.unknown-member"),
    ],
)
def test_a_malformed_chain_is_refused(changes: dict[str, str], refused: str) -> None:
    assert code(trust_toml([CHAIN.table(**changes)])) == refused


@pytest.mark.parametrize(
    "data",
    [b"\xff", b"version", b"a = " + b"[" * 5_000, b"version = 1\nversion = 1", b"\x00", b"a=1\r"],
)
def test_bytes_that_are_no_toml_are_refused(data: bytes) -> None:
    assert code(data) == "trust.malformed"


def test_a_policy_of_more_than_a_mebibyte_is_refused() -> None:
    assert code(b"#" * (1024 * 1024 + 1)) == "trust.too-large"


def test_an_intake_key_is_no_log_key_and_no_root() -> None:
    log_key = ed25519.public_key_of(LOG_SEED).hex()
    person = Person(name="somebody")

    assert code(trust_toml([], intake=f'[{{key = "{log_key}", from = 0}}]')) == "trust.shared-key"
    as_root = trust_toml(
        [],
        intake=f'[{INTAKE}, {{key = "{person.public_key.hex()}", from = 0}}]',
        roots=f'["{person.keyid}"]',
    )
    assert code(as_root) == "trust.shared-key"


def test_the_log_is_not_its_own_witness() -> None:
    own = log_vkey(secret("w"), ORIGIN, COSIGNATURE)

    assert code(trust_toml([], witness_keys=f'["{own}"]')) == "trust.shared-key"


def test_keys_and_policies_have_a_record_each() -> None:
    text = trust_toml([], policies_record=f'"{REGISTRY}"', policies_key=f'"{REGISTRY_KEY.hex()}"')

    assert code(text) == "trust.shared-record"


def test_one_chain_contract_and_log_have_one_table() -> None:
    assert code(trust_toml([CHAIN, CHAIN])) == "trust.chain-repeated"


def test_a_policy_that_cannot_be_read_is_missing_or_unreadable(tmp_path: Path) -> None:
    for path, refused in (
        (tmp_path / "none", "trust.missing"),
        (tmp_path, "trust.unreadable"),
        (Path("a\0b"), "trust.missing"),
        (Path("/dev/zero"), "trust.too-large"),
    ):
        with pytest.raises(EvidenceError) as error:
            load_trust_policy(path)
        assert error.value.code == refused


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("P30D", timedelta(days=30)),
        ("P1W", timedelta(weeks=1)),
        ("PT12H", timedelta(hours=12)),
        ("P1DT2H3M4S", timedelta(days=1, hours=2, minutes=3, seconds=4)),
    ],
)
def test_a_duration_has_a_fixed_length(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "P1DT", "P1M", "P1Y", "30D", "P-1D", "P1.5D", "p1d", "P１D", "P1D ", None, 1],
)
def test_other_durations_are_refused(text: object) -> None:
    with pytest.raises(InputError) as error:
        parse_duration(text)
    assert error.value.code == "duration.malformed"
