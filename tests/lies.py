"""Every kind of lie that an endpoint tells in the tests, by its name. Not a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lying_rpc import (
    Change,
    Lie,
    Question,
    answer,
    bomb,
    busy,
    drip,
    elsewhere,
    flood,
    half,
    members,
    raw,
    reset,
    say,
    silence,
    text,
)
from vermilion_ledger.evm.answers import encode_header
from vermilion_ledger.evm.keccak import keccak256

__all__ = ["LIES"]

_HUGE = 10**400


def _forged(block: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a block that never was, with the hash that it would have."""
    other = block | changes
    return other | {"hash": "0x" + keccak256(encode_header(other)).hex()}


def _hash(seed: int) -> str:
    return "0x" + bytes([seed] * 32).hex()


def _about_height(change: Callable[[Question], Any]) -> Change:
    """Lie about blocks by their height alone."""
    return lambda asked: change(asked) if asked.params[0][:2] == "0x" else asked.result


def _about_tag(change: Callable[[Question], Any]) -> Change:
    return lambda asked: asked.result if asked.params[0][:2] == "0x" else change(asked)


def _fake_receipt(asked: Question) -> Any:
    block = asked.ask("eth_getBlockByNumber", "latest", False)
    known = asked.ask("eth_getBlockReceipts", "0x1")[0]
    return known | {
        "transactionHash": asked.params[0],
        "blockHash": block["hash"],
        "blockNumber": block["number"],
        "status": "0x1",
    }


def _other_head(*, growth: int, root: str) -> Change:
    def change(asked: Question) -> str:
        size = int(asked.result[2:66], 16)
        return f"0x{max(size + growth, 0):064x}{root or asked.result[66:130]}{asked.result[130:]}"

    return change


def _each(**changes: Any) -> Change:
    """Change members of each object of a list."""
    return lambda asked: [each | changes for each in asked.result]


def _flipped(text: str) -> str:
    return text[:-1] + ("0" if text[-1] != "0" else "1")


def _ahead(asked: Question) -> Any:
    number = hex(int(asked.result["number"], 16) + 1000)
    return _forged(asked.result, number=number)


def _fees(base_fee: str) -> Change:
    return lambda asked: (
        asked.result
        | {
            "baseFeePerGas": [base_fee] * len(asked.result["baseFeePerGas"]),
            "reward": [[base_fee]] * len(asked.result["reward"]),
        }
    )


_REVERT = {"error": {"code": 3, "message": "execution reverted", "data": "0x12345678"}}
_BLOCK, _RECEIPT, _RECEIPTS = (
    ("eth_getBlockByNumber",),
    ("eth_getTransactionReceipt",),
    ("eth_getBlockReceipts",),
)
_NUMBERS = ("eth_blockNumber", "eth_getTransactionCount", "eth_estimateGas", "eth_getBalance")
_CALL = ("eth_call",)
_COUNT = ("eth_getTransactionCount",)
_SEND = ("eth_sendRawTransaction",)

