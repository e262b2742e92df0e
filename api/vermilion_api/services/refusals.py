"""Refusals for a grade, each an event without content (docs/formats/grades.md).

They stand in a record of their own, whose document is the table of control
profiles: it is found by that digest, and made at the first refusal. An event
has the code and a count, and nothing of what was refused.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from vermilion_api.requests import Registration
from vermilion_api.services.registering import Registrar
from vermilion_api.services.speaking import LedgerVoice
from vermilion_api.services.submitting import Submitter
from vermilion_api.services.tally import Tally
from vermilion_api.services.waiting import Stage
from vermilion_ledger.envelope import parse_envelope
from vermilion_ledger.errors import EvidenceError, InputError, VerificationError
from vermilion_ledger.grades import GRADE_CODES, REFUSALS_MARK, encode_profiles
from vermilion_ledger.log import LogReader
from vermilion_ledger.ports import Clock
from vermilion_ledger.rows import RecordEntry, Submission

__all__ = ["RefusalDesk", "check_refusal"]

_NAME = "control-profiles.json"
_EVENT = "supervise"
_SECONDS = 2.0  # an index takes milliseconds; nobody waits longer for a remark
_CLOSE_SECONDS = 5.0
_SINGLE_COUNT_MAX = 100  # refusals of a code that are each told, a day


def check_refusal(code: object) -> str:
    """Return the code of a refusal that a client reports.

    Raises:
        InputError: ``request.malformed``: no such refusal is counted.
    """
    if code not in GRADE_CODES:
        raise InputError("request.malformed", f"refused is one of {', '.join(GRADE_CODES)}")
    return str(code)


class RefusalDesk:
    """Counts refusals and enters them. Owned by one event loop, but for what only reads."""

    def __init__(
        self,
        *,
        voice: LedgerVoice,
        registrar: Registrar,
        reader: LogReader,
        submitter: Submitter,
        clock: Clock,
    ) -> None:
        self._voice = voice
        self._registrar = registrar
        self._reader = reader
        self._submitter = submitter
        self._tally = Tally(clock, single_count_max=_SINGLE_COUNT_MAX)
        self._digest = hashlib.sha256(encode_profiles()).digest()
        self._lock = asyncio.Lock()  # the record is made once
        self._logger = logging.getLogger(__name__)

    async def note(self, code: str) -> None:
        """Count a refusal, and enter what is to be told; durable on return if the log takes it."""
        if count := self._tally.add(code):
            await self._tell(code, count)

    async def close(self) -> None:
        """Enter what was counted and not told yet, if the log still takes it."""
        untold = self._tally.drain()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._tell_all(untold), _CLOSE_SECONDS)

    async def _tell_all(self, untold: Mapping[str, int]) -> None:
        for code, count in untold.items():
            await self._tell(code, count)

    def describe(self) -> dict[str, Any]:
        """Return the refusals that are in the log, summed up by code."""
        record = self._find()
        found: dict[str, dict[str, Any]] = {}
        for entry in self._entries(record):
            statement = parse_envelope(entry.envelope).statement
            code, count = statement.detail.get("refused"), statement.detail.get("count")
            if statement.event == _EVENT and code in GRADE_CODES and _is_count(count):
                each = found.setdefault(code, {"code": code, "count": 0, "first": statement.time})
                each["count"] += count
                each["last"] = statement.time
        return {"record": record, "refusals": [found[code] for code in sorted(found)]}

    def counts(self) -> dict[str, int]:
        """Return how many refusals of each code the log has."""
        return {each["code"]: each["count"] for each in self.describe()["refusals"]}

    async def _tell(self, code: str, count: int) -> None:
        try:
            async with self._lock:
                record = await asyncio.to_thread(self._find) or await self._make()
            made = await asyncio.to_thread(
                self._voice.say, record, _EVENT, {"refused": code, "count": count}
            )
        except EvidenceError as exc:
            self._keep(code, count, exc)
            return
        try:
            await self._submit(made)
        except EvidenceError as exc:
            if exc.code != "intake.not-sequenced":  # else it is saved, and gets its index later
                self._keep(code, count, exc)

    def _keep(self, code: str, count: int, exc: EvidenceError) -> None:
        self._tally.give_back(code, count)
        self._logger.warning("%d refusals are not in the log yet: %s", count, exc.code)

    def _find(self) -> str | None:
        """Return the record of refusals: of several, whose makers raced, the first."""
        found = self._reader.records_entries(self._reader.find_by_digest(self._digest))
        first = [(rows[0].index, each) for each, rows in found.items() if _is_made_here(rows)]
        return min(first)[1] if first else None

    async def _make(self) -> str:
        registration = Registration(
            name=_NAME, sha256=self._digest, detail={"grade": "公开", REFUSALS_MARK: True}
        )
        return await self._submit(self._registrar.prepare(registration))

    async def _submit(self, made: Submission) -> str:
        receipts = await self._submitter.submit(
            [made], idempotency=None, goal=Stage.SEQUENCED, timeout_seconds=_SECONDS
        )
        (item,) = receipts.items
        if item.code is not None:
            raise VerificationError(item.code, item.message or "")
        return item.record

    def _entries(self, record: str | None) -> Sequence[RecordEntry]:
        return () if record is None else self._reader.record_entries(record)


def _is_count(value: object) -> bool:
    return type(value) is int and value > 0


def _is_made_here(rows: Sequence[RecordEntry]) -> bool:
    return (
        bool(rows) and parse_envelope(rows[0].envelope).statement.detail.get(REFUSALS_MARK) is True
    )
