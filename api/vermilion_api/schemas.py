"""The shapes of requests and answers, for OpenAPI.

Requests are documented here and read by `vermilion_api.requests`, which is
stricter than pydantic: duplicate keys, floats and unknown members are refused.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from vermilion_api.anchor_schemas import PendingOut, PendingRange

__all__ = [
    "ActorIn",
    "BulkAnswer",
    "BulkIn",
    "BulkItem",
    "CheckpointOut",
    "ClassList",
    "ClassOut",
    "DigestIn",
    "DraftIn",
    "EnvelopeIn",
    "FindingOut",
    "Hex32",
    "LogOut",
    "Problem",
    "ReadyOut",
    "RecordAnswer",
    "RecordId",
    "RecordIn",
    "RecordList",
    "RecordOut",
    "Refusal",
    "ReportOut",
    "SignatureIn",
    "StageWord",
    "StatementOut",
    "VerifyIn",
]

Hex32 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
RecordId = Annotated[str, Field(pattern="^rec_[0-9a-hjkmnp-tv-z]{32}$")]
StageWord = Literal["sequenced", "published", "anchored", "final"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ActorIn(_Strict):
    """A person in a post: all four members, of which only `id` must not be empty."""

    id: str = Field(max_length=200)
    name: str
    post: str
    unit: str


class DigestIn(_Strict):
    """Digests of the raw bytes of a document."""

    sha256: Hex32
    sm3: Hex32 | None = None


class RecordIn(_Strict):
    """A document to register; its bytes are never sent."""

    name: str = Field(max_length=1024, examples=["合同-2026-017.pdf"])
    digest: DigestIn
    actor: ActorIn | None = None
    policy: Hex32 | None = Field(None, description="SHA-256 of the canonical rules")
    record_class: str | None = Field(
        None, alias="class", max_length=200, description="names the policy; see `GET /v1/classes`"
    )
    grade: str | None = Field(None, description="below 秘密, otherwise refused")
    detail: dict[str, Any] | None = None


class BulkIn(_Strict):
    """Up to 10,000 documents in at most 16 MiB."""

    records: list[RecordIn] = Field(min_length=1, max_length=10_000)


class DraftIn(_Strict):
    """What a statement to be signed shall say."""

    event: str = Field(examples=["approve"])
    name: str | None = None
    digest: DigestIn | None = Field(None, description="the current version if left out")
    actor: ActorIn | None = Field(None, description="the owner of the first key if left out")
    detail: dict[str, Any] | None = None
    keyid: Hex32 | None = None
    keyids: list[Hex32] | None = Field(None, description="all keys that are going to sign")


class SignatureIn(_Strict):
    """One signature of an envelope; an aggregate names its keys instead of one."""

    keyid: Hex32 | None = None
    keyids: list[Hex32] | None = Field(None, min_length=2, description="sorted, of an aggregate")
    scheme: str
    sig: str = Field(description="base64")


class EnvelopeIn(_Strict):
    """A DSSE envelope without the ledger's intake signature."""

    payload: str = Field(description="base64 of the statement's bytes, untouched")
    payloadType: Literal["application/vnd.in-toto+json"]  # noqa: N815 - DSSE's name
    signatures: list[SignatureIn] = Field(max_length=31)


class CheckpointOut(BaseModel):
    """Size and root of a published checkpoint."""

    size: int
    root: Hex32


_PROOF = "RFC 9162 inclusion proof to the checkpoint, leaf upwards; where `proofs` asked for it"


class RecordAnswer(BaseModel):
    """What became of one submission. Sent after its index was committed."""

    record: RecordId
    sequence: int
    index: int
    envelope: Hex32
    proof: list[Hex32] | None = Field(None, max_length=63, description=_PROOF)
    state: StageWord
    checkpoint: CheckpointOut | None


class Refusal(BaseModel):
    """Why one of many was refused."""

    code: str
    message: str


