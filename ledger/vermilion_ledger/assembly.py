"""Building evidence bundles and the registry file from stored rows.

FORMATS sections 5 and 10. Pure: rows and proofs come in through
`BundleSource`, the signed bundle goes out. What a verifier will look for is
put in, and nothing else: a header that nobody quotes would spoil a bundle.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from vermilion_ledger.anchor_rows import FinalAnchor
from vermilion_ledger.bundle import BundleEntry, Closing, EvidenceBundle, closing_message
from vermilion_ledger.checkpoint import parse_checkpoint_unverified
from vermilion_ledger.commitment import make_tag
from vermilion_ledger.encoding import encode_json, parse_json
from vermilion_ledger.errors import NotFoundError
from vermilion_ledger.evm.header import parse_header
from vermilion_ledger.evm.receipt import AnchorReceipt, parse_anchor_receipt
from vermilion_ledger.involved import find_involved
from vermilion_ledger.limits import BUNDLE_SIZE_MAX
from vermilion_ledger.logged import LoggedEnvelope
from vermilion_ledger.records import make_history
from vermilion_ledger.rows import CheckpointRow, RecordRow
from vermilion_ledger.schemes import ed25519

__all__ = [
    "ANCHOR_COUNT_MAX",
    "BundleSource",
    "OpenEntry",
    "Selection",
    "assemble_bundle",
    "encode_registry",
    "select_anchor_sizes",
    "select_events",
]

ANCHOR_COUNT_MAX = 64  # anchors in one bundle, all chains together
_REGISTRY_TYPE = "application/vnd.vermilion.registry.v1+json"


class BundleSource(Protocol):
    """What assembling asks of the log and of the chain's journal."""

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """Return the RFC 9162 inclusion proof of an entry in a tree size."""
        ...

    def consistency(self, old_size: int, new_size: int) -> tuple[bytes, ...]:
        """Return the RFC 9162 consistency proof between two tree sizes."""
        ...

    def header(self, chain_id: int, block_hash: bytes) -> bytes | None:
        """Return the raw header of a block that a statement quotes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenEntry:
    """A stored entry at its place, with the salt that opens its commitment."""

    logged: LoggedEnvelope
    salt: bytes

    @property
    def index(self) -> int:
        """Leaf index in the log."""
        return self.logged.index


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Everything that goes into one bundle, below the size of its checkpoint."""

    entries: tuple[OpenEntry, ...]
    keys: tuple[OpenEntry, ...]
    policies: tuple[OpenEntry, ...]

    def indices(self) -> tuple[int, ...]:
        """Return the leaf indices of all entries."""
        return tuple(entry.index for entry in (*self.entries, *self.keys, *self.policies))


def select_events(
    entries: Sequence[OpenEntry],
    key_events: Sequence[OpenEntry],
    policy_events: Sequence[OpenEntry],
    *,
    size: int,
) -> Selection:
    """Return what belongs into the bundle of a record at a tree size.

    Of the policy record every event about the policy that the record names;
    of the key record those that `vermilion_ledger.involved` finds for the signers.

    Args:
        entries: All entries of the record in order.
        key_events: All entries of the key record.
        policy_events: All entries of the policy record.
        size: Tree size of the bundle's checkpoint.

    Raises:
        NotFoundError: The record's first entry is not below that size.
    """
    inside = tuple(entry for entry in entries if entry.index < size)
    if not inside:
        raise NotFoundError("record.not-in-checkpoint", f"no entry of it is below size {size}")
    named = inside[0].logged.statement.detail.get("policy")
    policies = tuple(
        event
        for event in policy_events
        if event.index < size and event.logged.statement.subject.sha256.hex() == named
    )
    below = [event for event in key_events if event.index < size]
    signers = {keyid for user in (*inside, *policies) for keyid in user.logged.signers}
    involved = {event.index for event in find_involved([e.logged for e in below], signers)}
    keys = tuple(event for event in below if event.index in involved)
    return Selection(entries=inside, keys=keys, policies=policies)


def select_anchor_sizes(
    sizes: Sequence[int], indices: Iterable[int], *, count_max: int
) -> tuple[int, ...]:
    """Return the tree sizes whose anchors of one chain go into a bundle.

    The newest one, as it covers most; for each entry the earliest anchor that
    covers it, as it tells most about the time; and, while there is room, the
    others that cover anything, newest first: a bundle keeps the anchors that
    an earlier bundle of the record had (FORMATS section 10).

    Args:
        sizes: Tree sizes with a final anchor, none above the checkpoint's.
        indices: Leaf indices of the bundle's entries.
        count_max: Bound on the number of sizes.

    >>> select_anchor_sizes([2, 4, 6, 8, 10], [3, 5], count_max=64)
    (4, 6, 8, 10)
    >>> select_anchor_sizes([2, 4, 6, 8, 10], [1, 5], count_max=3)
    (2, 6, 10)
    """
    places = sorted(set(indices))
    ordered = [size for size in sorted(set(sizes)) if places and size > places[0]]
    earliest = [
        ordered[place]
        for index in places
        if (place := bisect.bisect_right(ordered, index)) < len(ordered)
    ]
    wanted = dict.fromkeys((*ordered[-1:], *earliest, *reversed(ordered)))
    return tuple(sorted(list(wanted)[:count_max]))


