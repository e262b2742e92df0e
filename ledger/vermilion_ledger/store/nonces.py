"""Which job a nonce of an account is for: one owner for each (chain, key, nonce).

Several logs may be anchored with one key. Without an owner two of their jobs
would sign for the same nonce, and one would wait for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

from sqlalchemy import Connection, insert, select, update

from vermilion_ledger.anchor_rows import AnchorJob, JobState
from vermilion_ledger.errors import ConflictError
from vermilion_ledger.store import schema

__all__ = ["Nonce", "find_nonce", "take_nonce"]

_nonces = schema.anchor_nonces.c
_jobs = schema.anchors.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Nonce:
    """The nonce that a job may sign for.

    Attributes:
        number: The nonce.
        owner: The job that has it, which may be the one that asks; None if no job ever had it.
    """

    number: int
    owner: int | None


def find_nonce(connection: Connection, job: AnchorJob, address: bytes, *, nonce_min: int) -> Nonce:
    """Return the lowest nonce from ``nonce_min`` on that is no other open job's.

    A job that is closed needs its nonces no more: those not used on the chain
    are given out again, so that no gap keeps later transactions waiting.
    """
    query = (
        select(_nonces.nonce, _nonces.anchor_id, _jobs.state)
        .join(schema.anchors, _nonces.anchor_id == _jobs.anchor_id)
        .where(
            _nonces.chain_id == job.target.chain_id,
            _nonces.address == address,
            _nonces.nonce >= nonce_min,
        )
    )
    owners = {row.nonce: (row.anchor_id, JobState(row.state)) for row in connection.execute(query)}
    number = next(
        nonce
        for nonce in count(nonce_min)
        if nonce not in owners or owners[nonce][0] == job.number or not owners[nonce][1].is_open
    )
    owner, _ = owners.get(number, (None, None))
    return Nonce(number=number, owner=owner)


def take_nonce(connection: Connection, job: AnchorJob, address: bytes, found: Nonce) -> None:
    """Make a job the owner of a nonce that `find_nonce` found.

    Raises:
        ConflictError: ``anchor.nonce-moved``, or a duplicate row: another process was faster.
    """
    key = {"chain_id": job.target.chain_id, "address": address, "nonce": found.number}
    if found.owner is None:
        connection.execute(insert(schema.anchor_nonces).values(**key, anchor_id=job.number))
        return
    changed = connection.execute(
        update(schema.anchor_nonces)
        .where(
            *(_nonces[name] == value for name, value in key.items()),
            _nonces.anchor_id == found.owner,
        )
        .values(anchor_id=job.number)
    ).rowcount
    if changed != 1:
        raise ConflictError("anchor.nonce-moved", f"nonce {found.number} was given to another job")
