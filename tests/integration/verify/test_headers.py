"""`vermilion-verify headers` against a real Anvil and an honest second endpoint."""

from __future__ import annotations

import json

import pytest

from auditor_kit import FIRST, HEAD, SECOND, Auditor
from evidence import DOCUMENT_BYTES, Scene, plain
from trusted import trust_toml
from vermilion_verify.blocks import load_block_hashes
from vermilion_verify.cli import main

# -- collecting


def test_what_was_collected_proves_a_document_offline(auditor: Auditor) -> None:
    anchored = auditor.ground.anchored
    bundle = auditor.lay("bundle", anchored.scene.bundle(anchors=anchored.blocks[2][1:]))
    paper = auditor.lay("paper", DOCUMENT_BYTES)
    trust = auditor.lay("trust", auditor.ground.trust())
    question = [paper, "--bundle", bundle, "--trust", trust, "--offline"]
    assert main(question) == 5

    code, out, err = auditor.both("--bundle", bundle)

    assert (code, err) == (0, "")
    assert "1 added, 0 known" in out
    assert main([*question, "--header-hashes", str(auditor.list)]) == 0


def test_heights_and_ranges_are_collected_in_order(auditor: Auditor) -> None:
    code, _, _ = auditor.both("--block", "7", "--block", "3-5", "--block", "5")

    remark, *lines = auditor.list.read_text().splitlines()
    assert code == 0
    assert lines == [f"31337 {n} {auditor.ground.hash_of(n)}" for n in (3, 4, 5, 7)]
    assert remark.startswith("# 20")
    assert "chain 31337, finalized, agreed by 127.0.0.1:" in remark


@pytest.mark.parametrize(("since", "found"), [("0", {FIRST, SECOND}), ("4", {SECOND})])
def test_a_policy_alone_collects_every_block_with_an_anchor(
    auditor: Auditor, since: str, found: set[int]
) -> None:
    urls = f'["{auditor.ground.node.node.url}", "{auditor.ground.honest}"]'
    trust = auditor.lay("trust", auditor.ground.trust(rpc=urls))

    assert auditor.run("--trust", trust, "--since", since)[0] == 0

    assert {number for _, number in load_block_hashes([auditor.list])} == found


def test_the_policys_rule_decides_what_is_final(auditor: Auditor) -> None:
    trust = auditor.lay("trust", auditor.ground.trust(finality='"confirmations:4"'))

    assert auditor.both("--trust", trust, "--block", str(HEAD - 4))[0] == 0
    code, _, err = auditor.both("--trust", trust, "--block", str(HEAD - 3))
    assert (code, "headers.not-final" in err) == (5, True)


def test_confirmations_may_be_stricter_than_the_policy_and_never_laxer(auditor: Auditor) -> None:
    trust = auditor.lay("trust", auditor.ground.trust())

    assert auditor.both("--block", str(HEAD - 9), "--confirmations", "9")[0] == 0
    assert auditor.both("--block", str(HEAD - 9), "--confirmations", "9", "--trust", trust)[0] == 5
    assert auditor.both("--block", "10", "--confirmations", "65", "--trust", trust)[0] == 5


def test_a_list_is_extended_and_its_lines_stay(auditor: Auditor) -> None:
    old = f"# by phone\n\n31337 3 {auditor.ground.hash_of(3)}  # said twice\n1 9 0x{'aa' * 32}"
    auditor.lay("block-hashes.txt", old)

    code, out, _ = auditor.both("--block", "3-4", "--json")

    answer = json.loads(out)
    assert (code, answer["known"], len(answer["added"])) == (0, 1, 1)
    assert answer["added"][0] == {"number": 4, "hash": auditor.ground.hash_of(4)}
    assert auditor.list.read_text().startswith(old + "\n# ")
    assert len(load_block_hashes([auditor.list])) == 3


