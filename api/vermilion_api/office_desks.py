"""Joins what an office keeps beside its records: numbers, refusals, the view log."""

from __future__ import annotations

from dataclasses import dataclass

from vermilion_api.services.numbering import NumberBook, NumberDesk
from vermilion_api.services.refusals import RefusalDesk
from vermilion_api.services.registering import Registrar
from vermilion_api.services.speaking import LedgerVoice
from vermilion_api.services.statements import StatementDesk
from vermilion_api.services.submitting import Submitter
from vermilion_api.services.viewing import ViewLog
from vermilion_ledger.admission import LedgerAdmission, LedgerIdentity
from vermilion_ledger.intake import Intake
from vermilion_ledger.log import LogReader
from vermilion_ledger.ports import Clock

__all__ = ["OfficeDesks", "build_office_desks"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeDesks:
    """What the API has beside records and bundles.

    Attributes:
        numbers: Gives document numbers.
        refusals: Counts what is refused for its grade.
        views: Logs that bundles are handed out.
    """

    numbers: NumberDesk
    refusals: RefusalDesk
    views: ViewLog


def build_office_desks(  # noqa: PLR0913 - one for each thing that it joins
    *,
    identity: LedgerIdentity,
    book: NumberBook,
    statements: StatementDesk,
    registrar: Registrar,
    reader: LogReader,
    intake: Intake,
    submitter: Submitter,
    clock: Clock,
    needs_step_up: bool,
) -> OfficeDesks:
    """Return the desks; each has an admission of its own, which keeps a cache."""
    voice = LedgerVoice(statements)
    return OfficeDesks(
        numbers=NumberDesk(
            book=book, voice=voice, reader=reader, admission=LedgerAdmission(identity)
        ),
        refusals=RefusalDesk(
            voice=voice, registrar=registrar, reader=reader, submitter=submitter, clock=clock
        ),
        views=ViewLog(
            voice=voice,
            intake=intake,
            reader=reader,
            admission=LedgerAdmission(identity),
            clock=clock,
            needs_step_up=needs_step_up,
        ),
    )
