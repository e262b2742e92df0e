"""The ``[[chain]]`` tables of the settings: logs in contracts, and what anchors may cost."""

from __future__ import annotations

from dataclasses import dataclass

from vermilion_api.setting import setting as _setting
from vermilion_ledger.encoding import parse_wire_hex
from vermilion_ledger.errors import InputError
from vermilion_ledger.evm.finality import parse_finality

__all__ = ["ChainSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSettings:
    """One ``[[chain]]`` table: a log in a contract on a chain."""

    id: int = _setting(0, "EIP-155 chain id", "Chain that anchors are sent to.")
    rpc: str | tuple[str, ...] = _setting(
        "", "URL or URLs", "JSON-RPC endpoints of nodes of that chain, the preferred first."
    )
    rpc_agree: int = _setting(
        0, "endpoints", "How many must agree before an anchor is final; 0 is more than half."
    )
    courier: bool = _setting(
        False,  # noqa: FBT003 - a default
        "true or false",
        "No node is asked: orders and answers are carried by hand, see `vermilion anchor export`.",
    )
    contract: str = _setting("", "0x address", "Address of the `EvidenceAnchor` contract.")
    log: str = _setting("", "0x 32 bytes", "Identifier of the log in the contract.")
    code_hash: str = _setting("", "0x 32 bytes", "Keccak-256 of the contract's runtime code.")
    genesis: str = _setting(
        "", "0x 32 bytes", "Hash of block 0, which each endpoint must have; empty asks for none."
    )
    finality: str = _setting(
        "confirmations:3",
        "rule",
        "When an anchor counts: `confirmations:N`, `finalized`, `immediate`.",
    )
    deployed_block: int = _setting(0, "height", "Block at which the contract was seen first.")
    fee_cap_wei: int = _setting(
        500 * 10**9, "wei per gas", "Never offer more: above it anchoring waits, intake goes on."
    )
    tip_cap_wei: int = _setting(10 * 10**9, "wei per gas", "Never tip a block's maker more.")
    replace_after_blocks: int = _setting(
        3, "blocks", "How long a transaction may wait before a dearer one takes its nonce."
    )
    recheck_hours: float = _setting(
        168.0, "hours", "How long a final anchor is looked at again, in case it vanishes."
    )
    anchor_cost_max_wei: int = _setting(
        0, "wei", "The most that one anchor may cost, by gas limit and fee offered; 0 is no cap."
    )
    day_cost_max_wei: int = _setting(
        0, "wei", "The most that the anchors of 24 hours may cost together; 0 is no cap."
    )
    balance_min_wei: int = _setting(
        0, "wei", "Balance of the anchoring account below which it is an alarm; 0 is none."
    )

    def __post_init__(self) -> None:
        if self.id < 1 or bool(self.rpc) == self.courier:
            raise InputError(
                "settings.value", "a chain has an id, and an rpc address unless it is by courier"
            )
        parse_wire_hex(self.contract, size=20, what="chain.contract")
        parse_wire_hex(self.log, size=32, what="chain.log")
        parse_wire_hex(self.code_hash, size=32, what="chain.code_hash")
        if self.genesis:
            parse_wire_hex(self.genesis, size=32, what="chain.genesis")
        parse_finality(self.finality)
        urls = self.endpoints
        if not all(type(url) is str and url.startswith(("http://", "https://")) for url in urls):
            raise InputError("settings.value", "chain.rpc is no http address, nor a list of them")
        if len(set(urls)) < len(urls) or not 0 <= self.rpc_agree <= len(urls):
            raise InputError(
                "settings.value", "chain.rpc names one twice, or chain.rpc_agree more than it has"
            )
        for name in ("anchor_cost_max_wei", "day_cost_max_wei", "balance_min_wei", "recheck_hours"):
            if getattr(self, name) < 0:
                raise InputError("settings.value", f"chain.{name} is below 0")
        for name in ("fee_cap_wei", "tip_cap_wei", "replace_after_blocks"):
            if getattr(self, name) < 1:
                raise InputError("settings.value", f"chain.{name} is below 1")

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The addresses of `rpc`, of which there may be one or several."""
        return (self.rpc,) if isinstance(self.rpc, str) and self.rpc else tuple(self.rpc)
