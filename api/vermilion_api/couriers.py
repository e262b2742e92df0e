"""The isolated office as a home folder has it: settings, keys, journal, trusted blocks.

Joins `vermilion_anchor.courier_office` with this ledger's parts. No node is asked,
and web3 is imported for an encrypted key alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from vermilion_anchor.courier import CourierAnswer
from vermilion_anchor.courier_office import CourierOffice, CourierSettings
from vermilion_anchor.courier_proof import check_listed, read_block
from vermilion_anchor.fees import FeePolicy
from vermilion_anchor.ports import Clock, Signer
from vermilion_anchor.spending import SpendPolicy
from vermilion_api.anchor_signer import load_anchor_address, open_anchor_signer
from vermilion_api.chains import target_of
from vermilion_api.home import Home, create_home
from vermilion_api.settings import ChainSettings, Settings
from vermilion_api.wiring import Ledger, LogView, now, open_ledger
from vermilion_ledger.anchor_rows import ChainBlock, FinalAnchor
from vermilion_ledger.errors import InputError, VerificationError
from vermilion_ledger.evm.finality import parse_finality

__all__ = ["CourierDesk", "Taken", "open_desk", "prepare_account"]

_OFFERED_MAX = timedelta(days=7)  # FORMATS section 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What an answer brought.

    Attributes:
        anchor: The final anchor; None where the answer has no receipt.
        block: A trusted block that statements may quote from now on; None where
            the answer has none that is listed and young enough.
    """

    anchor: FinalAnchor | None
    block: ChainBlock | None


class CourierDesk:
    """One chain of a ledger that is anchored by courier."""

    def __init__(self, ledger: Ledger, chain: ChainSettings, *, clock: Clock = now) -> None:
        """Take a ledger whose database is open, and a chain table of it."""
        self._ledger = ledger
        self._clock = clock
        self.office = CourierOffice(
            CourierSettings(
                target=target_of(chain),
                code_hash=bytes.fromhex(chain.code_hash[2:]),
                finality=parse_finality(chain.finality),
                fees=FeePolicy(
                    max_fee_cap=chain.fee_cap_wei,
                    priority_fee_cap=min(chain.tip_cap_wei, chain.fee_cap_wei),
                ),
                spending=SpendPolicy(
                    anchor_max=chain.anchor_cost_max_wei,
                    day_max=chain.day_cost_max_wei,
                    balance_min=chain.balance_min_wei,
                ),
            ),
            account=load_anchor_address(ledger.home, ledger.settings),
            journal=ledger.database.anchors,
            log=LogView(ledger.reader()),
            clock=clock,
        )

    def open_signer(self) -> Signer:
        """Return the signer that the settings name.

        Raises:
            EvidenceError: As for `vermilion_api.anchor_signer.open_anchor_signer`.
        """
        return open_anchor_signer(self._ledger.home, self._ledger.settings)

    def take(self, answer: CourierAnswer, listed: Mapping[tuple[int, int], bytes]) -> Taken:
        """Take over what an answer proves: the anchor, and a block for ``seen``.

        Raises:
            EvidenceError: As for `vermilion_anchor.courier_office.CourierOffice.take_answer`.
        """
        anchor = self.office.take_answer(answer, listed)
        block = self._find_block(answer, listed)
        if block is not None:
            # Offered and accepted for as long as if it had been on the day it was mined
            self._ledger.database.blocks.save(block, offered_at=block.time)
        return Taken(anchor=anchor, block=block)

    def _find_block(
        self, answer: CourierAnswer, listed: Mapping[tuple[int, int], bytes]
    ) -> ChainBlock | None:
        if answer.status.header is None:
            return None
        block = read_block(answer.target.chain_id, answer.status.header)
        try:
            check_listed(listed, block.chain_id, block.number, block.hash)
        except VerificationError:
            return None  # no harm: nobody needs this block
        return block if self._clock() - block.time < _OFFERED_MAX else None


@contextmanager
def open_desk(home: Path, chain_id: int, contract: str = "") -> Iterator[CourierDesk]:
    """Open a ledger's chain that is anchored by courier, until the block ends.

    Args:
        home: Home folder.
        chain_id: 0 where the settings have only one such chain.
        contract: ``0x`` address, where the chain has several; else empty.

    Raises:
        InputError: ``courier.no-chain`` or ``anchor.several-chains``.
        NotFoundError: ``settings.missing`` or ``key.file-missing``.
    """
    ledger = open_ledger(home)
    chain = _choose(ledger.settings.chains, chain_id, contract)
    ledger.database.check()
    try:
        yield CourierDesk(ledger, chain)
    finally:
        ledger.database.close()


def prepare_account(path: Path) -> bytes:
    """Return the address that pays for anchors; make home and keystore where there are none.

    Raises:
        EvidenceError: The folder cannot be written, or the key's files do not do.
    """
    from vermilion_anchor.keys import create_key

    home, settings = create_home(path, Settings())
    chosen = settings.signer
    if chosen.kind == "keystore" and not chosen.address and not home.keystore.exists():
        return create_key(home.keystore, home.password).address
    return load_anchor_address(Home(path=path), settings)


def _choose(chains: Sequence[ChainSettings], chain_id: int, contract: str) -> ChainSettings:
    meant = [
        each
        for each in chains
        if each.courier and chain_id in {0, each.id} and contract.lower() in {"", each.contract}
    ]
    if not meant:
        raise InputError("courier.no-chain", "no such [[chain]] table has courier = true")
    if len(meant) > 1:
        names = ", ".join(f"{each.contract} on chain {each.id}" for each in meant)
        raise InputError("anchor.several-chains", f"the settings have {names}")
    return meant[0]
