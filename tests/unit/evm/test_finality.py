from __future__ import annotations

import pytest

from vermilion_ledger.errors import InputError
from vermilion_ledger.evm.finality import parse_finality


@pytest.mark.parametrize(
    ("text", "height"),
    [
        ("immediate", 100),
        ("confirmations:1", 99),
        ("confirmations:12", 88),
        ("confirmations:999999999", 100 - 999999999),
        ("finalized", 36),
    ],
)
def test_each_rule_gives_its_height(text: str, height: int) -> None:
    rule = parse_finality(text)

    assert rule.final_height(head=100, finalized=36) == height
    assert rule.text == text


def test_nothing_is_final_where_the_chain_does_not_say() -> None:
    assert parse_finality("finalized").final_height(head=100, finalized=None) < 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "confirmations",
        "confirmations:",
        "confirmations:0",
        "confirmations:-1",
        "confirmations:01",
        "confirmations:1 ",
        "confirmations:1\n",
        "confirmations:+1",
        "confirmations:١",
        "confirmations:1.0",
        "confirmations:1000000000",
        "Finalized",
        "safe",
        " immediate",
        "immediate\n",
    ],
)
def test_other_rules_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_finality(text)
