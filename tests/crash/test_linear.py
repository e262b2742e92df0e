"""The checker of histories: it refuses what no single log explains, and only that."""

from __future__ import annotations

import itertools
import random

import pytest

from crash.linear import Operation, find_violations

LOG = ("a", "b", "c")


def submit(
    envelope: str, invoked: int, returned: int | None, result: int | None, client: str = "c"
) -> Operation:
    return Operation(
        client=client,
        kind="submit",
        envelope=envelope,
        invoked=invoked,
        returned=returned,
        result=result,
    )


def read(invoked: int, returned: int, size: int, *seen: str) -> Operation:
    return Operation(
        client="r", kind="read", invoked=invoked, returned=returned, result=size, seen=seen
    )


# a and b overlap, c comes after both.
GOOD = (submit("a", 0, 10, 0), submit("b", 5, 20, 1), submit("c", 30, 40, 2))


@pytest.mark.parametrize(
    "history",
    [
        GOOD,
        (*GOOD, read(41, 42, 3, "b", "c"), read(43, 44, 3)),
        (*GOOD, read(11, 12, 1, "a"), read(11, 13, 2), read(21, 31, 2), read(22, 60, 3)),
        # overlapping submissions may stand in either order
        (submit("a", 5, 20, 0), submit("b", 0, 10, 1), submit("c", 30, 40, 2)),
        # nobody knows when an unanswered submission took effect, if it ever did
        (submit("a", 0, None, None), submit("b", 5, 20, 1), submit("c", 0, 40, 2)),
        (*GOOD, submit("d", 0, None, None), read(50, 51, 3)),
        # the same envelope again gets its old place, however late
        (*GOOD, submit("a", 100, 110, 0), submit("a", 120, None, None)),
        # without an answer the first time, the retry is what counts
        (submit("a", 0, None, None), submit("a", 1, 50, 0), *GOOD[1:]),
    ],
)
def test_what_one_log_explains_is_no_violation(history: tuple[Operation, ...]) -> None:
    assert list(find_violations(history, LOG)) == []


@pytest.mark.parametrize(
    ("history", "log", "said"),
    [
        (GOOD, ("a", "b"), "the log has it at None"),
        (GOOD, ("a", "c", "b"), "was told index 1, the log has it at 2"),
        (GOOD, ("a", "b", "c", "a"), "there twice"),
        (GOOD, ("a", "b", "c", "x"), "never submitted"),
        ((submit("a", 30, 40, 0), submit("b", 0, 10, 1), GOOD[2]), LOG, "stands after it"),
        # lost to a read that began after the acknowledgement
        ((*GOOD, read(41, 42, 2)), LOG, "before a read of 2 by r began"),
        ((*GOOD, read(11, 12, 0)), LOG, "before a read of 0 by r began"),
        # seen before it was submitted
        ((*GOOD, read(21, 29, 3)), LOG, "a read of 3 by r ended"),
        # reads that go back
        ((*GOOD[:2], submit("c", 0, None, None), read(30, 31, 3), read(32, 33, 2)), LOG, "read of"),
        ((*GOOD, read(41, 42, 3, "c", "b")), LOG, "does not start with"),
        ((*GOOD, read(41, 42, 4)), LOG, "does not start with"),
        # an answer to the second of two callers binds the first as well
        ((submit("a", 0, None, None), submit("a", 1, 3, 0), submit("b", 0, 2, 1),
          submit("c", 4, 5, 2), read(6, 7, 0)), LOG, "a read of 0"),
    ],
)  # fmt: skip
def test_what_no_log_explains_is_found(
    history: tuple[Operation, ...], log: tuple[str, ...], said: str
) -> None:
    violations = list(find_violations(history, log))

    assert any(said in each for each in violations), violations


def explains(history: list[Operation], log: tuple[str, ...]) -> bool:
    """Try every order, as the definition has it."""
    kept = [each for each in history if each.returned is not None or each.envelope in log]
    for order in itertools.permutations(kept):
        size, is_good = 0, True
        for at, each in enumerate(order):
            if any(
                later.returned is not None and later.returned < each.invoked for later in order[at:]
            ):
                is_good = False
            if each.kind == "read":
                is_good &= each.result == size
            else:
                is_good &= size < len(log) and log[size] == each.envelope
                is_good &= each.result in {None, size}
                size += 1
            if not is_good:
                break
        if is_good and size == len(log):
            return True
    return False


def test_the_quick_check_agrees_with_trying_every_order() -> None:
    dice, verdicts = random.Random(20261122), {True: 0, False: 0}
    for _ in range(1500):
        count = dice.randint(1, 3)
        log = tuple("abc"[:count])
        history = []
        for index, envelope in enumerate(log):
            start = dice.randint(0, 12)
            end = dice.choice([None, start + dice.randint(1, 8)])
            history.append(submit(envelope, start, end, index if end else None))
        for _ in range(dice.randint(0, 3)):
            start = dice.randint(0, 14)
            history.append(read(start, start + dice.randint(1, 6), dice.randint(0, count)))

        expected = explains(history, log)
        assert (list(find_violations(history, log)) == []) == expected, history
        verdicts[expected] += 1

    assert min(verdicts.values()) > 200
