"""The hot path writes exactly what the slow path would."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from office import INTAKE_KEYID, INTAKE_PUBLIC, INTAKE_SEED, ORIGIN
from vermilion_api.requests import Registration
from vermilion_api.services.registering import Registrar
from vermilion_ledger.actor import Actor
from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.envelope import (
    make_envelope,
    parse_envelope,
    sign_intake,
    split_intake,
    verify_intake,
)
from vermilion_ledger.errors import LimitError


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

    assert submission.new_record is not None
    assert submission.record_id == make_record_id(submission.new_record.record_key)
    assert parse_envelope(submission.envelope).statement.record == submission.record_id
    assert submission.record_id != REGISTRAR.prepare(PLAIN).record_id


def test_the_nonce_is_one_of_the_intake_key() -> None:
    submission = REGISTRAR.prepare(PLAIN)

    nonce = parse_envelope(submission.envelope).statement.nonce

    assert submission.nonces == ((bytes.fromhex(INTAKE_KEYID), nonce),)


def test_a_detail_beyond_the_bound_of_a_statement_is_refused() -> None:
    with pytest.raises(LimitError):
        REGISTRAR.prepare(Registration(name="a", sha256=bytes(32), detail={"x": "y" * 40_000}))
