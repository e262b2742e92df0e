"""What an envelope implies: the quick match and the strict parser never disagree."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from log_kit import Clock
from office import (
    INTAKE_KEYID,
    INTAKE_SEED,
    ORIGIN,
    REGISTRY,
    ROOT,
    WANG,
    envelope,
    key_registration,
    statement,
)
from vermilion_api.requests import Registration
from vermilion_api.services.registering import Registrar
from vermilion_ledger import implied as module
from vermilion_ledger.actor import Actor
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.events import Predicate
from vermilion_ledger.implied import imply

KEYIDS = frozenset({INTAKE_KEYID})
TEXTS = st.text(
    st.sampled_from([*'abc 019-/.\\"<é一鿿䷿𝄞', "　"]), min_size=1, max_size=30
) | st.text(st.characters(exclude_categories=("Cc", "Cs", "Cf", "Cn")), min_size=1, max_size=80)


def registered(name: str, actor: Actor | None = None, sm3: bytes | None = None) -> bytes:
    registrar = Registrar(origin=ORIGIN, intake_seed=INTAKE_SEED, clock=Clock())
    digest = hashlib.sha256(name.encode()).digest()
    return registrar.prepare(Registration(name=name, sha256=digest, sm3=sm3, actor=actor)).envelope


@given(name=TEXTS, who=TEXTS, post=TEXTS | st.just(""), sm3=st.none() | st.just(bytes(32)))
def test_the_match_says_what_the_parser_says(
    name: str, who: str, post: str, sm3: bytes | None
) -> None:
    data = registered(name, Actor(id=who[:60], post=post[:60]), sm3)

    strict = module._parse(data, KEYIDS)

    assert imply(data, KEYIDS) == strict
    assert strict.is_plain
    assert strict.nonces == ()


def test_the_common_form_is_matched_and_not_parsed() -> None:
    for name in ("contract.pdf", "合同-2026-017.pdf"):
        assert module._match(registered(name), KEYIDS) is not None


@given(
    name=st.sampled_from(["contract.pdf", "合同.pdf"]),
    at=st.integers(0, 2000),
    byte=st.integers(0, 255),
    cut=st.booleans(),
)
def test_what_the_parser_refuses_is_never_matched(name: str, at: int, byte: int, cut: bool) -> None:
    data = bytearray(registered(name))
    at %= len(data)
    if cut:
        del data[at]
    else:
        data[at] = byte
    found = module._match(bytes(data), KEYIDS)

    if found is not None:
        assert found == module._parse(bytes(data), KEYIDS)


@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99), st.integers(0, 9999))
def test_a_time_that_is_no_moment_is_never_matched(
    month: int, day: int, hour: int, year: int
) -> None:
    time = f"{year:04}-{month:02}-{day:02}T{hour:02}:00:00Z".encode()
    payload = statement().encode().replace(b"2026-11-21T08:00:00Z", time)

    if module._STATEMENT.fullmatch(payload) is not None:
        from vermilion_ledger.statement import parse_statement

        parse_statement(payload)


@pytest.mark.parametrize("count", [200, 201, 1024, 1025])
def test_a_text_beyond_its_bound_is_never_matched(count: int) -> None:
    payload = statement().encode().replace("合同-2026-017.pdf".encode(), b"x" * count)
    matched = module._STATEMENT.fullmatch(payload)

    assert matched is not None
    assert (len(matched["name"]) <= 1024) is (count <= 1024)


def test_an_event_without_an_actor_uses_up_a_nonce_of_the_intake_key() -> None:
    made = statement("review")

    found = imply(envelope(made).data, KEYIDS)

    assert found.nonces == ((bytes.fromhex(INTAKE_KEYID), made.nonce),)
    assert not found.is_plain


def test_each_signer_uses_up_the_nonce() -> None:
    made = key_registration(WANG)

    found = imply(envelope(made, ROOT, WANG).data, KEYIDS)

    assert found.nonces == tuple(
        sorted((bytes.fromhex(each.keyid), made.nonce) for each in (ROOT, WANG))
    )
    assert (found.predicate, found.record_id) == (Predicate.KEY, REGISTRY)


def test_a_registration_under_a_policy_may_come_twice_and_uses_up_no_nonce() -> None:
    found = imply(envelope(statement(detail={"policy": "00" * 32})).data, KEYIDS)

    assert not found.is_plain
    assert found.nonces == ()


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b'{"payload":"","payloadType":""}'])
def test_bytes_that_are_no_envelope_are_refused(data: bytes) -> None:
    with pytest.raises(EvidenceError):
        imply(data, KEYIDS)


def test_an_envelope_of_another_ledger_is_refused() -> None:
    with pytest.raises(EvidenceError) as caught:
        imply(registered("a.pdf"), frozenset({"00" * 32}))

    assert caught.value.code == "intake.not-one"
