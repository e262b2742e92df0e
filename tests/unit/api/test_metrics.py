"""`/metrics` is the Prometheus text format, whatever stands in labels and amounts."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families

from anchor_kit import (
    NOW,
    TARGET,
    finished,
    make_attempt,
    make_job,
    make_note,
    make_outlook,
    seconds,
)
from vermilion_api.metrics import _LOG, Scrape, render
from vermilion_api.services.anchor_ports import Authority, TimestampLag
from vermilion_ledger.anchor_rows import JobState
from vermilion_ledger.anchor_standing import AnchorTotals
from vermilion_ledger.grades import GRADE_CODES

CHAIN = {"chain": "31337", "contract": "0x" + "01" * 20, "log": "0x" + "02" * 32}
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scrape(
    *chains: Any, lags: Any = (), size: int = 120, refusals: Any = None, **figures: float
) -> Scrape:
    paid = {chain.target: 5e13 for chain in chains}
    return Scrape(
        figures=figures,
        size=size,
        chains=chains,
        paid=paid,
        lags=lags,
        refusals=refusals or {},
        views=7,
        now=NOW,
    )


def samples(made: Scrape) -> Samples:
    """Every sample as Prometheus' own parser reads it; a doubled one is refused."""
    text = render(made, "")[0].decode()
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation, family.name
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found
            found[key] = sample.value
    return found


def value(found: Samples, name: str, **labels: str) -> float | None:
    return found.get((f"vermilion_{name}", frozenset(labels.items())))


def test_what_a_chain_costs_and_how_far_it_is_behind_can_be_read() -> None:
    found = samples(scrape(make_outlook(), vermilion_entries=120.0))

    assert value(found, "entries") == 120
    assert value(found, "anchor_final_size", **CHAIN) == 50
    assert value(found, "anchor_unanchored_entries", **CHAIN) == 70
    assert value(found, "anchor_unanchored_age_seconds", **CHAIN) == 5
    assert value(found, "anchor_gas_used", **CHAIN) == 50_000
    assert value(found, "anchor_gas_price_wei", **CHAIN) == 10**9
    assert value(found, "anchor_paid_per_document_wei", **CHAIN) == 10**12
    assert value(found, "anchor_paid_wei_total", **CHAIN) == 5e13
    assert value(found, "anchor_final_seconds", **CHAIN) == 40
    assert value(found, "anchor_told_timestamp_seconds", **CHAIN) == NOW.timestamp()
    assert value(found, "anchor_job_state", state="none", **CHAIN) == 1


def test_what_nobody_knows_is_left_out_and_not_zero() -> None:
    unpaid = finished(1, size=50, gas_used=None, final_at=None)

    found = samples(scrape(make_outlook(finished=(unpaid,)), make_other(finished=())))

    for name in ("gas_used", "paid_per_document_wei", "final_seconds"):
        assert not [key for key in found if key[0] == f"vermilion_anchor_{name}"]


def make_other(**changes: Any) -> Any:
    """Another log on the same chain."""
    return make_outlook(target=replace(TARGET, log=b"\x03" * 32), **changes)


def test_two_logs_on_one_chain_are_two_series() -> None:
    found = samples(scrape(make_outlook(), make_other()))

    assert len([key for key in found if key[0] == "vermilion_anchor_final_size"]) == 2


@pytest.mark.parametrize("state", [state for state in JobState if state.is_open])
def test_one_state_at_a_time_is_set(state: JobState) -> None:
    job = make_job(state, make_attempt(1), make_attempt(2))

    found = samples(scrape(make_outlook(job=job)))

    states = {dict(labels)["state"]: on for (name, labels), on in found.items() if "state" in name}
    assert [word for word, on in states.items() if on] == [state.value]
    assert len(states) == len([each for each in JobState if each.is_open]) + 1
    assert value(found, "anchor_job_attempts", **CHAIN) == 2
    assert value(found, "anchor_job_age_seconds", **CHAIN) == 30


def test_an_anchorer_that_never_spoke_spoke_at_zero() -> None:
    found = samples(scrape(make_outlook(note=None)))

    assert value(found, "anchor_told_timestamp_seconds", **CHAIN) == 0
    assert value(found, "anchor_alarm", code="anchor.low-balance", **CHAIN) == 0


