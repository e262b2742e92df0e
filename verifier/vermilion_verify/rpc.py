"""Asking an Ethereum node over HTTP, with nothing but the standard library.

Owns the transport of JSON-RPC (Ethereum execution API): an answer is bounded
in size and in time, read strictly, and believed in nothing. What to ask, and
what to make of it, is for `vermilion_verify.evm` and `vermilion_verify.panel`.
"""

from __future__ import annotations

import http.client
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urlsplit

from vermilion_ledger.encoding import parse_json
from vermilion_ledger.errors import InputError, UnavailableError
from vermilion_ledger.evm.answers import parse_data, parse_quantity

__all__ = ["TIMEOUT_SECONDS", "RpcClient"]

TIMEOUT_SECONDS = 10.0
_ANSWER_SIZE_MAX = 16 * 1024 * 1024  # bytes
_WITHOUT_TRANSACTIONS = False
_PORTS = {"http": 80, "https": 443}


class RpcClient:
    """One JSON-RPC endpoint; holds nothing but its address.

    Every question may raise `UnavailableError` (``rpc.unreachable``, or
    ``rpc.cut-short`` where an answer ends too early) and `InputError`
    (``rpc.answer``: a web page, a refusal, or anything else that is no answer
    to the question; ``rpc.url``: an address that nobody can take apart).

    Args:
        url: Its http or https address.
        timeout_seconds: For each answer as a whole, however slowly it drips.

    Raises:
        InputError: ``rpc.url``: the address is not http or https.
    """

    def __init__(self, url: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        if not url.startswith(("http://", "https://")):
            raise InputError("rpc.url", f"{url[:80]!a} is not an http address")
        self._url = url
        self._timeout = timeout_seconds
        self.name = _name_of(url)

    def chain_id(self) -> int:
        """Return the EIP-155 chain id."""
        return parse_quantity(self._call("eth_chainId"), "chain id")

    def head(self) -> int:
        """Return the height of the newest block."""
        return parse_quantity(self._call("eth_blockNumber"), "block number")

    def code(self, address: bytes) -> bytes:
        """Return the runtime code at an address; empty where there is none."""
        return parse_data(self._call("eth_getCode", "0x" + address.hex(), "latest"), "code")

    def block(self, which: int | str) -> Mapping[str, Any] | None:
        """Return the members of the block at a height or tag; None where there is none."""
        tag = which if isinstance(which, str) else hex(which)
        block = self._call("eth_getBlockByNumber", tag, _WITHOUT_TRANSACTIONS)
        if block is not None and not isinstance(block, dict):
            raise InputError("rpc.answer", "a block is not an object")
        return block

    def raw_header(self, block_hash: bytes) -> bytes:
        """Return the RLP of a header; many nodes refuse to give it."""
        return parse_data(self._call("debug_getRawHeader", "0x" + block_hash.hex()), "header")

    def event_blocks(
        self, address: bytes, topics: Sequence[bytes], *, first: int, last: int
    ) -> frozenset[int]:
        """Return the heights from ``first`` to ``last`` whose block has such an event."""
        query = {
            "address": "0x" + address.hex(),
            "topics": ["0x" + topic.hex() for topic in topics],
            "fromBlock": hex(first),
            "toBlock": hex(last),
        }
        events = self._call("eth_getLogs", query)
        if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
            raise InputError("rpc.answer", "the events are not a list of objects")
        return frozenset(parse_quantity(event.get("blockNumber"), "height") for event in events)

    def _call(self, method: str, *params: object) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        try:
            # Strict about depth before it recurses: a node is no more trusted than a bundle.
            answer = parse_json(
                self._post(body.encode()), size_max=_ANSWER_SIZE_MAX - 1, what="the answer"
            )
        except http.client.IncompleteRead as exc:
            raise UnavailableError("rpc.cut-short", f"{self.name} breaks off its answer") from exc
        except http.client.InvalidURL as exc:
            raise InputError("rpc.url", f"{self.name} is not an http address") from exc
        except (OSError, http.client.HTTPException) as exc:
            raise UnavailableError("rpc.unreachable", f"{self.name} does not answer") from exc
        except InputError as exc:
            raise InputError("rpc.answer", exc.message) from exc
        except ValueError as exc:  # an address that urllib cannot take apart
            raise InputError("rpc.url", f"{self.name} is not an http address") from exc
        if not isinstance(answer, dict) or "result" not in answer:
            raise InputError("rpc.answer", f"it refuses {method}")
        return answer["result"]

    def _post(self, body: bytes) -> bytes:
        """Return the answer's bytes, or one byte too many of them.

        Asked from a thread of its own: a socket's timeout starts anew with
        every byte, and name servers have none at all.
        """
        answers: SimpleQueue[bytes | Exception] = SimpleQueue()

        def ask() -> None:
            try:
                request = urllib.request.Request(  # noqa: S310 - the scheme was checked
                    self._url, data=body, headers={"Content-Type": "application/json"}
                )
                with urllib.request.urlopen(request, timeout=self._timeout) as response:  # noqa: S310
                    answers.put(_read(response))
            except urllib.error.HTTPError as exc:  # holds the connection until it is closed
                exc.close()
                answers.put(exc)
            except Exception as exc:  # noqa: BLE001 - handed to the asking thread, which raises it
                answers.put(exc)

        threading.Thread(target=ask, name="rpc", daemon=True).start()
        try:
            answer = answers.get(timeout=self._timeout)
        except Empty as exc:
            raise TimeoutError from exc
        if isinstance(answer, Exception):
            raise answer
        return answer


def _read(response: Any) -> bytes:
    """Return the body; `http.client` lets one pass that is shorter than it was said to be."""
    body: bytes = response.read(_ANSWER_SIZE_MAX)
    if response.length and len(body) < _ANSWER_SIZE_MAX:
        raise http.client.IncompleteRead(body, response.length)
    return body


def _name_of(url: str) -> str:
    """Return host and port: the rest of an address may hold a secret."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
    except ValueError:
        return "an address that cannot be read"
    host = parts.hostname or ""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
