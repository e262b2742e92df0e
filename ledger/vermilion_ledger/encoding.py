"""Strict text encodings: I-JSON, canonical JSON, hex, base64, times, names.

Everything that crosses the border of the system is read here, so that no
second, laxer reader exists. Follows RFC 7493 (I-JSON), RFC 8785 (canonical
JSON), RFC 4648 section 4 (base64) and FORMATS section 1.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn

import rfc8785

from vermilion_ledger.errors import InputError, LimitError
from vermilion_ledger.limits import JSON_DEPTH_MAX, JSON_INTEGER_MAX

__all__ = [
    "Json",
    "JsonObject",
    "check_depth",
    "check_members",
    "check_text",
    "encode_base64",
    "encode_json",
    "encode_parsed",
    "encode_text",
    "encode_time",
    "parse_base64",
    "parse_count",
    "parse_hex",
    "parse_json",
    "parse_time",
    "parse_wire_hex",
]

Json = Any  # I-JSON as Python data; `parse_json` guarantees the shape above
JsonObject = Mapping[str, Json]

_HEX = re.compile(r"[0-9a-f]*\Z")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ\Z", re.ASCII)
# C0, DEL and C1, lone surrogates, and the bidirectional controls of UAX 9
_CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
_PLANES = "".join(chr((plane << 16) | 0xFFFE) + chr((plane << 16) | 0xFFFF) for plane in range(17))
_BAD_CHARACTERS = re.compile(f"[\ud800-\udfff\ufdd0-\ufdef{_PLANES}]")
# Possessive and never failing, so that hostile bytes cost linear time and no memory.
_STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_ALIKE = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def parse_json(data: bytes, *, size_max: int, what: str) -> Json:
    """Read I-JSON and nothing more lenient (RFC 7493, FORMATS section 1).

    Args:
        data: The bytes as received.
        size_max: Bound on ``len(data)``, checked before anything is parsed.
        what: Name of the thing for error messages.

    Raises:
        LimitError: Too many bytes, or nested deeper than 16.
        InputError: Duplicate keys, floats, ``-0``, integers beyond 2^53-1,
            lone surrogates, noncharacters, a byte-order mark, trailing bytes
            or anything else that is not JSON in UTF-8.
    """
    if len(data) > size_max:
        raise LimitError("json.too-large", f"{what} bytes", found=len(data), limit=size_max)
    if data.startswith(b"\xef\xbb\xbf"):
        raise InputError("json.byte-order-mark", f"{what} starts with a byte-order mark")
    check_depth(data, what)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise InputError("json.not-utf8", f"{what} is not UTF-8 at byte {exc.start}") from exc
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as exc:
        raise InputError("json.malformed", f"{what} is not JSON: {exc.msg} at {exc.pos}") from exc
    if _may_be_bad(data):
        _check_strings(value, what)
    return value


def check_depth(data: bytes, what: str) -> None:
    """Refuse JSON that is nested too deep, before a recursive parser sees it.

    Where somebody raised the interpreter's limit of recursion, as some libraries
    do, the parser of the standard library ends the process instead of raising.

    Raises:
        LimitError: ``json.too-deep``: more than 16 levels outside of strings.
    """
    if data.count(b"[") + data.count(b"{") <= JSON_DEPTH_MAX:
        return  # all of them inside one another would not be too deep
    brackets = _STRINGS.sub(b"", data).translate(_ALIKE, _NO_BRACKETS)
    for _ in range(JSON_DEPTH_MAX):
        brackets = brackets.replace(b"[]", b"")  # one level less, whatever lies beside it
    # What is left is deeper than that, or never closed, or was never opened: no JSON.
    if b"[]" in brackets or brackets.count(b"[") > JSON_DEPTH_MAX:
        raise LimitError(
            "json.too-deep", f"{what} depth", found=JSON_DEPTH_MAX + 1, limit=JSON_DEPTH_MAX
        )


def encode_json(value: Json) -> bytes:
    """Return the canonical bytes of a JSON value (RFC 8785).

    Raises:
        InputError: The value has no canonical form.
    """
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeError) as exc:
        raise InputError("json.not-canonical", f"no canonical form: {exc}") from exc


def encode_text(value: str) -> bytes:
    """Return the canonical bytes of a string that `parse_json` has returned: as `encode_json`."""
    return _ENCODER.encode(value).encode()


def encode_parsed(value: Json) -> bytes:
    """Return the canonical bytes of a value that `parse_json` has returned.

    The same as `encode_json`, several times as fast. Of what RFC 8785 asks, a
    parsed value leaves nothing to do but the order of names, where UTF-16
    differs from code points only for characters beyond the first plane.
    """
    text = _CANONICAL.encode(value)
    if not text.isascii() and len(text.encode("utf-16-le")) > 2 * len(text):
        return encode_json(value)
    return text.encode()


def check_members(
    value: Json, *, required: Sequence[str], optional: Sequence[str] = (), what: str
) -> JsonObject:
    """Check that a value is an object with exactly the listed members.

    Raises:
        InputError: Not an object, a member is missing, or one is unknown.
    """
    if not isinstance(value, dict):
        raise InputError("json.shape", f"{what} is not an object")
    if len(value) == len(required) and value.keys() >= set(required):
        return value  # as most are
    missing = sorted(set(required) - value.keys())
    if missing:
        raise InputError("json.missing-member", f"{what} lacks {', '.join(missing)}")
    unknown = sorted(value.keys() - set(required) - set(optional))
    if unknown:
        raise InputError("json.unknown-member", f"{what} has unknown {unknown[0][:40]!a}")
    return value


def check_text(value: Json, *, size_max: int, what: str, empty: bool = False) -> str:
    """Check a name, id or step: bounded text without control characters.

    Raises:
        InputError: Not text, empty, or with a C0, C1 or bidirectional control.
        LimitError: More than ``size_max`` bytes of UTF-8.
    """
    if not isinstance(value, str):
        raise InputError("text.shape", f"{what} is not text")
    if not value and not empty:
        raise InputError("text.empty", f"{what} is empty")
    size = len(value.encode("utf-8", "surrogatepass"))
    if size > size_max:
        raise LimitError("text.too-long", f"{what} bytes", found=size, limit=size_max)
    if control := _CONTROLS.search(value):
        raise InputError("text.control-character", f"{what} has U+{ord(control[0]):04X}")
    return value


def parse_count(value: Json, *, what: str) -> int:
    """Read a non-negative integer.

    Raises:
        InputError: Not an integer (true and false are none), or negative.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= JSON_INTEGER_MAX:
        raise InputError("json.not-count", f"{what} is not a non-negative integer")
    return value


