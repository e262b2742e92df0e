"""What a verifier's tests trust: blocks of made-up chains, and trust policies as text.

Blocks have real headers and receipts tries, built by our own encoders;
everything is derived from numbers and names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from office import (
    INTAKE_PUBLIC,
    LOG_SEED,
    ORIGIN,
    POLICIES,
    POLICIES_KEY,
    REGISTRY,
    REGISTRY_KEY,
    ROOT,
    Log,
)
from vermilion_ledger.evm.keccak import keccak256
from vermilion_ledger.evm.receipt import ANCHORED_TOPIC, AnchorHints, AnchorReceipt
from vermilion_ledger.evm.rlp import Item, encode_integer, encode_rlp
from vermilion_ledger.evm.trie import EMPTY_TRIE_ROOT, build_ordered_trie
from vermilion_ledger.note import ED25519, VerifierKey
from vermilion_ledger.schemes import ed25519
from vermilion_ledger.statement import Seen
from vermilion_ledger.tree import root_at

START = 1_795_000_000  # seconds: 2026-11-18
CODE = b"\x60\x00\x60\x00"


@dataclass(kw_only=True)
class Chain:
    """Blocks that tests make up, with real tries; `hashes` is what is trusted of them."""

    chain_id: int = 31337
    contract: bytes = bytes(range(20))
    hashes: dict[tuple[int, int], bytes] = field(default_factory=dict)
    headers: dict[bytes, bytes] = field(default_factory=dict)

    @property
    def log(self) -> bytes:
        return hashlib.sha256(b"log on %d" % self.chain_id).digest()

    def block(self, number: int, *, receipts_root: bytes = EMPTY_TRIE_ROOT, time: int = 0) -> bytes:
        """Add a block and return its raw header."""
        fields: list[Item] = [
            hashlib.sha256(b"parent %d %d" % (self.chain_id, number)).digest(),
            b"\x02" * 32,
            b"\x03" * 20,
            b"\x04" * 32,
            b"\x05" * 32,
            receipts_root,
            bytes(256),
            b"",
            encode_integer(number),
            encode_integer(30_000_000),
            encode_integer(21_000),
            encode_integer(time or START + 12 * number),
            b"",
            b"\x06" * 32,
            bytes(8),
        ]
        header = encode_rlp(fields)
        self.hashes[self.chain_id, number] = keccak256(header)
        self.headers[keccak256(header)] = header
        return header

    def seen(self, number: int = 10) -> Seen:
        """Quote a block, making it if need be."""
        if (self.chain_id, number) not in self.hashes:
            self.block(number)
        return Seen(chain_id=self.chain_id, number=number, hash=self.hashes[self.chain_id, number])

    def anchor(
        self, log: Log, *, number: int, size: int | None = None, **changes: Any
    ) -> AnchorReceipt:
        """Put an anchor of the log into a block, between other transactions."""
        size = log.size if size is None else size
        root = root_at(size, log.read)
        event: Item = (self.contract, (ANCHORED_TOPIC, self.log), size.to_bytes(32, "big") + root)
        other: Item = (b"\x77" * 20, (), b"")
        receipts = [_receipt([other]), _receipt([other, event]), _receipt([])]
        trie = build_ordered_trie(receipts)
        made = AnchorReceipt(
            chain_id=self.chain_id,
            contract=self.contract,
            log=self.log,
            size=size,
            root=root,
            transaction_index=1,
            log_index=1,
            header=self.block(number, receipts_root=trie.root),
            receipt=receipts[1],
            receipt_proof=trie.prove(1),
            hints=AnchorHints(transaction=b"\x0a" * 32, finality="confirmations:3"),
        )
        return replace(made, **changes)

    def table(self, **changes: str) -> str:
        """The [[chain]] table of a trust policy."""
        members = {
            "id": str(self.chain_id),
            "contract": f'"0x{self.contract.hex()}"',
            "code_hash": f'"0x{keccak256(CODE).hex()}"',
            "log": f'"0x{self.log.hex()}"',
            "finality": '"confirmations:3"',
        } | changes
        return "[[chain]]\n" + "".join(f"{name} = {value}\n" for name, value in members.items())


def _receipt(logs: Sequence[Item]) -> bytes:
    return b"\x02" + encode_rlp((b"\x01", encode_integer(21_000), bytes(256), tuple(logs)))


def log_vkey(seed: bytes = LOG_SEED, name: str = ORIGIN, kind: int = ED25519) -> str:
    return VerifierKey(name=name, kind=kind, public=ed25519.public_key_of(seed)).encode()


def trust_toml(chains: Iterable[Chain | str], **changes: Any) -> str:
    """A trust policy as text; a change replaces one line's right side."""
    members: dict[str, Any] = {
        "version": "1",
        "origin": f'"{ORIGIN}"',
        "log_keys": f'[{{vkey = "{log_vkey()}", from = 0}}]',
        "intake": f'[{{key = "{INTAKE_PUBLIC.hex()}", from = 0}}]',
        "registry_record": f'"{REGISTRY}"',
        "registry_key": f'"{REGISTRY_KEY.hex()}"',
        "roots": f'["{ROOT.keyid}"]',
        "quorum": "1",
        "policies_record": f'"{POLICIES}"',
        "policies_key": f'"{POLICIES_KEY.hex()}"',
        "witness_quorum": "0",
        "witness_keys": "[]",
        "anchors": "1",
        "timestamps": "0",
        "max_age": '""',
        "rules": "[]",
        "more": "",
    }
    unknown = changes.keys() - members.keys()
    assert not unknown, unknown
    m = members | changes
    tables = "".join(each if isinstance(each, str) else each.table() for each in chains)
    return (
        f"version = {m['version']}\n"
        f"[log]\norigin = {m['origin']}\nkeys = {m['log_keys']}\nintake = {m['intake']}\n"
        f"[registry]\nrecord = {m['registry_record']}\nkey = {m['registry_key']}\n"
        f"roots = {m['roots']}\nquorum = {m['quorum']}\n"
        f"[policies]\nrecord = {m['policies_record']}\nkey = {m['policies_key']}\n"
        f"[witnesses]\nquorum = {m['witness_quorum']}\nkeys = {m['witness_keys']}\n"
        f"{tables}"
        f"[anchors]\nrequired = {m['anchors']}\n"
        f"[timestamps]\nrequired = {m['timestamps']}\n"
        f"[freshness]\nmax_age = {m['max_age']}\n"
        f"[approval]\nrequired = {m['rules']}\n"
        f"{m['more']}"
    )
