"""What must not flood the log: how often it is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from vermilion_api.services.tally import Tally


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 23, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def test_the_first_hundred_of_a_day_are_each_told() -> None:
    tally = Tally(Clock(), single_count_max=100)

    assert [tally.add("a") for _ in range(100)] == [1] * 100


def test_a_flood_is_told_at_powers_of_two_and_nothing_is_lost() -> None:
    tally = Tally(Clock(), single_count_max=100)
    told = [tally.add("a") for _ in range(1000)]

    assert [place for place, count in enumerate(told, start=1) if count and place > 100] == [
        128, 256, 512
    ]  # fmt: skip
    assert sum(told) + sum(tally.drain().values()) == 1000
    assert tally.drain() == {}


def test_one_flood_drowns_no_other_key_and_no_other_day() -> None:
    clock = Clock()
    tally = Tally(clock, single_count_max=100)
    for _ in range(600):
        tally.add("a")

    assert tally.add("b") == 1
    clock.now += timedelta(hours=2)
    assert tally.add("a") == 600 - 512 + 1  # with what was left of the day before


def test_what_could_not_be_told_is_told_with_the_next() -> None:
    tally = Tally(Clock(), single_count_max=100)
    tally.give_back("a", tally.add("a"))

    assert tally.add("a") == 2
