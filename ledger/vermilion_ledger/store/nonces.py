"""Which job a nonce of an account is for: one owner for each (chain, key, nonce).

Several logs may be anchored with one key. Without an owner two of their jobs
would sign for the same nonce, and one would wait for ever.
"""

from __future__ import annotations

from itertools import count

from sqlalchemy import Connection, insert, select, update

from vermilion_ledger.anchor_rows import AnchorJob, JobState
from vermilion_ledger.errors import ConflictError
from vermilion_ledger.store import schema

__all__ = ["reserve_nonce"]

_nonces = schema.anchor_nonces.c
_jobs = schema.anchors.c


def reserve_nonce(connection: Connection, job: AnchorJob, address: bytes, *, nonce_min: int) -> int:
    """Return the lowest nonce from ``nonce_min`` on that is no other open job's; now this job's.

    A job that is closed needs its nonces no more: those not used on the chain
    are given out again, so that no gap keeps later transactions waiting.

    Raises:
        ConflictError: ``anchor.nonce-moved``: another process was faster; retry.
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
    for nonce in count(nonce_min):
        owner, state = owners.get(nonce, (None, None))
        if owner == job.number:
            return nonce
        if owner is None:
            connection.execute(
                insert(schema.anchor_nonces).values(
                    chain_id=job.target.chain_id,
                    address=address,
                    nonce=nonce,
                    anchor_id=job.number,
                )
            )
            return nonce
        if state is not None and not state.is_open:
            _take_over(connection, job, address, nonce, owner)
            return nonce
    raise AssertionError  # count() does not end


def _take_over(
    connection: Connection, job: AnchorJob, address: bytes, nonce: int, owner: int
) -> None:
    changed = connection.execute(
        update(schema.anchor_nonces)
        .where(
            _nonces.chain_id == job.target.chain_id,
            _nonces.address == address,
            _nonces.nonce == nonce,
            _nonces.anchor_id == owner,
        )
        .values(anchor_id=job.number)
    ).rowcount
    if changed != 1:
        raise ConflictError("anchor.nonce-moved", f"nonce {nonce} was given to another job")
