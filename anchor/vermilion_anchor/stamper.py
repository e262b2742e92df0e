"""The stamper: a time-stamp of one authority on each checkpoint whose anchor is final.

A second clock, and never a condition of the first: it runs beside the
anchorer, and what goes wrong here delays time-stamps and nothing else. The
newest checkpoint comes first, as it covers most; whatever is older than the
newest hundred is left as it is. A token is stored once it has been verified,
and an authority is not asked again for a checkpoint that has one.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from vermilion_anchor.settings import Progress
from vermilion_anchor.stamping_ports import CheckpointTexts, TimeAuthority, TimestampStore
from vermilion_ledger.anchor_rows import StoredTimestamp
from vermilion_ledger.errors import EvidenceError

__all__ = ["Stamper"]

_LOOKED_AT = 100  # newest anchored checkpoints


class Stamper:
    """Works for one authority. Not for several threads."""

    def __init__(
        self,
        authority: TimeAuthority,
        *,
        store: TimestampStore,
        checkpoints: CheckpointTexts,
        poll_seconds: float = 1.0,
        retry_seconds_max: float = 300.0,
    ) -> None:
        """Take the ports; nothing is asked before the first step.

        Args:
            authority: Who stamps.
            store: Where tokens are kept.
            checkpoints: What is stamped.
            poll_seconds: Pause while there is nothing to do.
            retry_seconds_max: Longest pause while the authority fails.
        """
        self._authority = authority
        self._store = store
        self._checkpoints = checkpoints
        self._poll = poll_seconds
        self._retry_max = retry_seconds_max

    def step(self) -> Progress:
        """Get the token of the newest checkpoint that has none, if there is one.

        Raises:
            EvidenceError: The authority, the store or the log is out of reach,
                or the answer does not hold; nothing was stored.
        """
        address = self._authority.address
        for size in self._store.sizes_without(address, among=_LOOKED_AT):
            text = self._checkpoints.signed_text(size)
            if text is None:  # another publisher anchored a size that we did not publish
                continue
            token, time = self._authority.stamp(text)
            stamp = StoredTimestamp(size=size, authority=address, token=token, time=time)
            self._store.save(stamp)
            return Progress(state=None, size=size, note="stamped")
        return Progress(state=None, note="nothing to stamp", is_waiting=True)

    def run(self, stop: Event, *, notify: Callable[[Progress], None]) -> None:
        """Step until told to stop; after a failure wait longer and longer.

        Whatever an authority answers, this goes on: the next answer may be
        good, and the anchors do not wait for it.
        """
        pause = self._poll
        while not stop.is_set():
            try:
                progress = self.step()
                pause = self._poll
            except EvidenceError as error:
                progress = Progress(state=None, note=str(error), is_waiting=True, error=error)
                pause = min(2 * pause, self._retry_max)
            notify(progress)
            if progress.is_waiting:
                stop.wait(pause)
