"""What one transaction of the intake will insert, and what is there already.

A batch is judged whole before any of it is noted, so that a refused batch
leaves no trace. A batch sees the accepted ones before it as if stored. Looked
up is only what could collide: an idempotency key, an envelope that did not
come from our own registrar, and its nonces.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, func, select, text

from vermilion_ledger.errors import ConflictError, EvidenceError
from vermilion_ledger.numbers import DocumentNumber
from vermilion_ledger.rows import Accepted, IntakeBatch, Pending, Submission
from vermilion_ledger.store import schema
from vermilion_ledger.store.bulk import chunks, insert_rows
from vermilion_ledger.store.counts import count_entries
from vermilion_ledger.store.engine import is_sqlite
from vermilion_ledger.store.kinds import encode_kind
from vermilion_ledger.store.numbers import NumberBook
from vermilion_ledger.store.prefixes import record_prefixes

__all__ = ["IntakePlan"]

_Nonce = tuple[bytes, bytes]


class IntakePlan:
    """Owned by one transaction; made in it, and of no use after it."""

    def __init__(self, connection: Connection, batches: Sequence[IntakeBatch]) -> None:
        self._connection = connection
        self._fresh: list[Submission] = []
        self._keys_used: list[tuple[str, bytes, list[int]]] = []
        foreign = [each for batch in batches for each in batch.submissions if not each.is_plain]
        self._known = _load_known(connection, foreign)
        self._nonces = _load_nonces(connection, foreign)
        self._keys = _load_keys(
            connection, [batch.idempotency.key for batch in batches if batch.idempotency]
        )
        self._book = NumberBook(connection, foreign)
        self._next = 0
        self._positions: list[int] = []
        if batches:
            count = sum(len(batch.submissions) for batch in batches)
            self._positions = _take_positions(connection, count)

    def take(self, batch: IntakeBatch) -> Accepted | EvidenceError:
        """Judge a batch and, if it is good, note what to insert for it."""
        promise = batch.idempotency
        if promise and (kept := self._keys.get(promise.key)):
            if kept[0] == promise.request_hash:
                return Accepted(positions=kept[1], replayed=True)
            return ConflictError(
                "idempotency.other-body", "the idempotency key belongs to another request"
            )
        positions: list[int] = []
        fresh: list[Submission] = []
        known: dict[bytes, int] = {}
        nonces: set[_Nonce] = set()
        numbered: dict[DocumentNumber, tuple[int, Submission]] = {}
        for each in batch.submissions:
            position = None if each.is_plain else self._find(each, known)
            if position is None:
                if any(pair in self._nonces or pair in nonces for pair in each.nonces) or (
                    len(set(each.nonces)) < len(each.nonces)
                ):
                    return ConflictError(
                        "statement.nonce-reused", "this key has used this nonce before"
                    )
                position = self._positions[self._next + len(fresh)]
                if each.numbering is not None:
                    number = each.numbering.number
                    if number in numbered or self._book.is_held(number):
                        return ConflictError("number.taken", "somebody has this number already")
                    numbered[number] = position, each
                fresh.append(each)
                nonces.update(each.nonces)
                if not each.is_plain:
                    known[each.envelope_hash] = position
            positions.append(position)
        self._next += len(fresh)
        self._fresh += fresh
        for position, each in numbered.values():
            self._book.note(each, position)
        self._known |= known
        self._nonces |= nonces
        if promise:
            self._keys[promise.key] = (promise.request_hash, tuple(positions))
            self._keys_used.append((promise.key, promise.request_hash, positions))
        return Accepted(positions=tuple(positions))

    def insert(self) -> list[Pending]:
        """Insert everything noted, one statement per table; return what is new, in order."""
        fresh = list(zip(self._positions, self._fresh, strict=False))
        insert_rows(
            self._connection,
            schema.submissions,
            ("position", "record_key", "kind", "envelope", "salt"),
            [
                (position, each.record_key, encode_kind(each.kind), each.envelope, each.salt)
                for position, each in fresh
            ],
        )
        foreign = [(position, each) for position, each in fresh if not each.is_plain]
        insert_rows(
            self._connection,
            schema.known_envelopes,
            ("envelope_hash", "position"),
            [(each.envelope_hash, position) for position, each in foreign],
        )
        used = [(nonce, keyid) for _, each in fresh for keyid, nonce in each.nonces]
        insert_rows(self._connection, schema.nonces, ("nonce", "keyid"), used)
        keys = [(key, hash_, json.dumps(places)) for key, hash_, places in self._keys_used]
        insert_rows(
            self._connection, schema.idempotency, ("key", "request_hash", "positions"), keys
        )
        self._book.insert()
        return [_pending(position, each) for position, each in fresh]

    def queue(self, pending: Sequence[Pending]) -> None:
        """Leave submissions to a sequencer."""
        insert_rows(
            self._connection,
            schema.queue,
            ("position", "digest", "is_plain"),
            [(each.position, each.digest, int(each.is_plain)) for each in pending],
        )

    def _find(self, each: Submission, known: Mapping[bytes, int]) -> int | None:
        found = self._known.get(each.envelope_hash)
        return known.get(each.envelope_hash) if found is None else found


def _pending(position: int, each: Submission) -> Pending:
    return Pending(
        position=position,
        record_id=each.record_id,
        record_key=each.record_key,
        kind=each.kind,
        envelope=each.envelope,
        salt=each.salt,
        digest=each.digest,
        is_plain=each.is_plain,
    )


def _take_positions(connection: Connection, count: int) -> list[int]:
    """Return unused positions, ascending; those not used in the end stay unused.

    On SQLite the write lock makes the highest one final. PostgreSQL gives each
    number out once; that they commit out of order harms nobody, as a position
    is no index and nothing is looked for beyond the last one seen.
    """
    if is_sqlite(connection):
        last = connection.execute(select(func.max(schema.submissions.c.position))).scalar() or 0
        return list(range(last + 1, last + 1 + count))
    query = text(
        "SELECT nextval(pg_get_serial_sequence('submissions', 'position'))"
        " FROM generate_series(1, :count)"
    )
    return sorted(connection.execute(query, {"count": count}).scalars())


def _load_known(connection: Connection, foreign: Sequence[Submission]) -> dict[bytes, int]:
    """Return positions of those envelopes that are there, by their hash.

    The first entry of a record is not among them if the registrar wrote it;
    it is read itself.
    """
    if not foreign:
        return {}
    found: dict[bytes, int] = {}
    prints, places, entries = schema.known_envelopes.c, schema.places.c, schema.entries.c
    submissions = schema.submissions.c
    for part in chunks([each.envelope_hash for each in foreign]):
        query = select(prints.envelope_hash, prints.position).where(prints.envelope_hash.in_(part))
        found.update((row[0], row[1]) for row in connection.execute(query))
    wanted = {each.envelope_hash for each in foreign}
    size = count_entries(connection)
    prefixes = {each for one in foreign for each in record_prefixes(one.record_id, size)}
    for records in chunks(sorted(prefixes)):
        query = (
            select(submissions.position, submissions.envelope)
            .join(schema.entries, entries.position == submissions.position)
            .join(schema.places, places.leaf_index == entries.leaf_index)
            .where(places.record.in_(records), places.sequence == 0)
        )
        for position, envelope in connection.execute(query):
            if (hash_ := hashlib.sha256(envelope).digest()) in wanted:
                found.setdefault(hash_, position)
    return found


def _load_nonces(connection: Connection, foreign: Sequence[Submission]) -> set[_Nonce]:
    table = schema.nonces.c
    found: set[_Nonce] = set()
    for part in chunks([nonce for each in foreign for _, nonce in each.nonces]):
        query = select(table.keyid, table.nonce).where(table.nonce.in_(part))
        found.update((row[0], row[1]) for row in connection.execute(query))
    return found


def _load_keys(
    connection: Connection, keys: Sequence[str]
) -> dict[str, tuple[bytes, tuple[int, ...]]]:
    table = schema.idempotency.c
    found: dict[str, tuple[bytes, tuple[int, ...]]] = {}
    for part in chunks(keys):
        query = select(table.key, table.request_hash, table.positions).where(table.key.in_(part))
        for key, request_hash, listed in connection.execute(query):
            found[key] = (request_hash, tuple(json.loads(listed)))
    return found
