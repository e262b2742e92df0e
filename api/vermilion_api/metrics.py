"""`/metrics`: gauges and two counters in the Prometheus text format.

The only module that imports prometheus-client, which writes names, label
values and numbers as the format demands. Nothing is counted in memory: each
scrape reads the stores, so that every API process tells the same, and a
restart forgets nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from vermilion_api.services.anchor_ports import TimestampLag
from vermilion_api.services.outlook import TargetOutlook
from vermilion_ledger.anchor_rows import AnchorTarget, JobState
from vermilion_ledger.grades import GRADE_CODES

__all__ = ["Scrape", "render"]

_LOG: Mapping[str, str] = {
    "vermilion_ready": "1 while submissions would be taken and sequenced.",
    "vermilion_entries": "Entries of the log.",
    "vermilion_published_size": "Tree size of the newest checkpoint.",
    "vermilion_anchored_size": "Largest tree size in a block, on any chain.",
    "vermilion_final_size": "Largest tree size with a final anchor, on any chain.",
    "vermilion_waiting_submissions": "Submissions without an index.",
    "vermilion_unanchored_age_seconds": "Age of the oldest checkpoint without a final anchor.",
}
_TARGET = ("chain", "contract", "log")
_AUTHORITY = ("authority", "roots")
_ALARMS = ("anchor.low-balance", "anchor.final-reorged")
_OPEN = tuple(state.value for state in JobState if state.is_open)
_NO_JOB = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrape(Collector):
    """What one scrape found.

    Attributes:
        figures: Gauges of the log, by name.
        size: Entries of the log.
        chains: Where this ledger anchors.
        paid: What all anchors of each target cost, in wei.
        lags: How far each time-stamping authority is behind.
        refusals: Refusals for a grade that the log has, by code.
        views: Bundles of work secrets that this process gave out.
        now: The moment.
    """

    figures: Mapping[str, float]
    size: int
    chains: Sequence[TargetOutlook]
    paid: Mapping[AnchorTarget, float]
    lags: Sequence[TimestampLag]
    refusals: Mapping[str, int]
    views: int
    now: datetime

    def collect(self) -> Iterator[Metric]:
        """Yield each metric with its samples; a sample that is unknown is left out."""
        for name, value in self.figures.items():
            yield GaugeMetricFamily(name, _LOG[name], value=value)
        refused = CounterMetricFamily(
            "vermilion_refusals", "Documents refused for their grade.", labels=("code",)
        )
        for code in GRADE_CODES:
            refused.add_metric([code], self.refusals.get(code, 0))
        yield refused
        yield CounterMetricFamily(
            "vermilion_views", "Bundles given out whose grade demands a view log.", value=self.views
        )
        yield from self._standing()
        yield from self._jobs()
        yield from self._costs()
        yield from self._words()
        yield from self._stamps()

    def _standing(self) -> Iterator[Metric]:
        final = _gauge("final_size", "Largest tree size with a final anchor on this chain.")
        behind = _gauge("unanchored_entries", "Entries without a final anchor on this chain.")
        age = _gauge(
            "unanchored_age_seconds",
            "Age of the oldest checkpoint without a final anchor on this chain.",
        )
        vanished = _gauge("vanished", "Final anchors whose block is on its chain no more.")
        for chain in self.chains:
            labels, reached = _labels(chain), chain.totals.final_size
            final.add_metric(labels, reached)
            behind.add_metric(labels, max(0, self.size - reached))
            age.add_metric(labels, _age(self.now, chain.oldest_at))
            vanished.add_metric(labels, chain.totals.vanished)
        yield from (final, behind, age, vanished)

    def _jobs(self) -> Iterator[Metric]:
        state = _gauge("job_state", "1 for the state of the open anchoring job, else 0.", "state")
        attempts = _gauge("job_attempts", "Transactions signed for the open anchoring job.")
        age = _gauge("job_age_seconds", "Time since the open anchoring job was planned.")
        for chain in self.chains:
            labels, job = _labels(chain), chain.job
            current = _NO_JOB if job is None else job.state.value
            for word in (*_OPEN, _NO_JOB):
                state.add_metric([*labels, word], float(word == current))
            attempts.add_metric(labels, 0 if job is None else len(job.attempts))
            age.add_metric(labels, _age(self.now, None if job is None else job.planned_at))
        yield from (state, attempts, age)

    def _costs(self) -> Iterator[Metric]:
        gas = _gauge("gas_used", "Gas of the last final anchor.")
        price = _gauge("gas_price_wei", "Wei per gas paid for the last final anchor.")
        each = _gauge("paid_per_document_wei", "Wei per new entry of the last final anchor.")
        lasts = _gauge("final_seconds", "Median time from planning to final of the last anchors.")
        paid = CounterMetricFamily(
            "vermilion_anchor_paid_wei",
            "Wei paid for all final anchors, the vanished ones too.",
            labels=_TARGET,
        )
        for chain in self.chains:
            labels = _labels(chain)
            paid.add_metric(labels, self.paid[chain.target])
            last = chain.finished[0] if chain.finished else None
            for family, value in (
                (gas, None if last is None else last.gas_used),
                (price, None if last is None else last.gas_price),
                (each, None if last is None else last.paid_per_document),
                (lasts, None if chain.pace is None else chain.pace.final),
            ):
                if value is not None:
                    family.add_metric(labels, value)
        yield from (gas, price, each, lasts, paid)

    def _words(self) -> Iterator[Metric]:
        told = _gauge("told_timestamp_seconds", "When the anchorer spoke last; 0 if never.")
        alarm = _gauge("alarm", "1 while the anchorer raises an alarm.", "code")
        trouble = _gauge("trouble", "1 for the error in the anchorer's way.", "code")
        for chain in self.chains:
            labels, note = _labels(chain), chain.note
            told.add_metric(labels, 0.0 if note is None else note.told_at.timestamp())
            raised = "" if note is None else note.alarm
            for code in sorted({*_ALARMS, raised} - {""}):
                alarm.add_metric([*labels, code], float(code == raised))
            if note is not None and note.is_trouble:
                trouble.add_metric([*labels, note.code], 1.0)
        yield from (told, alarm, trouble)

    def _stamps(self) -> Iterator[Metric]:
        missing = GaugeMetricFamily(
            "vermilion_timestamp_missing",
            "Anchored checkpoints without a time-stamp of this authority, among the newest 100.",
            labels=_AUTHORITY,
        )
        lag = GaugeMetricFamily(
            "vermilion_timestamp_lag_seconds", "Age of the oldest of these.", labels=_AUTHORITY
        )
        for each in self.lags:
            labels = [each.authority.name, each.authority.roots]
            missing.add_metric(labels, each.missing)
            lag.add_metric(labels, _age(self.now, each.oldest_at))
        yield from (missing, lag)


def render(scrape: Scrape, accept: str) -> tuple[bytes, str]:
    """Return the metrics and their media type.

    Args:
        scrape: What to tell.
        accept: The Accept header: Prometheus asks for its text format or for OpenMetrics.
    """
    encode, media_type = choose_encoder(accept)
    return encode(scrape), media_type


def _gauge(name: str, text: str, *more: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"vermilion_anchor_{name}", text, labels=(*_TARGET, *more))


def _labels(chain: TargetOutlook) -> list[str]:
    target = chain.target
    return [str(target.chain_id), "0x" + target.contract.hex(), "0x" + target.log.hex()]


def _age(now: datetime, moment: datetime | None) -> float:
    """Return seconds since a moment; 0 where there is none."""
    return 0.0 if moment is None else max(0.0, (now - moment).total_seconds())
