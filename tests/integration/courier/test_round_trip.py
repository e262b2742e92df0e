"""From an office without a network onto a real chain and back, by files alone."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from courier_kit import Desk
from vermilion_api.cli import main as vermilion
from vermilion_ledger.bundle import parse_bundle
from vermilion_verify.blocks import load_block_hashes
from vermilion_verify.cli import main as verify


def prove(desk: Desk, record: str, name: str, hashes: Path) -> int:
    """Verify a recorded document with nothing but files."""
    paper = desk.lay(f"{name}.pdf", name)
    evidence = desk.lay(f"{name}.evidence.json", desk.bundle(record))
    trust = desk.bag / "trust.toml"
    assert vermilion(["trust", "export", "--home", str(desk.home), "-o", str(trust)]) == 0
    question = [str(paper), "--bundle", str(evidence), "--trust", str(trust)]
    return verify([*question, "--header-hashes", str(hashes), "--offline"])


def test_a_log_is_anchored_by_courier_and_proven_offline(desk: Desk) -> None:
    (record,) = desk.grow("deed.pdf")
    assert desk.ask().code == 0

    exported = desk.export(*desk.status())
    assert (exported.code, exported.value["size"]) == (0, 8)
    assert desk.carry().error == "courier.not-final"
    assert prove(desk, record, "deed", desk.bag / "list") == 3
    desk.chain.mine(3)
    assert desk.carry("--list", str(desk.bag / "list")).value["size"] == 8
    taken = desk.take("--headers", desk.bag / "list")

    assert (taken.code, taken.value["size"]) == (0, 8)
    assert desk.finals() == [8]
    assert prove(desk, record, "deed", desk.bag / "list") == 0
    (anchor,) = parse_bundle(desk.bundle(record)).anchors
    assert anchor == desk.answer().receipt
