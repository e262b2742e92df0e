"""What one Ethereum node says of a block, as a standing.

Only used when the verifier's user names an endpoint. The node is asked for
its chain id, the code of the contract and the hash at a height; it is never
asked whether an anchor is good.
"""

from __future__ import annotations

from vermilion_ledger.errors import InputError, UnavailableError
from vermilion_ledger.evm.answers import parse_data, parse_quantity
from vermilion_ledger.evm.keccak import keccak256
from vermilion_verify.blocks import Standing
from vermilion_verify.policy import ChainTrust
from vermilion_verify.rpc import TIMEOUT_SECONDS, RpcClient

__all__ = ["RpcEndpoint"]


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

    def __init__(self, url: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._client = RpcClient(url, timeout_seconds=timeout_seconds)
        self._is_silent = False

    def judge(self, chain: ChainTrust, *, number: int, block_hash: bytes) -> Standing:
        """Return what the node says of a block.

        Another chain id, or a node that does not answer or not sensibly, is
        `UNKNOWN`. Other code at the contract's address contradicts the policy.
        """
        if self._is_silent:
            return Standing.UNKNOWN
        try:
            if self._client.chain_id() != chain.chain_id:
                return Standing.UNKNOWN
            if keccak256(self._client.code(chain.contract)) != chain.code_hash:
                return Standing.CONTRADICTED
            found = self._block(number)
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

    def _is_final(self, chain: ChainTrust, number: int) -> bool:
        if chain.finality.confirmations == 0:
            return True
        head, finalized = 0, None
        if chain.finality.confirmations is None:
            block = self._block("finalized")
            finalized = None if block is None else block[0]
        else:
            head = self._client.head()
        return chain.finality.final_height(head=head, finalized=finalized) >= number

    def _block(self, which: int | str) -> tuple[int, bytes] | None:
        block = self._client.block(which)
        if block is None:
            return None
        return (
            parse_quantity(block.get("number"), "number"),
            parse_data(block.get("hash"), "hash"),
        )
