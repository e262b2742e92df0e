"""A few rounds of `make chain`: the regimes run, and what they look for would be found."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from anvil_regime.bench import Bench, BrokenPromiseError, open_bench
from anvil_regime.regimes import kill, reorganise, spike
from anvil_regime.run import main


@pytest.fixture
def bench() -> Iterator[Bench]:
    with open_bench() as running:
        yield running


def test_rounds_of_each_regime_leave_one_anchor_per_head(bench: Bench) -> None:
    for number in (0, 1, 2, 5):
        reorganise(bench, number)
        bench.check()
    spike(bench, 0, hours=0.2)
    anchors = bench.check()
    for number in (20, 41):
        kill(bench, number)

    assert bench.check() == anchors + 2


def test_a_second_sender_that_leaves_a_transaction_waiting_is_noticed(bench: Bench) -> None:
    bench.settle(bench.anchorer("immediate"), depth=1)
    bench.check()
    me = "0x" + bench.rival.address.hex()
    bench.chain.rpc("anvil_impersonateAccount", me)
    bench.chain.rpc("eth_sendTransaction", {"from": me, "to": me, "value": "0x1"})

    with pytest.raises(BrokenPromiseError, match="still waits"):
        bench.check()


def test_a_final_anchor_that_is_gone_is_noticed(bench: Bench) -> None:
    bench.settle(bench.anchorer("immediate"), depth=1)
    bench.chain.mine()
    bench.chain.rpc("anvil_reorg", 2, [])

    with pytest.raises(BrokenPromiseError):
        bench.check()


def test_the_command_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    counts = ["--schedules", "1", "--kills", "0", "--spikes", "0", "--floods", "0"]

    assert main(counts) == 0
    assert "| reorganisations of depth 1-64 | 1 | 1 | 0 |" in capsys.readouterr().out
