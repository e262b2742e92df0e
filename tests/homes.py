"""Home folders with a published log, made by the production parts without a server."""

from __future__ import annotations

import hashlib
from pathlib import Path

from vermilion_api.home import create_home
from vermilion_api.log_signer import LogSigner
from vermilion_api.requests import Registration
from vermilion_api.services.registering import Registrar
from vermilion_api.settings import Settings
from vermilion_api.wiring import build_sequencer, now, open_ledger
from vermilion_ledger.publisher import Publisher
from vermilion_ledger.rows import IntakeBatch

__all__ = ["write_home"]


def write_home(folder: Path, *, size: int) -> Path:
    """A home folder with a published log and no server."""
    home, settings = create_home(folder / "home", Settings(origin="log.example/office"))
    ledger = open_ledger(home.path)
    ledger.database.migrate()
    sequencer = build_sequencer(ledger)
    publisher = Publisher(
        log=ledger.database.log,
        heads=ledger.database.heads,
        tiles=ledger.tiles,
        signer=LogSigner(
            origin=settings.origin, seed=ledger.secrets.log, ml_dsa_seed=None, clock=now
        ),
        clock=now,
    )
    sequencer.acquire()
    publisher.start(sequencer.epoch)
    registrar = Registrar(origin=settings.origin, intake_seed=ledger.secrets.intake, clock=now)
    for part in (size // 2, size - size // 2):
        made = registrar.prepare_all(
            [
                Registration(name=f"{at}.pdf", sha256=hashlib.sha256(str(at).encode()).digest())
                for at in range(part)
            ]
        )
        sequencer.save_batches([IntakeBatch(submissions=tuple(made))])
        publisher.publish()
    sequencer.release()
    ledger.database.close()
    return home.path
