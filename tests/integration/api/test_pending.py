"""What entries wait for where no anchorer runs, or where its word is old."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from homes import write_home
from served import Served, sha256
from vermilion_api.anchor_desk import build_anchor_desk
from vermilion_api.services.anchoring import AnchorDesk
from vermilion_api.services.waiting import Standing
from vermilion_api.settings import TsaSettings
from vermilion_api.wiring import now, open_ledger
from vermilion_ledger.anchor_standing import AnchorNote
from vermilion_ledger.errors import UnavailableError


@contextmanager
def told(served: Served, code: str, *, age: float = 0.0, note: str = "") -> Iterator[None]:
    """The anchorer said something some seconds ago."""
    (target,) = served.ledger.targets
    at = now() - timedelta(seconds=age)
    word = AnchorNote(target=target, code=code, note=note, alarm="", since=at, told_at=at)
    served.ledger.database.notes.save(word)
    served.app.state.services.anchoring._kept = None  # told anew at once
    yield
    served.app.state.services.anchoring._kept = None


def pending(served: Served, name: str) -> list[dict[str, Any]]:
    record = served.register(name)["record"]
    found: list[dict[str, Any]] = served.api.get(f"/v1/records/{record}")["pending"]
    return found


@pytest.mark.parametrize(
    ("code", "age", "reason"),
    [
        ("wait.idle", 0, "wait.begin"),
        ("wait.idle", 3600, "anchor.silent"),
        ("anchor.fee-cap", 0, "anchor.fee-cap"),
        ("anchor.fee-cap", 3600, "anchor.silent"),
        ("anchor.spend-cap", 0, "anchor.spend-cap"),
        ("anchor.no-funds", 0, "anchor.no-funds"),
        ("chain.unreachable", 0, "chain.unreachable"),
        ("signer.unreachable", 0, "signer.unreachable"),
        ("anchor.head-conflict", 0, "anchor.head-conflict"),
    ],
)
def test_the_last_word_is_the_reason_while_it_is_fresh(
    served: Served, code: str, age: float, reason: str
) -> None:
    with told(served, code, age=age):
        (waiting,) = pending(served, f"{code} {age}")
        page = served.client.get("/").text

    assert waiting["why"]["code"] == reason
    assert waiting["why"]["en"] in page
    assert waiting["why"]["zh"] in page
    assert waiting["expectedAt"] is None
    assert waiting["unknown"]["code"] in {"expect.blocked", "expect.no-history"}


def test_a_message_that_names_a_host_does_not_leave_the_house(served: Served) -> None:
    with told(served, "chain.unreachable", note="node-7.office.example does not answer"):
        record = served.register("hidden")["record"]
        answers = [
            served.client.get(path).text
            for path in (f"/v1/records/{record}", "/v1/log", "/v1/anchors", "/", "/metrics")
        ]

    assert not [text for text in answers if "office.example" in text.replace("gov/office", "")]


def test_entries_that_wait_for_the_same_stand_together(served: Served) -> None:
    wang = served.enrol("pending-wang")
    record = served.register("grouped")["record"]
    served.decide(record, wang)

    with told(served, "wait.idle"):
        answer = served.api.get(f"/v1/records/{record}")

    (waiting,) = answer["pending"]
    assert (waiting["first"], waiting["last"]) == (0, 1)
    assert [entry["state"] for entry in answer["entries"]] == ["published", "published"]


def test_what_is_not_published_waits_for_its_checkpoint_or_for_a_sequencer(served: Served) -> None:
    services, standing = served.app.state.services, Standing(published=5, anchored=0, final=0)
    with told(served, "wait.idle"):
        found = services.anchoring.pending(10**6, standing)
    stopped = build_anchor_desk(
        services.settings, served.ledger.database, clock=now, is_led=lambda: False
    )

    assert (found["state"], found["why"]["code"]) == ("sequenced", "wait.checkpoint")
    assert code_of(stopped, 10**6, standing) == "wait.sequencer"


def code_of(desk: AnchorDesk, index: int, standing: Standing) -> Any:
    found = desk.pending(index, standing)
    assert found is not None
    return found["why"]["code"]


def test_an_entry_under_a_final_anchor_waits_for_nothing(served: Served) -> None:
    standing = Standing(published=9, anchored=9, final=8)
    desk = served.app.state.services.anchoring

    assert desk.pending(7, standing) is None
    assert desk.pending(8, standing)["state"] == "anchored"


def test_a_ledger_without_a_chain_says_so(tmp_path: Path) -> None:
    ledger = open_ledger(write_home(tmp_path, size=4))
    desk = build_anchor_desk(ledger.settings, ledger.database, clock=now, is_led=lambda: True)

    found = desk.pending(0, Standing(published=4, anchored=0, final=0))

    assert found is not None
    assert (found["why"]["code"], found["chains"]) == ("anchor.no-chain", [])
    assert (found["expectedAt"], found["unknown"]) == (None, None)
    ledger.database.close()


def test_authorities_that_are_behind_are_counted(tmp_path: Path) -> None:
    ledger = open_ledger(write_home(tmp_path, size=4))
    tsa = TsaSettings(url="https://tsa.example/secret", roots="tsa.pem")
    desk = build_anchor_desk(
        replace(ledger.settings, tsas=(tsa,)), ledger.database, clock=now, is_led=lambda: True
    )

    (lag,) = desk.timestamp_lags()
    answer = desk.describe(Standing(published=4, anchored=0, final=0), size=4, limit=10)

    assert (lag.missing, lag.oldest_at) == (0, None)
    assert answer["authorities"] == [
        {"authority": "tsa.example", "roots": "tsa.pem", "missing": 0, "oldest": None}
    ]
    assert (answer["oldestUnanchoredIndex"], answer["chains"]) == (0, [])
    ledger.database.close()


def test_the_page_stands_where_the_store_does_not(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> Standing:
        raise UnavailableError("store.unreachable", "db-3.office.example is away")

    monkeypatch.setattr(served.app.state.services.progress, "standing", fail)

    page = served.client.get("/")

    assert page.status_code == 200
    assert "cannot be told now" in page.text
    assert "目前无法得知进度" in page.text
    assert "db-3" not in page.text


def test_a_chain_without_an_anchor_is_told_with_nothing_known(served: Served) -> None:
    served.register("nothing known")

    (chain,) = served.api.get("/v1/anchors")["chains"]

    assert (chain["last"], chain["pace"], chain["job"], chain["dueAt"]) == (None,) * 4
    assert chain["unanchored"] == served.api.get("/v1/log")["size"]
    assert sha256("nothing known") not in served.client.get("/v1/anchors").text