def assemble_bundle(
    record: RecordRow,
    selection: Selection,
    checkpoint: CheckpointRow,
    *,
    anchors: Sequence[FinalAnchor],
    source: BundleSource,
    intake_seed: bytes,
    timestamps: Sequence[bytes] = (),
    withhold_key: bool = False,
) -> EvidenceBundle:
    """Return the signed bundle of a record under a checkpoint.

    Args:
        record: Whose bundle it is.
        selection: From `select_events`, at the checkpoint's size.
        checkpoint: The published checkpoint.
        anchors: Final anchors with a size of at most the checkpoint's.
        source: Where proofs and headers come from.
        intake_seed: Ed25519 seed of an intake key, which signs the closing.
        timestamps: Tokens over this very checkpoint.
        withhold_key: Leave the record key out, so that whoever gets the
            bundle cannot follow the record in the log.

    Raises:
        NotFoundError: The header of a quoted block is not at hand.
        LimitError: The bundle would be larger than 8 MiB.
    """
    size = checkpoint.size
    history = make_history([entry.logged for entry in selection.entries])
    unsigned = EvidenceBundle(
        record_id=record.record_id,
        record_key=None if withhold_key else record.record_key,
        note=checkpoint.note,
        signed_checkpoint=parse_checkpoint_unverified(checkpoint.note.encode()),
        closing=Closing(
            entries=len(selection.entries),
            digest=history.current_digest(),
            status=history.closing_status(),
            sig=bytes(64),
        ),
        entries=tuple(
            _bundle_entry(
                entry,
                source.inclusion(entry.index, size),
                tag=make_tag(record.record_key, entry.logged.sequence) if withhold_key else None,
            )
            for entry in selection.entries
        ),
        keys=_bundle_entries(selection.keys, source, size),
        policies=_bundle_entries(selection.policies, source, size),
        anchors=_anchor_receipts(anchors, source, size),
        headers=_headers(selection, source),
        timestamps=tuple(dict.fromkeys(timestamps)),
    )
    sig = ed25519.sign(intake_seed, closing_message(unsigned))
    return replace(unsigned, closing=replace(unsigned.closing, sig=sig))


def encode_registry(key_events: Sequence[OpenEntry], policy_events: Sequence[OpenEntry]) -> bytes:
    """Return the registry file: all entries of the two public records."""
    return encode_json(
        {
            "mediaType": _REGISTRY_TYPE,
            "keys": [_registry_entry(event) for event in key_events],
            "policies": [_registry_entry(event) for event in policy_events],
        }
    )


def _registry_entry(event: OpenEntry) -> dict[str, object]:
    return {
        "sequence": event.logged.sequence,
        "index": event.index,
        "salt": event.salt.hex(),
        "envelope": event.logged.envelope.to_json(),
    }


def _bundle_entry(
    entry: OpenEntry, proof: tuple[bytes, ...], *, tag: bytes | None = None
) -> BundleEntry:
    return BundleEntry(
        sequence=entry.logged.sequence,
        index=entry.index,
        salt=entry.salt,
        envelope=entry.logged.envelope,
        proof=proof,
        tag=tag,
    )


def _bundle_entries(
    entries: Sequence[OpenEntry], source: BundleSource, size: int
) -> tuple[BundleEntry, ...]:
    return tuple(_bundle_entry(entry, source.inclusion(entry.index, size)) for entry in entries)


def _anchor_receipts(
    anchors: Sequence[FinalAnchor], source: BundleSource, size: int
) -> tuple[AnchorReceipt, ...]:
    receipts = []
    for anchor in sorted(anchors, key=_anchor_order):
        value = parse_json(anchor.receipt, size_max=BUNDLE_SIZE_MAX, what="anchor receipt")
        receipt = parse_anchor_receipt(value)
        if anchor.size < size:
            receipt = replace(receipt, consistency=source.consistency(anchor.size, size))
        receipts.append(receipt)
    return tuple(receipts)


def _anchor_order(anchor: FinalAnchor) -> tuple[int, int, int, int]:
    return (
        anchor.target.chain_id,
        anchor.block_number,
        anchor.transaction_index,
        anchor.log_index,
    )


def _headers(selection: Selection, source: BundleSource) -> tuple[bytes, ...]:
    quoted = {
        (seen.chain_id, seen.hash)
        for entry in (*selection.entries, *selection.keys, *selection.policies)
        if (seen := entry.logged.statement.seen) is not None
    }
    headers: dict[bytes, bytes] = {}
    for chain_id, block_hash in quoted:
        header = source.header(chain_id, block_hash)
        if header is None:
            raise NotFoundError("seen.header-lost", f"no header of block 0x{block_hash.hex()}")
        headers[parse_header(header).hash] = header
    return tuple(headers[block_hash] for block_hash in sorted(headers))
