"""Bugs to plant in the anchorer, each of a kind that other anchorers have had.

`PLANTS` names each by what is wrong. A plant changes classes at run time and
for the time of one test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from sqlalchemy import select

from vermilion_anchor import pushing
from vermilion_anchor.blocks import BlockReader
from vermilion_anchor.confirming import Confirmer
from vermilion_anchor.fees import FeePolicy, Fees
from vermilion_anchor.ports import ChainHead, TransactionReceipt
from vermilion_anchor.pushing import Pusher
from vermilion_anchor.settings import Progress
from vermilion_anchor.spending import SpendPolicy
from vermilion_ledger.anchor_rows import AnchorAttempt, AnchorJob, JobState
from vermilion_ledger.errors import UnavailableError
from vermilion_ledger.store import anchors
from vermilion_ledger.store.anchors import SqlAnchorJournal

__all__ = ["PLANTS"]

_Plant = Callable[[pytest.MonkeyPatch], None]


def _sent_before_stored(patch: pytest.MonkeyPatch) -> None:
    original = Pusher._sign

    class Hasty:
        def __init__(self, journal: Any, chain: Any) -> None:
            self._journal, self._chain = journal, chain

        def __getattr__(self, name: str) -> Any:
            return getattr(self._journal, name)

        def save_signed(self, job: AnchorJob, attempt: AnchorAttempt) -> AnchorJob:
            self._chain.send(attempt.raw)
            saved: AnchorJob = self._journal.save_signed(job, attempt)
            return saved

    def sign(self: Pusher, *arguments: Any) -> Progress:
        ports = self._ports
        self._ports = replace(ports, journal=Hasty(ports.journal, ports.chain))
        try:
            return original(self, *arguments)
        finally:
            self._ports = ports

    patch.setattr(Pusher, "_sign", sign)


def _only_the_newest_attempt(patch: pytest.MonkeyPatch) -> None:
    own, tree = Pusher._find_own, pushing._find_tree

    def find_own(self: Pusher, job: AnchorJob) -> Any:
        return own(self, replace(job, attempts=job.attempts[-1:]))

    def find_tree(job: AnchorJob, head: ChainHead) -> Any:
        return tree(replace(job, attempts=job.attempts[-1:]), head)

    patch.setattr(Pusher, "_find_own", find_own)
    patch.setattr(pushing, "_find_tree", find_tree)


def _head_before_own(patch: pytest.MonkeyPatch) -> None:
    """Whoever anchored a larger tree is taken for the end of the job."""
    original = Pusher._find_own

    def find_own(self: Pusher, job: AnchorJob) -> Any:
        head = self._chain.head(self._target.contract, self._target.log)
        return None if head.size > job.size else original(self, job)

    patch.setattr(Pusher, "_find_own", find_own)


def _blocks_not_compared(patch: pytest.MonkeyPatch) -> None:
    def confirm(self: Confirmer, job: AnchorJob) -> Progress:
        mined = job.mined
        assert mined is not None
        if mined.block_number > self._blocks.final_height():
            return Progress(state=job.state, size=job.size, is_waiting=True)
        block = self._chain.block_by_hash(mined.block_hash)
        assert block is not None
        receipt = TransactionReceipt(
            transaction=mined.transaction,
            transaction_index=0,
            block_number=block.number,
            block_hash=block.hash,
            is_success=True,
        )
        self._ports.journal.save_receipt(job, self._prove(job, mined, block.header, receipt))
        return Progress(state=JobState.FINAL, size=job.size)

    patch.setattr(Confirmer, "confirm", confirm)


def _mined_is_final(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(BlockReader, "final_height", lambda self: self._chain.block_number())


def _sent_is_trusted(patch: pytest.MonkeyPatch) -> None:
    original = Pusher._deliver

    def deliver(self: Pusher, job: AnchorJob, *arguments: Any) -> Progress:
        if job.state is JobState.SENT:
            return Progress(state=job.state, size=job.size, is_waiting=True)
        return original(self, job, *arguments)

    patch.setattr(Pusher, "_deliver", deliver)


def _lost_answer_is_failure(patch: pytest.MonkeyPatch) -> None:
    original = Pusher._deliver

    def deliver(self: Pusher, job: AnchorJob, *arguments: Any) -> Progress:
        try:
            return original(self, job, *arguments)
        except UnavailableError:
            return self._save(job, JobState.SUPERSEDED, note="it failed")

    patch.setattr(Pusher, "_deliver", deliver)


def _fee_cap_ignored(patch: pytest.MonkeyPatch) -> None:
    original = FeePolicy.raised

    def raised(self: FeePolicy, last: AnchorAttempt, history: Any) -> Fees | None:
        return original(replace(self, max_fee_cap=10**18), last, history)

    patch.setattr(FeePolicy, "raised", raised)


def _spend_cap_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SpendPolicy, "check_cost", lambda self, fields, costs: None)


def _new_nonce_each_time(patch: pytest.MonkeyPatch) -> None:
    original = SqlAnchorJournal.reserve_nonce

    def reserve(self: SqlAnchorJournal, job: AnchorJob, address: bytes, *, nonce_min: int) -> int:
        nonce = original(self, job, address, nonce_min=nonce_min)
        return nonce + sum(attempt.nonce >= nonce for attempt in job.attempts[:-1])

    patch.setattr(SqlAnchorJournal, "reserve_nonce", reserve)


def _nonces_never_given_again(patch: pytest.MonkeyPatch) -> None:
    known: dict[tuple[int, int], int] = {}

    def reserve(self: SqlAnchorJournal, job: AnchorJob, address: bytes, *, nonce_min: int) -> int:
        taken = {nonce for (journal, _), nonce in known.items() if journal == id(self)}
        if known.get((id(self), job.number), -1) < nonce_min:
            known[id(self), job.number] = next(n for n in count(nonce_min) if n not in taken)
        return known[id(self), job.number]

    patch.setattr(SqlAnchorJournal, "reserve_nonce", reserve)


def _revisions_not_compared(patch: pytest.MonkeyPatch) -> None:
    original = anchors._move

    def move(connection: Any, job: AnchorJob, *arguments: Any, **named: Any) -> Any:
        query = select(anchors._jobs.revision).where(anchors._jobs.anchor_id == job.number)
        revision = connection.execute(query).scalar_one()
        return original(connection, replace(job, revision=revision), *arguments, **named)

    patch.setattr(anchors, "_move", move)


def _finals_not_looked_at(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Confirmer, "find_vanished", lambda self, is_suspect=False: None)


PLANTS: Mapping[str, _Plant] = {
    "a transaction is sent before it is stored": _sent_before_stored,
    "only the newest attempt is looked for": _only_the_newest_attempt,
    "a larger head hides our own anchor": _head_before_own,
    "block hashes are not compared": _blocks_not_compared,
    "what is mined counts as final": _mined_is_final,
    "what was sent is trusted to be mined": _sent_is_trusted,
    "a lost answer is taken for a failure": _lost_answer_is_failure,
    "a replacement ignores the fee cap": _fee_cap_ignored,
    "the spend cap is ignored": _spend_cap_ignored,
    "each attempt has a nonce of its own": _new_nonce_each_time,
    "nonces of closed jobs are never given again": _nonces_never_given_again,
    "a job is saved at any revision": _revisions_not_compared,
    "final anchors are not looked at again": _finals_not_looked_at,
}
