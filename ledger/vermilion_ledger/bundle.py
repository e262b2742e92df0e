"""The evidence bundle: everything a stranger needs but trust (FORMATS section 10).

Canonical JSON, at most 8 MiB. Reading a bundle checks its shape only; what
it claims is judged by a verifier with a trust policy of its own.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vermilion_ledger.checkpoint import SignedCheckpoint, parse_checkpoint_unverified
from vermilion_ledger.commitment import parse_record_id
from vermilion_ledger.encoding import (
    Json,
    check_members,
    encode_base64,
    encode_json,
    encode_parsed,
    parse_base64,
    parse_count,
    parse_hex,
    parse_json,
    parse_wire_hex,
)
from vermilion_ledger.envelope import Envelope, read_envelope
from vermilion_ledger.errors import InputError, LimitError, UnavailableError
from vermilion_ledger.evm.header import parse_header
from vermilion_ledger.evm.receipt import (
    AnchorReceipt,
    encode_anchor_receipt,
    parse_anchor_receipt,
)
from vermilion_ledger.limits import (
    BUNDLE_SIZE_MAX,
    HEADER_SIZE_MAX,
    NOTE_SIZE_MAX,
    PROOF_LENGTH_MAX,
)
from vermilion_ledger.records import Status

__all__ = [
    "MEDIA_TYPE",
    "BundleEntry",
    "Closing",
    "EvidenceBundle",
    "closing_message",
    "parse_bundle",
]

MEDIA_TYPE = "application/vnd.vermilion.evidence.v1+json"
_LATER_MEDIA_TYPE = re.compile(
    r"application/vnd\.vermilion\.evidence\.v(?:[2-9]|[1-9][0-9]+)\+json\Z"
)
_MEMBERS = (
    "mediaType",
    "record",
    "checkpoint",
    "closing",
    "entries",
    "keys",
    "policies",
    "anchors",
    "headers",
    "timestamps",
)
_TOKEN_SIZE_MAX = 64 * 1024  # bytes of one RFC 3161 token


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleEntry:
    """One entry with what opens its commitment and proves its place.

    Attributes:
        sequence: Position in its record.
        index: Leaf index in the log.
        salt: 32 bytes, opens the commitment.
        envelope: The signed statement.
        proof: RFC 9162 inclusion proof to the bundle's checkpoint.
        tag: Stands here exactly when the record key is withheld.
    """

    sequence: int
    index: int
    salt: bytes
    envelope: Envelope
    proof: tuple[bytes, ...]
    tag: bytes | None = None

    def to_json(self) -> dict[str, Json]:
        """Return the member of `entries`, `keys` or `policies`."""
        value: dict[str, Json] = {
            "sequence": self.sequence,
            "index": self.index,
            "salt": self.salt.hex(),
            "envelope": self.envelope.to_json(),
            "proof": [node.hex() for node in self.proof],
        }
        if self.tag is not None:
            value["tag"] = self.tag.hex()
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """The ledger's word on the record at the checkpoint, so that only it can cut.

    Attributes:
        entries: Number of entries the record has in the checkpoint.
        digest: SHA-256 of the current version.
        status: Status of the current version.
        sig: Ed25519 signature of an intake key over `closing_message`.
    """

    entries: int
    digest: bytes
    status: Status
    sig: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceBundle:
    """A bundle, well formed by its own.

    Attributes:
        record_key: 32 bytes, or None where it is withheld.
        note: The checkpoint's note, verbatim.
        signed_checkpoint: The same, parsed; its signatures are unchecked.
        headers: Raw RLP of the blocks that statements quote, by hash.
        timestamps: DER time-stamp tokens over the checkpoint.
    """

    record_id: str
    record_key: bytes | None
    note: str
    signed_checkpoint: SignedCheckpoint
    closing: Closing
    entries: tuple[BundleEntry, ...]
    keys: tuple[BundleEntry, ...]
    policies: tuple[BundleEntry, ...]
    anchors: tuple[AnchorReceipt, ...]
    headers: tuple[bytes, ...]
    timestamps: tuple[bytes, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the bundle object."""
        record = {"id": self.record_id}
        if self.record_key is not None:
            record["key"] = self.record_key.hex()
        return {
            "mediaType": MEDIA_TYPE,
            "record": record,
            "checkpoint": self.note,
            "closing": {
                "entries": self.closing.entries,
                "digest": self.closing.digest.hex(),
                "status": self.closing.status.value,
                "sig": encode_base64(self.closing.sig),
            },
            "entries": [entry.to_json() for entry in self.entries],
            "keys": [entry.to_json() for entry in self.keys],
            "policies": [entry.to_json() for entry in self.policies],
            "anchors": [encode_anchor_receipt(anchor) for anchor in self.anchors],
            "headers": ["0x" + header.hex() for header in self.headers],
            "timestamps": [
                {"type": "rfc3161", "token": encode_base64(token)} for token in self.timestamps
            ],
        }

    def encode(self) -> bytes:
        """Return the canonical bytes, checked by reading them back.

        Raises:
            InputError: The bundle breaks a rule of its own shape.
            LimitError: It grew beyond 8 MiB.
        """
        data = encode_json(self.to_json())
        parse_bundle(data)
        return data


