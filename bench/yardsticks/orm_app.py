"""The same service as most would write it: FastAPI, a session and a commit for each request.

A yardstick, not a product. It does what ``POST /v1/records?wait=sequenced``
does, with our own code for statement, envelope, intake signature, record key,
salt, entry and leaf hash, and answers the same members. An SQLAlchemy ORM
session per request stores them in one row, takes the index from the table, and
moves the frontier of the tree in the same transaction; SQLite commits with
``synchronous=FULL`` before the answer is sent. A lock in the process orders
the writers, as waiting for SQLite's would be slower. It publishes no
checkpoint and writes no tiles, which makes it faster than it should be.
"""

from __future__ import annotations

import argparse
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from vermilion_api.requests import Registration
from vermilion_api.schemas import RecordIn
from vermilion_api.services.registering import Registrar
from vermilion_ledger.commitment import commit, encode_entry, make_tag
from vermilion_ledger.merkle import hash_leaf
from vermilion_ledger.rows import Submission
from vermilion_ledger.tree import Frontier

__all__ = ["create_app"]

_HASH_SIZE = 32


class _Base(DeclarativeBase):
    pass


class _Record(_Base):
    __tablename__ = "records"

    leaf_index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    record: Mapped[str] = mapped_column(unique=True)
    record_key: Mapped[bytes]
    envelope: Mapped[bytes]
    envelope_hash: Mapped[bytes] = mapped_column(unique=True)
    salt: Mapped[bytes]
    digest: Mapped[bytes] = mapped_column(index=True)
    entry: Mapped[bytes]


class _Tree(_Base):
    __tablename__ = "tree"

    id: Mapped[int] = mapped_column(primary_key=True)
    size: Mapped[int]
    peaks: Mapped[bytes]


def create_app(path: Path) -> FastAPI:
    """Return the application over a new database."""
    engine = create_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", _set_pragmas)
    _Base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        session.add(_Tree(id=1, size=0, peaks=b""))
    registrar = Registrar(
        origin="localhost/vermilion", intake_seed=bytes(32), clock=lambda: datetime.now(UTC)
    )
    writing = threading.Lock()
    app = FastAPI()

    @app.post("/v1/records")
    def register(body: RecordIn) -> dict[str, Any]:
        registration = Registration(name=body.name, sha256=bytes.fromhex(body.digest.sha256))
        made = registrar.prepare(registration)
        with writing:
            index = _save(engine, made)
        return {
            "record": made.record_id,
            "sequence": 0,
            "index": index,
            "envelope": made.envelope_hash.hex(),
            "state": "sequenced",
            "checkpoint": None,
        }

    @app.get("/readyz")
    def ready() -> str:
        return "ready"

    return app


def _save(engine: Engine, made: Submission) -> int:
    """Store a submission with the next index, and return that after the commit."""
    entry = encode_entry(commit(made.salt, made.envelope_hash), make_tag(made.record_key, 0))
    with Session(engine) as session, session.begin():
        tree = session.get_one(_Tree, 1)
        index = tree.size
        hashes = [tree.peaks[at : at + _HASH_SIZE] for at in range(0, len(tree.peaks), _HASH_SIZE)]
        # Each node above the leaf takes the place of a peak.
        completed = [node for _, node in Frontier(index, hashes).append(hash_leaf(entry))]
        peaks = [*hashes[: len(hashes) - len(completed) + 1], completed[-1]]
        tree.size, tree.peaks = index + 1, b"".join(peaks)
        session.add(
            _Record(
                leaf_index=index,
                record=made.record_id,
                record_key=made.record_key,
                envelope=made.envelope,
                envelope_hash=made.envelope_hash,
                salt=made.salt,
                digest=made.digest,
                entry=entry,
            )
        )
    return index


def _set_pragmas(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


def main() -> None:
    """Serve from the command line."""
    parser = argparse.ArgumentParser(description="one ORM commit per request")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    asked = parser.parse_args()
    uvicorn.run(
        create_app(asked.folder / "orm.db"),
        host="127.0.0.1",
        port=asked.port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
