"""Is a history of concurrent clients that of one log? A complete check, in n log n.

The log is one append-only register: `submit` appends and returns its index,
`read` returns how many entries there are. The final log fixes the order of all
appends, and a read of size n belongs between entries n - 1 and n. A history is
linearizable if and only if in that one order no operation had ended before one
that stands in front of it began (Herlihy and Wing 1990, section 2: real time
is kept; in a given total order points can be chosen unless two are inverted).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Operation", "find_violations"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What one client did. Times are of one clock for all, in nanoseconds.

    Attributes:
        client: Who, for people.
        kind: ``submit`` or ``read``.
        invoked: When it began.
        returned: When it was answered; None if nobody knows what came of it.
        envelope: What was submitted.
        result: The index a submission got, the size a read saw; None without an answer.
        seen: The last envelopes that a read saw, if it looked.
    """

    client: str
    kind: Literal["submit", "read"]
    invoked: int
    returned: int | None = None
    envelope: str = ""
    result: int | None = None
    seen: tuple[str, ...] = ()


def find_violations(history: Sequence[Operation], log: Sequence[str]) -> Iterator[str]:
    """Yield what cannot be explained by any one log; nothing if the history is linearizable.

    Args:
        history: Every operation, in any order.
        log: The envelopes of the final log, by index.
    """
    indices = {envelope: index for index, envelope in enumerate(log)}
    if len(indices) < len(log):
        yield f"{len(log) - len(indices)} entries are there twice"
    appends = _merge_retries([each for each in history if each.kind == "submit"])
    reads = [each for each in history if each.kind == "read" and each.result is not None]
    for each in history:
        if each.kind == "submit" and each.result is not None:
            found = indices.get(each.envelope)
            if found != each.result:
                yield f"{each.client} was told index {each.result}, the log has it at {found}"
    for each in reads:
        size = each.result or 0
        if size > len(log) or tuple(log[size - len(each.seen) : size]) != each.seen:
            yield f"{each.client} read {size} entries that the log does not start with"
    if strangers := set(log) - appends.keys():
        yield f"{len(strangers)} entries were never submitted"
    yield from _find_inversions(_in_order(appends, reads, log))


def _merge_retries(submits: Sequence[Operation]) -> Mapping[str, Operation]:
    """Make one append of all submissions of one envelope: it happened before the first answer."""
    merged: dict[str, Operation] = {}
    for each in submits:
        known = merged.setdefault(each.envelope, each)
        answers = [end for end in (known.returned, each.returned) if end is not None]
        merged[each.envelope] = Operation(
            client=known.client,
            kind="submit",
            invoked=min(known.invoked, each.invoked),
            returned=min(answers, default=None),
            envelope=each.envelope,
        )
    return merged


def _in_order(
    appends: Mapping[str, Operation], reads: Sequence[Operation], log: Sequence[str]
) -> Iterator[tuple[str, Operation]]:
    """Yield operations in the only order that explains their results."""
    waiting = sorted(reads, key=lambda each: (each.result or 0, each.invoked), reverse=True)
    for index, envelope in enumerate(log):
        while waiting and (waiting[-1].result or 0) <= index:
            yield f"a read of {waiting[-1].result}", waiting.pop()
        if envelope in appends:
            yield f"entry {index}", appends[envelope]
    while waiting:
        yield f"a read of {waiting[-1].result}", waiting.pop()


def _find_inversions(order: Iterator[tuple[str, Operation]]) -> Iterator[str]:
    latest: tuple[str, Operation] | None = None  # of those so far, the one that began last
    for what, each in order:
        if latest and each.returned is not None and each.returned < latest[1].invoked:
            yield (
                f"{what} by {each.client} ended before {latest[0]} by {latest[1].client} began,"
                " and stands after it"
            )
        if latest is None or each.invoked > latest[1].invoked:
            latest = what, each
