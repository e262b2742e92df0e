"""What `vermilion_ledger.fsck` is to check in a home folder, and by which keys."""

from __future__ import annotations

from vermilion_api.wiring import Ledger
from vermilion_ledger.fsck.run import Subject
from vermilion_ledger.schemes import ed25519, make_keyid
from vermilion_ledger.store.auditing import SqlAudit

__all__ = ["subject_of"]


def subject_of(ledger: Ledger) -> Subject:
    """Return the ledger's stores with the public keys that everything is measured by."""
    settings, secrets = ledger.settings, ledger.secrets
    intake = [bytes.fromhex(each.key) for each in settings.retired_intakes]
    return Subject(
        store=SqlAudit(ledger.database.engine, ledger.database.head_engine),
        tiles=ledger.tiles,
        identity=ledger.identity,
        intake_keys={
            make_keyid(ed25519.NAME, public): public for public in (*intake, secrets.intake_public)
        },
        log_keys=secrets.log_terms(settings),
    )
