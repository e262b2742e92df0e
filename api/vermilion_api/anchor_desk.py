"""Making the desk that tells how anchoring stands, from settings and stores."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from vermilion_api.chains import target_of
from vermilion_api.services.anchor_ports import AnchorPlace, AnchorSources, Authority
from vermilion_api.services.anchoring import AnchorDesk
from vermilion_api.settings import ChainSettings, Settings, TsaSettings
from vermilion_ledger.ports import Clock
from vermilion_ledger.store import Database

__all__ = ["build_anchor_desk"]


def build_anchor_desk(
    settings: Settings, database: Database, *, clock: Clock, is_led: Callable[[], bool]
) -> AnchorDesk:
    """Return the desk; nothing is read yet.

    Args:
        settings: Where this ledger anchors, and who time-stamps.
        database: Of the log and of the head.
        clock: Judges how old a word is.
        is_led: Whether a sequencer runs.
    """
    sources = AnchorSources(
        journal=database.anchors,
        notes=database.notes,
        history=database.history,
        timestamps=database.timestamps,
        heads=database.heads,
    )
    return AnchorDesk(
        sources=sources,
        places=[_place(chain, settings.anchor_interval_seconds) for chain in settings.chains],
        authorities=[_authority(tsa) for tsa in settings.tsas],
        clock=clock,
        is_led=is_led,
    )


def _place(chain: ChainSettings, interval_seconds: float) -> AnchorPlace:
    return AnchorPlace(
        target=target_of(chain),
        finality=chain.finality,
        interval_seconds=interval_seconds,
        is_courier=chain.courier,
    )


def _authority(tsa: TsaSettings) -> Authority:
    return Authority(url=tsa.url, name=urlsplit(tsa.url).hostname or "", roots=tsa.roots)