class BulkItem(BaseModel):
    """One of many: an index, or a refusal."""

    record: RecordId
    sequence: int | None = None
    index: int | None = None
    envelope: Hex32 | None = None
    proof: list[Hex32] | None = Field(None, max_length=63, description=_PROOF)
    refused: Refusal | None = None


class BulkAnswer(BaseModel):
    """What became of each registration, in the order of the request."""

    records: list[BulkItem]
    state: StageWord
    checkpoint: CheckpointOut | None


class StatementOut(BaseModel):
    """The exact bytes to sign, in every form a signer may want."""

    payload: str = Field(description="base64 of the canonical statement")
    payloadType: str  # noqa: N815 - DSSE's name
    pae: str = Field(
        description="base64 of what plain schemes sign; its SHA-256 is the challenge of a passkey"
    )
    typedData: dict[str, Any] | None = Field(description="EIP-712")  # noqa: N815
    seen: dict[str, Any] | None
    prior: dict[str, Any] | None
    statement: dict[str, Any]


class FindingOut(BaseModel):
    """A lapse in the life of a document; it changes no verdict."""

    code: str = Field(examples=["finding.changed-after-sign-off"])
    severity: Literal["critical", "warning", "notice"]
    sequence: int = Field(description="the entry of the record that it is about")
    certain: bool
    detail: dict[str, Any]
    en: str
    zh: str


class RecordOut(BaseModel):
    """The history of a record, as the ledger tells it; the proof is the bundle."""

    model_config = ConfigDict(extra="allow")

    record: RecordId
    kind: Literal["document", "keys", "policies"]
    state: str
    pending: list[PendingRange] = Field(description="entries without a final anchor, in order")
    entries: list[dict[str, Any]]
    digest: Hex32 | None = None
    status: str | None = None
    versions: list[dict[str, Any]] | None = None
    approvals: list[dict[str, Any]] | None = None
    policy: Hex32 | None = None
    rules: list[dict[str, Any]] | None = None
    findings: list[FindingOut] | None = Field(
        None, description="lapses in the life of the document, by the times that are stated"
    )


class RecordList(BaseModel):
    """Records that recorded a digest; `no_record` proves nothing about the document."""

    digest: str
    records: list[dict[str, Any]]
    verdict: Literal["no_record"] | None = None


class ClassOut(BaseModel):
    """A class of records; registering one is refused while its policy is not in force."""

    name: str
    policy: Hex32
    inForce: bool  # noqa: N815 - as the formats write it


class ClassList(BaseModel):
    """The classes of the settings, in their order."""

    classes: list[ClassOut]
    required: bool = Field(description="whether a registration must name a class or a policy")


class VerifyIn(_Strict):
    """A digest to look up, or a digest with its bundle."""

    digest: str = Field(examples=["sha256:" + 64 * "0"])
    bundle: dict[str, Any] | None = None


class ReportOut(BaseModel):
    """The report of the verifier (FORMATS section 12), or one per record found."""

    model_config = ConfigDict(extra="allow")

    verdict: str | None = None
    checks: list[dict[str, Any]] | None = None
    findings: list[FindingOut] | None = None
    records: list[dict[str, Any]] | None = None
    note: str


class LogOut(BaseModel):
    """What a monitor needs to know of the log."""

    origin: str
    vkeys: list[str]
    intakeKeys: list[str]  # noqa: N815
    size: int
    checkpoint: str | None
    tree: dict[str, Any]
    registry: dict[str, Any]
    pending: PendingOut | None = Field(description="what the newest entry waits for")
    chains: list[dict[str, Any]]


class ReadyOut(BaseModel):
    """Whether submissions would be taken and sequenced now."""

    ready: bool
    database: str
    log: str
    sequencer: str
    waiting: int


class Problem(BaseModel):
    """RFC 9457 problem details with a stable code and the next step."""

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(examples=["json.duplicate-key"])
    hint: str
    trace_id: str