def closing_message(bundle: EvidenceBundle) -> bytes:
    """Return what the closing signs.

    ``"vermilion/closing/v1" ‖ 0x00 ‖ H(canonical bundle)``, the bundle
    without ``closing.sig`` and without every ``hints``, its checkpoint
    replaced by the signed text: cosignatures may still be added to it.
    """
    value = bundle.to_json()
    del value["closing"]["sig"]
    for anchor in value["anchors"]:
        anchor.pop("hints", None)
    value["checkpoint"] = bundle.signed_checkpoint.note.text
    return b"vermilion/closing/v1\x00" + hashlib.sha256(encode_parsed(value)).digest()


def parse_bundle(data: bytes) -> EvidenceBundle:
    """Read a bundle strictly; check no claim.

    Raises:
        LimitError: More than 8 MiB, or a bound inside was exceeded.
        UnavailableError: A bundle of a later format version.
        InputError: Not canonical I-JSON, an unknown or missing member, wrong
            order, a double, or a malformed part.
    """
    value = parse_json(data, size_max=BUNDLE_SIZE_MAX, what="bundle")
    _check_version(value)
    if encode_parsed(value) != data:
        raise InputError("json.not-canonical", "the bundle is not canonical JSON")
    members = check_members(value, required=_MEMBERS, what="bundle")
    record = check_members(members["record"], required=("id",), optional=("key",), what="record")
    key = parse_hex(record["key"], size=32, what="record key") if "key" in record else None
    note = members["checkpoint"]
    if not isinstance(note, str):
        raise InputError("bundle.checkpoint", "checkpoint is not text")
    if len(note) > NOTE_SIZE_MAX:
        raise LimitError("note.too-large", "note bytes", found=len(note), limit=NOTE_SIZE_MAX)
    bundle = EvidenceBundle(
        record_id=parse_record_id(record["id"]),
        record_key=key,
        note=note,
        signed_checkpoint=parse_checkpoint_unverified(note.encode()),
        closing=_parse_closing(members["closing"]),
        entries=_parse_entries(members["entries"], what="entries", tagged=key is None),
        keys=_parse_entries(members["keys"], what="keys", tagged=False),
        policies=_parse_entries(members["policies"], what="policies", tagged=False),
        anchors=tuple(parse_anchor_receipt(item) for item in _list(members["anchors"], "anchors")),
        headers=tuple(
            parse_wire_hex(item, size_max=HEADER_SIZE_MAX, what="header")
            for item in _list(members["headers"], "headers")
        ),
        timestamps=tuple(
            _parse_timestamp(item) for item in _list(members["timestamps"], "timestamps")
        ),
    )
    _check_entries(bundle)
    _check_order(bundle)
    _check_headers(bundle)
    return bundle


def _check_version(value: Json) -> None:
    kind = value.get("mediaType") if isinstance(value, dict) else None
    if kind == MEDIA_TYPE:
        return
    if isinstance(kind, str) and _LATER_MEDIA_TYPE.match(kind):
        raise UnavailableError("bundle.later-version", f"this verifier cannot read {kind[:80]}")
    raise InputError("bundle.media-type", f"mediaType is not {MEDIA_TYPE}")


