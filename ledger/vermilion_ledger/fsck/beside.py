"""The rows beside an entry: what its envelope implies, and the tables repeat.

Each entry has one row in ``places`` and one in ``digests``; what did not come
from the registrar has one in ``known_envelopes``, and one in ``nonces`` for
each signer. Here every implied row is looked for; that there is no other is
then a matter of counting (`vermilion_ledger.fsck.rest`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from vermilion_ledger.admission import LedgerIdentity
from vermilion_ledger.cells import AuditView, EntryCells
from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.events import Predicate
from vermilion_ledger.fsck.findings import (
    Finding,
    Findings,
    find_flip,
    first_difference,
    flipped_numbers,
    flips,
)
from vermilion_ledger.implied import Implied, imply
from vermilion_ledger.store.kinds import encode_kind
from vermilion_ledger.store.prefixes import (
    digest_prefix,
    record_prefix,
    record_prefixes,
    value_of,
)

__all__ = ["RowsBeside", "Tally"]

_KINDS = {
    Predicate.RECORD: encode_kind("document"),
    Predicate.KEY: encode_kind("keys"),
    Predicate.POLICY: encode_kind("policies"),
}


@dataclass(slots=True, kw_only=True)
class Tally:
    """How many rows the envelopes seen so far imply.

    Attributes:
        known_count: Rows of ``known_envelopes``.
        nonce_count: Rows of ``nonces``.
        unknown_count: Envelopes that could not be read: what they imply is open.
        erased_count: Rows of ``erased``, which stand for entries and imply nothing.
    """

    known_count: int = 0
    nonce_count: int = 0
    unknown_count: int = 0
    erased_count: int = 0


@dataclass(slots=True, kw_only=True)
class _Expected:
    """What one chunk implies; of rows that name no entry, with the position."""

    places: set[tuple[int, int, int]] = field(default_factory=set)
    digests: set[tuple[int, int]] = field(default_factory=set)
    known: dict[bytes, int] = field(default_factory=dict)
    nonces: dict[tuple[bytes, bytes], int] = field(default_factory=dict)
    followers: list[tuple[str, int, int]] = field(default_factory=list)


class RowsBeside:
    """Looks for the rows that envelopes imply, chunk by chunk. Owned by one run."""

    def __init__(self, identity: LedgerIdentity, findings: Findings, tally: Tally) -> None:
        self._intake_keyids = identity.intake_keyids
        self._public_kinds = {
            identity.keys_record: _KINDS[Predicate.KEY],
            identity.policies_record: _KINDS[Predicate.POLICY],
        }
        self._findings = findings
        self._tally = tally
        self._expected = _Expected()

    def expect_entry(self, cells: EntryCells) -> Implied | None:
        """Take in an entry: its row is sound, or was repaired."""
        if cells.erased is not None:
            self._tally.erased_count += 1
            return None
        implied = self.expect_submission(
            cells.position, cells.record_key, cells.kind, cells.envelope, index=cells.leaf_index
        )
        if implied is None:
            return None
        index = cells.leaf_index
        record = record_prefix(implied.record_id, index)
        self._expected.places.add((record, cells.sequence, index))
        self._expected.digests.add((digest_prefix(implied.digest, index), index))
        if cells.sequence:
            self._expected.followers.append((implied.record_id, cells.sequence, index))
        return implied

    def expect_submission(
        self,
        position: int,
        record_key: bytes | None,
        kind: int | None,
        envelope: bytes | None,
        *,
        index: int | None = None,
    ) -> Implied | None:
        """Compare a submission with its own envelope; return what that implies, if readable."""
        try:
            implied = imply(envelope or b"", self._intake_keyids)
        except EvidenceError as exc:
            self._tally.unknown_count += 1
            message = f"{exc.code}: {exc.message}"
            self._report(position, "envelope", message, index, code="fsck.envelope")
            return None
        if record_key is None or len(record_key) != 32:
            self._report(position, "record_key", "it has not 32 bytes", index)
        elif (made := make_record_id(record_key)) != implied.record_id:
            message = f"it makes {made}, the envelope is of {implied.record_id}"
            found = find_flip(record_key, lambda key: make_record_id(key) == implied.record_id)
            at = None if found is None else found[0]
            self._report(position, "record_key", message, index, at=at)
        expected = self._public_kinds.get(implied.record_id) or _KINDS[implied.predicate]
        if kind != expected:
            self._report(position, "kind", f"stored {kind}, the envelope's is {expected}", index)
        if not implied.is_plain:
            envelope_hash = hashlib.sha256(envelope or b"").digest()
            self._expected.known[envelope_hash] = position
            self._tally.known_count += 1
        for pair in implied.nonces:
            self._expected.nonces[pair] = position
            self._tally.nonce_count += 1
        return implied

    def compare(self, view: AuditView) -> None:
        """Look for everything that was expected since the last call."""
        expected, self._expected = self._expected, _Expected()
        self._compare_places(view, expected)
        if not view.has_digests(expected.digests):
            found = view.find_digests(list(expected.digests))
            for key in expected.digests - found:
                self._report_digest(view, key)
        if expected.known:
            self._compare_known(view, expected.known)
        if expected.nonces:
            pairs = view.find_nonces([nonce for _, nonce in expected.nonces])
            for pair in expected.nonces.keys() - pairs:
                self._report_nonce(view, pair, pairs)

    def _compare_places(self, view: AuditView, expected: _Expected) -> None:
        if not view.has_places(expected.places):
            keys = {(record, sequence) for record, sequence, _ in expected.places}
            found = view.find_places(list(keys))
            for place in expected.places - found:
                self._report_place(view, place, found - expected.places)
        if not expected.followers:
            return
        before = {
            (record, sequence - 1)
            for record_id, sequence, index in expected.followers
            for record in record_prefixes(record_id, index + 1)
        }
        found = view.find_places(list(before))
        earlier = {(value_of(row[0]), row[1]): row[2] for row in sorted(found)[::-1]}
        for record_id, sequence, index in expected.followers:
            record = value_of(record_prefix(record_id, index))
            if earlier.get((record, sequence - 1), index) >= index:
                self._findings.add(
                    Finding(
                        code="fsck.sequence",
                        message=f"no entry before it has sequence {sequence - 1} of its record",
                        table="entries",
                        row=f"leaf_index={index}",
                        column="sequence",
                        index=index,
                    )
                )

    def _compare_known(self, view: AuditView, expected: dict[bytes, int]) -> None:
        found = view.find_known(list(expected))
        for envelope_hash, position in expected.items():
            stored = found.get(envelope_hash)
            if stored == position:
                continue
            row, column, at = f"envelope_hash={envelope_hash.hex()}", "position", None
            message = f"stored {stored}, the envelope is that of {position}"
            if stored is None:
                row, column, message = f"position={position}", "", "the row is not there"
                changed = dict(_by_value(envelope_hash))
                for other, place in view.find_known(list(changed)).items():
                    if place == position:
                        column, at = "envelope_hash", changed[other]
                        message = f"stored {other.hex()}, expected {envelope_hash.hex()}"
            self._report_row("known_envelopes", row, column, message, at=at)

    def _report_place(
        self, view: AuditView, place: tuple[int, int, int], others: set[tuple[int, int, int]]
    ) -> None:
        record, sequence, index = place
        records = {(other, sequence): "record" for other in flipped_numbers(record)}
        sequences = {(record, other): "sequence" for other in flipped_numbers(sequence)}
        column, stored = "", ""
        for row in view.find_places([*records, *sequences]):
            if row[2] == index:
                column = (records | sequences)[row[0], row[1]]
                stored = f"stored {row}, "
        for row in others:
            if row[:2] == place[:2] and row[2] in set(flipped_numbers(index)):
                column, stored = "leaf_index", f"stored {row}, "
        message = f"{stored}expected {place} (record, sequence, leaf_index)"
        self._report_row("places", f"leaf_index={index}", column, message, index=index)

    def _report_digest(self, view: AuditView, key: tuple[int, int]) -> None:
        digest, index = key
        digests = {(other, index): "digest" for other in flipped_numbers(digest)}
        indices = {(digest, other): "leaf_index" for other in flipped_numbers(index)}
        column, stored = "", ""
        for names in (indices, digests):  # a digest may have several entries, an entry has one
            for row in view.find_digests(list(names)):
                column, stored = names[row], f"stored {row}, "
        message = f"{stored}expected {key} (digest, leaf_index)"
        self._report_row("digests", f"leaf_index={index}", column, message, index=index)

    def _report_nonce(
        self, view: AuditView, pair: tuple[bytes, bytes], found: set[tuple[bytes, bytes]]
    ) -> None:
        keyid, nonce = pair
        column, at, message = "", None, "the row is not there"
        keyids, nonces = dict(_by_value(keyid)), dict(_by_value(nonce))
        for other, _ in (each for each in found if each[1] == nonce and each[0] in keyids):
            column, at, message = "keyid", keyids[other], f"stored {other.hex()}"
        for _, other in (each for each in view.find_nonces(list(nonces)) if each[0] == keyid):
            column, at, message = "nonce", nonces[other], f"stored {other.hex()}"
        row = f"nonce={nonce.hex()} keyid={keyid.hex()}"
        self._report_row("nonces", row, column, message, at=at)

    def _report(
        self,
        position: int,
        column: str,
        message: str,
        index: int | None,
        *,
        code: str = "fsck.row-differs",
        at: int | None = None,
    ) -> None:
        self._findings.add(
            Finding(
                code=code,
                message=message,
                table="submissions",
                row=f"position={position}",
                column=column,
                index=index,
                byte=at,
            )
        )

    def _report_row(
        self,
        table: str,
        row: str,
        column: str,
        message: str,
        *,
        index: int | None = None,
        at: int | None = None,
    ) -> None:
        self._findings.add(
            Finding(
                code="fsck.row-differs" if column else "fsck.row-missing",
                message=message,
                table=table,
                row=row,
                column=column,
                index=index,
                byte=at,
            )
        )


def _by_value(data: bytes) -> list[tuple[bytes, int]]:
    """Return every value one bit away, with the offset of the byte in which it differs."""
    return [(other, first_difference(other, data)) for _, other in flips(data)]
