"""The signature schemes of this build, and the refusal of all others."""

from __future__ import annotations

import pytest
from coincurve import PublicKey
from eth_account import Account
from eth_account.messages import encode_typed_data

import office
from vermilion_ledger.encoding import encode_base64
from vermilion_ledger.envelope import make_envelope
from vermilion_ledger.errors import InputError, SignatureError
from vermilion_ledger.schemes import (
    SCHEME_NAMES,
    ed25519,
    load_scheme,
    make_keyid,
    secp256k1,
)
from vermilion_ledger.schemes.message import SignedMessage, encode_pae

SEED = office.secret("somebody")
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def message(event: str = "approve") -> SignedMessage:
    made = office.statement(event, seen=office.SEEN)
    return make_envelope(made.encode(), ()).message


def test_the_pre_authentication_encoding_is_that_of_dsse() -> None:
    assert encode_pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert encode_pae("印", b"") == "DSSEv1 3 印 0 ".encode()


def test_a_key_id_binds_scheme_and_key() -> None:
    assert len({make_keyid(s, k) for s in SCHEME_NAMES for k in (b"a", b"b")}) == 14


@pytest.mark.parametrize("scheme", sorted(SCHEME_NAMES))
def test_each_scheme_of_the_formats_has_a_module(scheme: str) -> None:
    assert scheme == load_scheme(scheme).NAME


@pytest.mark.parametrize("scheme", ["", "none", "ED25519", "rsa"])
def test_a_scheme_that_the_formats_do_not_name_is_refused(scheme: str) -> None:
    with pytest.raises(InputError):
        load_scheme(scheme)


# --- ed25519


def test_an_ed25519_signature_verifies_over_its_message_alone() -> None:
    public, made = ed25519.public_key_of(SEED), message()
    signature = ed25519.sign(SEED, made.pae)

    ed25519.verify(public, made, signature)
    with pytest.raises(SignatureError):
        ed25519.verify(public, message("seal"), signature)
    with pytest.raises(SignatureError):
        ed25519.verify(ed25519.public_key_of(office.secret("other")), made, signature)


@pytest.mark.parametrize("size", [0, 63, 65])
def test_an_ed25519_signature_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(SignatureError) as caught:
        ed25519.verify(ed25519.public_key_of(SEED), message(), bytes(size))

    assert caught.value.code == "signature.size"


def test_an_ed25519_signature_with_s_above_the_order_is_refused() -> None:
    order = 2**252 + 27742317777372353535851937790883648493
    made = message()
    signature = ed25519.sign(SEED, made.pae)
    s = int.from_bytes(signature[32:], "little") + order

    with pytest.raises(SignatureError):
        ed25519.verify(ed25519.public_key_of(SEED), made, signature[:32] + s.to_bytes(32, "little"))


def test_the_small_order_points_are_exactly_those_of_the_curve() -> None:
    prime = 2**255 - 19
    d = -121665 * pow(121666, -1, prime) % prime

    def double(y2: int) -> int:
        """Return y² after doubling, from y² alone: enough to see the order."""
        x2 = (y2 - 1) * pow(d * y2 + 1, -1, prime) % prime
        t = d * x2 * y2 % prime
        y = (y2 + x2) * pow(1 - t, -1, prime) % prime
        return y * y % prime

    for y in ed25519._SMALL_ORDER_Y:
        y2 = y * y % prime
        for _ in range(3):
            y2 = double(y2)
        assert y2 == 1  # eight times the point is the identity, up to its sign
    assert len(ed25519._SMALL_ORDER_Y) == 5


@pytest.mark.parametrize("sign", [0, 1 << 255])
@pytest.mark.parametrize("y", sorted(ed25519._SMALL_ORDER_Y))
def test_an_ed25519_key_of_small_order_is_refused(y: int, sign: int) -> None:
    with pytest.raises(InputError) as caught:
        ed25519.check_public_key((y | sign).to_bytes(32, "little"))

    assert caught.value.code == "key.small-order"


@pytest.mark.parametrize("y", [2**255 - 19, 2**255 - 18, 2**255 - 1])
def test_an_ed25519_key_that_is_not_canonical_is_refused(y: int) -> None:
    with pytest.raises(InputError) as caught:
        ed25519.check_public_key(y.to_bytes(32, "little"))

    assert caught.value.code == "key.not-canonical"


@pytest.mark.parametrize("size", [0, 31, 33])
def test_an_ed25519_key_or_seed_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(InputError):
        ed25519.check_public_key(bytes(size))
    with pytest.raises(InputError):
        ed25519.sign(bytes(size), b"")


