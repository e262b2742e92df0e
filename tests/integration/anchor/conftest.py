"""A chain, a journal and anchorers that share them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chain import Chain, MemoryLog, fixed_clock, start_chain
from signer_kit import SignerServer, serve_signer
from vermilion_anchor.service import Anchorer
from vermilion_anchor.settings import AnchorSettings, Progress
from vermilion_ledger.anchor_rows import FinalAnchor
from vermilion_ledger.errors import ConflictError
from vermilion_ledger.evm.finality import parse_finality
from vermilion_ledger.store import open_database


@pytest.fixture
def chain() -> Iterator[Chain]:
    with start_chain() as running:
        yield running


@pytest.fixture
def open_journal(tmp_path: Path) -> Iterator[Callable[[str], Any]]:
    """The real journal in a SQLite file of that name; the same name is the same file."""
    databases = []

    def open_named(name: str) -> Any:
        database = open_database(f"sqlite:///{tmp_path / name}.db")
        database.migrate()
        databases.append(database)
        return database.anchors

    yield open_named
    for database in databases:
        database.close()


@pytest.fixture
def journal(open_journal: Callable[[str], Any]) -> Any:
    return open_journal("journal")


@pytest.fixture
def make_anchorer(chain: Chain, journal: Any) -> Callable[..., Anchorer]:
    def make(log: MemoryLog, *, finality: str = "confirmations:2", **changes: Any) -> Anchorer:
        ports: dict[str, Any] = {
            "chain": chain.client,
            "journal": journal,
            "signer": chain.signer,
            "clock": fixed_clock,
        }
        ports |= {name: changes.pop(name) for name in list(changes) if name in ports}
        settings: dict[str, Any] = {
            "target": chain.target,
            "code_hash": chain.artifact.code_hash,
            "finality": parse_finality(finality),
        } | changes
        return Anchorer(AnchorSettings(**settings), log=log, **ports)

    return make


@pytest.fixture
def finish(chain: Chain, journal: Any) -> Callable[..., FinalAnchor]:
    """Step, and mine where the anchorer waits, until this size is final."""

    def drive(anchorer: Anchorer, size: int, *, steps: int = 40) -> FinalAnchor:
        notes = []
        for _ in range(steps):
            try:
                progress = anchorer.step()
            except ConflictError as exc:  # the chain moved between two looks: look again
                progress = Progress(state=None, note=str(exc), is_waiting=True)
            notes.append(f"{progress.state} {progress.size} {progress.note}")
            anchor: FinalAnchor | None = journal.load_final(chain.target, size=size)
            if anchor is not None:
                return anchor
            if progress.is_waiting:
                chain.mine()
        raise AssertionError(f"size {size} is not final: {notes}")

    return drive


@pytest.fixture(scope="module")
def signer_server() -> Iterator[SignerServer]:
    """One for all tests of a module."""
    with serve_signer() as running:
        yield running


@pytest.fixture
def server(signer_server: SignerServer) -> SignerServer:
    """A signer that is honest again and was asked nothing yet."""
    signer_server.answer = None
    signer_server.calls.clear()
    return signer_server