def _parse_closing(value: Json) -> Closing:
    members = check_members(value, required=("entries", "digest", "status", "sig"), what="closing")
    status = members["status"]
    if not isinstance(status, str) or status not in set(Status):
        raise InputError("bundle.closing-status", f"{str(status)[:40]!a} is no status")
    count = parse_count(members["entries"], what="closing.entries")
    if count < 1:
        raise InputError("bundle.closing-entries", "a record has at least one entry")
    return Closing(
        entries=count,
        digest=parse_hex(members["digest"], size=32, what="closing.digest"),
        status=Status(status),
        sig=parse_base64(members["sig"], size_max=64, what="closing.sig"),
    )


def _parse_entries(value: Json, *, what: str, tagged: bool) -> tuple[BundleEntry, ...]:
    required = ("sequence", "index", "salt", "envelope", "proof", *(("tag",) if tagged else ()))
    return tuple(
        _parse_entry(check_members(item, required=required, what=f"{what}[{place}]"))
        for place, item in enumerate(_list(value, what))
    )


def _parse_entry(members: Json) -> BundleEntry:
    proof = _list(members["proof"], "proof")
    if len(proof) > PROOF_LENGTH_MAX:
        raise LimitError(
            "merkle.proof-length", "proof hashes", found=len(proof), limit=PROOF_LENGTH_MAX
        )
    return BundleEntry(
        sequence=parse_count(members["sequence"], what="sequence"),
        index=parse_count(members["index"], what="index"),
        salt=parse_hex(members["salt"], size=32, what="salt"),
        envelope=read_envelope(members["envelope"]),
        proof=tuple(parse_hex(node, size=32, what="proof hash") for node in proof),
        tag=parse_hex(members["tag"], size=32, what="tag") if "tag" in members else None,
    )


def _parse_timestamp(value: Json) -> bytes:
    members = check_members(value, required=("type", "token"), what="timestamp")
    if members["type"] != "rfc3161":
        raise InputError("bundle.timestamp-type", "a time-stamp is of type rfc3161")
    return parse_base64(members["token"], size_max=_TOKEN_SIZE_MAX, what="token")


def _check_entries(bundle: EvidenceBundle) -> None:
    """Entry 0 is never left out; with the record key none is (section 10)."""
    if not bundle.entries or bundle.entries[0].sequence != 0:
        raise InputError("bundle.first-entry", "the first entry of the record is left out")
    if bundle.entries[-1].sequence >= bundle.closing.entries:
        raise InputError("bundle.sequence-range", "an entry lies beyond the closing's count")
    if bundle.record_key is not None and len(bundle.entries) != bundle.closing.entries:
        raise InputError("bundle.entries-left-out", "with the record key all entries are present")


def _check_order(bundle: EvidenceBundle) -> None:
    for what, entries in (
        ("entries", bundle.entries),
        ("keys", bundle.keys),
        ("policies", bundle.policies),
    ):
        _check_rising([entry.index for entry in entries], what)
        _check_rising([entry.sequence for entry in entries], f"sequences of {what}")
    _check_rising(
        [
            (a.chain_id, parse_header(a.header).number, a.transaction_index, a.log_index)
            for a in bundle.anchors
        ],
        "anchors",
    )
    if len(set(bundle.timestamps)) != len(bundle.timestamps):
        raise InputError("bundle.order", "a time-stamp stands there twice")


def _check_headers(bundle: EvidenceBundle) -> None:
    """Exactly the headers that statements quote, each once, sorted by hash."""
    hashes = [parse_header(header).hash for header in bundle.headers]
    _check_rising(hashes, "headers")
    quoted = {
        entry.envelope.statement.seen.hash
        for entry in (*bundle.entries, *bundle.keys, *bundle.policies)
        if entry.envelope.statement.seen is not None
    }
    if missing := quoted - set(hashes):
        raise InputError("bundle.header-missing", f"no header of block 0x{min(missing).hex()}")
    if unquoted := set(hashes) - quoted:
        raise InputError("bundle.header-unquoted", f"nobody quotes 0x{min(unquoted).hex()}")


def _check_rising(values: Sequence[Any], what: str) -> None:
    if any(later <= earlier for earlier, later in itertools.pairwise(values)):
        raise InputError("bundle.order", f"{what} are not sorted, or have doubles")


def _list(value: Json, what: str) -> list[Json]:
    if not isinstance(value, list):
        raise InputError("bundle.shape", f"{what} is not a list")
    return value
