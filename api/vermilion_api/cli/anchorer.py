"""``vermilion anchorer``: brings checkpoints onto the chains, and has them time-stamped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from vermilion_api.cli.common import DEFAULT_HOME, HomeOption, say

if TYPE_CHECKING:
    from vermilion_anchor.endpoints import ChainEndpoints
    from vermilion_anchor.notes import NoteKeeper
    from vermilion_anchor.ports import ChainClient, Signer
    from vermilion_anchor.service import Anchorer
    from vermilion_anchor.settings import Progress
    from vermilion_anchor.stamper import Stamper
    from vermilion_api.settings import ChainSettings
    from vermilion_api.wiring import Ledger
    from vermilion_ledger.errors import EvidenceError

__all__ = ["anchorer", "build_anchorer", "build_stampers"]


def anchorer(*, home: HomeOption = DEFAULT_HOME) -> None:
    """Anchor published checkpoints on every chain; have final ones time-stamped."""
    from vermilion_api.anchor_signer import open_anchor_signer
    from vermilion_api.chains import open_chain
    from vermilion_api.cli.processes import prepare_process, stop_event
    from vermilion_api.wiring import open_ledger
    from vermilion_ledger.errors import InputError

    stop = stop_event()
    prepare_process()
    ledger = open_ledger(home)
    ledger.database.check()
    if not ledger.settings.online_chains:
        raise InputError("anchor.no-chain", "the settings have no [[chain]] table with a node")
    signer = open_anchor_signer(ledger.home, ledger.settings)  # one login for all chains
    failures: list[EvidenceError] = []
    threads = [
        threading.Thread(target=_run, args=(worker, chain, endpoints, notes, stop, failures))
        for chain in ledger.settings.online_chains
        for endpoints in [open_chain(chain)]
        for worker in [build_anchorer(ledger, chain, signer, client=endpoints)]
        for notes in [_note_keeper(ledger, chain)]
    ]
    stampers = [
        # Not waited for at the end: stopped anywhere, one loses an answer and nothing else.
        threading.Thread(target=stamper.run, args=(stop,), kwargs={"notify": notify}, daemon=True)
        for url, stamper in build_stampers(ledger).items()
        for notify in [_announcer(url)]
    ]
    for thread in (*threads, *stampers):
        thread.start()
    for thread in threads:
        thread.join()
    ledger.database.close()
    if failures:
        raise failures[0]


def build_anchorer(
    ledger: Ledger, chain: ChainSettings, signer: Signer, *, client: ChainClient | None = None
) -> Anchorer:
    """Return the anchorer of one chain, over the given client or one that is opened here."""
    from vermilion_anchor.fees import FeePolicy
    from vermilion_anchor.service import Anchorer
    from vermilion_anchor.settings import AnchorSettings
    from vermilion_anchor.spending import SpendPolicy
    from vermilion_api.chains import open_chain, target_of
    from vermilion_api.wiring import LogView, now
    from vermilion_ledger.evm.finality import parse_finality

    settings = AnchorSettings(
        target=target_of(chain),
        code_hash=bytes.fromhex(chain.code_hash[2:]),
        finality=parse_finality(chain.finality),
        fees=FeePolicy(
            max_fee_cap=chain.fee_cap_wei,
            priority_fee_cap=min(chain.tip_cap_wei, chain.fee_cap_wei),
            replace_after_blocks=chain.replace_after_blocks,
        ),
        spending=SpendPolicy(
            anchor_max=chain.anchor_cost_max_wei,
            day_max=chain.day_cost_max_wei,
            balance_min=chain.balance_min_wei,
        ),
        recheck_seconds=3600 * chain.recheck_hours,
        interval_seconds=ledger.settings.anchor_interval_seconds,
        poll_seconds=ledger.settings.anchor_poll_seconds,
    )
    return Anchorer(
        settings,
        chain=client or open_chain(chain),
        journal=ledger.database.anchors,
        log=LogView(ledger.reader()),
        signer=signer,
        clock=now,
    )


def build_stampers(ledger: Ledger) -> dict[str, Stamper]:
    """Return a stamper for each time-stamping authority, by its address.

    Raises:
        EvidenceError: The roots of one cannot be read.
    """
    if not ledger.settings.tsas:
        return {}
    from vermilion_anchor.stamper import Stamper
    from vermilion_anchor.tsa import HttpAuthority
    from vermilion_api.wiring import LogView
    from vermilion_verify.timestamps import load_authorities

    stampers = {}
    roots = load_authorities(ledger.roots_files)
    for tsa, authority in zip(ledger.settings.tsas, roots, strict=True):
        stampers[tsa.url] = Stamper(
            HttpAuthority(tsa.url, authority, timeout_seconds=tsa.timeout_seconds),
            store=ledger.database.timestamps,
            checkpoints=LogView(ledger.reader()),
            poll_seconds=ledger.settings.anchor_poll_seconds,
        )
    return stampers


def _note_keeper(ledger: Ledger, chain: ChainSettings) -> NoteKeeper:
    from vermilion_anchor.notes import NoteKeeper
    from vermilion_api.chains import target_of
    from vermilion_api.wiring import now

    return NoteKeeper(target_of(chain), store=ledger.database.notes, clock=now)


def _run(
    worker: Anchorer,
    chain: ChainSettings,
    endpoints: ChainEndpoints,
    notes: NoteKeeper,
    stop: threading.Event,
    failures: list[EvidenceError],
) -> None:
    from vermilion_ledger.errors import EvidenceError

    announce = _announcer(f"chain {chain.id}")

    def notify(progress: Progress) -> None:
        told = _with_alarm(progress, endpoints)
        announce(told)
        notes.tell(told)

    try:
        worker.run(stop, notify=notify)
    except EvidenceError as exc:
        notes.tell_error(exc)
        failures.append(exc)
        stop.set()


def _with_alarm(progress: Progress, endpoints: ChainEndpoints) -> Progress:
    """Tell of an endpoint in trouble where nothing more pressing is told."""
    if progress.alarm is not None:
        return progress
    return replace(progress, alarm=endpoints.find_alarm())


def _announcer(name: str) -> Callable[[Progress], None]:
    """Tell of trouble and of an alarm once, and when it is over."""
    trouble = alarm = ""

    def notify(progress: Progress) -> None:
        nonlocal trouble, alarm
        trouble = _tell(name, trouble, progress.error, "it goes on")
        if progress.error is None:  # else nobody looked
            alarm = _tell(name, alarm, progress.alarm, f"{alarm} is over")

    return notify


def _tell(name: str, last: str, error: EvidenceError | None, relief: str) -> str:
    """Say what is new, and return its code."""
    code = "" if error is None else error.code
    if code != last:
        say(f"{name}: " + (relief if error is None else f"{code}: {error.message}"))
    return code
