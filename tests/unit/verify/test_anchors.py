"""anchor.receipt, anchor.block and anchor.finality."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from evidence import WANG, Scene, approved, codes, office, plain
from office import ROOT
from vermilion_ledger.evm.keccak import keccak256
from vermilion_ledger.evm.receipt import ANCHORED_TOPIC, AnchorReceipt
from vermilion_ledger.evm.rlp import encode_rlp
from vermilion_ledger.evm.trie import EMPTY_TRIE_ROOT
from vermilion_ledger.tree import build_consistency
from vermilion_verify.blocks import Standing
from vermilion_verify.policy import ChainTrust
from vermilion_verify.report import CheckStatus, Verdict


class Node:
    """An endpoint that always says the same."""

    def __init__(self, standing: Standing) -> None:
        self.standing = standing
        self.asked = 0

    def judge(self, chain: ChainTrust, *, number: int, block_hash: bytes) -> Standing:
        self.asked += 1
        return self.standing


def of_chain(scene: Scene, change: Callable[[AnchorReceipt], AnchorReceipt]) -> Scene:
    scene.anchors = [change(each) for each in scene.anchors]
    return scene


def failed(scene: Scene, **question: Any) -> str | None:
    report = scene.verify(**question)
    assert report.verdict is Verdict.REFUTED
    return codes(report).get("anchor.receipt")


def test_constants_of_the_chain_are_what_they_stand_for() -> None:
    assert keccak256(b"Anchored(bytes32,uint64,bytes32)") == ANCHORED_TOPIC
    assert keccak256(encode_rlp(b"")) == EMPTY_TRIE_ROOT


# -- anchor.receipt


@pytest.mark.parametrize(
    "change",
    [
        {"root": bytes(32)},
        {"transaction_index": 0},
        {"transaction_index": 2**53 - 1},
        {"log_index": 0},
        {"log_index": 2**53 - 1},
        {"receipt": b""},
        {"receipt": b"\x02\xc0"},
        {"receipt_proof": ()},
        {"header": b"\xc0"},
    ],
)
def test_a_receipt_with_a_part_changed_is_refuted(change: dict[str, Any]) -> None:
    scene = of_chain(plain(), lambda each: replace(each, **change))

    if "header" in change:
        assert codes(scene_of_bad_header(scene)) == {"bundle.parse": "header.shape"}
    else:
        assert failed(scene) is not None


def scene_of_bad_header(scene: Scene) -> Any:
    bundle = plain().bundle()
    return scene.verify(replace(bundle, anchors=tuple(scene.anchors)))


def test_a_node_that_the_proof_does_not_use_is_refuted() -> None:
    scene = of_chain(
        plain(), lambda each: replace(each, receipt_proof=(*each.receipt_proof, b"\xc0"))
    )

    assert failed(scene) == "trie.node-unused"


def test_the_root_of_another_tree_of_that_size_is_refuted() -> None:
    scene = plain(anchored=False)
    other = office(rules=None)
    scene.anchors = [scene.chain.anchor(other.log, number=50, size=1)]

    assert failed(scene) == "anchor.other-root"


def test_an_anchor_of_the_size_of_the_checkpoint_has_no_consistency_proof() -> None:
    scene = of_chain(plain(), lambda each: replace(each, consistency=()))

    assert failed(scene) == "anchor.other-root"


def test_a_smaller_anchor_leads_to_the_checkpoint() -> None:
    scene = plain()
    scene.event("review")
    scene.anchor()

    report = scene.verify()

    assert report.verdict is Verdict.PROVEN
    assert report.interval["notAfter"]["number"] == 101  # the first anchor that covers it


@pytest.mark.parametrize("proof", [None, (), (bytes(32),), (bytes(32),) * 63])
def test_a_smaller_anchor_without_its_proof_is_refuted(proof: tuple[bytes, ...] | None) -> None:
    scene = plain()
    scene.event("review")
    first = replace(scene.anchors[0], consistency=proof)

    assert failed(scene, bundle=scene.bundle(anchors=(first,))) is not None


def test_a_smaller_anchor_of_another_log_is_refuted() -> None:
    scene = approved()
    stranger = office(rules=None)
    anchor = scene.chain.anchor(stranger.log, number=60, size=5)
    proof = build_consistency(5, scene.log.size, scene.log.read)

    bundle = scene.bundle(anchors=(replace(anchor, consistency=proof), *scene.anchors))

    assert failed(scene, bundle=bundle) == "merkle.root-mismatch"


@pytest.mark.parametrize("proof", [None, ()])
def test_an_anchor_beyond_the_checkpoint_is_refuted(proof: tuple[bytes, ...] | None) -> None:
    scene = plain(anchored=False)
    bundle = scene.bundle()
    scene.event("review")
    scene.anchor()
    beyond = replace(scene.anchors[0], consistency=proof)

    report = scene.verify(scene.bundle(**parts(bundle), anchors=(beyond,)))

    assert report.verdict is Verdict.REFUTED
    assert "anchor.receipt" in codes(report)


def parts(bundle: Any) -> dict[str, Any]:
    return {"note": bundle.note, "entries": bundle.entries, "closing": {"entries": 1}}


def test_one_bad_anchor_among_good_ones_is_refuted() -> None:
    scene = plain()
    scene.anchor(number=200)
    scene.anchors[1] = replace(scene.anchors[1], log_index=2)

    assert failed(scene) == "receipt.no-event"


@pytest.mark.parametrize("member", ["chain_id", "contract", "log"])
def test_an_anchor_that_the_policy_does_not_name_is_ignored_even_if_bad(member: str) -> None:
    scene = plain()
    strange: dict[str, Any] = {"chain_id": 5, "contract": bytes(20), "log": bytes(32)}
    other = replace(scene.anchors[0], **{member: strange[member]}, receipt=b"\x02")
    bundle = scene.bundle(anchors=tuple(sorted((other, *scene.anchors), key=lambda a: a.chain_id)))
    if member != "chain_id":
        bundle = scene.bundle(anchors=(replace(other, log_index=0), scene.anchors[0]))

    report = scene.verify(bundle)

    assert report.verdict is Verdict.PROVEN
    found = report.check("anchor.receipt")
    assert found is not None
    assert found.detail["ignored"] == 1


def test_a_bundle_without_anchors_is_pending() -> None:
    report = plain(anchored=False).verify()

    assert report.verdict is Verdict.PENDING
    assert {"anchor.receipt", "anchor.block", "anchor.finality", "time.interval"} <= codes(
        report, CheckStatus.ABSENT
    ).keys()


def test_a_policy_that_asks_for_no_anchor_needs_none() -> None:
    scene = plain(anchored=False)

    report = scene.verify(policy=scene.trust(anchors="0"))

    assert report.verdict is Verdict.PROVEN


# -- anchor.block


def test_without_anybody_to_vouch_the_block_hash_is_named_for_looking_up() -> None:
    scene = plain()

    report = scene.verify(hashes={})

    assert report.verdict is Verdict.CANNOT_TELL
    assert codes(report, CheckStatus.UNKNOWN) == {
        "anchor.block": "anchor.block-unknown",
        "anchor.finality": "anchor.not-vouched",
    }
    found = report.check("anchor.block")
    assert found is not None
    assert "0x" + scene.chain.hashes[31337, 101].hex() in found.detail["message"]


def test_another_hash_at_that_height_is_refuted() -> None:
    scene = plain()

    report = scene.verify(hashes={(31337, 101): bytes(32)})

    assert report.verdict is Verdict.REFUTED
    assert codes(report) == {"anchor.block": "anchor.other-block"}


def test_the_same_hash_on_another_chain_vouches_for_nothing() -> None:
    scene = plain()

    report = scene.verify(hashes={(1, 101): scene.chain.hashes[31337, 101]})

    assert report.verdict is Verdict.CANNOT_TELL


def test_the_list_comes_before_the_node() -> None:
    scene = plain()
    node = Node(Standing.CONTRADICTED)

    assert scene.verify(endpoints=[node]).verdict is Verdict.PROVEN
    assert node.asked == 0


@pytest.mark.parametrize(
    ("standings", "verdict"),
    [
        (["final"], "proven"),
        (["canonical"], "pending"),
        (["unknown"], "cannot_tell"),
        (["contradicted"], "refuted"),
        (["unknown", "final"], "proven"),
        (["final", "canonical"], "pending"),
        (["final", "contradicted"], "refuted"),
        ([], "cannot_tell"),
    ],
)
def test_nodes_are_believed_by_the_most_careful_of_them(standings: list[str], verdict: str) -> None:
    nodes = [Node(Standing(each)) for each in standings]

    assert plain().verify(hashes={}, endpoints=nodes).verdict == verdict


def test_a_node_is_asked_once_about_a_block() -> None:
    scene = office(rules=None)
    scene.event("register", detail={})
    for _ in range(5):
        scene.approve(WANG)
    scene.anchor()
    node = Node(Standing.FINAL)

    scene.verify(hashes={}, endpoints=[node])

    assert node.asked == 2  # the anchor's block and the one that all quote


# -- anchor.finality


def test_an_anchor_that_does_not_cover_everything_does_not_finish() -> None:
    scene = plain()
    scene.event("review")

    assert scene.verify().verdict is Verdict.PENDING


def test_an_anchor_must_cover_the_keys_too() -> None:
    scene = office(rules=None)
    scene.event("register", detail={})
    scene.approve(WANG)
    scene.anchor()
    scene.revoke_key(WANG, ROOT)

    assert scene.verify().verdict is Verdict.PENDING


def both(scene: Scene, **changes: Any) -> Any:
    return scene.trust(scene.chain, scene.second, anchors="2", **changes)


def test_two_chains_finish_where_two_are_required() -> None:
    scene = plain()
    scene.anchor(chain=scene.second)

    assert scene.verify(policy=both(scene)).verdict is Verdict.PROVEN


def test_one_chain_does_not_finish_where_two_are_required() -> None:
    scene = plain()
    scene.anchor(number=300)

    report = scene.verify(policy=both(scene))

    assert report.verdict is Verdict.PENDING
    assert "anchor.finality" in codes(report, CheckStatus.ABSENT)


def test_a_second_chain_that_nobody_vouches_for_cannot_be_judged() -> None:
    scene = plain()
    scene.anchor(chain=scene.second)

    report = scene.verify(policy=both(scene), hashes=scene.chain.hashes)

    assert report.verdict is Verdict.CANNOT_TELL
    assert codes(report, CheckStatus.UNKNOWN) == {"anchor.finality": "anchor.not-vouched"}


def test_two_logs_on_one_chain_are_one_chain() -> None:
    scene = plain()
    second_contract = replace(scene.chain, contract=b"\x09" * 20)
    scene.anchor(chain=second_contract, number=300)

    report = scene.verify(policy=scene.trust(scene.chain, second_contract, anchors="2"))

    assert report.verdict is Verdict.PENDING


def test_a_contradiction_on_the_second_chain_is_refuted() -> None:
    scene = plain()
    scene.anchor(chain=scene.second)

    report = scene.verify(policy=both(scene), hashes=scene.hashes() | {(1, 101): bytes(32)})

    assert codes(report) == {"anchor.block": "anchor.other-block"}


def test_a_log_spoiled_by_a_stolen_key_goes_on_in_a_second_table() -> None:
    scene = plain()
    continued = replace(scene.chain, contract=b"\x09" * 20)
    scene.anchors = [continued.anchor(scene.log, number=300)]

    assert scene.verify().verdict is Verdict.PENDING
    report = scene.verify(policy=scene.trust(scene.chain, continued))
    assert report.verdict is Verdict.PROVEN
