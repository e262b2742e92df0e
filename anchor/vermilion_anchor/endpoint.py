"""One of several endpoints of a chain: what it must be of, and what is held against it.

State in memory only; `vermilion_anchor.endpoints` decides whom to ask and to believe.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from vermilion_anchor.deploy import check_contract
from vermilion_anchor.ports import ChainClient
from vermilion_ledger.errors import (
    ConflictError,
    EvidenceError,
    NotFoundError,
    UnavailableError,
)

__all__ = ["Answer", "Endpoint", "ExpectedChain"]

_FAILURES_MAX = 30  # two to the power of it, in seconds, is beyond any rest
_REST_SECONDS_MAX = 60.0
_OUT = "out"  # the trouble of one that fails; all others are named by the question

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedChain:
    """What every endpoint must be of.

    Attributes:
        chain_id: EIP-155 chain id.
        contract: 20-byte address that has the code.
        code_hash: Keccak-256 of the runtime code there.
        genesis: Hash of block 0; None where it is not known.
    """

    chain_id: int
    contract: bytes
    code_hash: bytes
    genesis: bytes | None = None

    def check(self, client: ChainClient) -> None:
        """Check that a node is of this chain.

        Raises:
            UnavailableError: It is out of reach, or answers oddly.
            NotFoundError: ``chain.no-contract``.
            ConflictError: ``chain.other-chain``, ``chain.other-genesis`` or
                ``chain.other-contract``.
        """
        found = client.chain_id()
        if found != self.chain_id:
            raise ConflictError(
                "chain.other-chain", f"the node is of chain {found}, configured is {self.chain_id}"
            )
        if self.genesis is not None:
            block = client.block(0)
            if block is None or block.hash != self.genesis:
                found_hash = "nothing" if block is None else f"0x{block.hash.hex()}"
                raise ConflictError(
                    "chain.other-genesis",
                    f"block 0 of the node is {found_hash}, configured is 0x{self.genesis.hex()}",
                )
        check_contract(client, self.contract, self.code_hash)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Generic[_T]):
    """What an endpoint said: a value, or that the call or the contract does not do.

    Attributes:
        endpoint: Who said it.
        value: None also where there is an error.
        error: ConflictError or NotFoundError, as good an answer as any.
    """

    endpoint: Endpoint
    value: _T | None = None
    error: EvidenceError | None = None

    def is_as(self, other: Answer[_T]) -> bool:
        """Tell whether both say the same; of errors, the code is what is said."""
        if self.error is None or other.error is None:
            return self.error is other.error and self.value == other.value
        return self.error.code == other.error.code


class Endpoint:
    """A node and its record. May be shared between threads: what is lost is a remark."""

    def __init__(
        self, name: str, client: ChainClient, expected: ExpectedChain, clock: Callable[[], float]
    ) -> None:
        self.name = name
        self.client = client
        self._expected = expected
        self._clock = clock
        self._is_checked = False
        self._failures = 0
        self._rests_until = float("-inf")
        self._troubles: dict[str, tuple[float, EvidenceError]] = {}

    @property
    def is_resting(self) -> bool:
        """Whether it failed so lately that it should be left alone."""
        return self._clock() < self._rests_until

    def ask(self, question: Callable[[ChainClient], _T]) -> Answer[_T] | None:
        """Return its answer; None if it gives none, or is not of the chain: then it rests."""
        try:
            if not self._is_checked:
                self._expected.check(self.client)
                self._is_checked = True
        except EvidenceError as exc:
            self._fail(exc)
            return None
        try:
            answer = Answer(endpoint=self, value=question(self.client))
        except UnavailableError as exc:
            self._fail(exc)
            return None
        except (ConflictError, NotFoundError) as exc:
            answer = Answer(endpoint=self, error=exc)
        self._failures = 0
        self._troubles.pop(_OUT, None)
        return answer

    def hold(self, question: str, words: str | None) -> None:
        """Remember since when it contradicts the others on a question; None: it does no more."""
        if words is None:
            self._troubles.pop(question, None)
        else:
            self._remember(question, UnavailableError("chain.outvoted", words))

    def trouble(self, *, lasting_seconds: float = 0.0) -> EvidenceError | None:
        """Return the oldest trouble with it, if it has lasted that long."""
        found = min(list(self._troubles.values()), key=lambda each: each[0], default=None)
        if found is None or self._clock() - found[0] < lasting_seconds:
            return None
        return found[1]

    def failure(self) -> EvidenceError | None:
        """Return why it is left out; None if it is not."""
        found = self._troubles.get(_OUT)
        return None if found is None else found[1]

    def _fail(self, error: EvidenceError) -> None:
        self._is_checked = False  # what answers next may be another node
        # As many as matter: whoever is asked whether resting or not fails without end.
        self._failures = min(self._failures + 1, _FAILURES_MAX)
        self._rests_until = self._clock() + min(2.0**self._failures, _REST_SECONDS_MAX)
        self._remember(_OUT, error)

    def _remember(self, question: str, error: EvidenceError) -> None:
        since = self._troubles.get(question, (self._clock(), error))[0]
        self._troubles[question] = (since, error)
