"""One real Anvil with an anchored log, driven by hand, and the truth about it.

The anchorer is the production one with the real journal in a SQLite file. The
node mines only when told to; what it does beyond that is its own fault, and
wanted.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from chain import OTHER_KEY, Chain, MemoryLog, start_chain
from chain_double.contract import encode_set_publisher
from vermilion_anchor.deploy import fund_development_account, send_call
from vermilion_anchor.evm import AccountSigner
from vermilion_anchor.fees import FeePolicy
from vermilion_anchor.service import Anchorer
from vermilion_anchor.settings import AnchorSettings, Progress
from vermilion_anchor.spending import SpendPolicy
from vermilion_ledger.anchor_rows import AnchorJob, JobState
from vermilion_ledger.encoding import parse_json
from vermilion_ledger.errors import ConflictError, UnavailableError
from vermilion_ledger.evm.finality import parse_finality
from vermilion_ledger.evm.receipt import parse_anchor_receipt, verify_anchor_receipt
from vermilion_ledger.store import open_database, schema

__all__ = ["GWEI", "Bench", "BrokenPromiseError", "open_bench"]

GWEI = 10**9
FEE_CAP = 200 * GWEI
ANCHOR_CAP = 400_000 * FEE_CAP
_STEPS_MAX = 600


class BrokenPromiseError(Exception):
    """What must hold of chain and journal does not."""


@dataclass(kw_only=True)
class Bench:
    """A node, a journal, a log, and what was seen of them.

    Attributes:
        alarms: Codes told to a person since the last look.
        may_vanish: Sizes whose final anchor was reorganised away on purpose.
    """

    chain: Chain
    database: Any
    log: MemoryLog
    rival: AccountSigner = field(default_factory=lambda: AccountSigner(OTHER_KEY))
    alarms: Counter[str] = field(default_factory=Counter)
    may_vanish: set[int] = field(default_factory=set)

    @property
    def journal(self) -> Any:
        return self.database.anchors

    @property
    def size(self) -> int:
        newest = self.log.newest()
        assert newest is not None
        return newest[0]

    def now(self) -> datetime:
        """The time of the newest block: hours may pass at once."""
        block = self.chain.client.block("latest")
        assert block is not None
        return datetime.fromtimestamp(block.time, UTC)

    def anchorer(
        self,
        finality: str,
        *,
        wrap: Callable[[Any], Any] = lambda port: port,
        spending: SpendPolicy | None = None,
    ) -> Anchorer:
        settings = AnchorSettings(
            target=self.chain.target,
            code_hash=self.chain.artifact.code_hash,
            finality=parse_finality(finality),
            fees=FeePolicy(max_fee_cap=FEE_CAP),
            spending=spending or SpendPolicy(anchor_max=ANCHOR_CAP),
        )
        return Anchorer(
            settings,
            chain=wrap(self.chain.client),
            journal=wrap(self.journal),
            log=self.log,
            signer=wrap(self.chain.signer),
            clock=self.now,
        )

    def step(self, anchorer: Anchorer) -> Progress:
        """Step once, as `Anchorer.run` does."""
        try:
            progress = anchorer.step()
        except (ConflictError, UnavailableError) as error:
            if isinstance(error, ConflictError) and error.code not in {
                "anchor.job-moved",
                "anchor.nonce-moved",
                "chain.reverted",
            }:
                raise
            progress = Progress(state=None, note=str(error), is_waiting=True, error=error)
        if progress.alarm is not None:
            self.alarms[progress.alarm.code] += 1
        return progress

    def settle(self, anchorer: Anchorer, *, depth: int) -> int:
        """Mine and step until the newest size is final; return the number of steps."""
        target, notes = self.chain.target, []
        for number in range(_STEPS_MAX):
            progress = self.step(anchorer)
            notes.append(f"{progress.state} {progress.size} {progress.note}")
            final = self.journal.load_final(target, size=self.size)
            if final is not None and self.journal.load_open(target) is None:
                return number
            if progress.is_waiting:
                self.chain.mine(depth if progress.state is JobState.MINED else 1)
        raise BrokenPromiseError(f"size {self.size} is never final: {notes[-8:]}")

    def open_job(self) -> AnchorJob | None:
        job: AnchorJob | None = self.journal.load_open(self.chain.target)
        return job

    # --- the truth ---

    def check(self) -> int:
        """Compare chain and journal; return the number of anchors on the chain.

        Raises:
            BrokenPromiseError: Not exactly one anchor per head, a gap of nonces, a
                price above the cap, or a final anchor that the chain has not.
        """
        client, target = self.chain.client, self.chain.target
        events = [
            (int(event["data"][2:66], 16), event["data"][66:], event["transactionHash"])
            for event in self.chain.events()
        ]
        sizes = [size for size, _, _ in events]
        if sizes != sorted(set(sizes)) or not sizes or sizes[-1] != self.size:
            raise BrokenPromiseError(f"newest is {self.size}, anchored are {sizes[-9:]}")
        for size, root, _ in events:
            if self.log.root_at(size).hex() != root:
                raise BrokenPromiseError(f"another root is anchored at size {size}")
        attempts = self._rows(select(schema.anchor_attempts))
        pool = self.chain.rpc("txpool_status")
        if int(pool["queued"], 16) or int(pool["pending"], 16):
            raise BrokenPromiseError(f"there still waits {pool}")
        for row in attempts:
            if row.max_fee > FEE_CAP or row.gas_limit * row.max_fee > ANCHOR_CAP:
                raise BrokenPromiseError(f"nonce {row.nonce} passes a cap")
        standing = self._check_finals()
        own = {"0x" + row.transaction_hash.hex() for row in attempts}
        for size, _, transaction in events:
            if transaction in own and size not in self.may_vanish and standing[size] != 1:
                raise BrokenPromiseError(f"size {size} has {standing[size]} final rows")
        if client.head(target.contract, target.log).size != self.size:
            raise BrokenPromiseError("the head is not the newest size")
        return len(events)

    def _check_finals(self) -> Counter[int]:
        vanished = {r.block_hash for r in self._rows(select(schema.vanished_blocks.c.block_hash))}
        standing = Counter[int]()
        for row in self._rows(select(schema.anchor_receipts)):
            value = parse_json(row.receipt, size_max=10**6, what="receipt")
            anchor = verify_anchor_receipt(parse_anchor_receipt(value))
            if (anchor.size, anchor.block_hash) != (row.size, row.block_hash):
                raise BrokenPromiseError(f"the receipt of size {row.size} is another's")
            block = self.chain.client.block(row.block_number)
            is_canonical = block is not None and block.hash == row.block_hash
            if not is_canonical and row.size not in self.may_vanish:
                raise BrokenPromiseError(f"size {row.size} is final in a block that is gone")
            if not is_canonical and row.block_hash not in vanished:
                raise BrokenPromiseError(f"nobody noticed that size {row.size} vanished")
            standing[row.size] += is_canonical
        return standing

    def _rows(self, query: Any) -> Any:
        with self.database.engine.connect() as connection:
            return connection.execute(query).all()


@contextmanager
def open_bench(**options: Any) -> Iterator[Bench]:
    """Start a node with a log that two accounts may anchor, and an empty journal."""
    with tempfile.TemporaryDirectory() as folder, start_chain(**options) as chain:
        database = open_database(f"sqlite:///{Path(folder) / 'journal.db'}")
        database.migrate()
        bench = Bench(chain=chain, database=database, log=MemoryLog(3))
        fund_development_account(chain.client, bench.rival.address)
        data = encode_set_publisher(chain.target.log, bench.rival.address, is_allowed=True)
        send_call(chain.client, chain.signer, to=chain.target.contract, data=data, fees=FeePolicy())
        chain.rpc("evm_setAutomine", False)
        try:
            yield bench
        finally:
            database.close()
