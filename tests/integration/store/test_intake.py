"""What is accepted once, what is refused whole, and what leaves no trace."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from store_kit import Admit, accept, digest, make_sequencer, make_submission, place, stored_between
from vermilion_ledger.errors import ConflictError, EvidenceError
from vermilion_ledger.ports import IntakeStore
from vermilion_ledger.rows import Accepted, Idempotency, IntakeBatch, Submission
from vermilion_ledger.store import Database, schema
from vermilion_ledger.store.engine import reading

Opener = Callable[..., Database]
REQUEST = Idempotency(key="k", request_hash=digest("request"))


def count_rows(database: Database, table: str) -> int:
    with reading(database.engine) as connection:
        query = select(func.count()).select_from(schema.METADATA.tables[table])
        return connection.execute(query).scalar_one()


def save(
    store: IntakeStore, *submissions: Submission, key: Idempotency | None = None
) -> Accepted | EvidenceError:
    (result,) = store.save_batches([IntakeBatch(submissions=submissions, idempotency=key)])
    return result


def positions(result: Accepted | EvidenceError) -> tuple[int, ...]:
    assert isinstance(result, Accepted)
    return result.positions


def code_of(result: Accepted | EvidenceError) -> str:
    return result.code if isinstance(result, EvidenceError) else ""


def again(submission: Submission, salt: str = "another salt") -> Submission:
    """The same envelope as somebody else submits it: with a salt of his own."""
    signed = (digest("key"), digest(f"nonce of {submission.envelope_hash.hex()}")[:16])
    return replace(
        submission, salt=digest(salt), is_plain=False, nonces=submission.nonces or (signed,)
    )


# -- positions


def test_positions_rise_in_the_order_of_arrival(store: IntakeStore) -> None:
    first = positions(save(store, make_submission(plain=True), make_submission()))
    second = positions(save(store, make_submission(), make_submission()))

    assert list(first + second) == sorted({*first, *second})


def test_a_refused_batch_leaves_no_hole_in_the_positions_on_sqlite(
    sqlite_url: str, opened: Opener
) -> None:
    database = opened(sqlite_url)
    first = accept(database, make_submission(nonce="n"))

    with pytest.raises(ConflictError):
        accept(database, make_submission(), make_submission(nonce="n"))

    assert accept(database, make_submission()) == (first[0] + 1,)


def test_positions_of_one_group_go_to_its_batches_in_their_order(store: IntakeStore) -> None:
    accept_first = save(store, make_submission(nonce="used"))
    batches = [
        IntakeBatch(submissions=(make_submission(), make_submission())),
        IntakeBatch(submissions=(make_submission(nonce="used"),)),
        IntakeBatch(submissions=(make_submission(),)),
    ]

    one, refused, three = store.save_batches(batches)

    given = positions(accept_first) + positions(one) + positions(three)
    assert list(given) == sorted(set(given))
    assert code_of(refused) == "statement.nonce-reused"


def test_a_position_nobody_has_is_in_no_state(store: IntakeStore, database: Database) -> None:
    (position,) = positions(save(store, make_submission()))

    found = database.log.load_states([position, position + 1, 0, -1, 2**62])

    assert found.keys() == {position}


# -- one envelope, one entry


def test_the_same_envelope_twice_is_one_submission(store: IntakeStore, database: Database) -> None:
    submission = make_submission()

    first = positions(save(store, submission))

    assert positions(save(store, again(submission))) == first
    later = save(store, make_submission(), again(submission), submission)
    assert positions(later)[1:] == first * 2
    assert count_rows(database, "submissions") == 2


def test_the_first_salt_of_an_envelope_stays(database: Database) -> None:
    sequencer = make_sequencer(database)
    submission = make_submission()
    place(sequencer, submission)

    place(sequencer, again(submission))

    (stored,) = stored_between(database.log, 0, 2)
    assert stored.salt == submission.salt


def test_the_same_envelope_from_two_callers_of_one_group_is_one_submission(
    store: IntakeStore, database: Database
) -> None:
    submission = make_submission()
    batches = [
        IntakeBatch(submissions=(submission,)),
        IntakeBatch(submissions=(again(submission), again(submission, "third"))),
    ]

    one, two = store.save_batches(batches)

    assert positions(two) == positions(one) * 2
    assert count_rows(database, "submissions") == 1


def test_what_the_registrar_wrote_is_not_looked_up_and_leaves_no_fingerprint(
    store: IntakeStore, database: Database
) -> None:
    save(store, *(make_submission(str(number), plain=True) for number in range(20)))

    assert count_rows(database, "known_envelopes") == 0
    assert count_rows(database, "nonces") == 0
    assert count_rows(database, "submissions") == 20


def test_an_envelope_of_the_registrar_submitted_again_is_the_original_one(
    database: Database,
) -> None:
    sequencer = make_sequencer(database)
    plain = make_submission(plain=True)
    (first, _) = place(sequencer, plain, make_submission())

    for store in (sequencer, database.intake):
        assert positions(save(store, again(plain))) == (first.position,)

    assert place(sequencer, again(plain), make_submission())[0] == first
    assert database.log.count_entries() == 3


def test_only_the_first_entry_can_be_the_registrars(database: Database) -> None:
    sequencer = make_sequencer(database)
    foreign = make_submission("b")
    placed = place(sequencer, make_submission(plain=True), foreign, make_submission("b"))

    assert place(sequencer, again(foreign))[0] == placed[1]
    assert count_rows(database, "known_envelopes") == 2


def test_the_same_envelope_in_another_record_is_still_one_submission(
    store: IntakeStore, database: Database
) -> None:
    submission = make_submission("a")
    other = make_submission("b")
    moved = replace(
        other, envelope=submission.envelope, envelope_hash=submission.envelope_hash, nonces=()
    )

    first = positions(save(store, submission))

    assert positions(save(store, moved)) == first
    assert count_rows(database, "submissions") == 1


def test_what_was_refused_keeps_its_answer(database: Database) -> None:
    bad = make_submission()

    def refuse(pending: object, _: object) -> None:
        raise ConflictError("statement.binding", "no")

    sequencer = make_sequencer(database, admission=Admit(refuse))
    (first,) = place(sequencer, bad)

    assert place(sequencer, again(bad)) == (first,)
    assert (first.state, first.code) == ("refused", "statement.binding")


# -- nonces


def test_a_nonce_is_accepted_once(store: IntakeStore) -> None:
    save(store, make_submission(nonce="n"))

    assert code_of(save(store, make_submission(nonce="n"))) == "statement.nonce-reused"


def test_a_nonce_twice_in_one_batch_is_refused_whole(
    store: IntakeStore, database: Database
) -> None:
    result = save(store, make_submission(nonce="n"), make_submission(nonce="n"))

    assert code_of(result) == "statement.nonce-reused"
    assert count_rows(database, "submissions") == 0


def test_a_nonce_twice_in_one_envelope_is_refused(store: IntakeStore, database: Database) -> None:
    twice = make_submission()

    result = save(store, replace(twice, nonces=twice.nonces * 2))

    assert code_of(result) == "statement.nonce-reused"
    assert count_rows(database, "nonces") == 0


def test_the_same_nonce_of_another_key_is_accepted(store: IntakeStore) -> None:
    first, other = make_submission(nonce="n"), make_submission()
    other = replace(other, nonces=((digest("other key"), first.nonces[0][1]),))

    assert len(positions(save(store, first, other))) == 2


def test_one_used_nonce_of_two_refuses(store: IntakeStore) -> None:
    first = make_submission(nonce="n")
    save(store, first)
    both = make_submission()

    result = save(store, replace(both, nonces=(*both.nonces, *first.nonces)))

    assert code_of(result) == "statement.nonce-reused"
    assert positions(save(store, both))  # its other nonce was not used up


# -- groups


def test_only_the_conflicting_caller_of_a_group_fails(
    store: IntakeStore, database: Database
) -> None:
    save(store, make_submission(nonce="used"))
    batches = [
        IntakeBatch(submissions=(make_submission(),)),
        IntakeBatch(submissions=(make_submission(), make_submission(nonce="used"))),
        IntakeBatch(submissions=(make_submission(),), idempotency=REQUEST),
        IntakeBatch(
            submissions=(make_submission(),),
            idempotency=Idempotency(key="k", request_hash=digest("other")),
        ),
        IntakeBatch(submissions=(make_submission("b", plain=True),)),
    ]

    results = store.save_batches(batches)

    expected = ["", "statement.nonce-reused", "", "idempotency.other-body", ""]
    assert [code_of(each) for each in results] == expected
    assert count_rows(database, "submissions") == 4


def test_what_only_the_database_refuses_fails_its_caller_alone(database: Database) -> None:
    bad = make_submission("b")
    object.__setattr__(bad, "salt", b"short")  # past the check of the row, to the table's
    batches = [
        IntakeBatch(submissions=(make_submission(),)),
        IntakeBatch(submissions=(bad,)),
        IntakeBatch(submissions=(make_submission("c"),)),
    ]

    results = database.intake.save_batches(batches)

    assert [isinstance(each, Accepted) for each in results] == [True, False, True]
    assert count_rows(database, "queue") == 2


# -- idempotency


def test_an_idempotency_key_answers_the_same_request_again(
    store: IntakeStore, database: Database
) -> None:
    first = save(store, make_submission(plain=True), key=REQUEST)
    repeated = save(store, make_submission("b", plain=True), key=REQUEST)

    assert isinstance(first, Accepted)
    assert isinstance(repeated, Accepted)
    assert (first.replayed, repeated.replayed) == (False, True)
    assert (repeated.positions, repeated.states) == (first.positions, first.states)
    assert count_rows(database, "submissions") == 1


def test_an_idempotency_key_answers_within_one_group(
    store: IntakeStore, database: Database
) -> None:
    batches = [
        IntakeBatch(submissions=(make_submission(str(n), plain=True),), idempotency=REQUEST)
        for n in range(3)
    ]

    one, *others = store.save_batches(batches)

    assert isinstance(one, Accepted)
    assert others == [replace(one, replayed=True)] * 2
    assert count_rows(database, "submissions") == 1


def test_an_idempotency_key_answers_after_a_restart_and_in_another_process(
    url: str, opened: Opener
) -> None:
    first = save(opened(url).intake, make_submission(plain=True), key=REQUEST)

    other = opened(url)
    asked = save(other.intake, make_submission(plain=True), key=REQUEST)
    sequencer = make_sequencer(other)
    sequencer.sequence_batch()
    placed = save(sequencer, make_submission(plain=True), key=REQUEST)

    assert positions(first) == positions(asked) == positions(placed)
    assert isinstance(placed, Accepted)
    assert placed.states is not None
    assert [each.index for each in placed.states] == [0]


def test_an_idempotency_key_refuses_another_request(store: IntakeStore, database: Database) -> None:
    save(store, make_submission(), key=REQUEST)

    other = save(
        store, make_submission(), key=Idempotency(key="k", request_hash=digest("other request"))
    )

    assert code_of(other) == "idempotency.other-body"
    assert count_rows(database, "submissions") == 1


def test_a_refused_batch_does_not_use_up_its_idempotency_key(store: IntakeStore) -> None:
    save(store, make_submission(nonce="used"))
    refused = IntakeBatch(submissions=(make_submission(nonce="used"),), idempotency=REQUEST)
    good = IntakeBatch(submissions=(make_submission(),), idempotency=REQUEST)

    first, second = store.save_batches([refused, good])

    assert code_of(first) == "statement.nonce-reused"
    assert isinstance(second, Accepted)
    assert not second.replayed


def test_a_repeated_request_may_carry_other_envelopes_and_used_nonces(store: IntakeStore) -> None:
    first = save(store, make_submission(nonce="n"), key=REQUEST)

    repeated = save(store, make_submission(nonce="n"), make_submission(), key=REQUEST)

    assert positions(repeated) == positions(first)


# -- two processes


def test_two_processes_with_the_same_envelopes_agree_on_the_positions(
    url: str, opened: Opener
) -> None:
    answers: dict[str, list[int]] = {"one": [], "two": []}
    errors: list[BaseException] = []
    ready = threading.Barrier(2)
    shared = [make_submission() for _ in range(60)]

    def work(name: str, database: Database) -> None:
        try:
            ready.wait(30)
            for each in shared:
                answers[name] += accept(database, again(each, name))
        except BaseException as exc:  # noqa: BLE001 -- shown by the assertion below
            errors.append(exc)

    databases = {"one": opened(url), "two": opened(url)}
    threads = [threading.Thread(target=work, args=each) for each in databases.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert answers["one"] == answers["two"]
    assert count_rows(databases["one"], "submissions") == 60
