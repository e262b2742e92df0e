"""An endpoint that has been down for long is asked as calmly as one that just went."""

from __future__ import annotations

from typing import Any

from vermilion_anchor.endpoint import Endpoint, ExpectedChain
from vermilion_ledger.errors import UnavailableError

EXPECTED = ExpectedChain(chain_id=31337, contract=bytes(20), code_hash=bytes(32))


class Down:
    """A node that nobody reaches."""

    def chain_id(self) -> int:
        raise UnavailableError("chain.unreachable", "nobody answers")


def test_an_endpoint_may_fail_without_end() -> None:
    """Two to the power of its failures would be no number any more after a thousand."""
    down: Any = Down()
    endpoint = Endpoint("localhost", down, EXPECTED, lambda: 0.0)

    for _ in range(2_000):
        assert endpoint.ask(lambda client: client.block_number()) is None

    assert endpoint.is_resting
    failure = endpoint.failure()
    assert failure is not None
    assert failure.code == "chain.unreachable"
