"""Events that the ledger itself enters into a record: nobody signs, it answers for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vermilion_api.requests import Draft
from vermilion_api.services.statements import StatementDesk
from vermilion_ledger.actor import Actor
from vermilion_ledger.envelope import make_envelope
from vermilion_ledger.numbers import Numbering
from vermilion_ledger.rows import Submission

__all__ = ["LEDGER", "LedgerVoice"]

LEDGER = Actor(id="ledger")


class LedgerVoice:
    """Makes submissions about the current version of a record. Safe to share between threads."""

    def __init__(self, statements: StatementDesk) -> None:
        self._statements = statements

    def say(
        self,
        record_id: str,
        event: str,
        detail: Mapping[str, Any],
        *,
        actor: Actor | None = None,
        numbering: Numbering | None = None,
        is_repeated: bool = False,
    ) -> Submission:
        """Return an event on the ledger's own account, judged as every other one.

        Args:
            record_id: The record.
            event: An event that needs no signature.
            detail: Its detail.
            actor: Who is said to have done it; the ledger where left out.
            numbering: What a ``number`` event commits to.
            is_repeated: As for `StatementDesk.accept`.

        Raises:
            EvidenceError: As for `StatementDesk.prepare` and `StatementDesk.accept`.
        """
        draft = Draft(
            event=event,
            name=None,
            sha256=None,
            sm3=None,
            actor=actor or LEDGER,
            detail=detail,
            keyids=(),
        )
        prepared = self._statements.prepare(record_id, draft)
        envelope = make_envelope(prepared.payload, ())
        return self._statements.accept(
            record_id,
            envelope.data,
            numbering=numbering,
            is_repeated=is_repeated,
            is_own=True,
        )
