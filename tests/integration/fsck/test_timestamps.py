"""What fsck can say of time-stamps, which it has no roots to check with."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from log_kit import check, fill, open_log, texts
from tsa import STAMPED, make_ca, make_signer, make_token
from vermilion_ledger.anchor_rows import StoredTimestamp


def test_a_token_that_cannot_be_read_or_states_another_time_is_damage(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    fill(log, 20)
    token = make_token(make_signer(make_ca()))
    later = STAMPED + timedelta(seconds=1)
    for authority, data, time in (
        ("http://a.example", token, STAMPED),
        ("http://b.example", token, later),
        ("http://c.example", token[:-1], STAMPED),
    ):
        log.database.timestamps.save(
            StoredTimestamp(size=1, authority=authority, token=data, time=time)
        )

    outcome = check(log)

    places = [text.partition(":")[0] for text in texts(outcome)]
    assert len(places) == 2, texts(outcome)
    assert all(place.startswith("fsck.row-differs timestamps") for place in places)
    assert [place.endswith("time") for place in places] == [True, False]
    assert outcome.findings.damage_count == 2
    log.close()
