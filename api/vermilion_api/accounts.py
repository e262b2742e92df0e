"""What the anchoring account has on each chain, and may have spent: read anew each time.

The balance comes from the chain, the spending from the journal, the address
from the settings or from what the keystore states: no secret is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

from vermilion_api.anchor_signer import load_anchor_address
from vermilion_api.wiring import Ledger, now, target_of
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.evm.finality import parse_finality

__all__ = ["Account", "load_accounts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The anchoring account on one chain; amounts in wei, 0 is no cap and no alarm.

    Attributes:
        chain_id: EIP-155 chain id.
        address: 20 bytes.
        balance: What it has now.
        balance_min: Below this it is an alarm.
        day_cost: What the anchors signed within 24 hours may cost at most.
        day_cost_max: What they are allowed to.
        alarm: ``anchor.low-balance`` where it has too little.
    """

    chain_id: int
    address: bytes
    balance: int
    balance_min: int
    day_cost: int
    day_cost_max: int
    alarm: EvidenceError | None


def load_accounts(ledger: Ledger) -> tuple[Account, ...]:
    """Return the account of each chain table, in their order.

    Raises:
        UnavailableError: A node or the journal is out of reach.
        ConflictError: ``chain.other-chain``.
        NotFoundError: ``key.file-missing``.
        InputError: The keystore does not do.
    """
    from vermilion_anchor.artifact import load_artifact
    from vermilion_anchor.blocks import BlockReader
    from vermilion_anchor.evm import EvmChain
    from vermilion_anchor.spending import SPEND_PERIOD, SpendPolicy

    address = load_anchor_address(ledger.home, ledger.settings)
    accounts = []
    for chain in ledger.settings.chains:
        client = EvmChain(chain.rpc, load_artifact())
        finality = parse_finality(chain.finality)
        BlockReader(client, chain_id=chain.id, finality=finality).check_chain()
        balance = client.balance(address)
        costs = ledger.database.anchors.load_costs(target_of(chain), since=now() - SPEND_PERIOD)
        accounts.append(
            Account(
                chain_id=chain.id,
                address=address,
                balance=balance,
                balance_min=chain.balance_min_wei,
                day_cost=sum(costs.values()),
                day_cost_max=chain.day_cost_max_wei,
                alarm=SpendPolicy(balance_min=chain.balance_min_wei).find_alarm(address, balance),
            )
        )
    return tuple(accounts)
