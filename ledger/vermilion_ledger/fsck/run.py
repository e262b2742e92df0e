"""A whole run, in order: horizon, entries, signed heads, other files, the rest.

Memory is flat: a chunk of entries at a time, the right edge of the tree, and
the findings that are kept. `Fsck` reads and never writes; a ledger may run
beside it, and what it publishes meanwhile is for the next run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from vermilion_ledger.admission import LedgerIdentity
from vermilion_ledger.cells import AuditStore, AuditView, CheckpointCells, HeadCells
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.fsck.beside import RowsBeside, Tally
from vermilion_ledger.fsck.files import check_note_file, check_other_files
from vermilion_ledger.fsck.findings import Finding, Findings
from vermilion_ledger.fsck.growing import GrownTree, StoredFiles, check_chunk
from vermilion_ledger.fsck.rest import RestCheck
from vermilion_ledger.fsck.resuming import Progress, StateFile
from vermilion_ledger.fsck.signed import LogKey, SignedCheck
from vermilion_ledger.merkle import EMPTY_ROOT
from vermilion_ledger.ports import Clock, TileStore
from vermilion_ledger.rows import ObservedHead
from vermilion_ledger.tile_reader import TileReader
from vermilion_ledger.tiles import TILE_WIDTH, TileBuilder
from vermilion_ledger.tree import root_at

__all__ = ["Fsck", "Outcome", "Subject"]

_CHUNK = 16 * TILE_WIDTH  # entries
_PAGE = 1000  # checkpoints read at once
_NEWEST = 16  # checkpoints tried for a sound one to end at
_NUMBER_MAX = (1 << 63) - 1  # that a database holds
_PROBLEMS_MAX = 100  # lines taken from the database's own check


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is checked, and what it is measured by.

    Attributes:
        store: The databases.
        tiles: The log's files.
        identity: Of the ledger.
        intake_keys: Public keys of all intake keys, by key id.
        log_keys: Keys of the log, and from where on each signs.
    """

    store: AuditStore
    tiles: TileStore
    identity: LedgerIdentity
    intake_keys: Mapping[str, bytes]
    log_keys: Sequence[LogKey]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run came to.

    Attributes:
        size: Its horizon, in entries.
        root: The root computed at that size.
        checked: Entries compared in this run.
        resumed_from: Entries that an earlier run had compared; 0 for a whole run.
        erased: Entries among them whose record was destroyed.
        findings: What was found.
    """

    size: int
    root: bytes
    checked: int
    resumed_from: int
    erased: int
    findings: Findings


class Fsck:
    """One run over a whole log. Used once."""

    def __init__(
        self,
        subject: Subject,
        *,
        clock: Clock,
        findings: Findings | None = None,
        sleep: Callable[[float], None] = time.sleep,
        on_progress: Callable[[int, int], None] = lambda _done, _size: None,
    ) -> None:
        """Prepare.

        Args:
            subject: What is checked.
            clock: Tells which times lie in the future.
            findings: Where differences go.
            sleep: Waits for a running ledger to finish a step.
            on_progress: Called with the entries done and the size.
        """
        self._subject = subject
        self._findings = findings or Findings()
        self._sleep = sleep
        self._on_progress = on_progress
        self._signed = SignedCheck(
            origin=subject.identity.origin,
            keys=subject.log_keys,
            clock=clock,
            findings=self._findings,
        )
        self._tally = Tally()

    def run(
        self,
        *,
        observed: Sequence[ObservedHead] = (),
        state: StateFile | None = None,
        resume: bool = False,
    ) -> Outcome:
        """Check everything.

        Args:
            observed: Heads that others hold: chains, witnesses.
            state: Where to keep how far it has come.
            resume: Go on where the last run was interrupted, if what it left holds.

        Raises:
            EvidenceError: A store is out of reach; with ``resume`` the next
                run goes on from here.
        """
        subject, findings = self._subject, self._findings
        size, root = self.find_horizon()
        start, edge = 0, tuple[bytes, ...]()
        before = self._load_progress(state) if state is not None and resume else None
        if before is not None:
            size, root, start, edge = before.size, before.root, before.done, before.edge
        for problem in subject.store.check_files(_PROBLEMS_MAX):
            findings.add(Finding(code="fsck.database", message=problem))
        self.check_ahead(observed, size)
        tree = GrownTree(StoredFiles(subject.tiles, size), findings, size=start, edge=edge)
        for done in self._grow(tree, size, observed):
            self._on_progress(done, size)
            if state is not None:
                state.save(self._progress(tree, size, root))
        tree.finish()
        self._check_head(size, tree.root())
        check_other_files(subject.tiles, size, findings, load_latest=self._latest_size)
        check_note_file(subject.tiles, subject.store, findings, sleep=self._sleep)
        RestCheck(
            identity=subject.identity,
            intake_keys=subject.intake_keys,
            findings=findings,
            tally=self._tally,
        ).run(subject.store, size)
        if state is not None:
            state.remove()
        return Outcome(
            size=size,
            root=tree.root(),
            checked=size - start,
            resumed_from=start,
            erased=self._tally.erased_count,
            findings=findings,
        )

    def find_horizon(self) -> tuple[int, bytes]:
        """Return size and root of the newest checkpoint to go by; report those above it."""
        head, newest = self._subject.store.load_head(_NEWEST)
        for cells in newest:
            if self._is_end(cells, head):
                return cells.size, cells.root
            self._signed.report_unsound(cells)
        if head is None:
            self._findings.add(
                Finding(code="fsck.head", message="the row is not there", table="head")
            )
        return 0, EMPTY_ROOT

    def _latest_size(self) -> int:
        head, _ = self._subject.store.load_head()
        return 0 if head is None else head.size

    def _is_end(self, cells: CheckpointCells, head: HeadCells | None) -> bool:
        """Tell whether a checkpoint can be the newest: by its note, or by the head."""
        is_head = head is not None and (head.size, head.root) == (cells.size, cells.root)
        return is_head or self._signed.is_sound(cells)

    def check_ahead(self, observed: Sequence[ObservedHead], size: int) -> None:
        """Report who has seen more than was signed here."""
        for each in observed:
            if not 0 < each.size <= size:
                self._findings.add(
                    Finding(
                        code="fsck.ahead",
                        message=f"{each.source} has size {each.size}, the log only {size}",
                        row=f"size={each.size}",
                    )
                )

    def _check_head(self, size: int, root: bytes) -> None:
        """Compare the head, and what is anchored; a running ledger may have moved both on."""
        with self._subject.store.view() as view:
            beyond = [
                *view.anchored_between(-_NUMBER_MAX, 0),
                *view.anchored_between(size, _NUMBER_MAX),
            ]
        head, newest = self._subject.store.load_head(_NEWEST)
        latest = next((cells for cells in newest if self._is_end(cells, head)), None)
        is_later = latest is not None and latest.size > size
        if head is not None:
            expected = latest.root if latest is not None and is_later else root
            self._signed.check_head(head, latest, root=expected)
        signed = latest.size if latest is not None else 0
        self.check_ahead(
            [
                ObservedHead(size=each.size, root=each.root, source=each.source)
                for each in beyond
                if not 0 < each.size <= signed
            ],
            size,
        )

    def _grow(self, tree: GrownTree, size: int, observed: Sequence[ObservedHead]) -> Iterator[int]:
        """Compare chunk by chunk; yield how many entries are done after each."""
        subject = self._subject
        files = StoredFiles(subject.tiles, size)
        beside = RowsBeside(subject.identity, self._findings, self._tally)
        checkpoints = _Lookahead(subject.store, tree.size)
        while tree.size < size:
            start = tree.size
            end = min(start - start % TILE_WIDTH + _CHUNK, size)
            with subject.store.view() as view:
                rows = view.load_entries(start, end)
                leaves, believed = check_chunk(start, end, rows, files, self._findings)
                for cells in believed:
                    beside.expect_entry(cells)
                beside.compare(view)
                heads = _heads(view, observed, start, end)
            marks = checkpoints.upto(end)
            for at in sorted({each.size for each in marks} | {each.size for each in heads}):
                tree.extend(leaves[tree.size - start : max(at - start, 0)])
                self._check_marks(at, tree.root(), marks, heads)
            tree.extend(leaves[tree.size - start :])
            yield end

    def _check_marks(
        self,
        size: int,
        root: bytes,
        checkpoints: Sequence[CheckpointCells],
        heads: Sequence[ObservedHead],
    ) -> None:
        for cells in checkpoints:
            if cells.size == size:
                self._signed.check_checkpoint(cells, root)
        for head in heads:
            if head.size == size:
                self._signed.check_observed(head, root)

    def _load_progress(self, state: StateFile) -> Progress | None:
        """Return what an earlier run left, if it is about this log as it stands."""
        kept = state.load()
        if kept is None or not 0 < kept.done <= kept.size:
            return None
        found = self._subject.store.next_checkpoints(kept.size - 1, 1)
        if not any((each.size, each.root) == (kept.size, kept.root) for each in found):
            return None
        try:
            reader = TileReader(self._subject.tiles, cached_tile_count_max=0)
            stored = root_at(kept.done, reader.nodes_at(kept.size))
            if TileBuilder(kept.done, kept.edge).root() != stored:
                return None
        except EvidenceError:
            return None
        self._tally = kept.tally
        self._findings.kept += kept.findings
        self._findings.damage_count += kept.damage_count
        self._findings.notice_count += kept.notice_count
        return kept

    def _progress(self, tree: GrownTree, size: int, root: bytes) -> Progress:
        return Progress(
            size=size,
            root=root,
            done=tree.size,
            edge=tuple(tree.edge()),
            tally=self._tally,
            findings=tuple(self._findings.kept),
            damage_count=self._findings.damage_count,
            notice_count=self._findings.notice_count,
        )


class _Lookahead:
    """Checkpoints in order of size, read a page at a time."""

    def __init__(self, store: AuditStore, after: int) -> None:
        self._store = store
        self._after: int | None = after or None  # from the lowest, which may be below 1
        self._page: list[CheckpointCells] = []

    def upto(self, size: int) -> list[CheckpointCells]:
        """Return those up to a size that were not returned before."""
        found: list[CheckpointCells] = []
        while True:
            while self._page and self._page[0].size <= size:
                found.append(self._page.pop(0))
            if self._page:
                return found
            self._page = list(self._store.next_checkpoints(self._after, _PAGE))
            if not self._page:
                return found
            self._after = self._page[-1].size


def _heads(
    view: AuditView, observed: Sequence[ObservedHead], start: int, end: int
) -> list[ObservedHead]:
    """Return the heads of sizes in ``(start, end]`` that the journal and others hold."""
    anchored = [
        ObservedHead(size=cells.size, root=cells.root, source=cells.source)
        for cells in view.anchored_between(start, end)
    ]
    return anchored + [each for each in observed if start < each.size <= end]
