"""A real Anvil node on a free port, with the contract deployed and a log registered.

A helper of tests, not a test. Every chain is its own process with its own
state, so that tests may reorganise and drop what they like.
"""

from __future__ import annotations

import json
import os
import socket
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from vermilion_anchor.artifact import ContractArtifact, load_artifact
from vermilion_anchor.deploy import Deployment, deploy
from vermilion_anchor.evm import AccountSigner, EvmChain
from vermilion_anchor.fees import FeePolicy
from vermilion_anchor.node import AnvilNode, NodeOptions, find_anvil
from vermilion_ledger.anchor_rows import AnchorTarget
from vermilion_ledger.errors import NotFoundError
from vermilion_ledger.merkle import hash_leaf
from vermilion_ledger.tree import Frontier, Node, build_consistency, root_at

__all__ = [
    "GENESIS_TIME",
    "KEY",
    "ORIGIN",
    "OTHER_KEY",
    "AnvilNode",
    "Chain",
    "MemoryLog",
    "anvil_binary",
    "call",
    "fixed_clock",
    "free_port",
    "node_options",
    "put_contract",
    "start_chain",
]

ORIGIN = "ledger.example.gov/office-1"
KEY = b"\x42" * 32
OTHER_KEY = b"\x43" * 32
GENESIS_TIME = 1_800_000_000


class MemoryLog:
    """A published log of made-up entries; the same leaves in every process."""

    def __init__(self, size: int = 0, *, salt: bytes = b"") -> None:
        self._frontier = Frontier()
        self._nodes: dict[Node, bytes] = {}
        self._salt = salt
        self.grow(size)

    def grow(self, count: int) -> None:
        for _ in range(count):
            leaf = hash_leaf(self._salt + self._frontier.size.to_bytes(8, "big"))
            self._nodes.update(self._frontier.append(leaf))

    def newest(self) -> tuple[int, bytes] | None:
        size = self._frontier.size
        return (size, self._frontier.root()) if size else None

    def root_at(self, size: int) -> bytes:
        return root_at(size, self._read)

    def consistency(self, old_size: int, new_size: int) -> Sequence[bytes]:
        return build_consistency(old_size, new_size, self._read)

    def _read(self, nodes: Sequence[Node]) -> list[bytes]:
        return [self._nodes[node] for node in nodes]


@dataclass(frozen=True, kw_only=True)
class Chain:
    """A running chain and what is on it."""

    node: AnvilNode
    client: EvmChain
    signer: AccountSigner
    artifact: ContractArtifact
    deployment: Deployment

    @property
    def target(self) -> AnchorTarget:
        return AnchorTarget(
            chain_id=self.deployment.chain_id,
            contract=self.deployment.contract,
            log=self.deployment.log,
        )

    def rpc(self, method: str, *parameters: Any) -> Any:
        return call(self.node.url, method, *parameters)

    def mine(self, count: int = 1) -> None:
        self.rpc("anvil_mine", hex(count))

    def events(self) -> list[dict[str, Any]]:
        """Every Anchored event there ever was on the canonical chain."""
        query = {"fromBlock": "0x0", "address": "0x" + self.deployment.contract.hex()}
        query["topics"] = [None, "0x" + self.deployment.log.hex()]  # type: ignore[assignment]
        return [event for event in self.rpc("eth_getLogs", query) if len(event["data"]) == 130]


def call(url: str, method: str, *parameters: Any) -> Any:
    """Ask a node by plain JSON-RPC, not by the client under test."""
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=120) as response:
        answer = json.load(response)
    if "error" in answer:
        raise AssertionError(f"{method}: {answer['error']}")
    return answer["result"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def anvil_binary() -> Path:
    """The native binary; skips the test where it is not installed."""
    try:
        return find_anvil(os.environ, root=Path(__file__).parents[1])
    except NotFoundError as exc:
        pytest.skip(f"anvil is not installed: {exc}")


def node_options(**changes: Any) -> NodeOptions:
    """A node that mines one block per transaction and repeats its block hashes."""
    values: dict[str, Any] = {"block_time_seconds": None, "timestamp": GENESIS_TIME} | changes
    return NodeOptions(binary=anvil_binary(), port=values.pop("port", free_port()), **values)


def put_contract(node: AnvilNode, *, fees: FeePolicy | None = None) -> Chain:
    """Deploy the contract and register the log of `ORIGIN` on a running node."""
    artifact = load_artifact()
    client = EvmChain(node.url, artifact)
    signer = AccountSigner(KEY)
    deployment = deploy(client, signer, artifact, origin=ORIGIN, fees=fees or FeePolicy())
    return Chain(node=node, client=client, signer=signer, artifact=artifact, deployment=deployment)


@contextmanager
def start_chain(**options: Any) -> Iterator[Chain]:
    """Run a node with the contract and a registered log until the block ends."""
    with AnvilNode(node_options(**options)) as node:
        yield put_contract(node)


def fixed_clock() -> datetime:
    return datetime(2027, 1, 15, 8, 0, tzinfo=UTC)
