"""Destroying records of a ledger that is stopped: judge, write the list, delete, sweep.

The lease is held meanwhile, so that nobody writes; nothing is made of a record
while it goes, and no process keeps it in memory for longer than it runs.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vermilion_api.requests import Registration
from vermilion_api.services.history import StoredHistory
from vermilion_api.services.registering import Registrar
from vermilion_api.wiring import Ledger, now
from vermilion_ledger.actor import Actor
from vermilion_ledger.admission import LedgerAdmission
from vermilion_ledger.encoding import encode_json
from vermilion_ledger.erasure import Condemned, check_disposal, check_reason, describe_disposal
from vermilion_ledger.errors import ConflictError
from vermilion_ledger.keys import KeyRegistry
from vermilion_ledger.log import LogReader
from vermilion_ledger.rows import ErasedEntry
from vermilion_ledger.store.erasing import SqlEraser
from vermilion_ledger.store.sweeping import is_sweep_due, sweep
from vermilion_ledger.store.watching import SqlWatch

__all__ = ["Erasure", "erase_records", "finish_erasure"]

_LEASE_SECONDS = 600.0
_LIST_NAME = "disposal-list.json"
_FEW = 8  # records in one erasure


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What was destroyed.

    Attributes:
        listed: The disposal list, as it stands in the log.
        record: Record of the list; it has no index before the ledger runs again.
        is_log_cleared: False where PostgreSQL's write-ahead log may hold it still.
    """

    listed: dict[str, Any]
    record: str
    is_log_cleared: bool


def erase_records(
    ledger: Ledger,
    records: Sequence[str],
    *,
    reason: str,
    is_now: bool = False,
    may_be_few: bool = False,
) -> Erasure:
    """Destroy records; on return no file of this ledger has anything of them.

    Args:
        ledger: Stopped. On PostgreSQL its database is opened as the owner.
        records: Record ids.
        reason: The ground, for the list, which stays.
        is_now: Be content with a published disposal, on a ledger without chains.
        may_be_few: Go on although there are so few records that whoever compares two
            states of the database can tell which entries were whose.

    Raises:
        NotFoundError: ``record.unknown``.
        ConflictError: ``sequencer.lease-held``, ``erase.…``: not now, or not ever.
        InputError: ``erase.reason``.
        VerificationError: The disposal is not in force.
        UnavailableError: ``store.…``; after the deletion the sweep is still due.
    """
    wanted = list(dict.fromkeys(records))
    if len(wanted) < _FEW and not may_be_few:
        raise ConflictError(
            "erase.few", f"{len(wanted)} records at a time leave a trace of which entries they had"
        )
    database = ledger.database
    eraser = SqlEraser(database.engine, intake_keyids=ledger.identity.intake_keyids)
    eraser.check_alone()
    store = database.sequencing
    lease = store.acquire_lease(
        f"erase {secrets.token_hex(8)}", now=now(), ttl_seconds=_LEASE_SECONDS
    )
    try:
        judge = _Judge(ledger, reason, is_now=is_now)
        condemned = [judge.condemn(record) for record in wanted]
        listed = describe_disposal(condemned, judge.authority, reason)
        register = _registrar(ledger).prepare(
            Registration(
                name=_LIST_NAME,
                sha256=hashlib.sha256(encode_json(listed)).digest(),
                detail={"disposal": listed},
            )
        )
        eraser.erase(lease, condemned, register)
    finally:
        store.release_lease(lease)
    return Erasure(listed=listed, record=register.record_id, is_log_cleared=sweep(database.engine))


def finish_erasure(ledger: Ledger) -> bool | None:
    """Clear the files if an erasure was stopped before it had; None if there was nothing to do.

    Raises:
        UnavailableError: ``store.…``: it is still due.
    """
    engine = ledger.database.engine
    return sweep(engine) if is_sweep_due(engine) else None


class _Judge:
    """Decides what may go. Owned by one erasure."""

    def __init__(self, ledger: Ledger, reason: str, *, is_now: bool) -> None:
        self._reader: LogReader = ledger.reader()
        self._admission = LedgerAdmission(ledger.identity)
        self._registry: KeyRegistry = self._admission.registry(StoredHistory(self._reader))
        self._reason = reason
        self._covered = self._reader.head().size
        if ledger.targets:
            self._covered = min(self._covered, SqlWatch(ledger.database.engine).final_size())
        elif not is_now:
            raise ConflictError("erase.not-anchored", "this ledger anchors on no chain")
        self.authority: list[Actor] = []

    def condemn(self, record_id: str) -> Condemned:
        """Return a record that may be destroyed."""
        record = self._reader.record(record_id)
        if record.kind != "document":
            raise ConflictError("erase.public-record", f"{record_id} is a public record")
        history = self._admission.history(record_id, StoredHistory(self._reader))
        self.authority.append(check_disposal(history, self._registry, covered=self._covered))
        check_reason(self._reason, history)
        return Condemned(
            record=record,
            entries=tuple(
                ErasedEntry(
                    index=each.index,
                    entry=self._reader.entries_between(each.index, each.index + 1)[0],
                )
                for each in history
            ),
        )


def _registrar(ledger: Ledger) -> Registrar:
    return Registrar(origin=ledger.settings.origin, intake_seed=ledger.secrets.intake, clock=now)
