"""Deployment records: where the contract is on each chain, one file per chain id.

``<folder>/<chain id>.json``, as ``contracts/deployments/README.md`` describes
it. A record says where to look, and nothing is believed because it stands
there: whoever uses one compares the code on the chain with its hash.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from vermilion_ledger.encoding import check_members, parse_count, parse_json, parse_wire_hex
from vermilion_ledger.errors import ConflictError, InputError, UnavailableError

__all__ = ["DeploymentRecord", "load_deployment", "save_deployment"]

_FILE_SIZE_MAX = 4096  # bytes; a record has about 230
_MEMBERS = ("chainId", "contract", "codeHash", "block")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentRecord:
    """One deployment of `EvidenceAnchor`.

    Attributes:
        chain_id: EIP-155 chain id.
        contract: 20-byte address.
        code_hash: Keccak-256 of the runtime code.
        block: Height at which the contract was created, or seen first.
    """

    chain_id: int
    contract: bytes
    code_hash: bytes
    block: int

    def encode(self) -> bytes:
        """Return the bytes of the file."""
        value = {
            "chainId": self.chain_id,
            "contract": "0x" + self.contract.hex(),
            "codeHash": "0x" + self.code_hash.hex(),
            "block": self.block,
        }
        return (json.dumps(value, indent=2) + "\n").encode()


def load_deployment(folder: Path, chain_id: int) -> DeploymentRecord | None:
    """Read the record of a chain; None where there is none.

    Raises:
        InputError: The file is not such a record, or is that of another chain.
        UnavailableError: ``deployment.unusable``: there is no such folder, or the
            file cannot be read.
    """
    if not folder.is_dir():  # found out before anything is paid for
        raise UnavailableError("deployment.unusable", f"{folder} is no folder")
    path = folder / f"{chain_id}.json"
    try:
        with path.open("rb") as file:
            data = file.read(_FILE_SIZE_MAX + 1)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise UnavailableError("deployment.unusable", f"{path.name}: {exc.strerror}") from exc
    value = parse_json(data, size_max=_FILE_SIZE_MAX, what=path.name)
    members = check_members(value, required=_MEMBERS, what=path.name)
    record = DeploymentRecord(
        chain_id=parse_count(members["chainId"], what="chainId"),
        contract=parse_wire_hex(members["contract"], size=20, what="contract"),
        code_hash=parse_wire_hex(members["codeHash"], size=32, what="codeHash"),
        block=parse_count(members["block"], what="block"),
    )
    if record.chain_id != chain_id:
        raise InputError("deployment.other-chain", f"{path.name} is about {record.chain_id}")
    return record


def save_deployment(folder: Path, record: DeploymentRecord) -> None:
    """Write the record of a chain that has none yet; durable on return.

    Raises:
        ConflictError: ``deployment.exists``: a record is never overwritten.
        UnavailableError: ``deployment.unusable``: the folder cannot be written.
    """
    path = folder / f"{record.chain_id}.json"
    fresh = folder / f".{path.name}.{os.getpid()}.new"
    try:
        with fresh.open("wb") as file:
            file.write(record.encode())
            file.flush()
            os.fsync(file.fileno())
        os.link(fresh, path)  # unlike a rename, refuses a name that is taken
    except FileExistsError as exc:
        raise ConflictError("deployment.exists", f"{path.name} exists already") from exc
    except OSError as exc:
        # the address is told, since it was paid for and stands nowhere else
        raise UnavailableError(
            "deployment.unusable", f"{folder}: {exc.strerror}; not written: {record.encode()!r}"
        ) from exc
    finally:
        fresh.unlink(missing_ok=True)
