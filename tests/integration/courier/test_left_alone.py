"""A chain that is anchored by courier is no business of whatever asks nodes."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import replace

import pytest

from courier_kit import Desk, reseal
from vermilion_api.accounts import load_accounts
from vermilion_api.cli.up import _migrate
from vermilion_api.settings import load_settings, save_settings
from vermilion_api.wiring import open_ledger


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """A command that waits for a signal leaves its handlers behind."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("command", [("anchor", "now"), ("anchorer",), ("anchor", "balance")])
def test_a_command_that_asks_nodes_finds_none(desk: Desk, command: tuple[str, ...]) -> None:
    told = desk.run(*command)

    assert (told.code, told.error) == (2, "anchor.no-chain")


def test_the_start_asks_nobody_and_needs_no_anchorer(desk: Desk) -> None:
    ledger = open_ledger(desk.home)
    try:
        assert ledger.settings.online_chains == ()
        assert load_accounts(ledger) == ()
        assert len(ledger.targets) == 1  # its anchors count all the same
    finally:
        ledger.database.close()
    assert _migrate(desk.home, load_settings(desk.home)) == ("serve",)


def test_a_policy_names_no_node_of_it(desk: Desk) -> None:
    told = desk.run("trust", "export", "--with-rpc", "-o", desk.bag / "trust.toml")

    assert told.code == 0
    assert "rpc = []" in (desk.bag / "trust.toml").read_text()


@pytest.mark.parametrize("command", [("export", "--ask"), ("export", "--nonce", "0")])
def test_a_chain_with_a_node_is_not_anchored_by_courier(
    desk: Desk, command: tuple[str, ...]
) -> None:
    desk.change(courier=False, rpc="http://127.0.0.1:1")

    told = desk.run("anchor", *command, "--out", desk.bag / "order")

    assert (told.code, told.error) == (2, "courier.no-chain")


def test_of_several_chains_one_has_to_be_named(desk: Desk) -> None:
    settings = load_settings(desk.home)
    (table,) = settings.chains
    tables = (table, replace(table, contract="0x" + "12" * 20))
    save_settings(desk.home, replace(settings, chains=tables))

    assert desk.export("--ask").error == "anchor.several-chains"
    assert desk.export("--ask", "--chain", "5").error == "courier.no-chain"
    assert desk.export("--ask", "--contract", "0x" + "12" * 20).code == 0
    assert desk.order().target.contract == b"\x12" * 20


# --- what an order cannot be made without


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ((), "courier.no-nonce"),
        (("--nonce", "0"), "courier.no-fees"),
        (("--nonce", "0", "--max-fee", "5"), "courier.fees"),
        (("--nonce", "0", "--max-fee", "5", "--priority-fee", "6"), "courier.fees"),
        (("--nonce", "0", "--head-size", "8"), "courier.head"),
        (("--head-size", "7", "--nonce", "0"), "courier.nothing-new"),
        (("--chain", "5"), "courier.no-chain"),
        (("--status", "none"), "courier.file-missing"),
    ],
)
def test_an_order_that_lacks_something_is_refused(
    desk: Desk, options: tuple[str, ...], code: str
) -> None:
    told = desk.export(*options)

    assert (told.code, told.error) == (2, code)
    assert not (desk.bag / "order").exists()
    assert desk.jobs() == 0


def test_a_status_of_another_account_or_contract_is_refused(desk: Desk) -> None:
    desk.ask()
    members = desk.read("status")
    desk.lay("status", reseal({**members, "account": "0x" + "12" * 20}))
    assert desk.export(*desk.status()).error == "courier.other-target"
    desk.lay("status", reseal({**members, "contract": "0x" + "12" * 20}))
    assert desk.export(*desk.status()).error == "courier.other-target"


def test_what_a_status_would_tell_may_be_told_by_hand(desk: Desk) -> None:
    told = desk.export("--nonce", "4", "--max-fee", "50", "--priority-fee", "1", "--head-size", "3")

    fields = desk.order().fields
    assert (told.code, fields.nonce, fields.max_fee, fields.priority_fee) == (0, 4, 50, 1)
    assert desk.order().call.proof
    again = ("--replace", "--max-fee", "56", "--priority-fee", "2")
    assert desk.export(*again).error == "courier.fee-too-low"
    assert desk.export("--replace", "--max-fee", "57", "--priority-fee", "2").code == 0
    assert len(desk.order().attempts) == 2


def test_caps_hold_for_orders(desk: Desk) -> None:
    desk.ask()
    desk.change(anchor_cost_max_wei=1)
    assert desk.export(*desk.status()).error == "anchor.spend-cap"
    desk.change(anchor_cost_max_wei=0, fee_cap_wei=1)
    assert desk.export(*desk.status()).error == "anchor.fee-cap"
    by_hand = ("--nonce", "0", "--max-fee", "2", "--priority-fee", "1")
    assert desk.export(*by_hand).error == "anchor.fee-cap"
    desk.change(fee_cap_wei=10**12)

    assert desk.export(*desk.status()).code == 0
    desk.change(fee_cap_wei=desk.order().fields.max_fee)
    assert desk.export(*desk.status(), "--replace").error == "anchor.fee-cap"


def test_refusals_are_told_in_chinese_too(desk: Desk) -> None:
    told = desk.run("anchor", "export", "--out", desk.bag / "order", language="zh-CN")

    assert "错误[courier.no-nonce]" in told.err
    assert "请以 --status" in told.err
