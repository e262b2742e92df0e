"""`vermilion-verify headers` among endpoints that lie, or that give no answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from auditor_kit import FINALIZED, HEAD, Auditor, Ground
from chain import GENESIS_TIME, AnvilNode, call, node_options, start_chain
from loopback import Lie, relay, serving, speak
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.evm.answers import encode_header
from vermilion_ledger.evm.finality import parse_finality
from vermilion_ledger.evm.keccak import keccak256
from vermilion_ledger.evm.rlp import decode_rlp, encode_rlp
from vermilion_verify.blocks import load_block_hashes
from vermilion_verify.panel import open_panel
from vermilion_verify.rpc import RpcClient

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
