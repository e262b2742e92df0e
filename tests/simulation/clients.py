"""Clients: they submit, lose answers, ask again, repeat what others said, and read.

Whatever comes back goes to the oracle in the moment it comes; a client may
have given up waiting long before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from simulation.oracle import Oracle, Request
from simulation.programs import Program
from simulation.reference import Reference
from simulation.scheduler import Killed, Scheduler, Violation
from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.errors import EvidenceError, IntegrityError, UnavailableError
from vermilion_ledger.log import LogReader
from vermilion_ledger.merkle import verify_consistency, verify_inclusion
from vermilion_ledger.rows import Accepted, Idempotency, Submission

__all__ = ["Client"]

_ATTEMPTS = 6


class Client:
    """One client; its actions come from the seed."""

    def __init__(
        self,
        name: str,
        scheduler: Scheduler,
        oracle: Oracle,
        programs: Callable[[], Sequence[Program]],
    ) -> None:
        self._name = name
        self._scheduler = scheduler
        self._oracle = oracle
        self._programs = programs
        self._seen = 0  # the largest head this client was shown
        self.is_done = False

    def run(self) -> None:
        """Do a few things, with pauses."""
        random = self._scheduler.random
        for number in range(random.randint(1, 6)):
            self._scheduler.sleep(random.expovariate(1.0))
            if random.random() < 0.65:
                self._submit(self._choose(f"{self._name}.{number}"))
            else:
                self._read()
        self.is_done = True

    def forget(self) -> None:
        """Forget what was shown: a backup was restored."""
        self._seen = 0

    def _choose(self, name: str) -> Request:
        """Return something new, or what somebody asked for before."""
        random, oracle = self._scheduler.random, self._oracle
        old = random.choice(oracle.requests) if oracle.requests else None
        if old is not None and random.random() < 0.25 and (old.has_key or not old.is_plain):
            if random.random() < 0.5 or old.is_plain:
                return old
            again = Request(name=name, has_key=random.random() < 0.5, wanted=old.wanted)
            again.sent += old.sent
            oracle.requests.append(again)
            return again
        count = random.choice((1, 1, 1, 1, 2, 3, 6, 20))
        keys = [each.record_key for old in oracle.requests[-4:] for each in old.wanted[:3]]
        wanted = tuple(_draw(random, name, at, keys) for at in range(count))
        request = Request(name=name, has_key=random.random() < 0.6, wanted=wanted)
        oracle.requests.append(request)
        return request

    def _submit(self, request: Request) -> None:
        random = self._scheduler.random
        for _ in range(_ATTEMPTS):
            answer = self._ask(request)
            if answer is not None:
                deadline = self._scheduler.now + random.choice((0.5, 3.0, 12.0))
                while not answer.done() and self._scheduler.now < deadline:
                    self._scheduler.sleep(0.3)
                is_final = answer.accepted is not None or (
                    answer.error is not None and not isinstance(answer.error, UnavailableError)
                )
                if is_final and random.random() < 0.9:  # else the answer is lost on the way
                    break
            if request.is_plain and not request.has_key:
                break  # who wants to be able to repeat it sends a key
            self._scheduler.sleep(random.expovariate(1.0))

    def _ask(self, request: Request) -> _Answer | None:
        programs = [each for each in self._programs() if each.intake is not None]
        if not programs:
            return None
        random = self._scheduler.random
        program = random.choice(programs)
        # As an API process makes them: the salt is new each time.
        sent = tuple(replace(each, salt=random.randbytes(32)) for each in request.wanted)
        answer = _Answer(self._oracle, request, sent)
        promise = Idempotency(key=request.name, request_hash=_hash(request.name.encode()))
        request.sent.append(sent)
        if program.intake is None:
            raise AssertionError("chosen for its intake")
        try:
            program.intake.put(sent, answer, idempotency=promise if request.has_key else None)
        except EvidenceError as exc:
            answer.set_exception(exc)
        return answer

    def _read(self) -> None:
        programs = self._programs()
        if not programs:
            return
        program, oracle = self._scheduler.random.choice(programs), self._oracle
        reference = oracle.reference
        try:
            self._look(program.reader, reference)
        except Killed:
            if not program.process.is_dead:
                raise
        except UnavailableError:
            return
        except (EvidenceError, Violation, IndexError) as exc:
            is_other = oracle.must_refuse or oracle.reference is not reference
            if is_other or (oracle.may_halt and isinstance(exc, IntegrityError)):
                return  # another log was put under what was asked
            raise Violation(f"a reader is told otherwise: {exc!r}") from exc

    def _look(self, reader: LogReader, reference: Reference) -> None:
        head = reader.head()
        newest = reader.newest_checkpoint()
        if newest is None or not head.size:
            return
        if newest.size < head.size or head.size < self._seen:
            raise Violation(f"head {self._seen}, then {head.size}, newest {newest.size}")
        self._seen = head.size
        sizes = [size for size in self._oracle.signed if size <= head.size]
        size = self._scheduler.random.choice(sizes or [head.size])
        self._prove(reader, reference, size, head.size)

    def _prove(self, reader: LogReader, reference: Reference, size: int, head: int) -> None:
        """Check an entry, its inclusion, a consistency proof and a file, at old sizes too."""
        index = self._scheduler.random.randrange(size)
        (entry,) = reader.entries_between(index, index + 1)
        if entry != reference.entries[index]:
            raise Violation(f"entry {index} reads otherwise than it is stored")
        leaf, root = reference.leaves[index], reference.root(size)
        verify_inclusion(leaf, index, size, reader.inclusion(index, size), root)
        proof = reader.consistency(size, head)
        verify_consistency(size, root, head, reference.root(head), proof)
        width = min(256, size - index // 256 * 256)
        if leaf not in reader.tile(0, index // 256, width):
            raise Violation(f"leaf {index} is not in its tile")
        states = reader.submission_states([self._oracle.position_of(index)])
        if [state.index for state in states.values()] != [index]:
            raise Violation(f"the submission of entry {index} is told as {states}")


class _Answer:
    """Implements `vermilion_ledger.intake.Answer`."""

    def __init__(self, oracle: Oracle, request: Request, sent: Sequence[Submission]) -> None:
        self._oracle = oracle
        self._request = request
        self._sent = sent
        self.accepted: Accepted | None = None
        self.error: BaseException | None = None

    def done(self) -> bool:
        return self.accepted is not None or self.error is not None

    def set_result(self, result: Accepted, /) -> None:
        self._oracle.accepted(self._request, self._sent, result)
        self.accepted = result

    def set_exception(self, exception: BaseException, /) -> None:
        if not isinstance(exception, EvidenceError):
            raise Violation(f"a client is told {exception!r}")
        self._oracle.failed(self._request, self._sent, exception)
        self.error = exception


def _draw(random: Random, name: str, at: int, keys: Sequence[bytes]) -> Submission:
    """Draw a submission: to a new record or to one of some, at times one to be refused."""
    chance = random.random()
    if chance < 0.35 and keys:
        word, record_key = "review", random.choice(keys)
    else:
        word, record_key = "refuse" if chance > 0.95 else "register", random.randbytes(32)
    envelope = f"{word} {name} {at}".encode()
    return Submission(
        record_id=make_record_id(record_key),
        record_key=record_key,
        envelope=envelope,
        envelope_hash=_hash(envelope),
        salt=bytes(32),
        digest=bytes(32),
        is_plain=word == "register" and random.random() < 0.6,
    )


def _hash(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
