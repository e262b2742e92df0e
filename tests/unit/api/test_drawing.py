"""Random bytes in blocks: each byte is handed out once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from vermilion_api.services.drawing import RandomBlock


def test_as_many_bytes_come_as_were_asked_for() -> None:
    block = RandomBlock()

    assert [len(block.take(size)) for size in (0, 1, 32, 65_536, 65_537, 16)] == [
        0,
        1,
        32,
        65_536,
        65_537,
        16,
    ]


def test_no_bytes_are_handed_out_twice_across_blocks() -> None:
    block = RandomBlock()

    drawn = [block.take(48) for _ in range(5_000)]

    assert len({part[at : at + 16] for part in drawn for at in (0, 16, 32)}) == 15_000


def test_threads_never_share_bytes() -> None:
    block = RandomBlock()

    with ThreadPoolExecutor(4) as pool:
        drawn = [
            each
            for part in pool.map(lambda _: [block.take(16) for _ in range(5_000)], range(4))
            for each in part
        ]

    assert len(set(drawn)) == len(drawn)


def test_two_processes_worth_of_blocks_differ() -> None:
    assert RandomBlock().take(32) != RandomBlock().take(32)
