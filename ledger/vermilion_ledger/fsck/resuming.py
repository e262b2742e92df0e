"""How far a run has come, kept so that an interrupted one need not start again.

A state file in the home folder, replaced whole after each chunk. Nothing in it
is believed before it is compared: the horizon with the checkpoint of that
size, the right edge with the stored tiles. What was sound when it was looked
at may have been damaged since; only a run from the start says that it was not.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vermilion_ledger.encoding import parse_hex
from vermilion_ledger.errors import EvidenceError, InputError, UnavailableError
from vermilion_ledger.fsck.beside import Tally
from vermilion_ledger.fsck.findings import Finding

__all__ = ["Progress", "StateFile"]

_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a run stands.

    Attributes:
        size: Its horizon: the published size when it began.
        root: The root at that size.
        done: Entries compared so far.
        edge: The right edge of the tree grown so far.
        tally: What those entries imply.
        findings: What was found so far, as far as it is kept.
        damage_count: All damage so far.
        notice_count: All that is harmless so far.
    """

    size: int
    root: bytes
    done: int = 0
    edge: tuple[bytes, ...] = ()
    tally: Tally = field(default_factory=Tally)
    findings: tuple[Finding, ...] = ()
    damage_count: int = 0
    notice_count: int = 0


class StateFile:
    """Keeps the progress of one run in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> Progress | None:
        """Return what is kept; None if there is nothing, or nothing that can be read."""
        try:
            value = json.loads(self._path.read_bytes())
            return _parse(value)
        except (OSError, ValueError, TypeError, KeyError, EvidenceError):
            return None

    def save(self, progress: Progress) -> None:
        """Replace what is kept.

        Raises:
            UnavailableError: ``home.unusable``: the folder cannot be written.
        """
        value = {
            "format": _FORMAT,
            "size": progress.size,
            "root": progress.root.hex(),
            "done": progress.done,
            "edge": [hashes.hex() for hashes in progress.edge],
            "tally": asdict(progress.tally),
            "findings": [asdict(each) for each in progress.findings],
            "damage": progress.damage_count,
            "notices": progress.notice_count,
        }
        fresh = self._path.with_name(f".{self._path.name}.{os.getpid()}.new")
        try:
            fresh.write_text(json.dumps(value), encoding="utf-8")
            fresh.replace(self._path)
        except OSError as exc:
            raise UnavailableError("home.unusable", f"{self._path}: {exc.strerror}") from exc

    def remove(self) -> None:
        """Forget it: the run has come to its end."""
        with suppress(OSError):
            self._path.unlink()


def _parse(value: dict[str, Any]) -> Progress:
    if value["format"] != _FORMAT:
        raise InputError("json.shape", "a state of another format")
    edge: Sequence[str] = value["edge"]
    return Progress(
        size=int(value["size"]),
        root=parse_hex(value["root"], size=32, what="root"),
        done=int(value["done"]),
        edge=tuple(bytes.fromhex(hashes) for hashes in edge),
        tally=Tally(**{name: int(count) for name, count in value["tally"].items()}),
        findings=tuple(Finding(**each) for each in value["findings"]),
        damage_count=int(value["damage"]),
        notice_count=int(value["notices"]),
    )