def parse_hex(value: Json, *, size: int, what: str) -> bytes:
    """Read lower-case hex without prefix; ``size`` is in bytes.

    Raises:
        InputError: Not text, upper case, or another length.
    """
    if not isinstance(value, str) or len(value) != 2 * size or not _HEX.match(value):
        raise InputError("hex.malformed", f"{what} is not {2 * size} lower-case hex digits")
    return bytes.fromhex(value)


def parse_wire_hex(value: Json, *, what: str, size: int | None = None, size_max: int = 0) -> bytes:
    """Read an Ethereum value: lower-case hex with ``0x``; sizes are in bytes.

    Raises:
        InputError: Not text, upper case, odd length, or another size.
        LimitError: More than ``size_max`` bytes, where no exact size is asked.
    """
    if not isinstance(value, str) or not value.startswith("0x") or not _HEX.match(value[2:]):
        raise InputError("hex.malformed", f"{what} is not lower-case hex with 0x")
    length = len(value) - 2
    if length % 2 or (size is not None and length != 2 * size):
        raise InputError("hex.malformed", f"{what} has {length} hex digits")
    if size is None and length > 2 * size_max:
        raise LimitError("hex.too-long", f"{what} bytes", found=length // 2, limit=size_max)
    return bytes.fromhex(value[2:])


def encode_base64(data: bytes) -> str:
    """Return padded base64 (RFC 4648 section 4)."""
    return base64.b64encode(data).decode("ascii")


def parse_base64(value: Json, *, size_max: int, what: str) -> bytes:
    """Read padded base64 strictly; ``size_max`` bounds the decoded bytes.

    Raises:
        InputError: Not text, a foreign alphabet, missing padding or non-zero
            padding bits.
        LimitError: More than ``size_max`` bytes.
    """
    if not isinstance(value, str):
        raise InputError("base64.malformed", f"{what} is not text")
    if len(value) > 4 * ((size_max + 2) // 3):
        raise LimitError(
            "base64.too-long",
            f"{what} characters",
            found=len(value),
            limit=4 * ((size_max + 2) // 3),
        )
    try:
        data = base64.b64decode(value.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as exc:
        raise InputError("base64.malformed", f"{what} is not padded base64") from exc
    if len(data) > size_max:
        raise LimitError("base64.too-long", f"{what} bytes", found=len(data), limit=size_max)
    if encode_base64(data) != value:
        raise InputError("base64.malformed", f"{what} is not canonical base64")
    return data


def parse_time(value: Json, *, what: str) -> datetime:
    """Read ``YYYY-MM-DDTHH:MM:SSZ`` with seconds 00 to 59.

    Raises:
        InputError: Another form, or no such moment.
    """
    if not isinstance(value, str) or not _TIME.match(value):
        raise InputError("time.malformed", f"{what} is not YYYY-MM-DDTHH:MM:SSZ")
    try:
        return datetime.fromisoformat(value)
    except ValueError as exc:
        raise InputError("time.malformed", f"{what} is not a moment: {value}") from exc


def encode_time(moment: datetime) -> str:
    """Return a UTC moment as ``YYYY-MM-DDTHH:MM:SSZ``, fractions cut off."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def _unique_members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise InputError("json.duplicate-key", f"duplicate key {twice[:40]!a}")
    return members


def _refuse_float(token: str) -> NoReturn:
    raise InputError("json.not-integer", f"{token[:40]} is not an integer")


def _parse_integer(digits: str) -> int:
    if digits == "-0":
        raise InputError("json.not-integer", "-0 is not an integer")
    if len(digits) > 17 or abs(int(digits)) > JSON_INTEGER_MAX:
        raise InputError("json.integer-range", f"{digits[:40]} lies beyond 2^53-1")
    return int(digits)


def _may_be_bad(data: bytes) -> bool:
    """Tell whether there may be a bad character: each leaves one of these, or an escape."""
    return b"\\u" in data or b"\xef\xb7" in data or b"\xbf\xbe" in data or b"\xbf\xbf" in data


def _check_strings(value: Json, what: str) -> None:
    """Refuse lone surrogates and noncharacters, in names too (RFC 7493 2.1)."""
    if isinstance(value, str):
        if bad := _BAD_CHARACTERS.search(value):
            raise InputError("json.bad-character", f"{what} has U+{ord(bad[0]):04X}")
    elif isinstance(value, list):
        for item in value:
            _check_strings(item, what)
    elif isinstance(value, dict):
        for name, item in value.items():
            _check_strings(name, what)
            _check_strings(item, what)


# Made once: to make one costs more than to read or write a short text.
_ENCODER = json.JSONEncoder(ensure_ascii=False)
_CANONICAL = json.JSONEncoder(
    ensure_ascii=False,
    sort_keys=True,
    separators=(",", ":"),
    check_circular=False,  # nothing that was parsed contains itself
)
_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique_members,
    parse_float=_refuse_float,
    parse_int=_parse_integer,
    parse_constant=_refuse_float,
)
