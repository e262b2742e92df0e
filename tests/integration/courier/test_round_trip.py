"""From an office without a network onto a real chain and back, by files alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from chain import Chain
from courier_kit import Desk
from loopback import relay
from vermilion_api.cli import main as vermilion
from vermilion_api.services.seen import SeenDesk
from vermilion_api.settings import load_settings, save_settings
from vermilion_api.signer_settings import SignerSettings
from vermilion_api.wiring import now, open_ledger
from vermilion_ledger.bundle import parse_bundle
from vermilion_verify.blocks import load_block_hashes
from vermilion_verify.cli import main as verify


def prove(desk: Desk, record: str, name: str) -> int:
    """Verify a recorded document with nothing but files."""
    paper = desk.lay(f"{name}.pdf", name)
    evidence = desk.lay(f"{name}.evidence.json", desk.bundle(record))
    trust = desk.bag / "trust.toml"
    assert vermilion(["trust", "export", "--home", str(desk.home), "-o", str(trust)]) == 0
    question = [str(paper), "--bundle", str(evidence), "--trust", str(trust), "--offline"]
    return verify([*question, "--header-hashes", str(desk.bag / "list")])


def test_a_log_is_anchored_by_courier_and_proven_offline(desk: Desk) -> None:
    (record,) = desk.grow("deed.pdf")
    assert desk.ask().code == 0
    exported = desk.export(*desk.status())
    assert (exported.code, exported.value["size"]) == (0, 8)
    assert prove(desk, record, "deed") == 3  # pending

    assert desk.finish().value["size"] == 8
    taken = desk.take("--headers", desk.bag / "list")

    assert (taken.code, taken.value["size"]) == (0, 8)
    assert desk.finals() == [8]
    assert prove(desk, record, "deed") == 0
    (anchor,) = parse_bundle(desk.bundle(record)).anchors
    assert anchor.root == desk.answer().receipt.root


def test_the_answer_of_one_trip_makes_the_next_order(desk: Desk) -> None:
    desk.ask()
    desk.export(*desk.status())
    desk.finish()
    desk.take("--headers", desk.bag / "list")
    (record,) = desk.grow("will.pdf")
    (desk.bag / "answer").rename(desk.bag / "before")

    assert desk.export(*desk.status("before")).value["nonce"] == 1
    assert desk.order().call.proof
    desk.finish()
    desk.take("--headers", desk.bag / "list")

    assert desk.finals() == [8, 7]
    assert prove(desk, record, "will") == 0


def test_a_cold_wallet_signs_and_the_office_has_no_key(desk: Desk) -> None:
    address = SignerSettings(address="0x" + desk.signer.address.hex())
    save_settings(desk.home, replace(load_settings(desk.home), signer=address))
    for name in ("anchor.json", "anchor.password"):
        (desk.home / "keys" / name).unlink()
    desk.ask()
    assert desk.export(*desk.status(), "--unsigned").value["transaction"] is None
    assert desk.carry().error == "courier.not-signed"
    desk.lay("raw", "0x" + desk.signer.sign(desk.order().fields).hex() + "\n")

    signed = desk.run(
        *("anchor", "import", desk.bag / "order", "--signed", desk.bag / "raw"),
        *("--out", desk.bag / "order", "--json"),
    )

    assert (signed.code, bool(signed.value["transaction"])) == (0, True)
    desk.finish()
    assert desk.take("--headers", desk.bag / "list").code == 0
    assert desk.finals() == [7]


def test_exported_twice_it_is_the_same_file(desk: Desk) -> None:
    desk.ask()
    desk.export(*desk.status())
    before = (desk.bag / "order").read_bytes()
    desk.grow("later.pdf")

    assert desk.export("--nonce", "9", "--max-fee", "3", "--priority-fee", "1").code == 0

    assert (desk.bag / "order").read_bytes() == before


def test_what_was_signed_is_kept_even_if_the_file_cannot_be_written(desk: Desk) -> None:
    desk.ask()
    assert desk.export(*desk.status(), name="missing/order").error == "output.unwritable"

    desk.grow("later.pdf")
    exported = desk.export()

    assert exported.value["size"] == 7
    assert len(desk.order().attempts) == 1


def test_the_same_answer_twice_changes_nothing(desk: Desk) -> None:
    desk.ask()
    desk.export(*desk.status())
    desk.finish()
    first = desk.take("--headers", desk.bag / "list")

    second = desk.take("--headers", desk.bag / "list")

    assert (first.code, second.code, second.value) == (0, 0, first.value)
    assert desk.finals() == [7]


def test_of_a_replaced_transaction_the_first_may_be_mined_after_all(
    desk: Desk, chain: Chain
) -> None:
    desk.ask()
    desk.export(*desk.status())
    first = desk.order()
    desk.grow("later.pdf")
    desk.export(*desk.status(), "--replace")
    second = desk.order()
    assert (first.call.size, second.call.size, len(second.attempts)) == (7, 8, 2)
    assert second.fields.max_fee * 8 >= first.fields.max_fee * 9
    assert second.fields.nonce == first.fields.nonce
    chain.client.send(first.raw)
    chain.mine()

    assert desk.finish().value["size"] == 7
    assert desk.take("--headers", desk.bag / "list").value["size"] == 7

    assert desk.finals() == [7]
    assert desk.export("--status", str(desk.bag / "answer")).value["nonce"] == 1


def test_an_anchor_of_another_publisher_is_taken_over(desk: Desk, chain: Chain) -> None:
    desk.ask()
    desk.export(*desk.status(), "--unsigned")
    fields = desk.order().fields
    chain.client.send(desk.signer.sign(fields))  # the wallet sent it by itself
    chain.mine()

    assert desk.finish().value["size"] == 7
    assert desk.take("--headers", desk.bag / "list").code == 0

    assert desk.finals() == [7]


def test_several_nodes_must_agree_and_the_list_is_that_of_the_verifier(
    desk: Desk, chain: Chain
) -> None:
    desk.ask()
    desk.export(*desk.status())
    desk.finish()
    with relay(chain.node.url) as honest:
        nodes = ("--rpc", chain.node.url, "--rpc", honest)
        assert desk.carry("--rpc", honest, "--list", str(desk.bag / "two")).code == 0
        blocks = [f"--block={line.split()[1]}" for line in desk.read("answer")["blocks"]]
        more = ("--confirmations", "2", "--chain", "31337", *nodes)
        assert verify(["headers", str(desk.bag / "own"), *blocks, *more]) == 0

    lines = (desk.bag / "own").read_text().splitlines()[1:]
    assert lines == desk.read("answer")["blocks"]
    assert "agreed by" in (desk.bag / "two").read_text()
    assert "ONLY" in (desk.bag / "list").read_text()
    assert desk.take("--headers", desk.bag / "own").code == 0


def test_a_status_brings_a_block_that_statements_may_quote(desk: Desk, chain: Chain) -> None:
    chain.rpc("evm_setNextBlockTimestamp", int(now().timestamp()) + chain_lead(chain))
    chain.mine(5)
    desk.ask()

    taken = desk.take("--headers", desk.bag / "list", name="status")

    assert taken.value["size"] is None
    ledger = open_ledger(desk.home)
    seen = SeenDesk(
        targets=ledger.targets,
        chains={},
        blocks=ledger.database.blocks,
        anchors=ledger.database.anchors,
        clock=now,
        offered_days=6.0,
    ).offer()
    ledger.database.close()
    assert seen.number == taken.value["seen"]
    assert load_block_hashes([desk.bag / "list"])[31337, seen.number] == seen.hash


def chain_lead(chain: Chain) -> int:
    """How far the chain's clock runs ahead of ours: it began in 2027."""
    newest = int(chain.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
    return max(0, newest - int(now().timestamp())) + 1


def test_an_address_is_made_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert vermilion(["anchor", "address", "--home", str(tmp_path / "new")]) == 0

    first, second = capsys.readouterr().out.splitlines()
    assert first == second
    assert len(first) == 42
