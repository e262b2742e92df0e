"""Asking an Ethereum node, with nothing but the standard library.

Only used when the verifier's user names an endpoint. The node is asked for
its chain id, the code of the contract and the hash at a height; it is never
asked whether an anchor is good.
"""

from __future__ import annotations

import http.client
import json
import threading
import urllib.error
import urllib.request
from queue import Empty, SimpleQueue
from typing import Any

from vermilion_ledger.encoding import parse_json
from vermilion_ledger.errors import InputError, UnavailableError
from vermilion_ledger.evm.keccak import keccak256
from vermilion_verify.blocks import Standing
from vermilion_verify.policy import ChainTrust

__all__ = ["RpcEndpoint"]

_ANSWER_SIZE_MAX = 16 * 1024 * 1024  # bytes
_TIMEOUT_SECONDS = 10.0
_WITHOUT_TRANSACTIONS = False


class RpcEndpoint:
    """One JSON-RPC endpoint (Ethereum execution API over HTTP), for one verification.

    A node that was silent once is not asked again: a bundle may quote more
    blocks than anybody would wait for.

    Args:
        url: Its http or https address.
        timeout_seconds: For each answer as a whole, however slowly it drips.

    Raises:
        InputError: The address is not http or https.
    """

    def __init__(self, url: str, *, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        if not url.startswith(("http://", "https://")):
            raise InputError("rpc.url", f"{url[:80]!a} is not an http address")
        self._url = url
        self._timeout = timeout_seconds
        self._is_silent = False

    def judge(self, chain: ChainTrust, *, number: int, block_hash: bytes) -> Standing:
        """Return what the node says of a block.

        Another chain id, or a node that does not answer or not sensibly, is
        `UNKNOWN`. Other code at the contract's address contradicts the policy.
        """
        if self._is_silent:
            return Standing.UNKNOWN
        try:
            if _quantity(self._call("eth_chainId")) != chain.chain_id:
                return Standing.UNKNOWN
            if not self._has_code(chain):
                return Standing.CONTRADICTED
            found = self._block(hex(number))
            if found is None or found[0] != number:
                return Standing.UNKNOWN
            if found[1] != block_hash:
                return Standing.CONTRADICTED
            return Standing.FINAL if self._is_final(chain, number) else Standing.CANONICAL
        except UnavailableError:
            self._is_silent = True
            return Standing.UNKNOWN
        except InputError:
            return Standing.UNKNOWN

    def _has_code(self, chain: ChainTrust) -> bool:
        code = self._call("eth_getCode", "0x" + chain.contract.hex(), "latest")
        return keccak256(_data(code)) == chain.code_hash

    def _is_final(self, chain: ChainTrust, number: int) -> bool:
        if chain.finality.confirmations == 0:
            return True
        head, finalized = 0, None
        if chain.finality.confirmations is None:
            block = self._block("finalized")
            finalized = None if block is None else block[0]
        else:
            head = _quantity(self._call("eth_blockNumber"))
        return chain.finality.final_height(head=head, finalized=finalized) >= number

    def _block(self, which: str) -> tuple[int, bytes] | None:
        block = self._call("eth_getBlockByNumber", which, _WITHOUT_TRANSACTIONS)
        if block is None:
            return None
        if not isinstance(block, dict):
            raise InputError("rpc.answer", "a block is not an object")
        return _quantity(block.get("number")), _data(block.get("hash"))

    def _call(self, method: str, *params: object) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        try:
            # Strict about depth before it recurses: a node is no more trusted than a bundle.
            answer = parse_json(
                self._post(body.encode()), size_max=_ANSWER_SIZE_MAX - 1, what="answer"
            )
        except (OSError, http.client.HTTPException) as exc:
            raise UnavailableError("rpc.unreachable", f"{self._url} does not answer") from exc
        except InputError as exc:
            raise InputError("rpc.answer", f"{self._url}: {exc.message}") from exc
        except ValueError as exc:  # an address that urllib cannot take apart
            raise InputError("rpc.url", f"{self._url[:80]!a} is not an http address") from exc
        if not isinstance(answer, dict) or "result" not in answer:
            raise InputError("rpc.answer", f"{self._url} refuses {method}")
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
                    answers.put(response.read(_ANSWER_SIZE_MAX))
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


def _quantity(value: object) -> int:
    """Read a number; one of more than 256 bits is none."""
    if not isinstance(value, str) or not value.startswith("0x") or not 3 <= len(value) <= 66:
        raise InputError("rpc.answer", "not a quantity")
    try:
        return int.from_bytes(bytes.fromhex(value[2:].zfill(64)), "big")
    except ValueError as exc:
        raise InputError("rpc.answer", "not a quantity") from exc


def _data(value: object) -> bytes:
    if not isinstance(value, str) or not value.startswith("0x"):
        raise InputError("rpc.answer", "not data")
    try:
        return bytes.fromhex(value[2:])
    except ValueError as exc:
        raise InputError("rpc.answer", "not data") from exc
