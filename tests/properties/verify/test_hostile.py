"""Whatever the bytes: a report or an error of ours, and never proven by accident."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from evidence import Scene, approved, close, office, plain
from office import INTAKE_SEED
from trusted import trust_toml
from vermilion_ledger.bundle import parse_bundle
from vermilion_ledger.encoding import encode_base64, encode_json
from vermilion_ledger.envelope import make_envelope, parse_envelope, sign_intake
from vermilion_ledger.errors import EvidenceError
from vermilion_verify.blocks import parse_block_hashes
from vermilion_verify.policy import parse_trust_policy
from vermilion_verify.printing import render_report, safe_text
from vermilion_verify.registry import parse_registry_file
from vermilion_verify.report import Report, Verdict

ODD: list[Any] = [
    None,
    True,
    0,
    1,
    -1,
    2**53 - 1,
    -(2**53) + 1,
    "",
    "0x",
    "00" * 32,
    "rec_" + "0" * 32,
    "\u202e",
    "\x1b[31m",
    "\x00",
    "register",
    "revoke",
    "convert",
    "bls12381-g2-pop",
    "urn:vermilion:policy-event:v1",
    "urn:vermilion:key-event:v1",
    "urn:vermilion:record-event:v1",
    [],
    {},
    [[]],
    [0],
    ["00" * 32],
    {"": []},
    "é" * 300,
]
BUNDLES: dict[str, Callable[[], Scene]] = {"plain": plain, "approved": approved}


@cache
def scene(name: str) -> Scene:
    return BUNDLES[name]()


@cache
def base(name: str) -> str:
    return json.dumps(scene(name).bundle().to_json())


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    members: Any = ()
    if isinstance(value, dict):
        members = value.items()
    elif isinstance(value, list):
        members = enumerate(value)
    for name, item in members:
        found += places(item, (*path, name))
    return found


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    value = copy.deepcopy(value)
    target = value
    for name in path[:-1]:
        target = target[name]
    target[path[-1]] = new
    return value


def check(report: Report, *, may_hold: bool = False) -> None:
    """A report can be printed in both languages, and as one line of JSON."""
    assert may_hold or report.verdict is not Verdict.PROVEN
    for language in ("en", "zh-CN"):
        text = render_report(report, language=language, colour=False, name="\x1b[2J", size=None)
        assert safe_text(text.replace("\n", "")) == text.replace("\n", "")
    json.dumps(report.to_json(), allow_nan=False)


@given(st.binary(max_size=2_000))
def test_any_bytes_are_refuted_or_of_a_later_version(data: bytes) -> None:
    report = scene("plain").verify(data)

    assert report.verdict in {Verdict.REFUTED, Verdict.CANNOT_TELL}
    check(report)


@given(st.sampled_from(sorted(BUNDLES)), st.data())
def test_a_member_replaced_by_anything_is_never_proven(name: str, data: st.DataObject) -> None:
    value = json.loads(base(name))
    path = data.draw(st.sampled_from(places(value)))
    new = data.draw(st.sampled_from(ODD))
    other = changed(value, path, new)

    report = scene(name).verify(encode_json(other))

    check(report, may_hold="hints" in path or other == value)


@given(st.sampled_from(sorted(BUNDLES)), st.data())
def test_a_member_replaced_under_the_ledgers_own_closing_is_no_crash(
    name: str, data: st.DataObject
) -> None:
    """The ledger itself is the attacker: it closes what it spoiled."""
    value = json.loads(base(name))
    path = data.draw(st.sampled_from(places(value)))
    other = changed(value, path, data.draw(st.sampled_from(ODD)))
    try:
        closed = close(parse_bundle(encode_json(other)))
    except EvidenceError:
        return

    check(scene(name).verify(closed), may_hold=True)


@given(st.data())
def test_a_statement_replaced_and_signed_by_the_ledger_is_never_proven(
    data: st.DataObject,
) -> None:
    value = json.loads(base("approved"))
    array = data.draw(st.sampled_from(["entries", "keys", "policies"]))
    entry = data.draw(st.sampled_from(value[array]))
    statement = json.loads(base64.b64decode(entry["envelope"]["payload"]))
    path = data.draw(st.sampled_from(places(statement)))
    other = changed(statement, path, data.draw(st.sampled_from(ODD)))
    entry["envelope"]["payload"] = encode_base64(encode_json(other))
    try:
        envelope = parse_envelope(encode_json(entry["envelope"]))
        signed = sign_intake(make_envelope(envelope.payload, envelope.signatures[:-1]), INTAKE_SEED)
        entry["envelope"] = signed.to_json()
        closed = close(parse_bundle(encode_json(value)))
    except EvidenceError:
        return

    check(scene("approved").verify(closed), may_hold=other == statement)


@given(st.integers(0, 2**31), st.lists(st.integers(0, 9), max_size=5))
def test_entries_swapped_between_places_are_never_proven(seed: int, cuts: list[int]) -> None:
    value = json.loads(base("approved"))
    every = [*value["entries"], *value["keys"], *value["policies"]]
    first, second = every[seed % len(every)], every[seed // 16 % len(every)]
    for member in ("envelope", "salt", "proof", "index")[: 1 + len(cuts) % 4]:
        first[member], second[member] = second[member], first[member]

    report = scene("approved").verify(encode_json(value))

    check(report, may_hold=first is second)


@given(st.binary(max_size=500))
def test_any_bytes_as_policy_registry_or_block_list_are_ours_to_refuse(data: bytes) -> None:
    for parse in (parse_registry_file, parse_block_hashes):
        with suppress(EvidenceError):
            parse(data)
    with suppress(EvidenceError):
        parse_trust_policy(data, folder=Path())


WORDS = "0 -1 1.5 inf true '' 'x' [] {} [[]] [{}] 1979-05-27 999999999999999999999999"
TOML = st.sampled_from(WORDS.split(" "))


@given(st.dictionaries(st.integers(0, 14), TOML, max_size=3))
def test_any_member_of_a_policy_may_be_of_any_type(changes: dict[int, str]) -> None:
    names = [
        "version",
        "origin",
        "log_keys",
        "intake",
        "registry_record",
        "registry_key",
        "roots",
        "quorum",
        "policies_record",
        "policies_key",
        "witness_quorum",
        "witness_keys",
        "anchors",
        "max_age",
        "rules",
    ]
    text = trust_toml([], **{names[place]: value for place, value in changes.items()})
    try:
        policy = parse_trust_policy(text.encode(), folder=Path())
    except EvidenceError:
        return

    check(scene("plain").verify(policy=policy), may_hold=True)


@given(st.data())
def test_a_registry_file_replaced_in_part_is_no_crash(data: st.DataObject) -> None:
    whole = scene("approved")
    value = json.loads(whole.registry_file())
    path = data.draw(st.sampled_from(places(value)))
    other = changed(value, path, data.draw(st.sampled_from(ODD)))
    try:
        registry = parse_registry_file(encode_json(other))
    except EvidenceError:
        return
    with TemporaryDirectory() as folder:
        entries = Path(folder) / "entries"
        entries.write_bytes(b"".join(whole.log.entries))
        report = whole.verify(registry_file=registry, log_entries=entries)

    check(report, may_hold=other == value)


def test_what_is_read_is_what_is_written() -> None:
    """Nothing of a bundle is lost on the way to what the closing signs."""
    for made in (plain(), approved(), office()):
        bundle = made.bundle() if made.last.get(b"") else approved().bundle(withhold=True)
        data = encode_json(bundle.to_json())
        assert encode_json(parse_bundle(data).to_json()) == data
