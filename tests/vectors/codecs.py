"""Vectors of the text codecs: I-JSON, hex, base64, times, counts, names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vermilion_ledger.encoding import encode_base64

__all__ = ["vectors"]

_NESTED_16 = b"[" * 16 + b"]" * 16
_JSON_ACCEPTED = {
    "plain": ("members in any order, white space allowed", b' {"b": [1, -2], "a": "\xe5\x8d\xb0"} '),
    "largest-integer": ("2^53-1 is the largest integer", b"9007199254740991"),
    "depth-16": ("sixteen levels are allowed", _NESTED_16),
    "brackets-in-text": ("brackets inside of text are no nesting", b'"' + b"[" * 40 + b'"'),
    "escaped-pair": ("an escaped surrogate pair is one character", b'"\\ud83d\\ude00"'),
}
_JSON_REFUSED = {
    "duplicate-key": ("a second reader may take the other one", "json.duplicate-key", b'{"a":1,"a":2}'),
    "duplicate-key-escaped": ("the same name written with an escape", "json.duplicate-key", b'{"a":1,"\\u0061":2}'),
    "duplicate-key-deep": ("inside of a list", "json.duplicate-key", b'[[{"a":1,"a":1}]]'),
    "float": ("floats have many forms", "json.not-integer", b"[1.0]"),
    "exponent": ("an exponent makes a float", "json.not-integer", b"1e2"),
    "minus-zero": ("-0 is 0 to some and not to others", "json.not-integer", b"-0"),
    "not-a-number": ("NaN is no JSON", "json.not-integer", b"[NaN]"),
    "infinity": ("Infinity is no JSON", "json.not-integer", b"-Infinity"),
    "integer-2-to-53": ("2^53 is not exact everywhere", "json.integer-range", b"9007199254740992"),
    "integer-minus-2-to-53": ("nor is -2^53", "json.integer-range", b"-9007199254740992"),
    "integer-of-5000-digits": ("refused before it is computed", "json.integer-range", b"9" * 5000),
    "leading-zero": ("01 is no JSON", "json.malformed", b"01"),
    "lone-high-surrogate": ("half of a character", "json.bad-character", b'"\\ud800"'),
    "lone-low-surrogate-in-name": ("in a name too", "json.bad-character", b'{"\\udc00":1}'),
    "noncharacter-fffe": ("U+FFFE is no character", "json.bad-character", b'"\\uffff"'),
    "noncharacter-fdd0": ("nor is U+FDD0", "json.bad-character", b'"\xef\xb7\x90"'),
    "noncharacter-plane-16": ("nor is U+10FFFF", "json.bad-character", b'"\xf4\x8f\xbf\xbf"'),
    "byte-order-mark": ("a mark before the value", "json.byte-order-mark", b"\xef\xbb\xbf{}"),
    "utf-16": ("only UTF-8 is read", "json.not-utf8", "{}".encode("utf-16")),
    "overlong-utf8": ("two bytes for a slash", "json.not-utf8", b'"\xc0\xaf"'),
    "surrogate-in-utf8": ("a surrogate written as UTF-8", "json.not-utf8", b'"\xed\xa0\x80"'),
    "depth-17": ("one level more than sixteen", "json.too-deep", b"[" + _NESTED_16 + b"]"),
    "depth-behind-text": ("nesting counts after text with an escaped quote", "json.too-deep", b'["\\"",' + b"[" * 16 + b"]" * 16 + b"]"),
    "trailing-bytes": ("a second value behind the first", "json.malformed", b"{} {}"),
    "trailing-comma": ("a comma too many", "json.malformed", b"[1,]"),
    "control-in-text": ("a raw line feed in text", "json.malformed", b'"a\nb"'),
    "empty": ("no value at all", "json.malformed", b""),
    "comment": ("comments are no JSON", "json.malformed", b"1 /* one */"),
    "single-quotes": ("nor are single quotes", "json.malformed", b"['a']"),
}
_HEX_ACCEPTED = {"four-bytes": ("lower case, exactly eight digits", "00ff10ab")}
_HEX_REFUSED = {
    "upper-case": ("one value, one text", "00FF10AB"),
    "prefixed": ("0x is for Ethereum values", "0x00ff10ab"),
    "short": ("an odd digit", "00ff10a"),
    "long": ("a byte too many", "00ff10ab00"),
    "line-feed": ("a line feed behind", "00ff10a\n"),
    "full-width-digit": ("a digit that is not ASCII", "00ff10a０"),
    "number": ("not text", 16),
}
_WIRE_REFUSED = {"no-prefix": ("0x is missing", "00ff10ab"), "upper-prefix": ("0X is another prefix", "0X00ff10ab"), "upper-case": ("one value, one text", "0x00FF10AB"), "short": ("an odd digit", "0x00ff10a")}
_BASE64_ACCEPTED = {"empty": ("no bytes are no text", ""), "one-byte": ("two padding characters", "/w=="), "full-alphabet": ("plus and slash are of the alphabet", "+/+/")}
_BASE64_REFUSED = {
    "no-padding": ("padding is part of it", "/w"),
    "half-padding": ("all of it", "/w="),
    "padding-bits": ("unused bits that are not zero", "/x=="),
    "url-alphabet": ("the alphabet of RFC 4648 section 5", "-_-_"),
    "line-feed": ("broken into lines", "AAAA\nAAAA"),
    "space": ("white space", "AAAA AAAA"),
    "padding-inside": ("padding, then more", "/w==AAAA"),
    "padding-only": ("nothing but padding", "===="),
    "number": ("not text", 0),
}
_TIME_ACCEPTED = {"first": ("an ordinary moment", "2026-11-21T08:00:00Z"), "leap-day": ("2028 has a 29 February", "2028-02-29T23:59:59Z")}
_TIME_REFUSED = {
    "leap-second": ("seconds end at 59", "2016-12-31T23:59:60Z"),
    "offset": ("UTC is written as Z", "2026-11-21T08:00:00+00:00"),
    "fraction": ("no fractions", "2026-11-21T08:00:00.0Z"),
    "space": ("T stands between", "2026-11-21 08:00:00Z"),
    "lower-case": ("in upper case", "2026-11-21t08:00:00z"),
    "no-such-day": ("2027 has no 29 February", "2027-02-29T00:00:00Z"),
    "hour-24": ("the day ends at 23", "2026-11-21T24:00:00Z"),
    "year-0": ("there was none", "0000-01-01T00:00:00Z"),
    "line-feed": ("a line feed behind", "2026-11-21T08:00:00Z\n"),
    "arabic-digits": ("digits that are not ASCII", "٢٠٢٦-11-21T08:00:00Z"),
    "number": ("not text", 1795248000),
}
_TEXT_ACCEPTED = {"chinese": ("any script", "王芳"), "combining": ("never normalised", "A\u030a"), "200-bytes": ("200 bytes are allowed", "x" * 200)}
_TEXT_REFUSED = {
    "empty": ("nothing", "text.empty", ""),
    "201-bytes": ("bytes of UTF-8 count, not characters", "text.too-long", "王" * 67),
    "line-feed": ("C0 control", "text.control-character", "a\nb"),
    "delete": ("U+007F", "text.control-character", "a\x7f"),
    "c1-control": ("U+0085 ends a line on some terminals", "text.control-character", "a\x85b"),
    "right-to-left-override": ("shows another name", "text.control-character", "a\u202efdp.exe"),
    "isolate": ("the newer kind of the same", "text.control-character", "a\u2066b"),
    "arabic-letter-mark": ("U+061C", "text.control-character", "\u061ca"),
    "list": ("not text", "text.shape", ["a"]),
}


def vectors() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield folder, name and vector."""
    for name, (why, data) in _JSON_ACCEPTED.items():
        yield "json", name, {"why": why, "accept": True, "bytes": encode_base64(data)}
    for name, (why, code, data) in _JSON_REFUSED.items():
        yield "json", name, _refused(why, code) | {"bytes": encode_base64(data)}
    for name, (why, text) in _HEX_ACCEPTED.items():
        yield "hex", name, {"why": why, "accept": True, "text": text}
        yield "wire-hex", name, {"why": why, "accept": True, "text": "0x" + text}
    for folder, refused, code in (("hex", _HEX_REFUSED, "hex.malformed"), ("wire-hex", _WIRE_REFUSED, "hex.malformed"), ("base64", _BASE64_REFUSED, "base64.malformed"), ("time", _TIME_REFUSED, "time.malformed")):
        for name, (why, value) in refused.items():
            yield folder, name, _refused(why, code) | {"text": value}
    for folder, accepted in (("base64", _BASE64_ACCEPTED), ("time", _TIME_ACCEPTED), ("text", _TEXT_ACCEPTED)):
        for name, (why, value) in accepted.items():
            yield folder, name, {"why": why, "accept": True, "text": value}
    for name, (why, code, listed) in _TEXT_REFUSED.items():
        yield "text", name, _refused(why, code) | {"text": listed}


def _refused(why: str, code: str) -> dict[str, Any]:
    return {"why": why, "accept": False, "code": code}
