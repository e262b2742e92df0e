"""`vermilion-verify headers` against a real Anvil, an honest relay, and endpoints that lie."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from anchored_kit import AnchoredLog
from chain import GENESIS_TIME, AnvilNode, Chain, call, node_options, start_chain
from evidence import DOCUMENT_BYTES, Scene, plain
from loopback import Lie, relay, serving, speak
from trusted import trust_toml
from vermilion_ledger.bundle import EvidenceBundle
from vermilion_ledger.encoding import encode_json
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.evm.answers import encode_header
from vermilion_ledger.evm.finality import parse_finality
from vermilion_ledger.evm.keccak import keccak256
from vermilion_ledger.evm.rlp import decode_rlp, encode_rlp
from vermilion_verify.blocks import load_block_hashes
from vermilion_verify.cli import main
from vermilion_verify.panel import open_panel
from vermilion_verify.rpc import RpcClient

FIRST, SECOND = 3, 4  # blocks with anchors; the contract and the log are in 1 and 2
HEAD, FINALIZED = 74, 10


@dataclass(frozen=True, kw_only=True)
class Ground:
    """A real chain with anchors, and a second endpoint that tells the same."""

    node: Chain
    anchored: AnchoredLog
    honest: str

    def hash_of(self, number: int) -> str:
        return str(self.node.rpc("eth_getBlockByNumber", hex(number), False)["hash"])

    def trust(self, *more: str, **changes: str) -> str:
        code = f'"0x{self.node.artifact.code_hash.hex()}"'
        table = self.anchored.scene.chain.table(
            **{"code_hash": code, "finality": '"finalized"'} | changes
        )
        return trust_toml([table, *more])


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    with start_chain() as node:
        anchored = AnchoredLog(node, (1, 2))
        node.mine(HEAD - SECOND)
        with relay(node.node.url) as honest:
            yield Ground(node=node, anchored=anchored, honest=honest)


@dataclass(frozen=True, kw_only=True)
class Auditor:
    """A folder, and the command run in it."""

    folder: Path
    ground: Ground
    capsys: pytest.CaptureFixture[str]

    @property
    def list(self) -> Path:
        return self.folder / "block-hashes.txt"

    def lay(self, name: str, content: bytes | str | EvidenceBundle) -> str:
        data = encode_json(content.to_json()) if isinstance(content, EvidenceBundle) else content
        path = self.folder / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return str(path)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        code = main(["headers", str(self.list), "--lang", "en", *arguments])
        captured = self.capsys.readouterr()
        return code, captured.out, captured.err

    def both(self, *arguments: str) -> tuple[int, str, str]:
        """Ask the node and its honest relay."""
        return self.run("--rpc", self.ground.node.node.url, "--rpc", self.ground.honest, *arguments)

    def refused(self, *arguments: str) -> tuple[int, str]:
        """Run, and return exit code and error code; nothing may have been written."""
        code, out, err = self.run(*arguments, "--json")
        assert sorted(path.name for path in self.folder.iterdir() if "hashes" in path.name) == []
        assert "next step: " in err
        assert "Traceback" not in err
        return code, json.loads(out)["error"]["code"]


@pytest.fixture
def auditor(tmp_path: Path, ground: Ground, capsys: pytest.CaptureFixture[str]) -> Auditor:
    return Auditor(folder=tmp_path, ground=ground, capsys=capsys)


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


# -- endpoints that lie


def altered(**changes: Any) -> Lie:
    """Tell a block with other members."""

    def lie(_: list[Any], block: Any) -> Any:
        return block | changes if block else block

    return lie


def without(name: str) -> Lie:
    return lambda _, block: {key: value for key, value in block.items() if key != name}


def say(value: Any) -> Lie:
    return lambda *_: value


def only_finalized(value: Any) -> Lie:
    """Lie about the finalized block alone."""
    return lambda params, block: value if params[0] == "finalized" else block


BLOCK = "eth_getBlockByNumber"


@pytest.mark.parametrize(
    ("method", "lie", "code"),
    [
        (BLOCK, altered(timestamp="0x1"), (1, "headers.wrong-hash")),
        (BLOCK, altered(hash="0x" + "00" * 32), (1, "headers.wrong-hash")),
        (BLOCK, altered(receiptsRoot="0x" + "00" * 32), (1, "headers.wrong-hash")),
        (BLOCK, altered(number="0x3e8"), (1, "headers.wrong-hash")),
        (BLOCK, altered(requestsHash=None), (1, "headers.wrong-hash")),
        (BLOCK, without("receiptsRoot"), (2, "rpc.answer")),
        (BLOCK, without("hash"), (2, "rpc.answer")),
        (BLOCK, altered(hash="0x00"), (2, "rpc.answer")),
        (BLOCK, altered(logsBloom="0xzz"), (2, "rpc.answer")),
        (BLOCK, altered(gasUsed=21000), (2, "rpc.answer")),
        (BLOCK, say([]), (2, "rpc.answer")),
        (BLOCK, say("0x3"), (2, "rpc.answer")),
        (BLOCK, only_finalized(None), (5, "headers.no-finality")),
        (BLOCK, only_finalized({"number": "0x2"}), (5, "headers.not-final")),
        (BLOCK, only_finalized({"number": None}), (2, "rpc.answer")),
        (BLOCK, lambda p, block: block if p[0] == "finalized" else None, (5, "headers.no-block")),
        ("eth_chainId", say("0x1"), (2, "headers.other-chain")),
        ("eth_chainId", say(None), (2, "rpc.answer")),
        ("eth_chainId", say(31337), (2, "rpc.answer")),
    ],
)
def test_a_lie_about_a_block_is_refused(
    auditor: Auditor, method: str, lie: Lie, code: tuple[int, str]
) -> None:
    with relay(auditor.ground.node.node.url, {method: lie}) as liar:
        for urls in ((auditor.ground.honest, liar), (liar, auditor.ground.honest)):
            options = [word for url in urls for word in ("--rpc", url)]
            assert auditor.refused("--block", "3", *options) == code


def test_another_block_in_place_of_the_one_asked_for_is_refused(auditor: Auditor) -> None:
    url = auditor.ground.node.node.url

    def older(params: list[Any], block: Any) -> Any:
        return call(url, BLOCK, "0x4", False) if params[0] == "0x3" else block

    with relay(url, {BLOCK: older}) as liar:
        found = auditor.refused("--block", "3", "--rpc", liar, "--rpc", auditor.ground.honest)

    assert found == (1, "headers.other-block")


def test_a_fork_is_refused(auditor: Auditor) -> None:
    """Two real nodes of one chain id whose histories differ."""
    with start_chain(timestamp=GENESIS_TIME + 1000) as fork:
        fork.mine(HEAD)
        urls = ("--rpc", fork.node.url, "--rpc", auditor.ground.node.node.url)

        assert auditor.refused("--block", "3", *urls) == (1, "headers.disagreement")
        assert auditor.refused("--block", "0-2", *urls) == (1, "headers.disagreement")


def test_a_real_node_of_another_chain_is_refused(auditor: Auditor) -> None:
    with AnvilNode(node_options(chain_id=1)) as other:
        urls = ("--rpc", auditor.ground.node.node.url, "--rpc", other.url)

        assert auditor.refused("--block", "0", *urls) == (2, "headers.other-chain")
        assert auditor.refused("--block", "0", "--chain", "1", *urls) == (2, "headers.other-chain")


def test_a_block_above_the_final_one_is_refused(auditor: Auditor) -> None:
    urls = ("--rpc", auditor.ground.node.node.url, "--rpc", auditor.ground.honest)

    for heights in (str(FINALIZED + 1), f"3-{FINALIZED + 1}", str(HEAD), str(10**14)):
        assert auditor.refused("--block", heights, *urls) == (5, "headers.not-final")
    assert auditor.both("--block", str(FINALIZED))[0] == 0


def test_a_node_behind_the_others_holds_back_what_is_final(auditor: Auditor) -> None:
    url = auditor.ground.node.node.url
    with relay(url, {"eth_blockNumber": say("0x4")}) as behind:
        options = ("--rpc", url, "--rpc", behind, "--confirmations", "2")
        assert auditor.refused("--block", "3", *options) == (5, "headers.not-final")
        assert auditor.run("--block", "2", *options)[0] == 0


@pytest.mark.parametrize(
    ("method", "lie", "code"),
    [
        ("eth_getCode", say("0x"), (1, "headers.other-code")),
        ("eth_getCode", say("0x6001"), (1, "headers.other-code")),
        ("eth_getCode", say("6001"), (2, "rpc.answer")),
        ("eth_getLogs", say([]), (1, "headers.disagreement")),
        ("eth_getLogs", lambda _, events: events[1:], (1, "headers.disagreement")),
        ("eth_getLogs", say([{"blockNumber": "0x5"}]), (1, "headers.disagreement")),
        ("eth_getLogs", say(None), (2, "rpc.answer")),
        ("eth_getLogs", say(["0x3"]), (2, "rpc.answer")),
        ("eth_getLogs", say([{}]), (2, "rpc.answer")),
    ],
)
def test_a_lie_about_anchors_is_refused(
    auditor: Auditor, method: str, lie: Lie, code: tuple[int, str]
) -> None:
    trust = auditor.lay("trust", auditor.ground.trust())
    with relay(auditor.ground.node.node.url, {method: lie}) as liar:
        urls = ("--rpc", auditor.ground.honest, "--rpc", liar)
        assert auditor.refused("--trust", trust, *urls) == code


def test_events_that_were_not_asked_for_are_refused(auditor: Auditor) -> None:
    trust = auditor.lay("trust", auditor.ground.trust())
    lies = {"eth_getLogs": say([{"blockNumber": "0x50"}])}
    with relay(auditor.ground.node.node.url, lies) as liar:
        options = ("--trust", trust, "--rpc", liar, "--single")
        assert auditor.refused(*options) == (2, "rpc.answer")


def test_heights_without_end_are_not_walked(auditor: Auditor) -> None:
    trust = auditor.lay("trust", auditor.ground.trust())
    far = only_finalized({"number": hex(10**9)})
    with relay(auditor.ground.node.node.url, {BLOCK: far}) as liar:
        options = ("--trust", trust, "--rpc", liar, "--single")
        assert auditor.refused(*options) == (2, "headers.too-many")


# -- endpoints that do not answer


def page(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    speak(handler, b"<!doctype html><title>Just a moment...</title>")


def halved(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    """Promise more than is sent."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    handler.wfile.write(b'{"jsonrpc":"2.0","id":1,"resu')
    handler.close_connection = True


