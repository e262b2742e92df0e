"""``python -m crash.planted BUG``: break the log on purpose, and print what the regime finds.

Each bug is one that a log could well have. The kinds of problems found are
printed, one a line; ``stale reads`` is for the histories instead.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, insert

from crash.history import History
from crash.places import LAYOUTS, Site
from crash.points import Point, share, spread
from crash.trial import Zygote
from vermilion_ledger.publisher import Publisher
from vermilion_ledger.rows import CheckpointRow, Head
from vermilion_ledger.store import heads, plan, schema, sequencing
from vermilion_ledger.store.engine import writing
from vermilion_ledger.store.heads import SqlHeadStore
from vermilion_ledger.store.moments import encode_moment
from vermilion_ledger.store.plan import IntakePlan
from vermilion_ledger.store.reading import SqlLogStore
from vermilion_ledger.tilestore.posix import PosixTileStore

__all__ = ["BUGS"]

_TRIALS = 50


def acknowledge_early() -> None:
    """Answer callers first and commit with the next transaction."""
    open_one: list[tuple[Any, Any]] = []

    def flush() -> None:
        while open_one:
            connection, transaction = open_one.pop()
            transaction.commit()
            connection.close()

    @contextmanager
    def late(engine: Engine, *, one_state: bool = False) -> Iterator[Connection]:
        flush()
        connection = engine.connect()
        connection.execution_options(vermilion_begin="BEGIN IMMEDIATE")
        transaction = connection.begin()
        yield connection
        open_one.append((connection, transaction))

    def first(action: Callable[..., Any]) -> Callable[..., Any]:
        def flushed(*arguments: Any, **named: Any) -> Any:
            flush()
            return action(*arguments, **named)

        return flushed

    sequencing.__dict__["writing"] = late
    for name in ("start", "publish"):
        setattr(Publisher, name, first(getattr(Publisher, name)))
    SqlLogStore.load_states = first(SqlLogStore.load_states)  # type: ignore[method-assign]


def forget_keys() -> None:
    """Keep no idempotency keys."""
    original = IntakePlan.insert

    def insert_without(self: IntakePlan) -> Any:
        self._keys_used = []
        return original(self)

    IntakePlan.insert = insert_without  # type: ignore[method-assign]


def forget_envelopes() -> None:
    """Keep nothing by which an envelope or a nonce would be known again."""
    original_take, original_insert = IntakePlan.take, plan.__dict__["insert_rows"]

    def take(self: IntakePlan, batch: Any) -> Any:
        self._known.clear()
        self._nonces.clear()
        return original_take(self, batch)

    def insert_rows(connection: Connection, table: Table, columns: Any, rows: Any) -> None:
        if table.name not in {"known_envelopes", "nonces"}:
            original_insert(connection, table, columns, rows)

    IntakePlan.take = take  # type: ignore[method-assign]
    plan.__dict__["insert_rows"] = insert_rows


def write_in_place() -> None:
    """Write a tile under its own name, half of it at a time."""

    def put_new(self: PosixTileStore, files: Mapping[str, bytes]) -> None:
        for path, data in files.items():
            target = Path(self._root) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                continue
            half = len(data) // 2
            with target.open("wb", buffering=0) as file:
                file.write(data[:half])
                file.write(data[half:])

    PosixTileStore.put_new = put_new  # type: ignore[method-assign]


def swap_in_two_steps() -> None:
    """Move the head in one transaction, and keep its checkpoint in another."""

    def save_checkpoint(self: SqlHeadStore, head: Head, checkpoint: CheckpointRow) -> Head:
        moved = Head(
            size=checkpoint.size, root=checkpoint.root, epoch=checkpoint.epoch, state=head.state
        )
        with writing(self._engine) as connection:
            heads._swap(connection, head, moved)
        with writing(self._engine) as connection:
            connection.execute(
                insert(schema.checkpoints).values(
                    size=checkpoint.size,
                    root=checkpoint.root,
                    note=checkpoint.note,
                    epoch=checkpoint.epoch,
                    published_at=encode_moment(checkpoint.published_at),
                )
            )
        return moved

    SqlHeadStore.save_checkpoint = save_checkpoint  # type: ignore[method-assign]


def read_stale() -> None:
    """Tell the size of the log as it was up to a tenth of a second ago."""
    original, kept = SqlLogStore.count_entries, dict[str, tuple[float, int]]()

    def count_entries(self: SqlLogStore) -> int:
        moment, size = kept.get("size", (0.0, 0))
        if time.monotonic() - moment > 0.1:
            kept["size"] = time.monotonic(), original(self)
        return kept["size"][1] if "size" in kept else size

    SqlLogStore.count_entries = count_entries  # type: ignore[method-assign]


BUGS: Mapping[str, Callable[[], None]] = {
    "acknowledge early": acknowledge_early,
    "forget keys": forget_keys,
    "forget envelopes": forget_envelopes,
    "write in place": write_in_place,
    "swap in two steps": swap_in_two_steps,
    "stale reads": read_stale,
}


def main() -> None:
    """Break the log and print the kinds of problems found."""
    name = sys.argv[1]
    sys.dont_write_bytecode = True
    layout = LAYOUTS[1] if name == "stale reads" else LAYOUTS[0]
    with tempfile.TemporaryDirectory(prefix="vmplanted-") as folder:
        site = Site(Path(folder))
        zygote = Zygote(site)
        zygote.warm()
        found: set[str] = set()
        if name == "stale reads":
            BUGS[name]()
            _, violations = History(site.make(layout), 1).run()
            found |= {"history"} if violations else set()
        else:
            calls = zygote.find_aims(layout)
            points = [Point(layout=layout.name, fault="KILL", aim=aim) for aim in calls]
            BUGS[name]()
            # Past opening and migrating, of which none of these bugs is a part: evenly, then
            # some of each kind of call, as a bug may show at its own kind only.
            points = points[len(points) // 3 :]
            rows: dict[str, list[Point]] = {}
            for point in points:
                rows.setdefault(point.aim.call, []).append(point)
            for point in (*spread(points, _TRIALS), *share(list(rows.values()), _TRIALS)):
                outcome = zygote.attempt(point)
                found |= {kind for kind, _ in outcome.problems}
                if found:
                    break
    print(*sorted(found), sep="\n")


if __name__ == "__main__":
    if Path("/dev/shm").is_dir():
        os.environ["TMPDIR"] = "/dev/shm"
    main()
