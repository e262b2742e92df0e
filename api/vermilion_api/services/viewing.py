"""The view log: handing out a bundle is an event where the grade asks for it.

docs/formats/grades.md. The event is saved before the bundle is given; without
a log that takes it, there is no bundle of such a record, nor without the word
of the gateway that the caller has just proved again who they are, where the
office has a gateway that says so.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import TimeoutError as FutureTimeoutError

from vermilion_api.services.history import StoredHistory
from vermilion_api.services.speaking import LedgerVoice
from vermilion_api.services.tally import Tally
from vermilion_ledger.admission import LedgerAdmission
from vermilion_ledger.errors import EvidenceError, UnavailableError, VerificationError
from vermilion_ledger.grades import present_grade, profile_of
from vermilion_ledger.intake import Intake
from vermilion_ledger.log import LogReader
from vermilion_ledger.ports import Clock

__all__ = ["ViewLog"]

_NOT_STEPPED_UP = "who asks has not just proved who they are"
_SECONDS = 15.0
_SINGLE_COUNT_MAX = 10  # views of a record that are each told, a day: its bundle may have 8 MiB


class ViewLog:
    """Enters ``access`` events. Safe to share between threads; never called by the event loop."""

    def __init__(
        self,
        *,
        voice: LedgerVoice,
        intake: Intake,
        reader: LogReader,
        admission: LedgerAdmission,
        clock: Clock,
        needs_step_up: bool,
    ) -> None:
        self._voice = voice
        self._intake = intake
        self._view = StoredHistory(reader)
        self._admission = admission
        self._lock = threading.Lock()
        self._tally = Tally(clock, single_count_max=_SINGLE_COUNT_MAX)
        self._needs_step_up = needs_step_up
        self._given = 0

    @property
    def given(self) -> int:
        """How many bundles of such records this process has let out; for the alarm."""
        return self._given

    def note(self, record_id: str, *, is_stepped_up: bool) -> None:
        """Return once it is durable that the bundle of a record was asked for, if need be.

        Args:
            record_id: Of what is asked for.
            is_stepped_up: The gateway says that the caller has just proved who they are.

        Raises:
            VerificationError: ``grade.step-up``: it does not say so, and has to.
            UnavailableError: The log takes nothing now: the bundle is not to be given.
        """
        if not self._is_logged(record_id):
            return
        if self._needs_step_up and not is_stepped_up:
            raise VerificationError("grade.step-up", _NOT_STEPPED_UP)
        if count := self._tally.add(record_id):
            try:
                detail = {"how": "download", "what": "bundle", "count": count}
                made = self._voice.say(record_id, "access", detail)
                self._intake.submit([made]).result(_SECONDS)
            except FutureTimeoutError as exc:
                self._tally.give_back(record_id, count)
                raise UnavailableError("intake.overloaded", "the view log took too long") from exc
            except EvidenceError:
                self._tally.give_back(record_id, count)
                raise
        with self._lock:
            self._given += 1

    def refuse_secrets(self, record_ids: Sequence[str]) -> None:
        """Return if no record is of a grade that demands a view log.

        Raises:
            VerificationError: ``grade.step-up``.
        """
        if any(self._is_logged(record_id) for record_id in record_ids):
            raise VerificationError("grade.step-up", _NOT_STEPPED_UP)

    def _is_logged(self, record_id: str) -> bool:
        profile = profile_of(present_grade(self._admission.history(record_id, self._view)))
        return profile is not None and profile.has_view_log
