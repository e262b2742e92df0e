"""The compiled contract that ships with this package: ABI, code and code hash."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from vermilion_ledger.errors import IntegrityError
from vermilion_ledger.evm.keccak import keccak256

__all__ = ["ContractArtifact", "load_artifact"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractArtifact:
    """What the compiler made of `EvidenceAnchor`.

    Attributes:
        abi: As web3.py takes it.
        creation_code: Data of the deploying transaction.
        runtime_code: Code found on chain afterwards; it has no immutables, so
            every deployment has exactly these bytes.
        code_hash: Keccak-256 of ``runtime_code``.
    """

    abi: Sequence[Mapping[str, Any]]
    creation_code: bytes
    runtime_code: bytes
    code_hash: bytes


def load_artifact() -> ContractArtifact:
    """Read the artifact from the package.

    Raises:
        IntegrityError: The file contradicts itself: the installation is damaged.
    """
    text = (files("vermilion_anchor") / "abi" / "EvidenceAnchor.json").read_text("utf-8")
    artifact = json.loads(text)
    runtime_code = bytes.fromhex(artifact["deployedBytecode"][2:])
    code_hash = keccak256(runtime_code)
    if artifact["codeHash"] != "0x" + code_hash.hex():
        raise IntegrityError(
            "chain.artifact", f"the artifact says {artifact['codeHash']}, has 0x{code_hash.hex()}"
        )
    return ContractArtifact(
        abi=artifact["abi"],
        creation_code=bytes.fromhex(artifact["bytecode"][2:]),
        runtime_code=runtime_code,
        code_hash=code_hash,
    )
