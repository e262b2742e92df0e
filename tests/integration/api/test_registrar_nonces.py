"""What the registrar wrote is accepted once, though no table holds its nonces."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

from served import Served, prepare, refused, send
from vermilion_api.services.nonces import RegistrarNonces
from vermilion_ledger.actor import Actor
from vermilion_ledger.envelope import make_envelope, parse_envelope
from vermilion_ledger.rows import RecordEntry
from vermilion_ledger.statement import Statement

CLERK = {"id": "clerk", "name": "", "post": "", "unit": ""}


def entries(served: Served, record: str) -> tuple[RecordEntry, ...]:
    return served.ledger.reader().record_entries(record)


def unsigned(served: Served, record: str, nonce: bytes | None = None) -> Statement:
    """A review that nobody signed, prepared by the ledger."""
    made = prepare(served, record, event="review", actor=CLERK, detail={})
    return made if nonce is None else replace(made, nonce=nonce)


def resend(served: Served, record: str, entry: RecordEntry) -> dict[str, Any]:
    """Submit what a stored envelope says, as if it came from outside."""
    payload = parse_envelope(entry.envelope).statement.encode()
    return served.api.post(f"/v1/records/{record}/events", make_envelope(payload, ()).data)


def test_an_unsigned_statement_with_a_nonce_of_the_registrar_is_refused(served: Served) -> None:
    record = served.register("nonce of the registrar")["record"]
    nonce = parse_envelope(entries(served, record)[0].envelope).statement.nonce

    assert refused(lambda: send(served, record, unsigned(served, record, nonce))) == (
        "statement.nonce-reused"
    )
    assert len(entries(served, record)) == 1


def test_a_nonce_that_the_registrar_might_draw_is_refused_too(served: Served) -> None:
    record = served.register("nonce not drawn yet")["record"]
    (nonce,) = RegistrarNonces(served.ledger.secrets.intake).draw(1)

    assert refused(lambda: send(served, record, unsigned(served, record, nonce))) == (
        "statement.nonce-reused"
    )


def test_a_nonce_of_another_ledgers_registrar_is_accepted(served: Served) -> None:
    record = served.register("nonce of another ledger")["record"]
    (nonce,) = RegistrarNonces(secrets.token_bytes(32)).draw(1)

    assert send(served, record, unsigned(served, record, nonce))["sequence"] == 1


def test_an_unsigned_statement_uses_its_nonce_up(served: Served) -> None:
    record = served.register("unsigned nonce")["record"]
    made = unsigned(served, record)
    assert send(served, record, made)["sequence"] == 1

    again = replace(unsigned(served, record), nonce=made.nonce, actor=Actor(id="another"))

    assert refused(lambda: send(served, record, again)) == "statement.nonce-reused"


def test_a_person_may_use_any_nonce_with_a_key_of_his_own(served: Served) -> None:
    key = served.enrol("any nonce")
    record = served.register("any nonce")["record"]
    nonce = parse_envelope(entries(served, record)[0].envelope).statement.nonce
    made = replace(prepare(served, record, key), nonce=nonce)

    assert send(served, record, made, key)["sequence"] == 1


def test_the_registrars_own_envelope_sent_again_is_the_original_entry(served: Served) -> None:
    record = served.register("sent again")["record"]
    (first,) = entries(served, record)
    send(served, record, unsigned(served, record))
    before = served.ledger.database.log.count_entries()

    found = resend(served, record, first)

    assert (found["index"], found["sequence"]) == (first.index, 0)
    assert served.ledger.database.log.count_entries() == before


def test_no_nonce_of_a_registration_is_stored_twice_or_at_all(served: Served) -> None:
    records = [served.register(f"stored {number}")["record"] for number in range(5)]

    nonces = {
        parse_envelope(entries(served, record)[0].envelope).statement.nonce for record in records
    }

    ours = RegistrarNonces(served.ledger.secrets.intake)
    assert len(nonces) == 5
    assert all(ours.is_ours(nonce) for nonce in nonces)
