"""What the archive hook's tests share: a folder that others may enter, and a ledger in memory."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from vermilion_hooks.entries import Acknowledged, Answer, Chunk, Refused
from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.errors import ConflictError, UnavailableError

NOBODY = 65534


def settle(*paths: Path) -> None:
    """Date files back to where their times alone prove that they are unchanged."""
    for path in paths:
        os.utime(path, ns=(10**18, 10**18))


@contextmanager
def without_privileges() -> Iterator[None]:
    """Be somebody who may not read everything: root may, whatever the mode says."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def open_folder() -> Iterator[Path]:
    """A temporary folder that every user may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)
        yield folder
        for path in folder.rglob("*"):
            if not path.is_symlink():
                path.chmod(0o755)


def code_of(error: pytest.ExceptionInfo[BaseException]) -> str:
    """Return the stable code of what was raised."""
    return str(getattr(error.value, "code", None))


@dataclass
class MemoryLedger:
    """A ledger that keeps the bulk contract: one key, one body, one set of records."""

    answers: dict[str, tuple[bytes, tuple[Answer, ...]]] = field(default_factory=dict)
    items: list[dict[str, object]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    lost_answers: int = 0
    refusal: Exception | None = None
    refused_names: frozenset[str] = frozenset()
    salt: bytes = b""

    def check_alive(self) -> None:
        """It lives as long as the test."""

    def has_record(self, record: str) -> bool:
        """Look through everything answered."""
        return any(
            isinstance(each, Acknowledged) and record == each.record
            for _, answer in self.answers.values()
            for each in answer
        )

    def record_bulk(self, chunk: Chunk) -> tuple[Answer, ...]:
        """Register once per key; afterwards lose the answer if told to."""
        self.requests.append(chunk.key)
        if self.refusal is not None:
            raise self.refusal
        if chunk.key not in self.answers:
            answer = tuple(self._register(item) for item in json.loads(chunk.body)["records"])
            self.answers[chunk.key] = (chunk.body, answer)
        body, answer = self.answers[chunk.key]
        if body != chunk.body:
            raise ConflictError("idempotency.other-body", "the key has another body")
        if self.lost_answers:
            self.lost_answers -= 1
            raise UnavailableError("server.unreachable", "the answer was lost")
        return answer

    @property
    def names(self) -> list[object]:
        """The names recorded, in the order of the log."""
        return [item["name"] for item in self.items]

    def _register(self, item: dict[str, object]) -> Answer:
        if item["name"] in self.refused_names:
            return Refused(code="policy.not-in-force", message="no such policy")
        index = len(self.items)
        self.items.append(item)
        seed = (self.salt + index.to_bytes(8, "big")).rjust(32, b"\x07")
        return Acknowledged(record=make_record_id(seed), index=index)
