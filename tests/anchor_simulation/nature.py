"""What happens to the chain: blocks, stalls, loss, dear times, reorganisations, rivals.

Only what real chains do. Unless the world is a deep one, no reorganisation
reaches what the finality rule calls final.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from anchor_simulation.site import Office, Site
from chain import OTHER_KEY
from chain_double.contract import encode_anchor
from chain_double.transactions import Refused, Transaction
from vermilion_anchor.evm import AccountSigner
from vermilion_anchor.ports import TransactionFields

__all__ = ["Nature", "Weather"]

_GWEI = 10**9
_STRANGER = AccountSigner(b"\x51" * 32)


@dataclass(slots=True, kw_only=True)
class Weather:
    """How rough the chain of one world is: mean seconds between accidents, 0 for never.

    Attributes:
        block_seconds: Pace of the chain.
        reorg: Between reorganisations.
        loss: Between losses of what waits.
        dear: Between times when a block costs a thousand times as much.
        stall: Between times without blocks.
        replay: Between returns of something that was sent once.
        rival: Between anchors by another publisher.
        depth_max: Of a reorganisation.
    """

    block_seconds: int
    reorg: float
    loss: float
    dear: float
    stall: float
    replay: float
    rival: float
    depth_max: int

    @classmethod
    def draw(cls, random: Random, *, depth_max: int) -> Weather:
        """Draw one; some are fair."""
        some = random.choice
        return cls(
            block_seconds=some((4, 12)),
            reorg=some((0, 60, 200)) if depth_max else 0,
            loss=some((0, 40, 200)),
            dear=some((0, 60, 300)),
            stall=some((0, 0, 150)),
            replay=some((0, 0, 100)),
            rival=some((0, 0, 0, 100)),
            depth_max=depth_max,
        )

    def clear_up(self) -> None:
        """End all of it but the blocks."""
        self.reorg = self.loss = self.dear = self.stall = self.replay = self.rival = 0


class Nature:
    """Drives the chain of a world.

    Attributes:
        reorgs: How many reorganisations there were.
    """

    def __init__(self, site: Site, weather: Weather) -> None:
        self._site, self._weather = site, weather
        self._random = site.scheduler.random
        self._rival = AccountSigner(OTHER_KEY)
        self._dear_until = self._stalled_until = 0.0
        self.reorgs = 0

    def mine(self) -> None:
        """Mine for ever."""
        site, weather, last = self._site, self._weather, self._site.scheduler.now
        while True:
            site.scheduler.sleep(weather.block_seconds)
            now = site.scheduler.now
            if weather.stall and now < self._stalled_until:
                continue
            if self._random.random() < 0.1:
                self._add_stranger()
            if weather.dear and now < self._dear_until:
                site.chain.base_fee_next = 1000 * _GWEI
            elif site.chain.latest.base_fee > 100 * _GWEI:
                site.chain.base_fee_next = _GWEI
            site.chain.mine(seconds=max(1, round(now - last)))
            last = now

    def harm(self) -> None:
        """Do what happens from time to time, once a second, for ever."""
        weather, scheduler = self._weather, self._site.scheduler
        accidents = {
            "reorg": self._reorganise,
            "loss": self._lose,
            "dear": self._make_dear,
            "stall": self._stall,
            "replay": self._replay,
            "rival": self._publish,
        }
        while True:
            scheduler.sleep(1.0)
            for name, accident in accidents.items():
                mean = getattr(weather, name)
                if mean and self._random.random() < 1 / mean:
                    accident()

    def _make_dear(self) -> None:
        self._dear_until = self._site.scheduler.now + self._random.uniform(20, 200)

    def _stall(self) -> None:
        self._stalled_until = self._site.scheduler.now + self._random.uniform(30, 120)

    def _lose(self) -> None:
        """Lose one of what waits, or all of it, silently."""
        chain = self._site.chain
        for transaction in list(chain.pool.values()):
            if self._random.random() < 0.7:
                chain.drop(transaction.hash)

    def _replay(self) -> None:
        """Let a node remember something that was sent once."""
        raws = list(self._site.oracle.raws.values())
        if raws:
            self._gossip(self._random.choice(raws))

    def _gossip(self, raw: bytes) -> None:
        try:
            self._site.chain.add(raw)
        except Refused:
            return

    def _publish(self) -> None:
        """Have another publisher anchor the newest tree, or one before it."""
        office = self._random.choice(self._site.offices)
        raw = self._rival_anchor(office)
        if raw is not None:
            self._site.oracle.may_waste = True
            self._gossip(raw)

    def _rival_anchor(self, office: Office) -> bytes | None:
        chain, target = self._site.chain, office.settings.target
        head = chain.latest.state.contracts[target.contract][target.log]
        sizes = [size for size in office.log.sizes[-2:] if size > head.size]
        if not sizes:
            return None
        size = self._random.choice(sizes)
        proof = office.log.consistency(head.size, size) if head.size else ()
        nonce = chain.latest.state.nonces.get(self._rival.address, 0)
        data = encode_anchor(target.log, size, office.log.root_at(size), proof)
        return _sign(self._rival, nonce, target.contract, data)

    def _add_stranger(self) -> None:
        nonce = self._site.chain.latest.state.nonces.get(_STRANGER.address, 0)
        self._gossip(_sign(_STRANGER, nonce, b"\x11" * 20, b""))

    # --- reorganisations ---

    def _reorganise(self) -> None:
        """Replace blocks; what was in them is dropped, waits again, moves or is replaced."""
        chain, random = self._site.chain, self._random
        depth = min(
            random.randint(1, self._weather.depth_max), chain.height - self._site.oracle.first_block
        )
        if depth < 1:
            return
        self.reorgs += 1
        self._site.oracle.may_waste = True
        gone = [
            each
            for number in range(chain.height - depth + 1, chain.height + 1)
            if (block := chain.block(number)) is not None
            for each in block.transactions
        ]
        count = depth + random.choice((0, 0, 1))
        way = random.choice(("drop", "pool", "move", "replace"))
        blocks: list[list[bytes]] = [[] for _ in range(count)]
        if way in {"move", "replace"}:
            places = sorted(random.randrange(count) for _ in gone)
            for place, transaction in zip(places, gone, strict=True):
                raw = self._other(transaction) if way == "replace" else transaction.raw
                blocks[place].append(raw)
        chain.reorganise(depth, blocks, is_pooled=way == "pool")

    def _other(self, transaction: Transaction) -> bytes:
        """Return another one of the same nonce that was sent once, if there is one."""
        others = [
            raw
            for raw in self._site.oracle.raws.values()
            if (found := self._site.oracle.read(raw)).nonce == transaction.nonce
            and found.sender == transaction.sender
        ]
        return self._random.choice(others) if others else transaction.raw


def _sign(signer: AccountSigner, nonce: int, to: bytes, data: bytes) -> bytes:
    return signer.sign(
        TransactionFields(
            chain_id=31337,
            nonce=nonce,
            to=to,
            data=data,
            gas_limit=200_000,
            max_fee=400 * _GWEI,
            priority_fee=2 * _GWEI,
        )
    )
