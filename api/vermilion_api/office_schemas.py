"""The shapes of what an office asks and is told beside its records, for OpenAPI."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from vermilion_api.schemas import ActorIn, RecordAnswer, RecordId

__all__ = [
    "BookOut",
    "NumberAnswer",
    "NumberIn",
    "NumberList",
    "NumberOut",
    "RefusalIn",
    "RefusalList",
    "RefusalOut",
    "VoidIn",
    "VoidOut",
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NumberIn(_Strict):
    """A number, or the office and year whose next free one it shall be."""

    number: str | None = Field(None, examples=["国办发〔2026〕5号"])
    office: str | None = Field(None, examples=["国办发"])
    year: int | None = Field(None, ge=1949, le=9999)
    fill: bool = Field(default=False, description="the first gap; not with number")
    replace: bool = Field(default=False, description="in place of the number that it has")
    actor: ActorIn | None = None


class NumberAnswer(RecordAnswer):
    """What became of it; the number is told here and is in no proof."""

    number: str


class BookOut(BaseModel):
    """The numbers of an office and a year; gaps are ranges with both ends."""

    office: str
    year: int
    count: int
    last: int
    gaps: list[tuple[int, int]]


class NumberOut(BaseModel):
    """One number."""

    number: str
    state: Literal["given", "replaced", "void", "forgotten"]
    record: RecordId | None
    reason: str | None = None


class NumberList(BaseModel):
    """The office's book of document numbers."""

    books: list[BookOut]
    numbers: list[NumberOut]


class VoidIn(_Strict):
    """A number that is given to nothing, and why."""

    number: str
    reason: str = Field(max_length=400)


class VoidOut(BaseModel):
    """The number, void."""

    number: str
    state: Literal["void"]


class RefusalIn(_Strict):
    """That a client refused a document for its grade; nothing of the document."""

    refused: Literal["grade.marked", "grade.name", "grade.refused", "grade.unknown"]


class RefusalOut(BaseModel):
    """Refusals of one kind."""

    code: str
    count: int
    first: str
    last: str


class RefusalList(BaseModel):
    """Refusals that are in the log, and the record that they stand in."""

    record: RecordId | None
    refusals: list[RefusalOut]
