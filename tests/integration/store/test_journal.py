"""The anchoring journal, the offered blocks and the kept responses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from store_kit import accept, digest, make_submission
from vermilion_anchor.ports import JournalStore
from vermilion_ledger.anchor_rows import (
    AnchorAttempt,
    AnchorTarget,
    ChainBlock,
    FinalAnchor,
    JobState,
    MinedIn,
)
from vermilion_ledger.errors import ConflictError, InputError
from vermilion_ledger.rows import Idempotency, IntakeBatch
from vermilion_ledger.store import Database

Opener = Callable[..., Database]
NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
TARGET = AnchorTarget(chain_id=31337, contract=b"\x01" * 20, log=b"\x02" * 32)
ROOT = digest("root")


def attempt(number: int) -> AnchorAttempt:
    return AnchorAttempt(
        nonce=number,
        gas_limit=100_000,
        max_fee=10**12 + number,
        priority_fee=10**9,
        raw=b"raw %d" % number,
        transaction=digest(f"transaction {number}"),
        signed_block=5,
        signed_at=NOW,
    )


def mined(number: int = 0) -> MinedIn:
    return MinedIn(
        transaction=digest(f"transaction {number}"), block_number=9, block_hash=digest("block")
    )


def final(size: int = 5, log_index: int = 0) -> FinalAnchor:
    return FinalAnchor(
        target=TARGET,
        size=size,
        root=ROOT,
        transaction=digest("transaction 0"),
        transaction_index=0,
        log_index=log_index,
        block_number=9,
        block_hash=digest("block"),
        block_time=NOW,
        header=b"header",
        receipt=b'{"type":"evm-receipt:v1"}',
    )


@pytest.fixture
def journal(database: Database) -> JournalStore:
    """The journal through the anchorer's port, which the type checker compares."""
    return database.anchors


def test_a_job_goes_its_way_and_is_read_back_at_each_step(journal: JournalStore) -> None:
    assert journal.load_open(TARGET) is None

    job = journal.plan(TARGET, size=5, root=ROOT, now=NOW)
    assert journal.load_open(TARGET) == job
    job = journal.save_signed(job, attempt(0))
    assert journal.load_open(TARGET) == job
    job = journal.save_state(job, JobState.SENT)
    assert journal.load_open(TARGET) == job
    job = journal.save_signed(job, attempt(1))
    assert [each.nonce for each in job.attempts] == [0, 1]
    job = journal.save_state(job, JobState.MINED, mined=mined())
    assert journal.load_open(TARGET) == job
    journal.save_receipt(job, final())

    assert journal.load_open(TARGET) is None
    assert journal.load_final(TARGET) == final()


def test_a_job_that_fell_out_of_its_block_forgets_the_block(journal: JournalStore) -> None:
    job = journal.save_signed(journal.plan(TARGET, size=5, root=ROOT, now=NOW), attempt(0))
    job = journal.save_state(job, JobState.MINED, mined=mined())

    job = journal.save_state(job, JobState.SENT)

    assert job.mined is None
    assert journal.load_open(TARGET) == job


def test_a_target_has_one_open_job(journal: JournalStore) -> None:
    journal.plan(TARGET, size=5, root=ROOT, now=NOW)

    with pytest.raises(ConflictError) as caught:
        journal.plan(TARGET, size=6, root=ROOT, now=NOW)

    assert caught.value.code == "anchor.job-open"
    other = replace(TARGET, chain_id=1)
    assert journal.plan(other, size=6, root=ROOT, now=NOW).target == other


@pytest.mark.parametrize("state", [JobState.FINAL, JobState.SUPERSEDED])
def test_a_closed_job_makes_room_for_the_next(journal: JournalStore, state: JobState) -> None:
    job = journal.plan(TARGET, size=5, root=ROOT, now=NOW)
    if state is JobState.FINAL:
        journal.save_receipt(job, final())
    else:
        journal.save_state(job, state)

    assert journal.load_open(TARGET) is None
    assert journal.plan(TARGET, size=5, root=ROOT, now=NOW).number != job.number


def test_a_save_from_an_old_revision_is_refused(journal: JournalStore) -> None:
    old = journal.plan(TARGET, size=5, root=ROOT, now=NOW)
    moved = journal.save_signed(old, attempt(0))

    codes = []
    for save in (
        lambda: journal.save_signed(old, attempt(1)),
        lambda: journal.save_state(old, JobState.SENT),
        lambda: journal.save_receipt(old, final()),
    ):
        with pytest.raises(ConflictError) as caught:
            save()
        codes.append(caught.value.code)

    assert codes == ["anchor.job-moved"] * 3
    assert journal.load_open(TARGET) == moved
    assert journal.load_final(TARGET) is None


def test_a_state_that_disagrees_with_its_block_is_refused(journal: JournalStore) -> None:
    job = journal.plan(TARGET, size=5, root=ROOT, now=NOW)

    with pytest.raises(InputError):
        journal.save_state(job, JobState.MINED)
    with pytest.raises(InputError):
        journal.save_state(job, JobState.SENT, mined=mined())

    assert journal.load_open(TARGET) == job


def test_the_same_final_anchor_again_only_closes_the_job(database: Database) -> None:
    journal = database.anchors
    journal.save_receipt(journal.plan(TARGET, size=5, root=ROOT, now=NOW), final())

    journal.save_receipt(journal.plan(TARGET, size=5, root=ROOT, now=NOW), final())

    assert list(journal.list_final()) == [final()]
    assert [job.state for job in journal.list_all()] == [JobState.FINAL] * 2


