"""What the anchoring account has on each chain, and may have spent: read anew each time.

The balance comes from the chain, the spending from the journal, the address
from the settings or from what the keystore states: no secret is needed. Every
endpoint of the chain is asked, and what is wrong with one is told as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vermilion_api.anchor_signer import load_anchor_address
from vermilion_api.chains import open_chain, target_of
from vermilion_api.wiring import Ledger, now
from vermilion_ledger.errors import EvidenceError, UnavailableError

if TYPE_CHECKING:
    from vermilion_anchor.endpoints import EndpointStanding

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
        alarm: ``anchor.low-balance`` where it has too little, or else
            ``chain.endpoint-trouble`` where an endpoint is left out.
        endpoints: How each endpoint of the chain stands.
    """

    chain_id: int
    address: bytes
    balance: int
    balance_min: int
    day_cost: int
    day_cost_max: int
    alarm: EvidenceError | None
    endpoints: tuple[EndpointStanding, ...]


def load_accounts(ledger: Ledger) -> tuple[Account, ...]:
    """Return the account of each chain table with a node, in their order.

    Raises:
        UnavailableError: The journal, or each endpoint of a chain, is out of reach.
        ConflictError: As for `vermilion_anchor.endpoint.ExpectedChain.check`, of each endpoint.
        NotFoundError: ``key.file-missing``.
        InputError: The keystore does not do.
    """
    from vermilion_anchor.spending import SPEND_PERIOD, SpendPolicy

    address = load_anchor_address(ledger.home, ledger.settings)
    accounts = []
    for chain in ledger.settings.online_chains:
        client = open_chain(chain)
        balance, standings = client.balance(address), client.look()
        costs = ledger.database.anchors.load_costs(target_of(chain), since=now() - SPEND_PERIOD)
        accounts.append(
            Account(
                chain_id=chain.id,
                address=address,
                balance=balance,
                balance_min=chain.balance_min_wei,
                day_cost=sum(costs.values()),
                day_cost_max=chain.day_cost_max_wei,
                alarm=SpendPolicy(balance_min=chain.balance_min_wei).find_alarm(address, balance)
                or _find_trouble(standings),
                endpoints=standings,
            )
        )
    return tuple(accounts)


def _find_trouble(standings: tuple[EndpointStanding, ...]) -> EvidenceError | None:
    told = [f"{each.name}: {each.trouble}" for each in standings if each.trouble is not None]
    return UnavailableError("chain.endpoint-trouble", "; ".join(told)) if told else None
