"""Anchoring: commits published checkpoints to an Ethereum-compatible chain.

`service` is the durable state machine, `ports` what it needs of the outside;
`evm` is the only module that imports web3.py.
"""

from __future__ import annotations

__all__: list[str] = []
