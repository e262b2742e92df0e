"""Who knows the truth: what was signed, stored and sent, and what the chain has of it.

Looks into journal and chain directly, past every fault, and raises `Violation`
the moment that a promise is broken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, select

from chain_double.blocks import Block
from chain_double.transactions import Transaction, read_transaction
from simulation.scheduler import Violation
from vermilion_anchor.ports import TransactionFields
from vermilion_ledger.encoding import parse_json
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.evm.keccak import keccak256
from vermilion_ledger.evm.receipt import (
    ANCHORED_TOPIC,
    parse_anchor_receipt,
    verify_anchor_receipt,
)
from vermilion_ledger.store import schema

if TYPE_CHECKING:
    from anchor_simulation.site import Office, Site

__all__ = ["DEEP_CODES", "Oracle"]

DEEP_CODES = {"anchor.final-reorged"}
_DAY = timedelta(hours=24) // timedelta(microseconds=1)


class Oracle:
    """Follows one world.

    Attributes:
        alarms: Codes that anchorers told a person.
        raws: Everything ever sent, by hash.
        is_deep: Whether a reorganisation went past finality.
        may_waste: Whether a mined transaction may have had no effect.
        wasted: How many had none.
        first_block: Height at which the anchorers began.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.alarms: list[str] = []
        self.raws: dict[bytes, bytes] = {}
        self.is_deep = False
        self.may_waste = False
        self.wasted = 0
        self.first_block = 0
        self._read: dict[bytes, Transaction] = {}

    def read(self, raw: bytes) -> Transaction:
        """Return what a raw transaction says."""
        if raw not in self._read:
            self._read[raw] = read_transaction(raw)
        return self._read[raw]

    # --- in the moment ---

    def sent(self, raw: bytes) -> None:
        """Check that what is sent was stored before."""
        digest = keccak256(raw)
        stored = select(schema.anchor_attempts.c.raw).where(
            schema.anchor_attempts.c.transaction_hash == digest
        )
        if [row.raw for row in self._rows(stored)] != [raw]:
            raise Violation(f"0x{digest.hex()} is sent and not stored")
        self.raws[digest] = raw

    def signed(self, office: Office, fields: TransactionFields) -> None:
        """Check what a signer is asked for against the caps."""
        settings = office.settings
        cap = settings.spending.anchor_max
        if fields.max_fee > settings.fees.max_fee_cap or 0 < cap < fields.cost_max:
            raise Violation(f"{fields.max_fee} wei per gas, {fields.cost_max} wei are above a cap")
        if (fields.chain_id, fields.to) != (settings.target.chain_id, settings.target.contract):
            raise Violation("a transaction for another chain or contract")

    def halted(self, office: Office, error: EvidenceError) -> None:
        """Take note that an anchorer stopped for good."""
        self.alarms.append(error.code)
        if error.code not in DEEP_CODES or not self.is_deep:
            raise Violation(f"size {office.log.sizes[-1:]}: halted: {error.code}: {error}")

    # --- at the end ---

    def is_at_rest(self, site: Site) -> bool:
        """Whether there is nothing left to do."""
        for office in site.offices:
            newest, target = office.log.sizes[-1], office.settings.target
            final = site.journal.load_final(target)
            if final is None or final.size != newest or site.journal.load_open(target):
                return False
            place = site.chain.place(final.transaction)
            if place is None or place[0].hash != final.block_hash:
                return False
        return True

    def finish(self, site: Site) -> int:
        """Check everything; return how many events there are."""
        table = schema.anchor_attempts
        attempts = self._rows(select(table).order_by(table.c.anchor_id, table.c.attempt))
        own = {row.transaction_hash for row in attempts}
        events = 0
        for office in site.offices:
            found = _events(site, office)
            events += len(found)
            self._check_events(office, found)
            self._check_finals(site, office, found, attempts)
            self._check_days(office)
        self._check_nonces(site, attempts)
        self._check_waste(site, own)
        return events

    def _check_events(self, office: Office, found: Sequence[tuple[int, bytes, bytes]]) -> None:
        sizes = [size for size, _, _ in found]
        if sizes != sorted(set(sizes)) or not set(sizes) <= set(office.log.sizes):
            raise Violation(f"anchored are {sizes}, published {office.log.sizes}")
        for size, root, _ in found:
            if office.log.root_at(size) != root:
                raise Violation(f"another root is anchored at size {size}")
        if not sizes or sizes[-1] != office.log.sizes[-1]:
            raise Violation(f"newest is {office.log.sizes[-1]}, anchored are {sizes}")

    def _check_finals(
        self,
        site: Site,
        office: Office,
        found: Sequence[tuple[int, bytes, bytes]],
        attempts: Sequence[Any],
    ) -> None:
        table, target = schema.anchor_receipts, office.settings.target
        rows = self._rows(select(table).where(table.c.log == target.log))
        marks = self._rows(select(schema.vanished_blocks.c.block_hash))
        vanished = {row.block_hash for row in marks}
        standing = Counter[tuple[int, bytes]]()
        gone = {row.transaction_hash for row in rows if row.block_hash in vanished}
        undone = {row.anchor_id for row in attempts if row.transaction_hash in gone}
        for row in rows:
            receipt = parse_anchor_receipt(
                parse_json(row.receipt, size_max=10**6, what="anchor receipt")
            )
            anchor = verify_anchor_receipt(receipt)
            stated = (anchor.size, anchor.root, anchor.block_hash)
            if stated != (row.size, row.root, row.block_hash):
                raise Violation(f"the receipt of size {row.size} is of {stated}")
            place = site.chain.place(row.transaction_hash)
            is_canonical = place is not None and place[0].hash == row.block_hash
            is_vanished = row.block_hash in vanished
            if is_canonical == is_vanished:
                raise Violation(f"size {row.size}: final, canonical is {is_canonical}")
            if is_vanished and not self.is_deep:
                raise Violation(f"size {row.size}: was called final too early")
            if is_vanished and not DEEP_CODES & set(self.alarms):
                raise Violation(f"size {row.size}: nobody was told that it vanished")
            standing[row.size, row.transaction_hash] += is_canonical
        watched = {row.transaction_hash for row in attempts if row.anchor_id not in undone}
        for size, _, transaction in found:
            if transaction not in watched:
                # another's; or of a job that was closed when its final anchor vanished: any of
                # its attempts may be mined afterwards, and nobody waits for them any more
                continue
            if standing[size, transaction] != 1:
                raise Violation(f"size {size}: {standing[size, transaction]} final rows of it")

    def _check_days(self, office: Office) -> None:
        cap = office.settings.spending.day_max
        attempts, anchors = schema.anchor_attempts, schema.anchors
        query = (
            select(attempts)
            .join(anchors, attempts.c.anchor_id == anchors.c.anchor_id)
            .where(anchors.c.log == office.settings.target.log)
        )
        rows = self._rows(query) if cap else []
        for last in rows:
            costs: dict[int, int] = {}
            for row in rows:
                if last.signed_at - _DAY < row.signed_at <= last.signed_at:
                    cost = row.gas_limit * row.max_fee
                    costs[row.nonce] = max(cost, costs.get(row.nonce, 0))
            if sum(costs.values()) > cap:
                raise Violation(f"{sum(costs.values())} wei in a day, the cap is {cap}")

    def _check_nonces(self, site: Site, attempts: Sequence[Any]) -> None:
        nonces = site.chain.latest.state.nonces
        addresses = {office.signer.address for office in site.offices}
        for sender, nonce in site.chain.pool:
            if sender in addresses:
                raise Violation(f"nonce {nonce} still waits, the account is at {nonces[sender]}")
        last: dict[tuple[int, int], Any] = {}
        for row in attempts:
            before = last.get((row.anchor_id, row.nonce))
            last[row.anchor_id, row.nonce] = row
            if before is not None and (
                8 * row.max_fee < 9 * before.max_fee
                or 8 * row.priority_fee < 9 * before.priority_fee
            ):
                raise Violation(f"nonce {row.nonce} is replaced by one that is hardly dearer")

    def _check_waste(self, site: Site, own: set[bytes]) -> None:
        for number in range(1, site.chain.height + 1):
            block = site.chain.block(number)
            assert block is not None
            self.wasted += sum(
                transaction.hash in own and not outcome.events
                for transaction, outcome in zip(block.transactions, block.outcomes, strict=True)
            )
        if self.wasted and not self.may_waste:
            raise Violation(f"{self.wasted} transactions were paid for nothing")

    def _rows(self, query: Any) -> Sequence[Any]:
        with self._engine.connect() as connection:
            return connection.execute(query).all()


def _events(site: Site, office: Office) -> list[tuple[int, bytes, bytes]]:
    """Return size, root and transaction of every anchor on the canonical chain."""
    target = office.settings.target

    def of(block: Block | None) -> list[tuple[int, bytes, bytes]]:
        assert block is not None
        return [
            (int.from_bytes(event.data[:32], "big"), event.data[32:], transaction.hash)
            for transaction, outcome in zip(block.transactions, block.outcomes, strict=True)
            for event in outcome.events
            if event.topics == (ANCHORED_TOPIC, target.log)
        ]

    return [each for n in range(1, site.chain.height + 1) for each in of(site.chain.block(n))]