def cut(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    """Send half of an answer as if it were a whole one."""
    speak(handler, b'{"jsonrpc":"2.0","id":1,"resu')


def limited(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    speak(handler, b'{"error":"too many requests"}', 429)


def refusing(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    speak(handler, b'{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no such method"}}')


@pytest.mark.parametrize(
    ("respond", "code"),
    [
        (page, (2, "rpc.answer")),
        (cut, (2, "rpc.answer")),
        (refusing, (2, "rpc.answer")),
        (halved, (5, "rpc.cut-short")),
        (limited, (5, "rpc.unreachable")),
    ],
)
def test_a_second_endpoint_that_gives_no_answer_is_refused(
    auditor: Auditor,
    respond: Callable[[BaseHTTPRequestHandler, bytes], None],
    code: tuple[int, str],
) -> None:
    with serving(respond) as odd:
        options = ("--rpc", auditor.ground.node.node.url, "--rpc", odd)
        assert auditor.refused("--block", "3", *options) == code


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://nobody.invalid"])
def test_an_endpoint_where_nobody_is_is_refused(auditor: Auditor, url: str) -> None:
    options = ("--rpc", auditor.ground.node.node.url, "--rpc", url)

    assert auditor.refused("--block", "3", *options) == (5, "rpc.unreachable")


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "http://[", "http://127.0.0.1:x"])
def test_an_address_that_is_none_is_refused(auditor: Auditor, url: str) -> None:
    options = ("--rpc", auditor.ground.node.node.url, "--rpc", url)

    assert auditor.refused("--block", "3", *options) == (2, "rpc.url")


def test_a_silent_endpoint_is_waited_for_once_and_named(ground: Ground) -> None:
    hold = threading.Event()
    with serving(lambda handler, _: speak(handler, b"{}" if hold.wait(30) else b"")) as silent:
        nodes = [RpcClient(ground.node.node.url), RpcClient(silent, timeout_seconds=0.3)]
        with pytest.raises(EvidenceError) as error:
            open_panel(nodes, rules=[parse_finality("finalized")])
        hold.set()

    assert error.value.code == "rpc.unreachable"
    assert nodes[1].name in error.value.message


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


def test_a_fork_with_fields_we_do_not_know_is_read_from_the_raw_header(auditor: Auditor) -> None:
    def longer(block: Any) -> bytes:
        fields = decode_rlp(encode_header(block), what="header")
        return encode_rlp((*fields, b"\x0a" * 32))

    def later(params: list[Any], block: Any) -> Any:
        if params[0] == "finalized":
            return block
        return block | {"newHash": "0x0a", "hash": "0x" + keccak256(longer(block)).hex()}

    url = auditor.ground.node.node.url
    raw = "0x" + longer(call(url, BLOCK, "0x3", False)).hex()
    lies = {BLOCK: later, "debug_getRawHeader": say(raw)}
    with ExitStack() as stack:
        both = [stack.enter_context(relay(url, lies)) for _ in range(2)]
        assert auditor.run("--block", "3", "--rpc", both[0], "--rpc", both[1])[0] == 0

    assert load_block_hashes([auditor.list])[31337, 3] == keccak256(bytes.fromhex(raw[2:]))


def test_a_bundle_that_cannot_be_read_is_refused(auditor: Auditor) -> None:
    paper = auditor.lay("paper", DOCUMENT_BYTES)

    assert auditor.refused("--bundle", paper) == (2, "json.malformed")
    assert auditor.refused("--bundle", f"{paper}-none") == (2, "bundle.missing")
    assert auditor.refused("--bundle", str(auditor.folder)) == (5, "bundle.unreadable")