def test_an_ed25519_key_off_the_curve_verifies_nothing() -> None:
    off_curve = (2).to_bytes(32, "little")

    with pytest.raises(SignatureError):
        ed25519.verify(off_curve, message(), bytes(64))


# --- secp256k1-eip712


def test_a_wallet_signs_the_very_typed_data_that_is_verified() -> None:
    made = message()
    signed = Account.sign_message(encode_typed_data(full_message=secp256k1.typed_data(made)), SEED)

    secp256k1.verify(secp256k1.public_key_of(SEED), made, bytes(signed.signature))
    assert bytes(signed.signature) == secp256k1.sign(SEED, made)
    assert secp256k1.public_key_of(SEED).hex() == Account.from_key(SEED).address[2:].lower()


def test_step_and_decision_are_empty_where_the_detail_has_none() -> None:
    typed = secp256k1.typed_data(message("seal"))

    fields = typed["message"]
    assert isinstance(fields, dict)
    assert (fields["step"], fields["decision"], fields["event"]) == ("", "", "seal")


def test_step_and_decision_that_are_no_text_count_as_absent() -> None:
    made = office.statement("seal", seen=office.SEEN, detail={"step": 1, "decision": ["no"]})
    plain = office.statement("seal", seen=office.SEEN)

    typed = secp256k1.typed_data(make_envelope(made.encode(), ()).message)
    expected = secp256k1.typed_data(make_envelope(plain.encode(), ()).message)

    assert isinstance(typed["message"], dict)
    assert isinstance(expected["message"], dict)
    assert typed["message"] | {"payload": ""} == expected["message"] | {"payload": ""}


def test_another_address_is_refused() -> None:
    with pytest.raises(SignatureError, match="another address"):
        secp256k1.verify(b"\x01" * 20, message(), secp256k1.sign(SEED, message()))


def test_another_statement_is_refused() -> None:
    with pytest.raises(SignatureError):
        secp256k1.verify(
            secp256k1.public_key_of(SEED), message("seal"), secp256k1.sign(SEED, message())
        )


def _parts(signature: bytes) -> tuple[int, int, int]:
    return (
        int.from_bytes(signature[:32], "big"),
        int.from_bytes(signature[32:64], "big"),
        signature[64],
    )


def _join(r: int, s: int, v: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([v])


def test_the_other_form_of_a_signature_is_refused() -> None:
    made = message()
    r, s, v = _parts(secp256k1.sign(SEED, made))
    mirrored = _join(r, N - s, 55 - v)
    recovered = PublicKey.from_signature_and_message(
        mirrored[:64] + bytes([mirrored[64] - 27]), secp256k1.typed_data_hash(made), hasher=None
    )

    assert secp256k1._address(recovered) == secp256k1.public_key_of(SEED)  # the library takes it
    with pytest.raises(SignatureError) as caught:
        secp256k1.verify(secp256k1.public_key_of(SEED), made, mirrored)
    assert caught.value.code == "signature.not-canonical"


@pytest.mark.parametrize(
    "change",
    [
        lambda r, s, _: (r, s, 0),
        lambda r, s, _: (r, s, 29),
        lambda _, s, v: (0, s, v),
        lambda r, _, v: (r, 0, v),
        lambda _, s, v: (N, s, v),
        lambda r, _, v: (r, N, v),
    ],
)
def test_parts_out_of_range_are_refused(change: object) -> None:
    assert callable(change)
    signature = _join(*change(*_parts(secp256k1.sign(SEED, message()))))

    with pytest.raises(SignatureError) as caught:
        secp256k1.verify(secp256k1.public_key_of(SEED), message(), signature)

    assert caught.value.code == "signature.not-canonical"


def test_an_r_that_is_no_point_is_refused() -> None:
    _, s, v = _parts(secp256k1.sign(SEED, message()))

    with pytest.raises(SignatureError, match="no key fits"):
        secp256k1.verify(secp256k1.public_key_of(SEED), message(), _join(5, s, v))


@pytest.mark.parametrize("size", [0, 64, 66])
def test_a_wallet_signature_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(SignatureError):
        secp256k1.verify(secp256k1.public_key_of(SEED), message(), bytes(size))


@pytest.mark.parametrize("address", [bytes(20), b"\x01" * 19, b"\x01" * 21, b""])
def test_an_address_that_nobody_holds_is_refused(address: bytes) -> None:
    with pytest.raises(InputError):
        secp256k1.check_public_key(address)


def test_a_wallet_cannot_sign_without_a_quoted_block() -> None:
    made = make_envelope(office.statement("register").encode(), ()).message

    with pytest.raises(InputError) as caught:
        secp256k1.sign(SEED, made)

    assert caught.value.code == "statement.seen-missing"
    assert encode_base64(made.digest)
