"""The contract's head of our log, compared with our own tree before anything rests on it."""

from __future__ import annotations

from vermilion_anchor.ports import AnchorPorts, ChainHead
from vermilion_ledger.anchor_rows import AnchorTarget
from vermilion_ledger.errors import IntegrityError

__all__ = ["read_head"]


def read_head(ports: AnchorPorts, target: AnchorTarget) -> ChainHead:
    """Read the contract's head and compare it with our own tree.

    The head is read first: our log only grows, so it cannot fall behind a
    head that is its own.

    Raises:
        UnavailableError: Node or log out of reach.
        IntegrityError: ``anchor.head-conflict``: the chain has a larger tree, or another one.
    """
    head = ports.chain.head(target.contract, target.log)
    if head.size == 0:
        return head
    newest = ports.log.newest()
    size = 0 if newest is None else newest[0]
    if head.size > size:
        raise IntegrityError(
            "anchor.head-conflict", f"the chain has size {head.size}, our log {size}"
        )
    root = ports.log.root_at(head.size)
    if root != head.root:
        raise IntegrityError(
            "anchor.head-conflict",
            f"at size {head.size} the chain has root {head.root.hex()}, our log {root.hex()}",
        )
    return head
