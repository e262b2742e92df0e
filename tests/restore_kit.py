"""Backups taken while a log is written, restored in every mixture, and what becomes of them.

A writer goes on registering and publishing while its databases and its files
are copied one after the other. Then it dies. What is restored is the copies,
beside whatever survived; it starts as any sequencer starts, and if it is let,
it goes on and signs. Afterwards everything that it signed is compared with
everything that was signed before: one size, one root.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from log_kit import Clock, WrittenLog, open_log
from postgres import PostgresServer
from vermilion_ledger.errors import ConflictError, EvidenceError, IntegrityError
from vermilion_ledger.log import LogReader
from vermilion_ledger.rows import CheckpointRow, ObservedHead
from vermilion_ledger.store.restoring import copy_sqlite

__all__ = ["Case", "PostgresDatabases", "Restores", "SqliteDatabases", "collect", "run_case"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is restored: each part from the backup, or as it survived.

    Attributes:
        is_head_separate: Whether the head has a database of its own.
        is_log_old: The log's database comes from the backup.
        are_tiles_old: The tiles come from the backup.
        is_head_old: The head's database comes from the backup, where it is separate.
    """

    is_head_separate: bool
    is_log_old: bool
    are_tiles_old: bool
    is_head_old: bool

    @property
    def is_all_old(self) -> bool:
        """Whether nothing here survived: then only a chain remembers what was signed."""
        return (
            self.is_log_old
            and self.are_tiles_old
            and (self.is_head_old or not self.is_head_separate)
        )

    @classmethod
    def draw(cls, chosen: random.Random) -> Case:
        flags = [chosen.random() < 0.5 for _ in range(4)]
        return cls(
            is_head_separate=flags[0],
            is_log_old=flags[1],
            are_tiles_old=flags[2],
            is_head_old=flags[3],
        )


@dataclass(slots=True)
class Restores:
    """How restores went: ``correct``, ``refused`` by which code, ``forked``."""

    outcomes: Counter[str] = field(default_factory=Counter)
    forks: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        return [f"{count:>5} {what}" for what, count in sorted(self.outcomes.items())]


class SqliteDatabases:
    """SQLite files, copied by the online backup."""

    def url(self, folder: Path, name: str) -> str:
        return f"sqlite:///{folder / name}.db"

    def copy_log(self, log: WrittenLog, _url: str, folder: Path) -> str:
        copy_sqlite(log.database.engine, folder / "ledger.db")
        return f"sqlite:///{folder / 'ledger.db'}"

    def copy_head(self, log: WrittenLog, _url: str, folder: Path) -> str:
        copy_sqlite(log.database.head_engine, folder / "head.db")
        return f"sqlite:///{folder / 'head.db'}"


class PostgresDatabases:
    """Databases of a PostgreSQL server, copied by pg_dump."""

    def __init__(self, server: PostgresServer, programs: Path) -> None:
        self._server = server
        self._programs = programs

    def url(self, _folder: Path, _name: str) -> str:
        return self._server.url(self._server.create_database())

    def copy_log(self, _log: WrittenLog, url: str, folder: Path) -> str:
        return self._copy(url, folder / "ledger.dump")

    def copy_head(self, _log: WrittenLog, url: str, folder: Path) -> str:
        return self._copy(url, folder / "head.dump")

    def _copy(self, url: str, dump: Path) -> str:
        restored = self._server.url(self._server.create_database())
        self._run("pg_dump", "--format=custom", f"--file={dump}", f"--dbname={url}")
        self._run("pg_restore", "--exit-on-error", f"--dbname={restored}", str(dump))
        return restored

    def _run(self, program: str, *words: str) -> None:
        subprocess.run([self._programs / program, *words], check=True, timeout=60)


class Writer:
    """Registers and publishes in a thread until it dies."""

    def __init__(self, log: WrittenLog, seed: int) -> None:
        self._log = log
        self._chosen = random.Random(seed)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.failure: Exception | None = None

    def start(self) -> None:
        self._log.start()
        self._thread.start()

    def die(self) -> None:
        """End without a last checkpoint, without giving the lease up."""
        self._stop.set()
        self._thread.join()
        if self.failure is not None:
            raise self.failure

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._log.register(self._chosen.randrange(1, 60))
                if self._chosen.random() < 0.6:
                    self._log.publisher.publish()
        except Exception as exc:  # noqa: BLE001 - told to the one who waits
            self.failure = exc