def test_a_list_that_has_everything_is_not_touched(auditor: Auditor) -> None:
    auditor.both("--block", "3")
    before = auditor.list.stat()

    code, out, _ = auditor.both("--block", "3")

    after = auditor.list.stat()
    assert (code, "0 added, 1 known" in out) == (0, True)
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_list_that_says_otherwise_is_left_as_it_is(auditor: Auditor) -> None:
    old = f"31337 3 0x{'bb' * 32}\n"
    auditor.lay("block-hashes.txt", old)

    code, _, err = auditor.both("--block", "3-4")

    assert (code, "error[headers.conflict]" in err) == (2, True)
    assert auditor.list.read_text() == old


def test_a_bundle_of_another_history_is_warned_of_and_then_refuted(auditor: Auditor) -> None:
    made_up = plain()
    made_up.chain.chain_id = 31337
    made_up.anchors = [made_up.chain.anchor(made_up.log, number=5)]
    bundle = auditor.lay("bundle", made_up.bundle())
    paper = auditor.lay("paper", DOCUMENT_BYTES)
    trust = auditor.lay("trust", trust_toml([made_up.chain]))

    code, _, err = auditor.both("--bundle", bundle)

    assert (code, "WARNING: a bundle names 0x" in err) == (0, True)
    assert main([paper, "--bundle", bundle, "--trust", trust, "--header-hashes", str(auditor.list)])


# -- one endpoint


def test_one_endpoint_is_refused_however_often_it_is_named(auditor: Auditor) -> None:
    url = auditor.ground.node.node.url

    for urls in ([url], [url, url], [url, f"{url}/"], [url, f"{url}/other?key=secret"]):
        options = [word for each in urls for word in ("--rpc", each)]
        assert auditor.refused("--block", "3", *options) == (2, "headers.one-endpoint")
    assert auditor.refused("--block", "3") == (2, "headers.one-endpoint")
    assert auditor.refused("--block", "3", "--single") == (2, "headers.one-endpoint")


def test_a_single_endpoint_is_warned_of_on_the_screen_and_in_the_list(auditor: Auditor) -> None:
    url = auditor.ground.honest

    code, _, err = auditor.run("--block", "3", "--single", "--rpc", f"{url}v3/secret")

    assert code == 0
    assert err.startswith("WARNING: 127.0.0.1:")
    assert "ONLY 127.0.0.1:" in auditor.list.read_text()
    assert "secret" not in auditor.list.read_text() + err


# -- what was asked for


def test_chains_are_collected_one_at_a_time(auditor: Auditor) -> None:
    second = Scene().second.table()
    trust = auditor.lay("trust", auditor.ground.trust(second))
    urls = ("--rpc", auditor.ground.node.node.url, "--rpc", auditor.ground.honest)

    assert auditor.refused("--trust", trust, *urls) == (2, "headers.which-chain")
    assert auditor.refused("--trust", trust, "--chain", "7", *urls) == (2, "headers.nothing")
    assert auditor.run("--trust", trust, "--chain", "31337", *urls)[0] == 0


def test_a_log_that_was_never_anchored_has_nothing_to_collect(auditor: Auditor) -> None:
    trust = auditor.lay("trust", auditor.ground.trust(log=f'"0x{"77" * 32}"'))
    urls = ("--rpc", auditor.ground.node.node.url, "--rpc", auditor.ground.honest)

    assert auditor.refused("--trust", trust, *urls) == (2, "headers.nothing")
    assert auditor.refused("--trust", trust, "--since", "50", *urls) == (2, "headers.nothing")


def test_more_blocks_than_anybody_needs_are_refused(auditor: Auditor) -> None:
    urls = ("--rpc", auditor.ground.node.node.url, "--rpc", auditor.ground.honest)

    assert auditor.refused("--block", "0-100000", *urls) == (2, "headers.too-many")


def test_a_bundle_that_cannot_be_read_is_refused(auditor: Auditor) -> None:
    paper = auditor.lay("paper", DOCUMENT_BYTES)

    assert auditor.refused("--bundle", paper) == (2, "json.malformed")
    assert auditor.refused("--bundle", f"{paper}-none") == (2, "bundle.missing")
    assert auditor.refused("--bundle", str(auditor.folder)) == (5, "bundle.unreadable")
