"""The points of the crash regime: which fault, into which call of which thread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from crash.strace import Call

__all__ = ["FAULTS", "Aim", "Point", "aims", "faults_for", "share", "spread"]

_SOCKET_CALLS = ("sendto", "sendmsg")
# Full once means full for whoever writes; these can be asked again and again.
_STAYS_FULL = ("write", "pwrite64", "writev", "pwritev", "ftruncate", "fallocate", "mkdir")

FAULTS = ("KILL", "EIO", "ENOSPC", "server stopped", "session killed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """A call of a cycle: its number among the calls of its name in its thread."""

    role: str
    call: str
    number: int
    is_database: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A fault at a call; after it, perhaps, another while the log recovers."""

    layout: str
    fault: str
    aim: Aim
    again: Aim | None = None

    @property
    def row(self) -> str:
        """The row of the table that it counts for."""
        return f"{self.fault}, then KILL in recovery" if self.again else self.fault

    def injection(self) -> str:
        """Return the fault as strace takes it."""
        aim = self.aim
        if self.fault == "KILL":
            return f"signal=KILL:when={aim.number}"
        if self.fault == "EIO":
            return f"error=EIO:when={aim.number}"
        if self.fault == "ENOSPC":
            if aim.role.startswith("http"):
                return f"error=ECONNRESET:when={aim.number}..{aim.number + 2}"
            return f"error=ENOSPC:when={aim.number}{'+' * (aim.call in _STAYS_FULL)}"
        return f"signal=STOP:when={aim.number}"


def aims(calls: Iterable[Call], roles: Mapping[int, str]) -> Iterator[Aim]:
    """Yield what can be aimed at: the calls of the threads that have a role."""
    for call in calls:
        if role := roles.get(call.thread):
            is_database = call.name in _SOCKET_CALLS and not role.startswith("http")
            yield Aim(role=role, call=call.name, number=call.number, is_database=is_database)


def faults_for(aim: Aim) -> Iterator[str]:
    """Yield the faults that make sense at a call.

    A message to a database server does not fail while the connection lives: a
    client that was told so would wait for an answer that cannot come. What
    happens is that the server's end goes away.
    """
    yield "KILL"
    if aim.is_database:
        yield "server stopped" if aim.number % 2 else "session killed"
    else:
        yield "EIO"
        yield "ENOSPC"


def spread(points: Sequence[Point], number: int) -> list[Point]:
    """Return so many points, evenly from first to last; all if there are no more."""
    if number >= len(points):
        return list(points)
    return [points[at * len(points) // number] for at in range(number)]


def share(rows: Sequence[Sequence[Point]], number: int) -> list[Point]:
    """Return so many points: short rows whole, of longer ones as many each."""
    chosen: list[Point] = []
    left = sorted(rows, key=len)
    while left:
        row = left.pop(0)
        chosen += spread(row, (number - len(chosen)) // (len(left) + 1))
    return chosen
