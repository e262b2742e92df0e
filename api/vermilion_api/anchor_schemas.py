"""The shapes of answers about anchoring, for OpenAPI. Amounts of wei are texts."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

__all__ = [
    "AnchorList",
    "AnchorOut",
    "AttemptOut",
    "ChainStandingOut",
    "ChainWaitOut",
    "CostOut",
    "LagOut",
    "PaceOut",
    "PendingOut",
    "PendingRange",
    "ReasonOut",
    "ShortAnchorOut",
]

_Hex32 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
_Wire20 = Annotated[str, Field(pattern="^0x[0-9a-f]{40}$")]
_Wire32 = Annotated[str, Field(pattern="^0x[0-9a-f]{64}$")]
_Time = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
_Wei = Annotated[str, Field(pattern="^[0-9]+$")]
_State = Literal[
    "planned",
    "signed",
    "sent",
    "stuck",
    "dropped",
    "mined",
    "reorged",
    "final",
    "superseded",
]


class ReasonOut(BaseModel):
    """Why something waits: a code of docs/reference/errors.md, and a sentence in two languages."""

    code: str
    en: str
    zh: str
    note: str | None = Field(description="the anchorer's own words, where they may be shown")
    since: _Time | None


class _Target(BaseModel):
    chainId: int  # noqa: N815
    contract: _Wire20
    log: _Wire32


class _Expected(BaseModel):
    expectedAt: _Time | None = Field(  # noqa: N815
        description="when it will be final, from the medians of the last anchors"
    )
    unknown: ReasonOut | None = Field(description="why no time can be told")


class ShortAnchorOut(BaseModel):
    """The open anchor that will cover an entry."""

    number: int
    size: int
    state: _State
    attempts: int


class ChainWaitOut(_Target, _Expected):
    """What an entry waits for on one chain."""

    anchor: ShortAnchorOut | None
    why: ReasonOut
    dueAt: _Time | None = Field(description="the next anchor is not planned before")  # noqa: N815


class PendingOut(_Expected):
    """Why an entry has no final anchor yet, and until when."""

    state: Literal["sequenced", "published", "anchored"]
    why: ReasonOut
    chains: list[ChainWaitOut]


class PendingRange(PendingOut):
    """The same for the entries of a record from one sequence to another."""

    first: int
    last: int


class PaceOut(BaseModel):
    """Medians of the last anchors, from planning on."""

    minedSeconds: int  # noqa: N815
    finalSeconds: int  # noqa: N815
    anchors: int = Field(description="how many were looked at, 20 at most")


class CostOut(BaseModel):
    """What a final anchor took; amounts are a node's word, and null where none said."""

    finalAt: _Time | None  # noqa: N815
    documents: int = Field(description="entries covered that the anchor before it did not cover")
    gasUsed: int | None  # noqa: N815
    gasPriceWei: _Wei | None  # noqa: N815
    paidWei: _Wei | None  # noqa: N815
    paidPerDocumentWei: _Wei | None = Field(description="rounded")  # noqa: N815


class ChainStandingOut(_Target, _Expected):
    """How anchoring stands on one chain."""

    finality: str
    finalSize: int  # noqa: N815
    unanchored: int = Field(description="entries without a final anchor here")
    oldestUnanchored: _Time | None  # noqa: N815
    vanished: int = Field(description="final anchors whose block is on the chain no more")
    job: int | None = Field(description="number of the open job")
    why: ReasonOut
    dueAt: _Time | None  # noqa: N815
    pace: PaceOut | None
    alarm: str | None = Field(description="code of what a person should see to")
    toldAt: _Time | None = Field(description="when the anchorer spoke last")  # noqa: N815
    last: CostOut | None


class AttemptOut(BaseModel):
    """One signed transaction of a job."""

    size: int | None = Field(description="tree size that it is for")
    nonce: int
    gasLimit: int  # noqa: N815
    maxFeeWei: _Wei  # noqa: N815
    priorityFeeWei: _Wei  # noqa: N815
    transaction: _Wire32
    signedBlock: int  # noqa: N815
    signedAt: _Time  # noqa: N815
    standing: Literal["waiting", "replaced", "mined", "left-behind"]


class AnchorOut(_Target, _Expected):
    """One anchoring job."""

    number: int
    size: int
    root: _Hex32
    state: _State
    why: ReasonOut | None
    since: _Time | None = Field(description="since when it is in this state, if somebody noted it")
    attempts: list[AttemptOut]
    transaction: _Wire32 | None
    block: int | None
    plannedAt: _Time  # noqa: N815
    cost: CostOut | None


class LagOut(BaseModel):
    """How far a time-stamping authority is behind the anchors."""

    authority: str
    roots: str
    missing: int = Field(description="anchored checkpoints without its time-stamp, 100 at most")
    oldest: _Time | None


class AnchorList(BaseModel):
    """Anchoring: each chain, jobs newest first, and time-stamps."""

    size: int
    finalSize: int  # noqa: N815
    oldestUnanchored: _Time | None = Field(  # noqa: N815
        description="when the oldest checkpoint without a final anchor was published"
    )
    oldestUnanchoredIndex: int | None  # noqa: N815
    chains: list[ChainStandingOut]
    anchors: list[AnchorOut]
    authorities: list[LagOut]
    timestamps: list[dict[str, Any]]