@pytest.mark.parametrize("code", ["anchor.low-balance", "anchor.final-reorged", "anchor.unheard"])
def test_an_alarm_is_one_and_all_others_are_zero(code: str) -> None:
    found = samples(scrape(make_outlook(note=make_note("wait.idle", alarm=code))))

    raised = {dict(key[1])["code"]: on for key, on in found.items() if "alarm" in key[0]}
    assert {name for name, on in raised.items() if on} == {code}
    assert raised.keys() >= {"anchor.low-balance", "anchor.final-reorged"}


def test_trouble_is_told_while_there_is_some() -> None:
    stuck = samples(scrape(make_outlook(note=make_note("chain.unreachable"))))
    fine = samples(scrape(make_outlook()))

    assert value(stuck, "anchor_trouble", code="chain.unreachable", **CHAIN) == 1
    assert not [key for key in fine if key[0] == "vermilion_anchor_trouble"]


def test_a_vanished_anchor_is_counted() -> None:
    look = make_outlook(totals=AnchorTotals(final_size=130, vanished=2))

    found = samples(scrape(look))

    assert value(found, "anchor_vanished", **CHAIN) == 2
    assert value(found, "anchor_unanchored_entries", **CHAIN) == 0  # never below


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", "时间", ""])
def test_odd_names_of_authorities_are_escaped(name: str) -> None:
    authority = Authority(url="https://tsa/secret", name=name, roots="r.pem")
    lag = TimestampLag(authority=authority, missing=3, oldest_at=NOW - seconds(90))

    made = scrape(lags=[lag])
    found = samples(made)

    assert value(found, "timestamp_missing", authority=name, roots="r.pem") == 3
    assert value(found, "timestamp_lag_seconds", authority=name, roots="r.pem") == 90
    assert b"secret" not in render(made, "")[0]


def test_an_authority_that_stamped_all_has_no_lag() -> None:
    authority = Authority(url="https://tsa", name="tsa", roots="r.pem")

    found = samples(scrape(lags=[TimestampLag(authority=authority, missing=0, oldest_at=None)]))

    assert value(found, "timestamp_lag_seconds", authority="tsa", roots="r.pem") == 0


def test_a_ledger_without_a_chain_tells_of_its_log_alone() -> None:
    found = samples(scrape(vermilion_ready=1.0))

    refusals = {key for key in found if key[0] == "vermilion_refusals_total"}
    assert found.keys() - refusals == {
        ("vermilion_ready", frozenset()),
        ("vermilion_views_total", frozenset()),
    }
    assert value(found, "views_total") == 7


def test_refusals_are_told_by_code_and_those_that_never_were_as_none() -> None:
    found = samples(scrape(refusals={"grade.refused": 3, "some.other": 9}))

    assert value(found, "refusals_total", code="grade.refused") == 3
    assert {
        dict(labels)["code"]: count
        for (name, labels), count in found.items()
        if name == "vermilion_refusals_total"
    } == {code: 3.0 * (code == "grade.refused") for code in GRADE_CODES}


def test_amounts_of_wei_pass_64_bits() -> None:
    dear = finished(1, size=50, gas_used=2**53 - 1, gas_price=2**53 - 1)

    found = samples(scrape(make_outlook(finished=(dear,))))

    assert value(found, "anchor_paid_per_document_wei", **CHAIN) == pytest.approx(2**106 / 50)


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", "text/plain; version=0.0.4"),
        ("*/*", "text/plain; version=0.0.4"),
        ("text/html;q=0.9", "text/plain; version=0.0.4"),
        ("application/openmetrics-text;version=1.0.0", "application/openmetrics-text; version=1"),
    ],
)
def test_the_format_is_the_one_asked_for(accept: str, media_type: str) -> None:
    body, told = render(scrape(make_outlook()), accept)

    assert told.startswith(media_type)
    if "openmetrics" in told:
        assert len(list(parse_openmetrics(body.decode()))) > 10  # type: ignore[no-untyped-call]


def test_the_how_to_names_every_metric_and_no_other(repository: Path) -> None:
    page = (repository / "docs/how-to/watch-anchoring.md").read_text("utf-8")
    figures = dict.fromkeys(_LOG, 0.0)
    note = make_note("chain.unreachable")
    authority = Authority(url="https://tsa", name="tsa", roots="r.pem")
    lag = TimestampLag(authority=authority, missing=0, oldest_at=None)

    found = samples(replace(scrape(make_outlook(note=note), lags=[lag]), figures=figures))

    table = set(re.findall(r"^\| `(vermilion_\w+)` \|", page, re.MULTILINE))
    assert table == {name for name, _ in found}
    assert set(re.findall(r"vermilion_\w+", page)) == table
