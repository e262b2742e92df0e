"""A simulated log in which nothing fails: the real driver and publisher over memory.

For tests of single parts, which change what is stored and look at what happens.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from simulation.beginnings import begin
from simulation.database import LogDatabase, SimLogStore, SimSequencerStore
from simulation.disk import Disk
from simulation.evidence import Evidence
from simulation.faults import Gate, Odds
from simulation.heads import HeadDatabase, Heads, SimHeadStore
from simulation.oracle import LOG_FOLDER
from simulation.reference import Reference, note_of
from simulation.scheduler import Process, Scheduler
from store_kit import make_submission, system_clock
from vermilion_ledger.publisher import Publisher
from vermilion_ledger.rows import (
    CheckpointRow,
    IntakeBatch,
    Placement,
    Sequenced,
    Submission,
)
from vermilion_ledger.tilestore.posix import PosixTileStore

__all__ = ["CalmLog"]


@dataclass(slots=True, kw_only=True)
class CalmLog:
    """Contents, and the stores over them.

    Attributes:
        reference: What the log must be.
    """

    database: LogDatabase
    head_database: HeadDatabase
    disk: Disk
    reference: Reference
    log: SimLogStore
    sequencing: SimSequencerStore
    heads: SimHeadStore
    tiles: PosixTileStore

    @classmethod
    def of(cls, size: int) -> CalmLog:
        """Return a log with so many entries, all published."""
        scheduler, made = Scheduler(Random(0)), begin(size)
        odds = Odds(switch=0, fail=0, unknown=0, disk=0, kill=0, stop=0, power=0)
        gate = Gate(scheduler, Process("calm"), odds)
        database = LogDatabase(scheduler, made.evidence)
        heads = HeadDatabase(scheduler, made.heads, lambda _row: None)
        return cls(
            database=database,
            head_database=heads,
            disk=made.disk,
            reference=made.reference,
            log=SimLogStore(gate, database),
            sequencing=SimSequencerStore(gate, database),
            heads=SimHeadStore(gate, heads),
            tiles=PosixTileStore(made.disk, Path(LOG_FOLDER)),
        )

    @property
    def folder(self) -> Path:
        """Where the public files are."""
        return Path(LOG_FOLDER)

    @property
    def evidence(self) -> Evidence:
        """What is stored."""
        return self.database.evidence

    @property
    def head(self) -> Heads:
        """What is signed."""
        return self.head_database.heads

    def add(self, *submissions: Submission) -> None:
        """Give submissions an index each."""
        batch = IntakeBatch(submissions=submissions)
        _, fresh = self.evidence.take([batch], self.database.draw([batch]))
        first = len(self.evidence.entries)
        counts: dict[str, int] = {}
        placements = []
        for at, (position, row) in enumerate(fresh):
            staged = counts.get(row.record_id, 0)
            counts[row.record_id] = staged + 1
            placements.append(
                Placement(
                    position=position,
                    record_id=row.record_id,
                    digest=row.digest,
                    index=first + at,
                    sequence=len(self.evidence.records.get(row.record_id, ())) + staged,
                )
            )
        self.evidence.place(Sequenced(first_index=first, placements=tuple(placements), refusals=()))
        self.reference.grow(self.evidence.entries[first:])

    def grow(self, count: int) -> None:
        """Add entries of records of their own."""
        self.add(*(make_submission(f"grown {at}") for at in range(count)))

    def publisher(self) -> Publisher:
        """Return a publisher, not started yet."""
        return Publisher(
            log=self.log, heads=self.heads, tiles=self.tiles, signer=_Signer(), clock=system_clock
        )

    def publish(self) -> CheckpointRow | None:
        """Publish what is there, as a successor would."""
        publisher = self.publisher()
        publisher.start(self.head.head.epoch + 1)
        return publisher.publish()

    def write(self, path: str, data: bytes | None) -> None:
        """Put other bytes into a public file, or take it away."""
        place = f"{LOG_FOLDER}/{path}"
        self.disk.unlink(place)
        if data is not None:
            self.disk.close(self.disk.create(place, data))

    def read(self, path: str) -> bytes:
        """Return what a public file holds."""
        return self.disk.read(f"{LOG_FOLDER}/{path}")

    def damage_envelope(self, index: int) -> None:
        """Change one stored envelope."""
        entry = self.evidence.entries[index]
        self.evidence.entries[index] = replace(entry, envelope=entry.envelope + b"!")


class _Signer:
    def sign_checkpoint(self, size: int, root: bytes) -> str:
        return note_of(size, root)
