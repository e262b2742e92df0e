"""The hot path writes exactly what the slow path would."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from office import INTAKE_KEYID, INTAKE_PUBLIC, INTAKE_SEED, ORIGIN
from vermilion_api.requests import Registration
from vermilion_api.services.registering import Registrar
from vermilion_ledger.actor import Actor
from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.encoding import encode_json
from vermilion_ledger.envelope import (
    make_envelope,
    parse_envelope,
    sign_intake,
    split_intake,
    verify_intake,
)
from vermilion_ledger.errors import InputError, LimitError


def clock() -> datetime:
    return datetime(2026, 11, 21, 8, tzinfo=UTC)


REGISTRAR = Registrar(origin=ORIGIN, intake_seed=INTAKE_SEED, clock=clock)
PLAIN = Registration(name='合同 "1" \\ é.pdf', sha256=bytes(32))
FULL = Registration(
    name="a.pdf",
    sha256=b"\x01" * 32,
    sm3=b"\x02" * 32,
    actor=Actor(id="u-1", name="王芳", post="主任", unit="财务处"),
    detail={"policy": "ab" * 32, "grade": "内部", "z": [1, {"b": None, "a": True}]},
)


@pytest.mark.parametrize("registration", [PLAIN, FULL])
def test_an_envelope_is_the_one_that_the_slow_path_makes(registration: Registration) -> None:
    submission = REGISTRAR.prepare(registration)

    found = parse_envelope(submission.envelope)
    slow = sign_intake(make_envelope(found.statement.encode(), ()), INTAKE_SEED)

    assert submission.envelope == slow.data
    assert submission.envelope_hash == slow.hash


def test_the_intake_signature_holds() -> None:
    found = parse_envelope(REGISTRAR.prepare(FULL).envelope)

    intake, actors = split_intake(found, {INTAKE_KEYID})

    verify_intake(found, intake, actors, INTAKE_PUBLIC)
    assert actors == ()


def test_the_record_is_new_and_its_id_fits_its_key() -> None:
    submission = REGISTRAR.prepare(PLAIN)

    assert submission.kind == "document"
    assert submission.record_id == make_record_id(submission.record_key)
    assert parse_envelope(submission.envelope).statement.record == submission.record_id


def test_nothing_that_is_drawn_is_drawn_twice() -> None:
    made = REGISTRAR.prepare_all([PLAIN] * 20)

    drawn = [
        part
        for each in made
        for part in (
            each.record_key,
            each.salt,
            parse_envelope(each.envelope).statement.nonce,
        )
    ]
    assert len(set(drawn)) == 3 * 20


def test_only_what_no_policy_judges_is_plain() -> None:
    assert REGISTRAR.prepare(PLAIN).is_plain
    assert not REGISTRAR.prepare(FULL).is_plain


@given(
    name=st.text(min_size=1),
    detail=st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text()),
    actor=st.none() | st.builds(Actor, id=st.text(min_size=1), name=st.text(), unit=st.text()),
    sm3=st.none() | st.binary(min_size=32, max_size=32),
)
def test_a_statement_is_its_own_canonical_form_whatever_the_texts(
    name: str, detail: dict[str, Any], actor: Actor | None, sm3: bytes | None
) -> None:
    registration = Registration(name=name, sha256=bytes(32), sm3=sm3, actor=actor, detail=detail)
    try:
        envelope = REGISTRAR.prepare(registration).envelope
    except InputError:  # a lone surrogate, an integer beyond 2^53: no canonical form
        return

    payload = base64.b64decode(json.loads(envelope)["payload"])

    assert encode_json(json.loads(payload)) == payload
    found = json.loads(payload)
    assert found["subject"][0]["name"] == name
    assert found["predicate"]["detail"] == detail


def test_a_detail_beyond_the_bound_of_a_statement_is_refused() -> None:
    with pytest.raises(LimitError):
        REGISTRAR.prepare(Registration(name="a", sha256=bytes(32), detail={"x": "y" * 40_000}))
