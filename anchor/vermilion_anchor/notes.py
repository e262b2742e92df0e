"""The anchorer's last word on its target, kept where the API can read it.

Why an anchor waits is known in the anchorer's process alone: the node's
silence and the cap that was reached leave no trace in the journal. A word is
a remark. Keeping it may fail without harm: anchoring goes on, and the reader
sees that the word is old.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Protocol

from vermilion_anchor.ports import Clock
from vermilion_anchor.settings import Progress
from vermilion_ledger.anchor_rows import AnchorTarget
from vermilion_ledger.anchor_standing import AnchorNote, wait_code
from vermilion_ledger.errors import EvidenceError

__all__ = ["NoteKeeper", "NoteStore"]

_NOTE_LENGTH_MAX = 500  # characters


class NoteStore(Protocol):
    """Where one word of each target is kept. Every method may raise UnavailableError."""

    def load(self, target: AnchorTarget) -> AnchorNote | None:
        """Return the last word on a target; None before the first."""
        ...

    def save(self, note: AnchorNote) -> None:
        """Replace the last word on ``note.target``."""
        ...


class NoteKeeper:
    """Writes the word of one target: when it changes, and now and then. Not for several threads."""

    def __init__(
        self,
        target: AnchorTarget,
        *,
        store: NoteStore,
        clock: Clock,
        repeat_seconds: float = 10.0,
    ) -> None:
        """Take the ports; nothing is read before the first word.

        Args:
            target: What the anchorer works for.
            store: Where the word is kept.
            clock: Tells when it was said.
            repeat_seconds: After which a word is said again, although it is the same.
        """
        self._target = target
        self._store = store
        self._clock = clock
        self._repeat = timedelta(seconds=repeat_seconds)
        self._last: AnchorNote | None = None
        self._is_loaded = False

    def tell(self, progress: Progress) -> None:
        """Keep what a step did, or what stood in its way."""
        if progress.error is not None:
            self.tell_error(progress.error)
            return
        alarm = progress.alarm
        self._keep(
            wait_code(progress.state),
            progress.note if alarm is None else alarm.message,
            "" if alarm is None else alarm.code,
        )

    def tell_error(self, error: EvidenceError) -> None:
        """Keep an error; an alarm told before stays, as nobody looked."""
        self._keep(error.code, error.message, None)

    def _keep(self, code: str, note: str, alarm: str | None) -> None:
        try:
            if not self._is_loaded:
                self._last, self._is_loaded = self._store.load(self._target), True
            now, last = self._clock(), self._last
            if alarm is None:
                alarm = "" if last is None else last.alarm
            is_same = last is not None and (last.code, last.alarm) == (code, alarm)
            # a clock set back must not silence us
            if is_same and last is not None and abs(now - last.told_at) < self._repeat:
                return
            word = AnchorNote(
                target=self._target,
                code=code,
                note=note[:_NOTE_LENGTH_MAX],
                alarm=alarm,
                since=last.since if last is not None and last.code == code else now,
                told_at=now,
            )
            self._store.save(word)
        except EvidenceError as exc:
            logging.getLogger(__name__).debug("not kept: %s: %s", exc.code, exc.message)
        else:
            self._last = word