def test_final_anchors_are_found_by_size_and_the_largest_first(database: Database) -> None:
    journal = database.anchors
    for number, size in enumerate((5, 9, 7)):
        job = journal.plan(TARGET, size=size, root=ROOT, now=NOW)
        journal.save_receipt(job, final(size, number))

    assert journal.load_final(TARGET) == final(9, 1)
    assert journal.load_final(TARGET, size=7) == final(7, 2)
    assert journal.load_final(TARGET, size=6) is None
    assert journal.load_final(replace(TARGET, chain_id=1)) is None
    assert [each.size for each in journal.list_final(size_min=6)] == [9, 7]
    assert [each.size for each in journal.list_final(size_max=7, limit=1)] == [7]


def block(number: int, chain_id: int = 1) -> ChainBlock:
    return ChainBlock(
        chain_id=chain_id,
        number=number,
        hash=digest(f"block {number}"),
        time=NOW,
        header=b"header %d" % number,
    )


def test_offered_blocks_are_kept_with_the_last_moment(database: Database) -> None:
    blocks = database.blocks
    blocks.save(block(1), offered_at=NOW)
    blocks.save(block(1), offered_at=NOW + timedelta(days=1))
    blocks.save(block(1), offered_at=NOW)
    blocks.save(block(1), offered_at=NOW + timedelta(days=1, seconds=59))  # too soon to count
    blocks.save(block(2), offered_at=NOW + timedelta(hours=1))

    assert blocks.load(1, digest("block 1")) == (block(1), NOW + timedelta(days=1))
    assert blocks.load(2, digest("block 1")) is None
    assert blocks.load_newest(1) == (block(1), NOW + timedelta(days=1))
    assert blocks.load_newest(2) is None
    assert blocks.load_headers([digest("block 1"), digest("block 9")]) == {
        digest("block 1"): b"header 1"
    }


def test_the_first_response_under_a_key_stays(database: Database) -> None:
    idempotency = Idempotency(key="k", request_hash=digest("request"))
    assert database.responses.load("k") is None
    database.intake.save_batches(
        [IntakeBatch(submissions=(make_submission(),), idempotency=idempotency)]
    )

    running = database.responses.load("k")
    assert running is not None
    assert (running.request_hash, running.status) == (digest("request"), None)
    database.responses.save("k", status=201, body=b"one", created_at=NOW)
    database.responses.save("k", status=500, body=b"two", created_at=NOW)

    kept = database.responses.load("k")
    assert kept is not None
    assert (kept.status, kept.body) == (201, b"one")


def test_a_journal_survives_closing(url: str, opened: Opener) -> None:
    job = opened(url).anchors.save_signed(
        opened(url).anchors.plan(TARGET, size=5, root=ROOT, now=NOW), attempt(0)
    )
    accept(opened(url), make_submission())

    assert opened(url).anchors.load_open(TARGET) == job


def signed(nonce: int, number: int, *, fee: int = 10, minutes: int = 0) -> AnchorAttempt:
    return replace(
        attempt(number),
        nonce=nonce,
        gas_limit=100,
        max_fee=fee,
        signed_at=NOW + timedelta(minutes=minutes),
    )


def finished(journal: JournalStore, target: AnchorTarget, *attempts: AnchorAttempt) -> None:
    job = journal.plan(target, size=5, root=ROOT, now=NOW)
    for each in attempts:
        job = journal.save_signed(job, each)
    journal.save_state(job, JobState.SUPERSEDED)


def test_costs_are_those_of_the_dearest_attempt_of_each_nonce(journal: JournalStore) -> None:
    finished(journal, TARGET, signed(0, 0, fee=10), signed(0, 1, fee=30), signed(0, 2, fee=20))
    finished(journal, TARGET, signed(0, 3, fee=25), signed(1, 4, fee=7))
    finished(journal, replace(TARGET, chain_id=1), signed(2, 5))
    finished(journal, replace(TARGET, log=b"\x03" * 32), signed(3, 6))

    assert journal.load_costs(TARGET, since=NOW) == {0: 3000, 1: 700}
    assert journal.load_costs(replace(TARGET, chain_id=1), since=NOW) == {2: 1000}
    assert journal.load_costs(replace(TARGET, chain_id=2), since=NOW) == {}


def test_costs_from_before_the_moment_do_not_count(journal: JournalStore) -> None:
    for number in range(5):
        finished(journal, TARGET, signed(number, number, minutes=number))

    assert journal.load_costs(TARGET, since=NOW + timedelta(minutes=3)) == {3: 1000, 4: 1000}
    assert journal.load_costs(TARGET, since=NOW + timedelta(minutes=5)) == {}


def test_costs_may_pass_what_a_database_multiplies(journal: JournalStore) -> None:
    dear = replace(signed(0, 0), gas_limit=3 * 10**7, max_fee=9 * 10**18)
    finished(journal, TARGET, dear)

    assert journal.load_costs(TARGET, since=NOW) == {0: 27 * 10**25}


def test_the_costs_of_many_anchors_are_all_read(journal: JournalStore) -> None:
    job = journal.plan(TARGET, size=5, root=ROOT, now=NOW)
    for number in range(450):
        job = journal.save_signed(job, signed(number, number))

    assert len(journal.load_costs(TARGET, since=NOW)) == 450