def run_case(
    case: Case, folder: Path, databases: SqliteDatabases | PostgresDatabases, *, seed: int
) -> tuple[str, str]:
    """Write, back up, die, restore, go on; return the outcome and, of a fork, which."""
    chosen = random.Random(seed)
    live, backup = folder / "live", folder / "backup"
    live.mkdir()
    backup.mkdir()
    url = databases.url(live, "ledger")
    head_url = databases.url(live, "head") if case.is_head_separate else ""
    log = open_log(live, url=url, head_url=head_url)
    writer = Writer(log, seed)
    writer.start()
    time.sleep(chosen.uniform(0.0, 0.15))
    old_url = databases.copy_log(log, url, backup)
    time.sleep(chosen.uniform(0.0, 0.05))
    _copy_tiles(live / "log", backup / "log")
    time.sleep(chosen.uniform(0.0, 0.05))
    old_head = databases.copy_head(log, head_url, backup) if case.is_head_separate else ""
    time.sleep(chosen.uniform(0.0, 0.1))
    writer.die()
    signed = log.database.heads.list_checkpoints(before=None, limit=100_000)
    restored = _restore(case, folder, (live, backup), (url, old_url), (head_url, old_head))
    observed = _observe(signed) if case.is_all_old else []
    try:
        outcome = _go_on(restored, observed, chosen)
        fork = _find_fork(log, restored, signed)
    finally:
        restored.database.close()
        log.database.close()
    return ("forked" if fork else outcome), fork


def _copy_tiles(source: Path, target: Path) -> None:
    """Copy files that come and go meanwhile, as cp and rsync do."""

    def copy(name: str, to: str) -> None:
        try:
            shutil.copyfile(name, to)
        except FileNotFoundError:
            return  # a partial tile that was replaced

    for path in sorted(source.rglob("*")) if source.exists() else ():
        relative = path.relative_to(source)
        if ".tmp" in relative.parts or path.is_dir():
            continue
        (target / relative).parent.mkdir(parents=True, exist_ok=True)
        copy(str(path), str(target / relative))


def _restore(
    case: Case,
    folder: Path,
    folders: tuple[Path, Path],
    urls: tuple[str, str],
    head_urls: tuple[str, str],
) -> WrittenLog:
    tiles = folders[case.are_tiles_old]
    place = folder / "restored"
    place.mkdir()
    if (tiles / "log").exists():
        _copy_tiles(tiles / "log", place / "log")
    return open_log(
        place,
        url=urls[case.is_log_old],
        head_url=head_urls[case.is_head_old] if case.is_head_separate else "",
    )


def _observe(signed: Sequence[CheckpointRow]) -> list[ObservedHead]:
    """What a chain holds: the head that was signed last."""
    return [
        ObservedHead(size=each.size, root=each.root, source="chain 31337") for each in signed[:1]
    ]


def _go_on(log: WrittenLog, observed: Sequence[ObservedHead], chosen: random.Random) -> str:
    """Start, register, publish, as long as nothing refuses."""
    log.clock = Clock(hours=1)  # the lease of who died has run out
    log.__post_init__()
    try:
        log.start(observed)
        for _ in range(3):
            log.register(chosen.randrange(1, 400))
            log.publisher.publish()
    except (IntegrityError, ConflictError) as exc:
        return f"refused: {exc.code}"
    return "correct"


def _find_fork(live: WrittenLog, restored: WrittenLog, signed: Sequence[CheckpointRow]) -> str:
    """Compare everything the restored log has signed with what was signed before."""
    known = {each.size: each.root for each in signed}
    newest = signed[0] if signed else None
    before = LogReader(live.database.log, live.database.heads, live.tiles)
    after = LogReader(restored.database.log, restored.database.heads, restored.tiles)
    for each in restored.database.heads.list_checkpoints(before=None, limit=100_000):
        if known.get(each.size, each.root) != each.root:
            return f"two roots of size {each.size}"
        if newest is None or each.size in known:
            continue
        try:
            if each.size > newest.size and after.root_at(newest.size) != newest.root:
                return f"size {each.size} has not what size {newest.size} had"
            if each.size < newest.size and before.root_at(each.size) != each.root:
                return f"size {each.size} is not below size {newest.size}"
        except EvidenceError as exc:
            return f"size {each.size} cannot be compared: {exc.code}"
    return ""


def collect(
    count: int,
    folder: Path,
    databases: Callable[[], SqliteDatabases | PostgresDatabases],
    *,
    seed: int,
) -> Restores:
    """Run many cases."""
    found = Restores()
    for number in range(count):
        case = Case.draw(random.Random(seed + number))
        place = folder / str(number)
        place.mkdir()
        outcome, fork = run_case(case, place, databases(), seed=seed + number)
        found.outcomes[outcome] += 1
        if fork:
            found.forks.append(f"seed {seed + number}: {case}: {fork}")
        shutil.rmtree(place)
    return found
