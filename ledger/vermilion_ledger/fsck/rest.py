"""What is not under the published size, and whether the tables hold anything else.

In one state of the database: entries that wait for a checkpoint, refusals and
the queue are looked at one by one, as no tile speaks for them yet; then the
rows are counted. As every implied row was found, equal counts mean that there
is no other; where they differ, the strays are looked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vermilion_ledger.admission import LedgerIdentity
from vermilion_ledger.cells import AuditStore, AuditView, Counts, EntryCells
from vermilion_ledger.codes import all_codes
from vermilion_ledger.envelope import parse_envelope, split_intake, verify_intake
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.fsck.beside import RowsBeside, Tally
from vermilion_ledger.fsck.findings import Finding, Findings, find_flip, first_difference
from vermilion_ledger.fsck.journal import check_journal
from vermilion_ledger.fsck.strays import find_strays

__all__ = ["RestCheck"]

_LOWEST = -(1 << 63)  # below every number that a database holds
_PAGE = 1000  # rows looked at in one go
_SEARCHED_MAX = 4096  # bytes of an envelope in which a flipped bit is looked for
_LISTED_MAX = 100  # positions named of each kind


class RestCheck:
    """Looks at everything but the published entries. Owned by one run."""

    def __init__(
        self,
        *,
        identity: LedgerIdentity,
        intake_keys: Mapping[str, bytes],
        findings: Findings,
        tally: Tally,
    ) -> None:
        """Prepare.

        Args:
            identity: Of the ledger.
            intake_keys: Public keys of all intake keys, by key id.
            findings: Where differences go.
            tally: What the published entries imply; goes on counting here.
        """
        self._identity = identity
        self._intake_keys = intake_keys
        self._findings = findings
        self._tally = tally
        self._beside = RowsBeside(identity, findings, tally)

    def run(self, store: AuditStore, size: int) -> None:
        """Check what there is beside the entries below ``size``."""
        with store.view() as view:
            self._check_unpublished(view, size)
            self._check_refused(view)
            self._check_queued(view)
            check_journal(view, self._findings)
            self._check_swept(view)
            counts = view.counts()
            self._check_states(view, counts)
            self._check_counts(view, counts)

    def _check_unpublished(self, view: AuditView, size: int) -> None:
        for cells in _entries(view, None):
            if cells.leaf_index >= 0:
                break
            self._report(f"leaf_index={cells.leaf_index}", "leaf_index", "it is below 0")
        expected = size
        for cells in _entries(view, size - 1):
            is_next = cells.leaf_index == expected
            if not is_next:
                message = f"entry {expected} is missing: the next one is {cells.leaf_index}"
                self._report(f"leaf_index={cells.leaf_index}", "leaf_index", message)
            expected = cells.leaf_index + 1
            if not self._check_intake(cells.position, cells.envelope, cells.leaf_index):
                continue
            if is_next:
                self._beside.expect_entry(cells)
            else:  # where it belongs is open
                self._beside.expect_submission(
                    cells.position, cells.record_key, cells.kind, cells.envelope
                )
            self._beside.compare(view)

    def _check_refused(self, view: AuditView) -> None:
        after, known = _LOWEST, {code.encode() for code in all_codes()}
        while page := view.next_refused(after, _PAGE):
            after = page[-1].position
            for cells in page:
                if cells.code not in known:
                    found = find_flip(cells.code, known.__contains__)
                    at = None if found is None else found[0]
                    message = f"stored {cells.code!r}"
                    self._report_at("refusals", cells.position, "code", message, at)
                if self._check_intake(cells.position, cells.envelope):
                    self._beside.expect_submission(
                        cells.position, cells.record_key, cells.kind, cells.envelope
                    )
            self._beside.compare(view)

    def _check_queued(self, view: AuditView) -> None:
        after = _LOWEST
        while page := view.next_queued(after, _PAGE):
            after = page[-1].position
            for cells in page:
                if not self._check_intake(cells.position, cells.envelope):
                    continue
                implied = self._beside.expect_submission(
                    cells.position, cells.record_key, cells.kind, cells.envelope
                )
                if implied is None:
                    continue
                if cells.digest != implied.digest:
                    message = f"stored {cells.digest.hex()}, expected {implied.digest.hex()}"
                    at = first_difference(cells.digest, implied.digest)
                    self._report_at("queue", cells.position, "digest", message, at)
                if cells.is_plain != int(implied.is_plain):
                    message = f"stored {cells.is_plain}, expected {int(implied.is_plain)}"
                    self._report_at("queue", cells.position, "is_plain", message)
            self._beside.compare(view)

    def _check_intake(
        self, position: int, envelope: bytes | None, index: int | None = None
    ) -> bool:
        """Check the ledger's own signature: here no tile proves the envelope."""
        fault = self._fault_of(envelope or b"")
        if not fault:
            return True
        self._tally.unknown_count += 1
        found = None
        if envelope is not None and len(envelope) <= _SEARCHED_MAX and not self._findings.is_full:
            found = find_flip(envelope, lambda before: not self._fault_of(before))
        missing = envelope is None
        self._findings.add(
            Finding(
                code="fsck.row-missing" if missing else "fsck.envelope",
                message="the submission is not there" if missing else fault,
                table="submissions",
                row=f"position={position}",
                column="" if missing else "envelope",
                index=index,
                byte=None if found is None else found[0],
            )
        )
        return False

    def _fault_of(self, envelope: bytes) -> str:
        """Return what is wrong with an envelope; nothing if this ledger took it in."""
        try:
            parsed = parse_envelope(envelope)
            intake, others = split_intake(parsed, self._identity.intake_keyids)
            verify_intake(parsed, intake, others, self._intake_keys[intake.keyids[0]])
        except EvidenceError as exc:
            return f"{exc.code}: {exc.message}"
        return ""

    def _check_states(self, view: AuditView, counts: Counts) -> None:
        """Check that each submission is an entry, a refusal or queued, and one of them only."""
        for position, states in view.list_overlaps(_LISTED_MAX):
            self._report_state(position, states)
        settled = counts.entries + counts.refusals + counts.queue
        if counts.submissions != settled or self._findings.damage_count:
            for position in view.list_orphans(_LISTED_MAX):
                self._report_state(position, "neither entry, refusal nor queued")

    def _check_swept(self, view: AuditView) -> None:
        if view.is_sweep_due():
            self._findings.add(
                Finding(
                    code="fsck.sweep-due",
                    message="files may still hold what was destroyed",
                    table="erasing",
                    is_damage=False,
                )
            )

    def _check_counts(self, view: AuditView, counts: Counts) -> None:
        tally = self._tally
        expected = {
            "places": (counts.places, counts.entries),
            "digests": (counts.digests, counts.entries),
            "known_envelopes": (counts.known_envelopes, tally.known_count),
            "nonces": (counts.nonces, tally.nonce_count),
            "erased": (counts.erased, tally.erased_count),
        }
        gaps = {each.table for each in self._findings.kept if each.code == "fsck.row-missing"}
        for table, (stored, implied) in expected.items():
            if stored == implied and table not in gaps:
                continue
            if tally.unknown_count and table in {"known_envelopes", "nonces"}:
                continue  # what the unreadable envelopes imply is open
            find_strays(view, table, self._identity, self._findings)

    def _report_state(self, position: int, states: str) -> None:
        self._findings.add(
            Finding(
                code="fsck.state",
                message=f"it is {states}",
                table="submissions",
                row=f"position={position}",
            )
        )

    def _report(self, row: str, column: str, message: str) -> None:
        self._findings.add(
            Finding(
                code="fsck.row-differs", message=message, table="entries", row=row, column=column
            )
        )

    def _report_at(
        self, table: str, position: int, column: str, message: str, at: int | None = None
    ) -> None:
        self._findings.add(
            Finding(
                code="fsck.row-differs",
                message=message,
                table=table,
                row=f"position={position}",
                column=column,
                byte=at,
            )
        )


def _entries(view: AuditView, after: int | None) -> Iterator[EntryCells]:
    while page := view.next_entries(after, _PAGE):
        after = page[-1].leaf_index
        yield from page
