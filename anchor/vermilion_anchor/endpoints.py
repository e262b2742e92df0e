"""Several nodes of one chain behind one port: which of them to ask, and which to believe.

`ChainEndpoints` is a `ChainClient` over several others. Two kinds of question are
told apart (``docs/decisions/0015``):

- *Progress* (head, nonce, receipt, fees …): endpoints are asked in their order until
  more than half of those in use say the same; where no half does, the earliest in order
  counts. A wrong answer costs time or a fee within the caps, never a false anchor.
- *Finality* (a block by its height or tag): all are asked. A height is final that
  ``agree`` endpoints reach, a block is canonical that ``agree`` endpoints have and none
  contradicts; anything else is UnavailableError ``chain.disagreement``.

Each endpoint is checked before its first use and after each failure: chain id, genesis,
code of the contract. One that fails rests, longer each time, while others are in use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from vermilion_anchor.deploy import check_contract
from vermilion_anchor.ports import (
    AnchorEvent,
    BlockData,
    ChainClient,
    ChainHead,
    FeeHistory,
    TransactionReceipt,
)
from vermilion_ledger.errors import (
    ConflictError,
    EvidenceError,
    NotFoundError,
    UnavailableError,
)

__all__ = ["ChainEndpoints", "Endpoint", "EndpointStanding", "ExpectedChain", "Timer"]
