"""An auditor at a folder who collects block hashes from a real chain with anchors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from anchored_kit import AnchoredLog
from chain import Chain, start_chain
from loopback import relay
from trusted import trust_toml
from vermilion_ledger.bundle import EvidenceBundle
from vermilion_ledger.encoding import encode_json
from vermilion_verify.cli import main

__all__ = ["FINALIZED", "FIRST", "HEAD", "SECOND", "Auditor", "Ground", "make_ground"]

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


@contextmanager
def make_ground() -> Iterator[Ground]:
    """Run the chain and its honest relay until the block ends."""
    with start_chain() as node:
        anchored = AnchoredLog(node, (1, 2))
        node.mine(HEAD - SECOND)
        with relay(node.node.url) as honest:
            yield Ground(node=node, anchored=anchored, honest=honest)
