"""Giving a batch its places: admit, index, sequence; in memory.

Index and record sequence are assigned here and nowhere else. Nothing is
durable yet: the sequencer saves the result in one transaction, or forgets it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from vermilion_ledger.errors import EvidenceError, IntegrityError, UnavailableError
from vermilion_ledger.history import BatchHistory
from vermilion_ledger.ports import Admission
from vermilion_ledger.rows import Pending, Placement, Refusal, Sequenced

__all__ = ["place_batch"]


def place_batch(
    pending: Sequence[Pending], *, first_index: int, history: BatchHistory, admission: Admission
) -> Sequenced:
    """Admit a batch and give it places; the history grows with it.

    What admission cannot decide now is in neither list of the result; what it
    refuses takes no index and no sequence.

    Raises:
        IntegrityError: Admission found the log contradicting itself.
    """
    placements: list[Placement] = []
    refusals: list[Refusal] = []
    history.begin(pending)
    for each in pending:
        index, sequence = first_index + len(placements), history.count(each)
        try:
            admission.admit(each, index=index, sequence=sequence, view=history)
        except UnavailableError as exc:
            logging.getLogger(__name__).warning("undecided for now: %s: %s", exc.code, exc)
            continue
        except IntegrityError:
            raise
        except EvidenceError as exc:
            refusals.append(
                Refusal(
                    position=each.position,
                    record_id=each.record_id,
                    code=exc.code,
                    message=exc.message,
                )
            )
            continue
        placements.append(
            Placement(
                position=each.position,
                record_id=each.record_id,
                digest=each.digest,
                index=index,
                sequence=sequence,
            )
        )
        history.stage(each, index=index, sequence=sequence)
    return Sequenced(
        first_index=first_index, placements=tuple(placements), refusals=tuple(refusals)
    )
