"""What the office does not take over, whoever brings it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chain import Chain
from courier_kit import Desk, open_office, reseal
from homes import write_home
from vermilion_anchor.courier_files import encode_answer
from vermilion_anchor.evm import AccountSigner
from vermilion_api.couriers import open_desk
from vermilion_api.settings import load_settings, save_settings
from vermilion_api.wiring import open_ledger
from vermilion_ledger.anchor_rows import JobState
from vermilion_ledger.errors import ConflictError, EvidenceError
from vermilion_ledger.evm.receipt import AnchorReceipt
from vermilion_verify.blocks import load_block_hashes

Change = Callable[[AnchorReceipt], AnchorReceipt]


@pytest.fixture(scope="module")
def trip(chain: Chain, template: Path, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """An office to which an answer with a receipt came, and a list of block hashes."""
    desk = open_office(chain, template, tmp_path_factory.mktemp("trip"))
    desk.ask()
    desk.export(*desk.status())
    assert desk.finish().code == 0
    return desk


@pytest.fixture
def brought(trip: Desk, tmp_path: Path) -> Desk:
    return trip.copy(tmp_path)


def refused(desk: Desk, *more: str | Path, code: str) -> None:
    """Nothing may be final, and the job must still be open."""
    told = desk.take(*more)
    assert (told.error, desk.finals()) == (code, [])
    assert told.code != 0
    assert "\n  " in told.err  # the next step
    assert desk.order().attempts[-1].transaction == _open_job(desk).attempts[-1].transaction


def _open_job(desk: Desk) -> Any:
    ledger = open_ledger(desk.home)
    try:
        return ledger.database.anchors.load_open(ledger.targets[0])
    finally:
        ledger.database.close()


def swap(desk: Desk, **changes: Any) -> None:
    desk.lay("answer", encode_answer(replace(desk.answer(), **changes)))


def test_without_a_list_nothing_is_believed(brought: Desk) -> None:
    refused(brought, code="courier.block-not-listed")


def test_a_block_that_is_not_listed_is_not_believed(brought: Desk) -> None:
    number = int(brought.read("answer")["blocks"][0].split()[1])
    other = brought.lay("other", f"31337 {number + 1000} 0x{'11' * 32}\n")

    refused(brought, "--headers", other, code="courier.block-not-listed")


def test_a_block_of_another_chains_list_is_not_believed(brought: Desk) -> None:
    lines = [line.replace("31337 ", "1 ") for line in brought.read("answer")["blocks"]]

    refused(
        brought,
        *("--headers", brought.lay("other", "\n".join(lines))),
        code="courier.block-not-listed",
    )


def test_another_hash_in_the_list_is_a_refusal(brought: Desk) -> None:
    lines = [line[:-64] + "11" * 32 for line in brought.read("answer")["blocks"]]

    refused(
        brought, "--headers", brought.lay("other", "\n".join(lines)), code="courier.block-differs"
    )


def test_a_missing_list_is_told(brought: Desk) -> None:
    refused(brought, "--headers", brought.bag / "none", code="headers.missing")


CHANGES: dict[str, tuple[Change, str]] = {
    "size": (lambda r: replace(r, size=r.size - 1), "receipt.other-tree"),
    "root": (lambda r: replace(r, root=bytes(32)), "receipt.other-tree"),
    "transaction-index": (lambda r: replace(r, transaction_index=1), "trie.no-value"),
    "log-index": (lambda r: replace(r, log_index=1), "receipt.no-event"),
    "receipt": (lambda r: replace(r, receipt=r.receipt[:-1] + b"\0"), "trie.other-value"),
    "no-proof": (lambda r: replace(r, receipt_proof=()), "trie.node-missing"),
    "no-hints": (lambda r: replace(r, hints=None), "courier.receipt"),
    "consistency": (lambda r: replace(r, consistency=()), "courier.receipt"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_receipt_is_refused(brought: Desk, name: str) -> None:
    change, code = CHANGES[name]
    swap(brought, receipt=change(brought.answer().receipt))

    told = brought.take("--headers", brought.bag / "list")

    assert told.error in {code, "receipt.malformed"}
    assert brought.finals() == []


def test_no_single_bit_of_header_receipt_and_proof_may_differ(brought: Desk) -> None:
    """Every eleventh bit here; `make receipts` flips them all against the same check."""
    answer = brought.answer()
    receipt = answer.receipt
    listed = load_block_hashes([brought.bag / "list"])
    parts = {"header": receipt.header, "receipt": receipt.receipt}
    with open_desk(brought.home, 0) as desk:
        for name, data in parts.items():
            for bit in range(0, 8 * len(data), 11):
                flipped = bytearray(data)
                flipped[bit // 8] ^= 1 << bit % 8
                with pytest.raises(EvidenceError):
                    desk.office.take_answer(
                        replace(answer, receipt=replace(receipt, **{name: bytes(flipped)})), listed
                    )
    assert brought.finals() == []


def test_a_receipt_of_another_log_is_refused(
    brought: Desk, chain: Chain, template: Path, tmp_path: Path
) -> None:
    (tmp_path / "second").mkdir()
    other = open_office(chain, template, tmp_path / "second")
    other.ask()
    other.export(*other.status())
    other.finish()
    brought.lay("answer", (other.bag / "answer").read_bytes())

    refused(brought, "--headers", other.bag / "list", code="courier.other-target")


@pytest.mark.parametrize(
    ("member", "value"),
    [("chainId", 5), ("contract", "0x" + "12" * 20)],
)
def test_an_answer_about_something_else_is_refused(brought: Desk, member: str, value: Any) -> None:
    members = brought.read("answer")
    members[member] = members["receipt"][member] = value
    if member == "chainId":
        members["blocks"] = [line.replace("31337", "5") for line in members["blocks"]]
    brought.lay("answer", reseal(members))

    refused(brought, "--headers", brought.bag / "list", code="courier.other-target")


def test_a_tree_that_is_not_ours_is_an_alarm(brought: Desk, tmp_path: Path) -> None:
    """As if the home folder had been restored from a backup of before, and gone on otherwise."""
    settings = load_settings(brought.home)
    fresh = write_home(tmp_path / "fresh", size=7)
    save_settings(fresh, settings)
    for name in ("anchor.json", "anchor.password"):
        (fresh / "keys" / name).write_bytes((brought.home / "keys" / name).read_bytes())
        (fresh / "keys" / name).chmod(0o600)
    desk = replace(brought, home=fresh)

    told = desk.take("--headers", brought.bag / "list")

    assert (told.code, told.error) == (70, "anchor.head-conflict")
    assert desk.export("--status", str(brought.bag / "answer")).error == "anchor.head-conflict"
    assert desk.take(name="status").error == ""  # it says nothing of a tree


def test_a_receipt_that_nothing_waits_for_is_refused(brought: Desk) -> None:
    ledger = open_ledger(brought.home)
    journal = ledger.database.anchors
    job = journal.load_open(ledger.targets[0])
    assert job is not None
    journal.save_state(job, JobState.SUPERSEDED)
    ledger.database.close()

    assert brought.take("--headers", brought.bag / "list").error == "courier.no-job"
    assert brought.finals() == []


def test_a_job_that_moved_meanwhile_is_left_alone(
    brought: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = load_block_hashes([brought.bag / "list"])
    with open_desk(brought.home, 0) as desk:
        journal = desk.office._journal
        load = journal.load_open

        def overtaken(target: Any) -> Any:
            job = load(target)
            assert job is not None
            journal.save_state(job, JobState.SENT)  # another process, just then
            return job

        monkeypatch.setattr(journal, "load_open", overtaken)
        with pytest.raises(ConflictError) as caught:
            desk.take(brought.answer(), listed)
        monkeypatch.undo()

        assert caught.value.code == "anchor.job-moved"
        assert desk.take(brought.answer(), listed).anchor is not None


def test_an_order_is_no_answer_and_the_other_way_round(brought: Desk) -> None:
    assert brought.take(name="order").error == "courier.kind"
    assert brought.carry(order="answer").error == "courier.kind"
    assert brought.export("--status", str(brought.bag / "order")).error == "courier.kind"


# --- what a cold wallet gives back


@pytest.fixture(scope="module")
def unsigned_trip(chain: Chain, template: Path, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = open_office(chain, template, tmp_path_factory.mktemp("unsigned"))
    desk.ask()
    assert desk.export(*desk.status(), "--unsigned").code == 0
    return desk


@pytest.fixture
def unsigned(unsigned_trip: Desk, tmp_path: Path) -> Desk:
    return unsigned_trip.copy(tmp_path)


def sign(desk: Desk, raw: bytes | str, *more: str | Path) -> str:
    desk.lay("raw", raw if isinstance(raw, str) else "0x" + raw.hex())
    more = more or ("--out", desk.bag / "signed")
    signed = desk.bag / "raw"
    return desk.run("anchor", "import", desk.bag / "order", "--signed", signed, *more).error


@pytest.mark.parametrize(
    "changes",
    [{"nonce": 5}, {"max_fee": 10**15}, {"gas_limit": 10**7}, {"data": b""}, {"chain_id": 1}],
)
def test_a_wallet_that_signs_something_else_is_refused(
    unsigned: Desk, changes: dict[str, Any]
) -> None:
    other = replace(unsigned.order().fields, **changes)

    assert sign(unsigned, unsigned.signer.sign(other)) == "signer.other-transaction"
    assert not (unsigned.bag / "signed").exists()
    assert _open_job(unsigned).attempts == ()


def test_a_wallet_with_another_key_is_refused(unsigned: Desk) -> None:
    raw = AccountSigner(b"\x77" * 32).sign(unsigned.order().fields)

    assert sign(unsigned, raw) == "signer.other-key"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "hex.malformed"),
        ("0x1", "hex.malformed"),
        ("0x", "signer.other-transaction"),
        ("\xff", "hex.malformed"),
    ],
)
def test_a_wallet_that_gives_no_bytes_is_refused(unsigned: Desk, text: str, code: str) -> None:
    assert sign(unsigned, text) == code


def test_signed_twice_is_stored_once(unsigned: Desk) -> None:
    raw = unsigned.signer.sign(unsigned.order().fields)

    assert [sign(unsigned, raw) for _ in range(2)] == ["", ""]
    assert len(_open_job(unsigned).attempts) == 1


def test_signed_bytes_need_a_place_to_go(unsigned: Desk) -> None:
    raw = unsigned.signer.sign(unsigned.order().fields)

    assert sign(unsigned, raw, "--json") == "courier.out"


def test_an_inquiry_cannot_be_signed(desk: Desk) -> None:
    desk.export("--ask")

    assert sign(desk, b"\x02") == "courier.no-transaction"


def test_a_cap_holds_for_a_wallet_as_well(unsigned: Desk) -> None:
    raw = unsigned.signer.sign(unsigned.order().fields)
    unsigned.change(anchor_cost_max_wei=1)

    assert sign(unsigned, raw) == "anchor.spend-cap"