LIES: dict[str, Lie] = {
    # --- receipts and events ---
    "fake receipt": Lie(methods=_RECEIPT, tell=say(_fake_receipt)),
    "receipt of another transaction": Lie(
        methods=_RECEIPT, tell=say(lambda asked: asked.ask("eth_getBlockReceipts", "0x1")[0])
    ),
    "status flipped": Lie(
        methods=_RECEIPT, tell=say(lambda asked: asked.result and asked.result | {"status": "0x0"})
    ),
    "receipt in another place": Lie(
        methods=_RECEIPT,
        tell=say(lambda asked: asked.result and asked.result | {"transactionIndex": "0x7"}),
    ),
    "receipt of no block": Lie(
        methods=_RECEIPT,
        tell=say(lambda asked: asked.result and asked.result | {"blockHash": _hash(7)}),
    ),
    "missing log": Lie(methods=("eth_getLogs",), tell=say(lambda _: [])),
    "foreign log": Lie(methods=("eth_getLogs",), tell=say(_each(address="0x" + "17" * 20))),
    "log of another tree": Lie(methods=("eth_getLogs",), tell=say(_each(data="0x" + "17" * 64))),
    "log of another block": Lie(methods=("eth_getLogs",), tell=say(_each(blockHash=_hash(9)))),
    "log of another transaction": Lie(
        methods=("eth_getLogs",), tell=say(_each(transactionHash=_hash(9)))
    ),
    "reordered receipts": Lie(methods=_RECEIPTS, tell=say(lambda asked: asked.result[::-1])),
    "dropped receipt": Lie(methods=_RECEIPTS, tell=say(lambda asked: asked.result[1:])),
    "doubled receipt": Lie(
        methods=_RECEIPTS, tell=say(lambda asked: asked.result + asked.result[:1])
    ),
    "receipts of another block": Lie(
        methods=_RECEIPTS, tell=say(lambda asked: asked.ask("eth_getBlockReceipts", "0x1"))
    ),
    "receipts with other gas": Lie(methods=_RECEIPTS, tell=say(_each(cumulativeGasUsed="0x1"))),
    "receipts of an odd type": Lie(methods=_RECEIPTS, tell=say(_each(type="0xfff"))),
    "receipts with text for events": Lie(methods=_RECEIPTS, tell=say(_each(logs="logs"))),
    # --- the contract and the chain ---
    "old head": Lie(methods=_CALL, tell=say(_other_head(growth=-(10**6), root="00" * 32))),
    "higher head": Lie(methods=_CALL, tell=say(_other_head(growth=1000, root=""))),
    "head of another tree": Lie(methods=_CALL, tell=say(_other_head(growth=0, root="17" * 32))),
    "half a head": Lie(methods=_CALL, tell=say(lambda asked: asked.result[:130])),
    "head beyond any number": Lie(methods=_CALL, tell=say(lambda _: "0x" + "ff" * 128)),
    "wrong chain id": Lie(methods=("eth_chainId",), tell=say(lambda _: "0x1")),
    "wrong code": Lie(methods=("eth_getCode",), tell=say(lambda asked: _flipped(asked.result))),
    "no code": Lie(methods=("eth_getCode",), tell=say(lambda _: "0x")),
    "other genesis": Lie(
        methods=_BLOCK,
        tell=say(
            lambda asked: (
                _forged(asked.result, extraData="0x17")
                if asked.params[0] == "0x0"
                else asked.result
            )
        ),
    ),
    # --- blocks ---
    "wrong header field": Lie(
        methods=_BLOCK,
        tell=say(_about_height(lambda asked: asked.result and asked.result | {"timestamp": "0x1"})),
    ),
    "forged block": Lie(
        methods=_BLOCK,
        tell=say(
            lambda asked: (
                _forged(asked.result, receiptsRoot=_hash(1))
                if asked.params[0] not in {"0x0", "latest"} and asked.result
                else asked.result
            )
        ),
        waits=True,
    ),
    "forged block beyond any time": Lie(
        methods=_BLOCK,
        tell=say(lambda asked: _forged(asked.result, timestamp="0x" + "f" * 64)),
    ),
    "header of another block": Lie(
        methods=_BLOCK,
        tell=say(_about_height(lambda asked: asked.ask("eth_getBlockByNumber", "0x1", False))),
    ),
    "no block": Lie(methods=_BLOCK, tell=say(_about_height(lambda _: None))),
    "old newest block": Lie(
        methods=(*_BLOCK, "eth_blockNumber"),
        tell=say(
            lambda asked: (
                "0x1"
                if asked.method == "eth_blockNumber"
                else _about_tag(lambda each: each.ask("eth_getBlockByNumber", "0x1", False))(asked)
            )
        ),
    ),
    "newest block ahead": Lie(methods=_BLOCK, tell=say(_about_tag(_ahead))),
    "height ahead": Lie(methods=("eth_blockNumber",), tell=say(lambda _: "0xffffff")),
    "stale finalized": Lie(
        methods=_BLOCK,
        tell=say(_about_tag(lambda asked: asked.ask("eth_getBlockByNumber", "0x0", False))),
        finality="finalized",
    ),
    "finalized ahead": Lie(methods=_BLOCK, tell=say(_about_tag(_ahead)), finality="finalized"),
    "nothing finalized": Lie(
        methods=_BLOCK, tell=say(_about_tag(lambda _: None)), finality="finalized"
    ),
    # --- accounts, fees and transactions ---
    "nonce too low": Lie(methods=_COUNT, tell=say(lambda _: "0x0")),
    "nonce too high": Lie(
        methods=_COUNT,
        tell=say(lambda asked: hex(int(asked.result, 16) + 5)),
    ),
    "no balance": Lie(methods=("eth_getBalance",), tell=say(lambda _: "0x0")),
    "fees of 2^256-1": Lie(methods=("eth_feeHistory",), tell=say(_fees(hex(2**256 - 1)))),
    "fees of nothing": Lie(methods=("eth_feeHistory",), tell=say(_fees("0x0"))),
    "fees of text": Lie(methods=("eth_feeHistory",), tell=say(_fees("dear"))),
    "gas of 2^52": Lie(methods=("eth_estimateGas",), tell=say(lambda _: hex(2**52))),
    "gas of 1": Lie(methods=("eth_estimateGas",), tell=say(lambda _: "0x1")),
    "would revert": Lie(methods=("eth_estimateGas",), tell=answer(lambda _: _REVERT)),
    "accepted and dropped": Lie(methods=_SEND, tell=say(lambda _: _hash(3)), is_swallowed=True),
    "already known, never sent": Lie(
        methods=_SEND,
        tell=answer(lambda _: {"error": {"code": -32000, "message": "already known\x1b[2J"}}),
        is_swallowed=True,
    ),
    "kept waiting for ever": Lie(
        methods=(*_SEND, "eth_getTransactionByHash"),
        tell=say(lambda asked: {"hash": asked.params[0], "blockHash": None}),
        is_swallowed=True,
    ),
    # --- JSON-RPC ---
    "wrong id": Lie(tell=answer(lambda asked: {"id": asked.id + 1, "result": asked.result})),
    "result and error": Lie(
        tell=answer(lambda asked: {"result": asked.result or 1, "error": {"code": 1}})
    ),
    "neither result nor error": Lie(tell=answer(lambda _: {})),
    "an error to everything": Lie(tell=answer(lambda _: {"error": {"code": -32005}})),
    "null for everything": Lie(tell=say(lambda _: None)),
    "a list where an object is due": Lie(
        methods=(*_BLOCK, *_RECEIPT), tell=say(lambda asked: [asked.result])
    ),
    "an object where a list is due": Lie(
        methods=("eth_getLogs", *_RECEIPTS), tell=say(lambda asked: {"0": asked.result})
    ),
    "negative quantities": Lie(methods=_NUMBERS, tell=say(lambda _: "-0x1")),
    "quantities of 10^400": Lie(methods=_NUMBERS, tell=say(lambda _: hex(_HUGE))),
    "numbers of 10^400": Lie(methods=_NUMBERS, tell=say(lambda _: _HUGE)),
    "numbers of 5,000 digits": Lie(methods=_NUMBERS, tell=text("9" * 5000)),
    "not a number": Lie(methods=_NUMBERS, tell=text("NaN")),
    "doubled names": Lie(methods=_BLOCK, tell=text('{"number": "0x1", "number": "0x2"}')),
    "deep nesting": Lie(methods=_BLOCK, tell=text("[" * 100_000)),
    # --- HTTP ---
    "a web page": Lie(tell=raw(b"<html>login</html>")),
    "a web page of an error": Lie(tell=raw(b"<html>bad gateway</html>", 502)),
    "half an answer": Lie(tell=half),
    "an empty answer": Lie(tell=raw(b"")),
    "bytes that are no text": Lie(tell=raw(b"\xff\xfe\x00{}")),
    "silence": Lie(tell=silence, timeout_seconds=0.2),
    "drop by drop": Lie(tell=drip, timeout_seconds=0.2),
    "connection reset": Lie(tell=reset),
    "200 MB": Lie(methods=_BLOCK, tell=flood),
    "four million members": Lie(methods=_BLOCK, tell=members),
    "packed answer": Lie(tell=bomb),
    "redirection": Lie(tell=elsewhere),
    "too many requests": Lie(tell=busy),
}
