"""Home folders with a published log, made by the production parts without a server."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from vermilion_api.home import create_home
from vermilion_api.requests import Registration
from vermilion_api.services.registering import Registrar
from vermilion_api.settings import Settings
from vermilion_api.wiring import build_publisher, build_sequencer, now, open_ledger
from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.rows import IntakeBatch

__all__ = ["grow_home", "write_home"]


def write_home(folder: Path, *, size: int) -> Path:
    """A home folder with a published log and no server."""
    home, _ = create_home(folder / "home", Settings(origin="log.example/office"))
    ledger = open_ledger(home.path)
    ledger.database.migrate()
    ledger.database.close()
    for part in (size // 2, size - size // 2):
        grow_home(home.path, [f"{at}.pdf" for at in range(part)])
    return home.path


def grow_home(path: Path, names: Sequence[str], *, publishes: bool = True) -> list[str]:
    """Record documents by name, as if one had been served; publish, and return their records."""
    ledger = open_ledger(path)
    settings = ledger.settings
    sequencer, publisher = build_sequencer(ledger), build_publisher(ledger)
    sequencer.acquire()
    publisher.start(sequencer.epoch)
    registrar = Registrar(origin=settings.origin, intake_seed=ledger.secrets.intake, clock=now)
    made = registrar.prepare_all(
        [
            Registration(
                name=name, sha256=hashlib.sha256(name.removesuffix(".pdf").encode()).digest()
            )
            for name in names
        ]
    )
    sequencer.save_batches([IntakeBatch(submissions=tuple(made))])
    if publishes:
        publisher.publish()
    sequencer.release()
    ledger.database.close()
    return [make_record_id(each.record_key) for each in made]
