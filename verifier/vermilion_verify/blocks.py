"""Who vouches for a block: a list of trusted hashes, or an endpoint.

Whether a block is on a chain, and final, is decided by the trust policy and
by the verifier's user, never by the bundle (FORMATS section 8).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from vermilion_ledger.errors import InputError, LimitError, NotFoundError, UnavailableError
from vermilion_verify.files import read_file
from vermilion_verify.policy import ChainTrust

__all__ = [
    "BlockId",
    "BlockJudge",
    "Endpoint",
    "Standing",
    "load_block_hashes",
    "parse_block_hashes",
]

_FILE_SIZE_MAX = 64 * 1024 * 1024  # bytes
_LINE = re.compile(r"(0|[1-9][0-9]{0,15}) (0|[1-9][0-9]{0,15}) 0x([0-9a-f]{64})\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockId:
    """A block by its height and hash; whether it is on its chain is for others to say."""

    chain_id: int
    number: int
    hash: bytes


class Standing(StrEnum):
    """What is known of a block."""

    FINAL = "final"
    CANONICAL = "canonical"
    CONTRADICTED = "contradicted"
    UNKNOWN = "unknown"


class Endpoint(Protocol):
    """A node that the verifier's user has chosen to ask."""

    def judge(self, chain: ChainTrust, *, number: int, block_hash: bytes) -> Standing:
        """Return what the node says of a block; unreachable is `UNKNOWN`."""
        ...


class BlockJudge:
    """Answers for blocks: listed hashes first, then the endpoints.

    Args:
        listed: Trusted hash by (chain id, number); a listed block is final.
        endpoints: Asked in order, until one knows; a contradiction ends it.
    """

    def __init__(
        self, listed: Mapping[tuple[int, int], bytes], endpoints: Sequence[Endpoint] = ()
    ) -> None:
        self._listed = listed
        self._endpoints = tuple(endpoints)
        self._answers: dict[tuple[int, bytes, int, bytes], Standing] = {}

    def judge(self, chain: ChainTrust, *, number: int, block_hash: bytes) -> Standing:
        """Return what is known of a block of a chain."""
        listed = self._listed.get((chain.chain_id, number))
        if listed is not None:
            return Standing.FINAL if listed == block_hash else Standing.CONTRADICTED
        question = (chain.chain_id, chain.contract, number, block_hash)
        if question not in self._answers:
            self._answers[question] = self._ask(chain, number, block_hash)
        return self._answers[question]

    def contradicts_list(self, chain_id: int, *, number: int, block_hash: bytes) -> bool:
        """Tell whether a list has another hash at that height, chain table or not."""
        return self._listed.get((chain_id, number), block_hash) != block_hash

    def _ask(self, chain: ChainTrust, number: int, block_hash: bytes) -> Standing:
        """Return the most careful of all answers: endpoints that disagree settle nothing."""
        answers = {
            endpoint.judge(chain, number=number, block_hash=block_hash)
            for endpoint in self._endpoints
        } - {Standing.UNKNOWN}
        for careful in (Standing.CONTRADICTED, Standing.CANONICAL, Standing.FINAL):
            if careful in answers:
                return careful
        return Standing.UNKNOWN


def load_block_hashes(paths: Iterable[Path]) -> dict[tuple[int, int], bytes]:
    """Read files of trusted block hashes: ``<chain id> <number> 0x<hash>`` a line.

    Raises:
        NotFoundError: A file is missing.
        UnavailableError: A file cannot be read.
        InputError: A malformed line, or a height that stands there twice with
            different hashes, in one file or in two; twice in one file at all.
    """
    listed: dict[tuple[int, int], bytes] = {}
    for path in paths:
        try:
            data = read_file(path, size_max=_FILE_SIZE_MAX)
        except FileNotFoundError as exc:
            raise NotFoundError("headers.missing", f"no file of block hashes at {path}") from exc
        except OSError as exc:
            raise UnavailableError("headers.unreadable", f"{path}: {exc.strerror}") from exc
        for place, block_hash in parse_block_hashes(data).items():
            if listed.setdefault(place, block_hash) != block_hash:
                raise InputError("headers.conflict", f"two hashes for block {place[1]}")
    return listed


def parse_block_hashes(data: bytes) -> dict[tuple[int, int], bytes]:
    """Read one list of trusted block hashes.

    Raises:
        InputError: Not ASCII text, a malformed line, a height twice.
        LimitError: More than 64 MiB.
    """
    if len(data) > _FILE_SIZE_MAX:
        raise LimitError("headers.too-large", "list bytes", found=len(data), limit=_FILE_SIZE_MAX)
    try:
        lines = data.decode("utf-8").split("\n")
    except UnicodeDecodeError as exc:
        raise InputError("headers.malformed", "the list of block hashes is not UTF-8") from exc
    listed: dict[tuple[int, int], bytes] = {}
    for count, line in enumerate(lines, start=1):
        text = line.partition("#")[0].strip(" \t")
        if not text:
            continue
        match = _LINE.match(text)
        if match is None:
            raise InputError("headers.malformed", f"line {count} is not <chain> <number> 0x<hash>")
        place = (int(match[1]), int(match[2]))
        if place in listed:
            raise InputError("headers.repeated", f"line {count}: height {place[1]} stands twice")
        listed[place] = bytes.fromhex(match[3])
    return listed
