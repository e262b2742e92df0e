"""The anchorer: a durable state machine that brings the newest checkpoint onto the chain.

::

    planned ─▶ signed ─▶ sent ─▶ mined ─▶ final ─▶ looked at again; vanished: planned anew
       │          ▲       │ ▲      │
       │          │       │ └──────┴── reorged   its block is on the chain no more
       │          ├─ dropped           its nonce no longer fits
       │          └─ stuck             a dearer transaction would pass the cap
       └─▶ superseded                  another publisher anchored a larger tree

Each `Anchorer.step` does one thing and may be killed anywhere: the journal
holds every signed transaction before it is sent, and what happened to it is
read back from the chain (the contract's head, the receipt, the nonce), never
concluded from what a node said. A head is anchored at most once, since the
contract itself refuses every second time. `pushing` has what leads into a
block, `confirming` what comes after.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Event

from vermilion_anchor.blocks import BlockReader
from vermilion_anchor.confirming import Confirmer
from vermilion_anchor.deploy import check_contract, check_publisher
from vermilion_anchor.heads import read_head
from vermilion_anchor.ports import (
    AnchorPorts,
    ChainClient,
    Clock,
    JournalStore,
    LogView,
    Signer,
)
from vermilion_anchor.pushing import Pusher
from vermilion_anchor.settings import AnchorSettings, Progress
from vermilion_ledger.anchor_rows import JobState
from vermilion_ledger.errors import (
    ConflictError,
    EvidenceError,
    UnavailableError,
    VerificationError,
)

__all__ = ["Anchorer"]

_PASSING = {"anchor.job-moved", "anchor.job-open", "anchor.nonce-moved", "chain.reverted"}


class Anchorer:
    """Anchors one log in one contract on one chain. One per target; not for several threads."""

    def __init__(
        self,
        settings: AnchorSettings,
        *,
        chain: ChainClient,
        journal: JournalStore,
        log: LogView,
        signer: Signer,
        clock: Clock,
    ) -> None:
        """Take the ports; nothing is asked before the first step."""
        self._settings = settings
        self._target = settings.target
        self._ports = AnchorPorts(chain=chain, journal=journal, log=log, signer=signer, clock=clock)
        self._blocks = BlockReader(
            chain, chain_id=settings.target.chain_id, finality=settings.finality
        )
        self._pusher = Pusher(settings, self._ports)
        self._confirmer = Confirmer(settings, self._ports, self._blocks)
        self._is_checked = False  # set by `check`, cleared when the node was out of reach

    def check(self) -> None:
        """Check chain, contract and permission to publish.

        Raises:
            UnavailableError: ``chain.unreachable``.
            NotFoundError: ``chain.no-contract``.
            ConflictError: ``chain.other-chain``, ``chain.other-contract``,
                ``chain.unknown-log`` or ``chain.not-publisher``.
        """
        self._blocks.check_chain()
        check_contract(self._ports.chain, self._target.contract, self._settings.code_hash)
        check_publisher(
            self._ports.chain,
            contract=self._target.contract,
            log=self._target.log,
            publisher=self._ports.signer.address,
        )
        self._is_checked = True

    def step(self, *, is_urgent: bool = False) -> Progress:
        """Do the next thing.

        Args:
            is_urgent: Anchor now even if ``interval_seconds`` have not passed.

        Raises:
            UnavailableError: Node, journal, log or signer out of reach, too dear, or
                ``anchor.spend-cap``; retry.
            VerificationError: The signer signed something else, as for `sign_transaction`.
            InputError: ``signer.pin``.
            NotFoundError: ``signer.no-key``.
            ConflictError: As for `check`; ``chain.reverted``, ``anchor.job-moved``
                or ``anchor.nonce-moved`` where another was faster.
            IntegrityError: ``anchor.head-conflict``: stop.
        """
        try:
            if not self._is_checked:
                self.check()
            return replace(self._advance(is_urgent=is_urgent), alarm=self._find_alarm())
        except UnavailableError:
            self._is_checked = False  # what answers next may be another node
            raise

    def run(self, stop: Event, *, notify: Callable[[Progress], None]) -> None:
        """Step until told to stop; wait longer and longer while the node is out of reach.

        Raises:
            EvidenceError: What no retry will mend, as for `step`.
        """
        pause = self._settings.poll_seconds
        while not stop.is_set():
            try:
                progress = self.step()
                pause = self._settings.poll_seconds
            except EvidenceError as error:
                if not _is_passing(error):
                    raise
                progress = Progress(state=None, note=str(error), is_waiting=True, error=error)
                pause = min(2 * pause, self._settings.retry_seconds_max)
            notify(progress)
            if progress.is_waiting:
                stop.wait(pause)

    def _advance(self, *, is_urgent: bool) -> Progress:
        job = self._ports.journal.load_open(self._target)
        if job is None:
            return self._begin(is_urgent=is_urgent)
        if job.state is JobState.MINED:
            return self._confirmer.confirm(job)
        return self._pusher.push(job)

    def _find_alarm(self) -> EvidenceError | None:
        """A vanished anchor first: it says that the chain itself cannot be relied upon."""
        try:
            vanished = self._confirmer.find_vanished()
        except UnavailableError as error:
            if error.code != "chain.disagreement":
                raise
            return error  # stops what is to become final, not what is to be sent
        if vanished is not None:
            return vanished
        spending, address = self._settings.spending, self._ports.signer.address
        if not spending.balance_min:
            return None
        return spending.find_alarm(address, self._ports.chain.balance(address))

    def _begin(self, *, is_urgent: bool) -> Progress:
        """Plan the next anchor, if one is due."""
        journal, clock = self._ports.journal, self._ports.clock
        head = read_head(self._ports, self._target)
        newest = self._ports.log.newest()
        last = journal.load_final(self._target)
        if last is not None and head.size < last.size:
            if self._confirmer.find_vanished(is_suspect=True) is None:
                raise UnavailableError(
                    "chain.behind",
                    f"size {last.size} was final, the contract's head is {head.size}",
                )
            return Progress(state=None, note="a final anchor vanished", is_waiting=True)
        if newest is None or (last is not None and newest[0] <= last.size):
            return Progress(state=None, note="nothing to anchor", is_waiting=True)
        if last is not None and not is_urgent and head.size < newest[0]:
            # a chain's clock may run ahead of ours: then the age is negative, and small
            age = abs((clock() - last.block_time).total_seconds())
            if age < self._settings.interval_seconds:
                return Progress(state=None, note="not due yet", is_waiting=True)
        size, root = newest
        job = journal.plan(self._target, size=size, root=root, now=clock())
        return Progress(state=job.state, size=job.size)


def _is_passing(error: EvidenceError) -> bool:
    """Tell whether the next step may fare better: it reads anew what has moved."""
    if isinstance(error, ConflictError):
        return error.code in _PASSING
    return isinstance(error, UnavailableError | VerificationError)
