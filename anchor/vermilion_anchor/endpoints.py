"""Several nodes of one chain behind one port: which of them to ask, and whom to believe.

`ChainEndpoints` is a `ChainClient` over several others. Two kinds of question are
told apart (``docs/decisions/0015``):

- *Progress* (head, nonce, receipt, fees …): endpoints are asked in their order until
  more than half of them say the same; where no half does, the most common answer
  counts, and the earliest among equals. A wrong one costs time, or a fee within the
  caps, and never makes a false anchor. Transactions go to all.
- *Finality* (a block by height or tag): all are asked. A height is final that ``agree``
  endpoints have reached; a block is canonical that ``agree`` endpoints have and none
  contradicts. Anything else is UnavailableError ``chain.disagreement``: it waits.

Each endpoint is checked before its first use and after every failure: chain id, genesis,
code of the contract. One that fails rests, longer each time; an only one never does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from vermilion_anchor.endpoint import Answer, Endpoint, ExpectedChain
from vermilion_anchor.ports import (
    AnchorEvent,
    BlockData,
    ChainClient,
    ChainHead,
    FeeHistory,
    TransactionReceipt,
)
from vermilion_ledger.errors import EvidenceError, UnavailableError

__all__ = ["ChainEndpoints", "EndpointStanding"]

_ALARM_SECONDS = 30.0  # trouble that passes sooner is a restart, or a block on its way
_BEHIND_MAX = 64  # blocks between an endpoint and the height that counts

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointStanding:
    """What an operator is told of an endpoint.

    Attributes:
        name: Host and port; the rest of an address may hold a secret.
        trouble: Why it is left out, or what it says unlike the others; None if nothing.
    """

    name: str
    trouble: EvidenceError | None


class ChainEndpoints:
    """Implements `vermilion_anchor.ports.ChainClient`. Safe to share between threads.

    Every method raises the error of an endpoint where none answers.

    Args:
        clients: Name and client of each endpoint, the preferred first.
        expected: What each must be of.
        agree: How many must agree before anything counts as final; 0 is more than half.
        clock: Seconds that only grow, such as `time.monotonic`.
    """

    def __init__(
        self,
        clients: Sequence[tuple[str, ChainClient]],
        *,
        expected: ExpectedChain,
        agree: int = 0,
        clock: Callable[[], float],
    ) -> None:
        self._endpoints = tuple(Endpoint(*each, expected, clock) for each in clients)
        self._agree = agree or len(clients) // 2 + 1

    # --- for the operator ---

    def look(self) -> tuple[EndpointStanding, ...]:
        """Ask each endpoint that does not rest, and return what is to be said of all."""
        self._ask_all(lambda client: client.chain_id())
        return tuple(
            EndpointStanding(name=each.name, trouble=each.trouble()) for each in self._endpoints
        )

    def find_alarm(self) -> EvidenceError | None:
        """Return trouble that a person should see to, as it does not pass by itself."""
        for each in self._endpoints:
            trouble = each.trouble(lasting_seconds=_ALARM_SECONDS)
            if trouble is not None:
                return UnavailableError(
                    "chain.endpoint-trouble", f"{each.name}: {trouble.code}: {trouble.message}"
                )
        return None

    # --- finality: all are asked ---

    def block(self, which: int | str) -> BlockData | None:
        """Return the block of a height, or of the highest tag, that enough endpoints have.

        Raises:
            UnavailableError: ``chain.disagreement``: too few answer, or not the same.
        """
        answers = self._ask_all(lambda client: client.block(which))
        if not answers:
            raise self._outage()
        found = [each for each in answers if each.value is not None]
        if len(answers) < self._agree or 0 < len(found) < self._agree:
            raise UnavailableError(
                "chain.disagreement",
                f"{len(found)} of {len(self._endpoints)} endpoints have block {which},"
                f" {self._agree} are asked for{self._reasons()}",
            )
        if not found:
            return None
        return self._reached(which, found) if isinstance(which, str) else self._same(which, found)

    def _reached(self, tag: str, found: Sequence[Answer[BlockData | None]]) -> BlockData:
        """Return the highest block that ``agree`` endpoints are at, or beyond."""
        blocks = sorted((_block(each) for each in found), key=lambda block: -block.number)
        counted = blocks[self._agree - 1]
        for each in found:
            number = _block(each).number
            is_near = abs(number - counted.number) <= _BEHIND_MAX
            words = f"its {tag} block is {number}, that of others {counted.number}"
            each.endpoint.hold(tag, None if is_near else words)
        return counted

    def _same(self, height: int, found: Sequence[Answer[BlockData | None]]) -> BlockData:
        """Return the one block of a height."""
        names: dict[bytes, list[str]] = {}
        for each in found:
            names.setdefault(_block(each).hash, []).append(each.endpoint.name)
        says = " and ".join(
            f"0x{block_hash.hex()} for {', '.join(group)}" for block_hash, group in names.items()
        )
        for each in found:
            same = names[_block(each).hash]
            is_alone = 2 * len(same) <= len(found)
            each.endpoint.hold("blocks", f"block {height} is {says}" if is_alone else None)
        if len(names) > 1:
            raise UnavailableError("chain.disagreement", f"block {height} is {says}")
        return _block(found[0])

    # --- progress: until more than half say the same ---

    def chain_id(self) -> int:
        """Return the chain id, which each endpoint was checked to have."""
        return self._vote("chain id", lambda client: client.chain_id())

    def code(self, address: bytes) -> bytes:
        """Return the runtime code at an address."""
        return self._vote("code", lambda client: client.code(address))

    def head(self, contract: bytes, log: bytes) -> ChainHead:
        """Return the contract's head of a log."""
        return self._vote("head", lambda client: client.head(contract, log))

    def balance(self, address: bytes) -> int:
        """Return the balance of an account in wei."""
        return self._vote("balance", lambda client: client.balance(address))

    def nonce(self, address: bytes) -> int:
        """Return the number of mined transactions of an account."""
        return self._vote("nonce", lambda client: client.nonce(address))

    def has_transaction(self, transaction: bytes) -> bool:
        """Tell whether most endpoints know a transaction; sending it again harms none."""
        return self._vote("transaction", lambda client: client.has_transaction(transaction))

    def receipt(self, transaction: bytes) -> TransactionReceipt | None:
        """Return the receipt of a transaction; None if it is not mined."""
        return self._vote("receipt", lambda client: client.receipt(transaction))

    def receipts(self, block_hash: bytes) -> Sequence[bytes]:
        """Return every receipt of a block; the caller compares them with its header."""
        return self._vote("receipts", lambda client: client.receipts(block_hash))

    def block_by_hash(self, block_hash: bytes) -> BlockData | None:
        """Return a block by its hash."""
        return self._vote("block by hash", lambda client: client.block_by_hash(block_hash))

    def block_number(self) -> int:
        """Return the height of the newest block. For finality, ask for ``latest``."""
        return self._vote("height", lambda client: client.block_number())

    def anchored_events(
        self, contract: bytes, log: bytes, *, block_number: int
    ) -> Sequence[AnchorEvent]:
        """Return the `Anchored` events of a log in one block."""
        return self._vote(
            "events",
            lambda client: client.anchored_events(contract, log, block_number=block_number),
        )

    def estimate_gas(self, *, sender: bytes, to: bytes | None, data: bytes) -> int:
        """Return the middle one of the estimates, unless most say that the call would revert."""
        return self._middle(
            lambda client: client.estimate_gas(sender=sender, to=to, data=data),
            key=lambda gas: gas,
        )

    def fee_history(self) -> FeeHistory:
        """Return what recent blocks cost, by the endpoint whose base fee is the middle one."""
        return self._middle(
            lambda client: client.fee_history(), key=lambda fees: (fees.base_fee, fees.rewards)
        )

    # --- what asks nobody, and what tells everybody ---

    def anchor_data(self, *, log: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bytes:
        """Return the ABI-encoded call of ``anchor``."""
        client = self._endpoints[0].client
        return client.anchor_data(log=log, size=size, root=root, proof=proof)

    def register_data(self, *, origin_hash: bytes, publisher: bytes) -> bytes:
        """Return the ABI-encoded call of ``register``."""
        client = self._endpoints[0].client
        return client.register_data(origin_hash=origin_hash, publisher=publisher)

    def send(self, raw: bytes) -> str:
        """Hand a signed transaction to every endpoint; return what they said."""
        answers = self._ask_all(lambda client: client.send(raw))
        if not answers:
            raise self._outage()
        return "; ".join(dict.fromkeys(str(each.value) for each in answers))

    def set_development_balance(self, address: bytes, wei: int) -> None:
        """Give an account of a development node its balance."""
        self._vote(
            "development balance", lambda client: client.set_development_balance(address, wei)
        )

    # --- below: asking ---

    def _awake(self) -> Sequence[Endpoint]:
        """Return whom to ask: an only endpoint is asked always, as resting would gain nothing."""
        if len(self._endpoints) == 1:
            return self._endpoints
        return [each for each in self._endpoints if not each.is_resting]

    def _ask_all(self, question: Callable[[ChainClient], _T]) -> list[Answer[_T]]:
        answers = (each.ask(question) for each in self._awake())
        return [answer for answer in answers if answer is not None]

    def _vote(self, what: str, question: Callable[[ChainClient], _T]) -> _T:
        awake = self._awake()
        answers: list[Answer[_T]] = []
        winner, votes = None, 0
        for endpoint in awake:
            answer = endpoint.ask(question)
            if answer is None:
                continue
            answers.append(answer)
            winner, votes = _most_common(answers)
            if 2 * votes > len(awake):
                break
        if winner is None:
            raise self._outage()
        for each in answers if 2 * votes > len(answers) else ():
            words = None if each.is_as(winner) else f"its {what} differs from that of others"
            each.endpoint.hold(what, words)
        return _value(winner)

    def _middle(
        self,
        question: Callable[[ChainClient], _T],
        *,
        key: Callable[[_T], tuple[object, ...] | int],
    ) -> _T:
        """Return the middle answer, the upper of two: honest ones differ, and liars lie outside."""
        answers = self._ask_all(question)
        if not answers:
            raise self._outage()
        errors = [each for each in answers if each.error is not None]
        if 2 * len(errors) >= len(answers):
            return _value(errors[0])
        values = sorted((_value(each) for each in answers if each.error is None), key=key)
        return values[len(values) // 2]

    def _outage(self) -> EvidenceError:
        """Return the error of the first endpoint, made anew; one that may pass goes first."""
        errors = [error for each in self._endpoints if (error := each.failure()) is not None]
        passing = [error for error in errors if isinstance(error, UnavailableError)]
        if not errors:  # another thread had an answer in the meantime
            return UnavailableError("chain.unreachable", "no endpoint of the chain answers")
        error = (passing or errors)[0]
        return type(error)(error.code, error.message)

    def _reasons(self) -> str:
        reasons = [
            f"; {each.name}: {error.message}"
            for each in self._endpoints
            if (error := each.failure()) is not None
        ]
        return "".join(reasons)


def _most_common(answers: Sequence[Answer[_T]]) -> tuple[Answer[_T], int]:
    """Return the earliest of the most common answers, and how often it was given."""
    votes = [sum(each.is_as(other) for other in answers) for each in answers]
    place = votes.index(max(votes))
    return answers[place], votes[place]


def _value(answer: Answer[_T]) -> _T:
    if answer.error is not None:
        raise answer.error
    return answer.value  # type: ignore[return-value]  # None where _T allows it


def _block(answer: Answer[BlockData | None]) -> BlockData:
    assert answer.value is not None  # noqa: S101 - those without one were left out
    return answer.value
