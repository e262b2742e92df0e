"""The fast way to canonical JSON is the same as RFC 8785's for whatever was parsed."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vermilion_ledger.encoding import encode_json, encode_parsed, parse_json
from vermilion_ledger.errors import InputError

texts = st.text(max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=12,
)


@given(values)
@example({"\U00010000": 1, "\ue000": 2})
@example({"\x7f\x80\u2028": '\x00\x1f\b\f\n\r\t"\\/'})
@example({"é": 1, "e\u0301": 2, "": 3})
def test_both_ways_write_the_same_bytes(value: object) -> None:
    try:
        parsed = parse_json(json.dumps(value).encode(), size_max=10_000, what="value")
    except InputError:
        return  # noncharacters, or nested too deep

    assert encode_parsed(parsed) == encode_json(parsed)


@given(st.text(max_size=10), st.booleans())
@example("\ufdd0", True)
@example("\ufdd0", False)
@example("\U0001ffff", False)
def test_bad_characters_are_found_in_the_text_and_in_escapes(text: str, escaped: bool) -> None:
    data = json.dumps([text], ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    is_bad = any(
        "\ud800" <= each <= "\udfff" or "\ufdd0" <= each <= "\ufdef" or ord(each) & 0xFFFE == 0xFFFE
        for each in text
    )

    if is_bad:
        with pytest.raises(InputError):
            parse_json(data, size_max=1_000, what="value")
    else:
        assert parse_json(data, size_max=1_000, what="value") == [text]
