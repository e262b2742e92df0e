"""Making the submissions of bulk requests, in a process of its own where there is one.

Reading and signing a thousand registrations takes longer than storing them,
and Python runs one thread at a time. A ledger in one process therefore has a
helper that turns the body of a request into submissions. It touches neither
the database nor the log, and keeps nothing. Until it has started, after it has
died, and for a body that it refuses, the caller does the same work himself.
"""

from __future__ import annotations

import asyncio
import logging
import marshal
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, TypeAlias

from vermilion_api.classes import RecordClasses
from vermilion_api.requests import Registration, parse_bulk
from vermilion_api.services.registering import Registrar
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.rows import Submission

__all__ = ["Made", "MakerProcess", "collect", "main"]

# Members of a submission: to send an object takes longer than to make one.
_Row: TypeAlias = tuple[str, bytes, bytes, bytes, bytes, bytes, bool]
# What the helper is told at first: origin, intake seed, classes, whether one is required.
_First: TypeAlias = tuple[str, bytes, dict[str, str], bool]
_STOP_SECONDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a bulk request asks for.

    Attributes:
        submissions: In the order of the request.
        policies: The first submission that names each policy.
    """

    submissions: Sequence[Submission]
    policies: Mapping[str, Submission]


def collect(registrations: Sequence[Registration], submissions: Sequence[Submission]) -> Made:
    """Return submissions with the policies that their registrations name."""
    places = _policies(registrations)
    return Made(
        submissions=submissions,
        policies={policy: submissions[place] for policy, place in places.items()},
    )


class MakerProcess:
    """The helper and one thread that talks to it. Owned by one event loop."""

    def __init__(self, *, origin: str, intake_seed: bytes, classes: RecordClasses) -> None:
        self._first = (origin, intake_seed, dict(classes.policies), classes.is_required)
        self._talk = ThreadPoolExecutor(1, thread_name_prefix="vermilion-maker")
        self._child: subprocess.Popen[bytes] | None = None
        self._started: Future[None] | None = None
        self._logger = logging.getLogger(__name__)

    async def make(self, body: bytes) -> Made | None:
        """Return what the body of a bulk request asks for, or None: do it yourself."""
        if self._started is None:
            self._started = self._talk.submit(self._start)
        if not self._started.done():
            return None
        try:
            self._started.result()
            return await asyncio.get_running_loop().run_in_executor(self._talk, self._ask, body)
        except (OSError, EOFError, ValueError, TypeError) as exc:  # the last two: half a message
            self._logger.warning("the process that reads bulk requests ended: %r", exc)
            self._started = None
            return None

    def close(self) -> None:
        """End the helper; it has nothing to lose."""
        self._talk.shutdown()
        self._end()

    def _start(self) -> None:
        self._end()
        command = [sys.executable, "-m", __name__]
        self._child = subprocess.Popen(  # noqa: S603 - this module, by this interpreter
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._exchange(self._first)  # the key is told, never written

    def _end(self) -> None:
        if self._child is None:
            return
        self._child.kill()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with suppress(OSError):  # what was not sent yet
                    pipe.close()
        self._child.wait(_STOP_SECONDS)
        self._child = None

    def _ask(self, body: bytes) -> Made | None:
        found = self._exchange(body)
        if found is None:
            return None
        rows, places = found
        made = [_submission(row) for row in rows]
        return Made(
            submissions=made, policies={policy: made[place] for policy, place in places.items()}
        )

    def _exchange(self, value: bytes | _First) -> tuple[list[_Row], dict[str, int]] | None:
        if self._child is None or self._child.stdin is None or self._child.stdout is None:
            raise EOFError("it has not started")
        marshal.dump(value, self._child.stdin)
        self._child.stdin.flush()
        found: tuple[list[_Row], dict[str, int]] | None = marshal.load(self._child.stdout)  # noqa: S302 - our own child
        return found


def main(source: IO[bytes], target: IO[bytes]) -> None:
    """Answer bodies with the members of submissions, until there is no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, who ends this
    origin, intake_seed, policies, is_required = marshal.load(source)  # noqa: S302 - our own parent
    classes = RecordClasses(policies=policies, is_required=is_required)
    registrar = Registrar(origin=origin, intake_seed=intake_seed, clock=lambda: datetime.now(UTC))
    answer: tuple[list[_Row], dict[str, int]] | None = None
    with suppress(EOFError, BrokenPipeError):
        while True:
            marshal.dump(answer, target)
            target.flush()
            answer = _make(registrar, classes, marshal.load(source))  # noqa: S302 - our own parent


def _make(
    registrar: Registrar, classes: RecordClasses, body: bytes
) -> tuple[list[_Row], dict[str, int]] | None:
    try:
        registrations = parse_bulk(body, classes)
        made = registrar.prepare_all(registrations)
    except EvidenceError:
        return None  # the parent finds the same, and answers it
    return [_row(each) for each in made], _policies(registrations)


def _policies(registrations: Sequence[Registration]) -> dict[str, int]:
    places: dict[str, int] = {}
    for place, each in enumerate(registrations):
        if "policy" in each.detail:
            places.setdefault(each.detail["policy"], place)
    return places


def _row(made: Submission) -> _Row:
    return (
        made.record_id,
        made.record_key,
        made.envelope,
        made.envelope_hash,
        made.salt,
        made.digest,
        made.is_plain,
    )


def _submission(row: _Row) -> Submission:
    record_id, record_key, envelope, envelope_hash, salt, digest, is_plain = row
    return Submission(
        record_id=record_id,
        record_key=record_key,
        envelope=envelope,
        envelope_hash=envelope_hash,
        salt=salt,
        digest=digest,
        is_plain=is_plain,
    )


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
