"""Giving a batch its indices: admit, index, commit, hash, in memory.

Index and record sequence are assigned here and nowhere else; commitment, tag,
entry and leaf follow FORMATS section 5. Nothing is durable yet: the sequencer
saves the result in one transaction, or forgets tree and history.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from vermilion_ledger.commitment import commit, encode_entry, make_tag
from vermilion_ledger.errors import EvidenceError, IntegrityError, UnavailableError
from vermilion_ledger.history import BatchHistory
from vermilion_ledger.merkle import hash_leaf
from vermilion_ledger.ports import Admission
from vermilion_ledger.rows import EntryRow, Integration, Pending, RecordEntry, Refusal, TileRow
from vermilion_ledger.tiles import TileBuilder

__all__ = ["integrate"]


def integrate(
    pending: Sequence[Pending],
    *,
    tree: TileBuilder,
    history: BatchHistory,
    admission: Admission,
    now: datetime,
) -> Integration:
    """Admit, index and hash a batch; tree and history grow with it.

    What admission cannot decide now stays in the queue; what it refuses takes
    no index and no sequence.

    Raises:
        IntegrityError: Admission found the log contradicting itself.
    """
    first = tree.size
    entries: list[EntryRow] = []
    tiles: list[TileRow] = []
    refusals: list[Refusal] = []
    positions: list[int] = []
    history.begin(each.record_id for each in pending)
    for each in pending:
        index, sequence = tree.size, history.count(each.record_id)
        try:
            admission.admit(each, index=index, sequence=sequence, view=history)
        except UnavailableError as exc:
            logging.getLogger(__name__).warning("undecided for now: %s: %s", exc.code, exc)
            continue
        except IntegrityError:
            raise
        except EvidenceError as exc:
            refusals.append(_make_refusal(each, exc, now))
            positions.append(each.position)
            continue
        entry = _make_entry(each, index=index, sequence=sequence, now=now)
        entries.append(entry)
        tiles += tree.append(entry.leaf_hash)
        positions.append(each.position)
        history.stage(_make_history(each, entry))
    return Integration(
        first_index=first,
        entries=tuple(entries),
        tiles=tuple(tiles),
        refusals=tuple(refusals),
        positions=tuple(positions),
    )


def _make_history(pending: Pending, entry: EntryRow) -> RecordEntry:
    return RecordEntry(
        record_id=entry.record_id,
        index=entry.index,
        sequence=entry.sequence,
        submission_id=entry.submission_id,
        salt=pending.salt,
        envelope=pending.envelope,
    )


def _make_entry(pending: Pending, *, index: int, sequence: int, now: datetime) -> EntryRow:
    """Return the leaf of a submission (FORMATS section 5)."""
    commitment = commit(pending.salt, pending.envelope_hash)
    tag = make_tag(pending.record_key, sequence)
    return EntryRow(
        index=index,
        submission_id=pending.submission_id,
        record_id=pending.record_id,
        sequence=sequence,
        commitment=commitment,
        tag=tag,
        leaf_hash=hash_leaf(encode_entry(commitment, tag)),
        sequenced_at=now,
    )


def _make_refusal(pending: Pending, exc: EvidenceError, now: datetime) -> Refusal:
    return Refusal(
        submission_id=pending.submission_id, code=exc.code, message=exc.message, refused_at=now
    )
