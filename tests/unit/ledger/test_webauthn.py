"""Scheme webauthn-es256: every rule of FORMATS section 4, broken alone."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from hypothesis import given
from hypothesis import strategies as st

import office
from devices import (
    PARTY,
    UP,
    UV,
    authenticator_data,
    client_data,
    make_assertion,
)
from vermilion_ledger.envelope import make_envelope
from vermilion_ledger.errors import EvidenceError, InputError, SignatureError
from vermilion_ledger.schemes import ecdsa_p256, webauthn
from vermilion_ledger.schemes.ecdsa_p256 import ORDER
from vermilion_ledger.schemes.message import SignedMessage
from vermilion_ledger.schemes.webauthn import Assertion, RelyingParty

SEED = office.secret("a device")
PUBLIC = ecdsa_p256.public_key_of(SEED)


def message(event: str = "approve") -> SignedMessage:
    return make_envelope(office.statement(event, seen=office.SEEN).encode(), ()).message


MESSAGE = message()
GOOD = make_assertion(SEED, MESSAGE)


def refusal(made: Assertion, public_key: bytes = PUBLIC, said: SignedMessage = MESSAGE) -> str:
    with pytest.raises(EvidenceError) as caught:
        webauthn.verify(public_key, said, made)
    return caught.value.code


# --- what is accepted


@pytest.mark.parametrize("flags", [UP | UV, 0xFF, UP | UV | 0x18])
def test_a_statement_that_a_verified_user_signed_is_accepted(flags: int) -> None:
    device = authenticator_data(flags=flags, counter=7)

    webauthn.verify(PUBLIC, MESSAGE, make_assertion(SEED, MESSAGE, device=device))


@pytest.mark.parametrize(
    "changes",
    [
        {"crossOrigin": None},
        {"topOrigin": "https://elsewhere.example"},
        {"other_keys_can_be_added_here": "do not compare clientDataJSON against a template"},
        {"tokenBinding": {"status": "supported"}},
        {"androidPackageName": "com.example.browser"},
    ],
)
def test_members_that_the_formats_do_not_name_say_nothing(changes: dict[str, Any]) -> None:
    says = client_data(MESSAGE, **changes)

    webauthn.verify(PUBLIC, MESSAGE, make_assertion(SEED, MESSAGE, says=says))


def test_the_bytes_of_the_browser_need_not_be_canonical() -> None:
    says = json.dumps(client_data(MESSAGE), indent=2).encode()

    webauthn.verify(PUBLIC, MESSAGE, make_assertion(SEED, MESSAGE, says=says))


def test_extensions_of_the_device_are_signed_and_say_nothing() -> None:
    device = authenticator_data(flags=UP | UV | 0x80) + b"\xa1\x63uvm\x80"

    webauthn.verify(PUBLIC, MESSAGE, make_assertion(SEED, MESSAGE, device=device))


def test_either_value_of_s_is_accepted_as_devices_make_both() -> None:
    r, s = decode_dss_signature(GOOD.sig)

    webauthn.verify(PUBLIC, MESSAGE, replace(GOOD, sig=encode_dss_signature(r, ORDER - s)))


# --- what the browser says


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"type": "webauthn.create"}, "webauthn.type"),
        ({"type": "payment.get"}, "webauthn.type"),
        ({"type": "WebAuthn.get"}, "webauthn.type"),
        ({"type": None}, "webauthn.type"),
        ({"type": ["webauthn.get"]}, "webauthn.type"),
        ({"challenge": ""}, "webauthn.challenge"),
        ({"challenge": None}, "webauthn.challenge"),
        ({"challenge": 1}, "webauthn.challenge"),
        ({"challenge": client_data(message("seal"))["challenge"]}, "webauthn.challenge"),
        ({"challenge": client_data(MESSAGE)["challenge"] + "="}, "webauthn.challenge"),
        ({"challenge": client_data(MESSAGE)["challenge"] + "A"}, "webauthn.challenge"),
        ({"challenge": MESSAGE.digest.hex()}, "webauthn.challenge"),
        ({"origin": "https://seal.office.example.gov.evil.example"}, "webauthn.origin"),
        ({"origin": "http://seal.office.example.gov"}, "webauthn.origin"),
        ({"origin": "https://seal.office.example.gov/"}, "webauthn.origin"),
        ({"origin": "https://seal.office.example.gov:8443"}, "webauthn.origin"),
        ({"origin": "https://SEAL.office.example.gov"}, "webauthn.origin"),
        ({"origin": "https://office.example.gov"}, "webauthn.origin"),
        ({"origin": None}, "webauthn.origin"),
        ({"crossOrigin": True}, "webauthn.cross-origin"),
        ({"crossOrigin": "false"}, "webauthn.cross-origin"),
        ({"crossOrigin": 0}, "webauthn.cross-origin"),
        ({"crossOrigin": []}, "webauthn.cross-origin"),
    ],
)
def test_other_words_of_the_browser_are_refused(changes: dict[str, Any], code: str) -> None:
    says = client_data(MESSAGE, **changes)

    assert refusal(make_assertion(SEED, MESSAGE, says=says)) == code


def test_a_cross_origin_of_null_is_not_absent() -> None:
    says = json.dumps(client_data(MESSAGE) | {"crossOrigin": None}).encode()

    assert refusal(make_assertion(SEED, MESSAGE, says=says)) == "webauthn.cross-origin"


def test_a_challenge_in_the_alphabet_of_padded_base64_is_refused() -> None:
    made = (
        office.statement("approve", seen=office.SEEN, time=f"2026-11-21T08:00:{second:02}Z")
        for second in range(60)
    )
    messages = (make_envelope(each.encode(), ()).message for each in made)
    # One whose hash has a character on which the alphabets differ.
    said = next(each for each in messages if {"-", "_"} & set(client_data(each)["challenge"]))
    plain = client_data(said)["challenge"].replace("-", "+").replace("_", "/")
    made_by_device = make_assertion(SEED, said, says=client_data(said, challenge=plain))

    assert refusal(made_by_device, said=said) == "webauthn.challenge"


def _spliced(text: str) -> bytes:
    """What the browser says, with a piece of text put before its last brace."""
    return json.dumps(client_data(MESSAGE)).encode()[:-1] + text.encode() + b"}"


@pytest.mark.parametrize(
    ("says", "code"),
    [
        (_spliced(f', "origin": "{PARTY.origin}"'), "json.duplicate-key"),
        (_spliced(', "type": "webauthn.get"'), "json.duplicate-key"),
        (_spliced(', "crossOrigin": false'), "json.duplicate-key"),
        (_spliced(', "\\u0074ype": "webauthn.create"'), "json.duplicate-key"),
        (_spliced(', "x": {"a": 1, "a": 2}'), "json.duplicate-key"),
        (_spliced(', "x": 1.5'), "json.not-integer"),
        (_spliced(', "x": "\\ud800"'), "json.bad-character"),
        (b"\xef\xbb\xbf" + _spliced(""), "json.byte-order-mark"),
        (_spliced("") + b" {}", "json.malformed"),
        (_spliced("")[:-1], "json.malformed"),
        (b"", "json.malformed"),
        (b"[]", "json.shape"),
        (b"null", "json.shape"),
        (b'"webauthn.get"', "json.shape"),
        (b" " * 70_000, "json.too-large"),
        (b'{"x":' + b"[" * 16 + b"]" * 16 + b"}", "json.too-deep"),
    ],
)
def test_bytes_that_are_no_strict_json_are_refused(says: bytes, code: str) -> None:
    assert refusal(make_assertion(SEED, MESSAGE, says=says)) == code


# --- what the device says


@pytest.mark.parametrize(
    ("device", "code"),
    [
        (authenticator_data(flags=0), "webauthn.user-absent"),
        (authenticator_data(flags=UV), "webauthn.user-absent"),
        (authenticator_data(flags=0xFF & ~UP), "webauthn.user-absent"),
        (authenticator_data(flags=UP), "webauthn.user-unverified"),
        (authenticator_data(flags=0xFF & ~UV), "webauthn.user-unverified"),
        (authenticator_data("evil.example"), "webauthn.rp-id"),
        (authenticator_data("example.gov"), "webauthn.rp-id"),
        (authenticator_data("seal.office.example.gov"), "webauthn.rp-id"),
        (authenticator_data(PARTY.origin), "webauthn.rp-id"),
        (bytes(37), "webauthn.rp-id"),
        (authenticator_data()[:36], "webauthn.authenticator-data"),
        (authenticator_data()[:33], "webauthn.authenticator-data"),
        (authenticator_data()[:32], "webauthn.authenticator-data"),
        (b"", "webauthn.authenticator-data"),
    ],
)
def test_other_words_of_the_device_are_refused(device: bytes, code: str) -> None:
    assert refusal(make_assertion(SEED, MESSAGE, device=device)) == code


# --- what was registered


@pytest.mark.parametrize(
    ("party", "code"),
    [
        (replace(PARTY, origin="https://other.office.example.gov"), "webauthn.origin"),
        (replace(PARTY, rp_id="other.example.gov"), "webauthn.rp-id"),
        (RelyingParty(rp_id="evil.example", origin="https://evil.example"), "webauthn.origin"),
    ],
)
def test_a_key_of_another_site_is_refused(party: RelyingParty, code: str) -> None:
    assert refusal(replace(GOOD, party=party)) == code


def test_a_key_of_another_device_is_refused() -> None:
    other = ecdsa_p256.public_key_of(office.secret("another device"))

    assert refusal(GOOD, other) == "signature.bad"


@pytest.mark.parametrize(
    "key", [b"", PUBLIC[1:], b"\x04" + bytes(64), b"\x04" + PUBLIC[1:], bytes(33)]
)
def test_anything_but_a_compressed_point_is_no_key(key: bytes) -> None:
    with pytest.raises(InputError):
        webauthn.check_public_key(key)
    with pytest.raises(InputError):
        webauthn.verify(key, MESSAGE, GOOD)


# --- the signature


def test_an_assertion_about_another_statement_is_refused() -> None:
    assert refusal(GOOD, said=message("seal")) == "webauthn.challenge"


def test_what_was_signed_cannot_be_changed_afterwards() -> None:
    device = authenticator_data(flags=UP | UV)
    says = json.dumps(client_data(MESSAGE), separators=(", ", ":")).encode()

    assert refusal(replace(GOOD, authenticator_data=device)) == "signature.bad"
    assert refusal(replace(GOOD, authenticator_data=GOOD.authenticator_data + b"\0")) == (
        "signature.bad"
    )
    assert refusal(replace(GOOD, client_data=says)) == "signature.bad"


def test_a_signature_over_the_statement_itself_is_none_of_a_device() -> None:
    r, s = decode_dss_signature(GOOD.sig)
    plain = ecdsa_p256.sign(SEED, MESSAGE.pae)
    numbers = (int.from_bytes(plain[:32], "big"), int.from_bytes(plain[32:], "big"))

    assert refusal(replace(GOOD, sig=encode_dss_signature(*numbers))) == "signature.bad"
    assert refusal(replace(GOOD, sig=plain)) == "signature.not-canonical"
    assert refusal(replace(GOOD, sig=r.to_bytes(32, "big") + s.to_bytes(32, "big"))) == (
        "signature.not-canonical"
    )


def _der(*numbers: bytes, tag: int = 0x30) -> bytes:
    body = b"".join(b"\x02" + bytes([len(number)]) + number for number in numbers)
    return bytes([tag, len(body)]) + body


def _content(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


R, S = decode_dss_signature(GOOD.sig)


@pytest.mark.parametrize(
    "sig",
    [
        b"",
        b"\x30",
        b"\x30\x00",
        GOOD.sig[:-1],
        GOOD.sig + b"\0",
        GOOD.sig[:1] + b"\x81" + GOOD.sig[1:],  # a length in the long form
        GOOD.sig[:1] + b"\x80" + GOOD.sig[2:] + b"\0\0",  # an indefinite length
        b"\x31" + GOOD.sig[1:],
        _der(b"\0" + _content(R), _content(S)),  # a zero byte too many
        _der(_content(R), b"\0" + _content(S)),
        _der(_content(R)),
        _der(_content(R), _content(S), b"\x01"),
        _der(b"", _content(S)),
        _der(b"\xff" + _content(R), _content(S)),  # a negative number
        _der(b"\x00", _content(S)),
        _der(_content(R), b"\x00"),
        _der(_content(ORDER), _content(S)),
        _der(_content(R), _content(ORDER)),
        _der(_content(R + ORDER), _content(S)),
        _der(_content(R), _content(S + ORDER)),
    ],
)
def test_a_signature_that_is_not_minimal_der_in_range_is_refused(sig: bytes) -> None:
    assert refusal(replace(GOOD, sig=sig)) in {"signature.not-canonical", "signature.size"}


def test_minimal_der_made_here_is_that_of_the_device() -> None:
    assert _der(_content(R), _content(S)) == GOOD.sig


def test_a_long_signature_is_not_even_read() -> None:
    assert refusal(replace(GOOD, sig=bytes(73))) == "signature.size"


def changed(name: str, data: bytes) -> Assertion:
    changes: dict[str, Any] = {name: data}
    return replace(GOOD, **changes)


@given(
    st.sampled_from(["sig", "authenticator_data", "client_data"]),
    st.integers(0, 10_000),
    st.integers(0, 7),
)
def test_a_bit_changed_anywhere_is_refused(name: str, place: int, bit: int) -> None:
    data = bytearray(getattr(GOOD, name))
    data[place % len(data)] ^= 1 << bit

    with pytest.raises((SignatureError, InputError)):
        webauthn.verify(PUBLIC, MESSAGE, changed(name, bytes(data)))


@given(st.binary(max_size=200), st.binary(max_size=200), st.binary(max_size=80))
def test_any_bytes_are_refused_with_an_error_of_ours(
    says: bytes, device: bytes, sig: bytes
) -> None:
    made = Assertion(sig=sig, authenticator_data=device, client_data=says, party=PARTY)

    with pytest.raises((SignatureError, InputError)):
        webauthn.verify(PUBLIC, MESSAGE, made)


def test_the_device_signs_its_own_data_and_the_hash_of_the_browsers() -> None:
    signed = GOOD.authenticator_data + hashlib.sha256(GOOD.client_data).digest()

    ecdsa_p256.verify_der(PUBLIC, signed, GOOD.sig)
