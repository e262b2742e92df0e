"""What a contract asks of an evidence bundle: the arguments of `ReleaseOnEvidence`.

``python examples/contract_arguments.py BUNDLE [SEQUENCE]`` prints them as JSON:
what names the entry in ``hold`` and, once it is anchored, what shows it in
``release``. ``SEQUENCE`` is the entry's place in its record, 0 by default: the
registration. Needs the base install alone.

The proof is checked here first. Everything else that a bundle claims is the
verifier's to judge, before any ether is sent: run `vermilion-verify`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vermilion_ledger.bundle import BundleEntry, EvidenceBundle, parse_bundle
from vermilion_ledger.commitment import commit, encode_entry, make_tag
from vermilion_ledger.errors import EvidenceError, NotFoundError
from vermilion_ledger.merkle import hash_leaf, verify_inclusion


def main(arguments: Sequence[str]) -> int:
    """Print the arguments for one bundle."""
    if not 1 <= len(arguments) <= 2:
        print("usage: contract_arguments.py BUNDLE [SEQUENCE]", file=sys.stderr)
        return 2
    try:
        bundle = parse_bundle(Path(arguments[0]).read_bytes())
        found = contract_arguments(bundle, int(arguments[1]) if len(arguments) == 2 else 0)
    except (EvidenceError, OSError, ValueError) as exc:
        print(exc, file=sys.stderr)
        return 1
    print(json.dumps(found, indent=2))
    return 0


def contract_arguments(bundle: EvidenceBundle, sequence: int = 0) -> Mapping[str, Any]:
    """Return what names and what shows an entry, as wire values.

    Raises:
        NotFoundError: The bundle has no entry at that place of its record.
        EvidenceError: The entry is not in the bundle's own checkpoint.
    """
    entry = next((each for each in bundle.entries if each.sequence == sequence), None)
    if entry is None:
        raise NotFoundError("record.unknown", f"the bundle has no entry {sequence}")
    checkpoint = bundle.signed_checkpoint.checkpoint
    commitment, tag = open_entry(bundle, entry)
    leaf_hash = hash_leaf(encode_entry(commitment, tag))
    verify_inclusion(leaf_hash, entry.index, checkpoint.size, entry.proof, checkpoint.root)
    return {
        "logs": [
            {"chainId": each.chain_id, "contract": wire(each.contract), "log": wire(each.log)}
            for each in bundle.anchors
        ],
        "commitment": wire(commitment),
        "tag": wire(tag),
        "leafHash": wire(leaf_hash),
        "index": entry.index,
        "size": checkpoint.size,  # release asks for the head's: another size, another proof
        "proof": [wire(node) for node in entry.proof],
    }


def open_entry(bundle: EvidenceBundle, entry: BundleEntry) -> tuple[bytes, bytes]:
    """Return commitment and tag of an entry (FORMATS section 5)."""
    commitment = commit(entry.salt, entry.envelope.hash)
    if bundle.record_key is not None:
        return commitment, make_tag(bundle.record_key, entry.sequence)
    assert entry.tag is not None  # noqa: S101 - a bundle without its key has the tags
    return commitment, entry.tag


def wire(value: bytes) -> str:
    """Return bytes as Ethereum tools take them."""
    return "0x" + value.hex()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
