"""Scheme ``sm2-sm3``: the signature of Chinese commercial cryptography (FORMATS section 4).

GB/T 32918.2 on the curve of GB/T 32918.5, with SM3 (GB/T 32905) and the
identity ``1234567812345678``. `cryptography` has no SM2, so the verifier is our
own. Python's integers take a time that depends on their values: only public
values are computed with here. What is secret goes to OpenSSL, see
`vermilion_ledger.schemes.openssl`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vermilion_ledger.errors import InputError, SignatureError
from vermilion_ledger.schemes.message import SignedMessage

__all__ = [
    "IDENTITY",
    "NAME",
    "ORDER",
    "PUBLIC_KEY_SIZE",
    "SIGNATURE_SIZE",
    "check_public_key",
    "hash_message",
    "public_key_of",
    "sign",
    "verify",
    "verify_bytes",
]

NAME = "sm2-sm3"
PUBLIC_KEY_SIZE = 65  # SEC1, uncompressed
SIGNATURE_SIZE = 64
IDENTITY = b"1234567812345678"
ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123

# GB/T 32918.5: y² = x³ + ax + b modulo p, of prime order, with the base point G
_P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
_A = _P - 3
_B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
_G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
_Point = tuple[int, int]
_Jacobian = tuple[int, int, int]  # (X / Z², Y / Z³), where Z = 0 is the neutral element
_NEUTRAL: _Jacobian = (1, 1, 0)


def check_public_key(public_key: bytes) -> None:
    """Refuse a key that is not an uncompressed point of the curve.

    Raises:
        InputError: Not 65 bytes, another form, or no such point.
    """
    _parse_point(public_key)


def verify(public_key: bytes, message: SignedMessage, signature: bytes) -> None:
    """Check a signature over the pre-authentication encoding of an envelope.

    Raises:
        InputError: The key is refused.
        SignatureError: The signature is.
    """
    verify_bytes(public_key, message.pae, signature)


def verify_bytes(
    public_key: bytes, message: bytes, signature: bytes, *, identity: bytes = IDENTITY
) -> None:
    """Check a signature ``r ‖ s`` over plain bytes (GB/T 32918.2, section 7.1).

    Args:
        public_key: 65 bytes.
        message: What was signed.
        signature: 64 bytes.
        identity: Of the signer; statements know only the one of FORMATS.

    Raises:
        InputError: The key is refused.
        SignatureError: Not 64 bytes, r or s outside (0, n), or bad.
    """
    point = _parse_point(public_key)
    if len(signature) != SIGNATURE_SIZE:
        raise SignatureError("signature.size", f"an SM2 signature of {len(signature)} bytes")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not 0 < r < ORDER or not 0 < s < ORDER:
        raise SignatureError("signature.not-canonical", "r or s is out of range")
    t = (r + s) % ORDER
    e = int.from_bytes(hash_message(public_key, message, identity), "big")
    found = _combine(s, t, point) if t else None
    if found is None or (e + found[0]) % ORDER != r:
        raise SignatureError("signature.bad", "the SM2 signature does not verify")


def hash_message(public_key: bytes, message: bytes, identity: bytes = IDENTITY) -> bytes:
    """Return ``SM3(Z_A ‖ message)``, the 32 bytes that are signed (GB/T 32918.2, section 5.5)."""
    length = (8 * len(identity)).to_bytes(2, "big")
    curve = b"".join(number.to_bytes(32, "big") for number in (_A, _B, *_G))
    return _sm3(_sm3(length + identity + curve + public_key[1:]) + message)


def sign(private_key: bytes, message: bytes) -> bytes:
    """Return ``r ‖ s`` of a 32-byte private key over plain bytes.

    Raises:
        InputError: The private key is refused.
        UnavailableError: ``scheme.no-openssl``.
    """
    from vermilion_ledger.schemes import openssl

    _check_private_key(private_key)
    return openssl.sign_sm2(private_key, message, identity=IDENTITY)


def public_key_of(private_key: bytes) -> bytes:
    """Return the 65 public bytes of a 32-byte private key.

    Raises:
        InputError: The private key is refused.
        UnavailableError: ``scheme.no-openssl``.
    """
    from vermilion_ledger.schemes import openssl

    _check_private_key(private_key)
    return openssl.sm2_public_key(private_key)


def _check_private_key(private_key: bytes) -> None:
    """Refuse a number outside [1, n-2], as GB/T 32918.1 does: n-1 could not sign."""
    if len(private_key) != 32:
        raise InputError("key.size", f"a private SM2 key of {len(private_key)} bytes, not 32")
    if not 0 < int.from_bytes(private_key, "big") < ORDER - 1:
        raise InputError("key.range", "the private SM2 key is out of range")


def _parse_point(public_key: bytes) -> _Point:
    """Return the point; on this curve every one but the neutral element has order n."""
    if len(public_key) != PUBLIC_KEY_SIZE:
        raise InputError("key.size", f"an SM2 key of {len(public_key)} bytes, not 65")
    x, y = int.from_bytes(public_key[1:33], "big"), int.from_bytes(public_key[33:], "big")
    if public_key[0] != 4 or x >= _P or y >= _P:
        raise InputError("key.not-canonical", "the SM2 key is not an uncompressed point")
    if (x * x * x + _A * x + _B - y * y) % _P:
        raise InputError("key.off-curve", "the SM2 key is no point of the curve")
    return x, y


def _sm3(data: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SM3, Hash

    hasher = Hash(SM3())
    hasher.update(data)
    return hasher.finalize()


def _combine(s: int, t: int, point: _Point) -> _Point | None:
    """Return ``s·G + t·point``, or None for the neutral element.

    Interleaved signed windows: Hankerson, Menezes, Vanstone, Guide to Elliptic
    Curve Cryptography, algorithm 3.51.
    """
    added: dict[int, list[_Point]] = {}  # what joins the sum where, by powers of two
    for number, multiples in ((s, _G_MULTIPLES), (t, _odd_multiples(point, 4))):
        for position, digit in _signed_digits(number, multiples):
            added.setdefault(position, []).append(multiples[digit])
    total = _NEUTRAL
    for position in range(max(added, default=-1), -1, -1):
        total = _double(total)
        for term in added.get(position, ()):
            total = _add(total, term)
    return _to_affine(total) if total[2] else None


def _signed_digits(number: int, digits: Mapping[int, object]) -> Iterator[tuple[int, int]]:
    """Yield (position, digit) with odd digits of these sizes: ``number = Σ digit·2^position``."""
    size = 2 * len(digits)  # 2^width for digits up to 2^(width - 1)
    position = 0
    while number:
        zeros = (number & -number).bit_length() - 1
        number >>= zeros
        position += zeros
        digit = number % size
        digit -= size if digit > size // 2 else 0
        yield position, digit
        number -= digit


def _odd_multiples(point: _Point, count: int) -> dict[int, _Point]:
    """Return ±1, ±3, … times a point, ``count`` (a power of two) of them with either sign."""
    twice = _to_affine(_double((*point, 1)))
    multiples = [point]
    while len(multiples) < count:  # none of them is neutral: the order is a large prime
        multiples.append(_to_affine(_add((*multiples[-1], 1), twice)))
    return {
        sign * (2 * place + 1): (x, y if sign > 0 else _P - y)
        for place, (x, y) in enumerate(multiples)
        for sign in (1, -1)
    }


def _double(point: _Jacobian) -> _Jacobian:
    """Return twice a point, by the formulas for a = -3 that need no case of their own."""
    x, y, z = point
    delta, gamma = z * z % _P, y * y % _P
    beta, alpha = x * gamma % _P, 3 * (x - delta) * (x + delta) % _P
    x3 = (alpha * alpha - 8 * beta) % _P
    return x3, (alpha * (4 * beta - x3) - 8 * gamma * gamma) % _P, 2 * y * z % _P


def _add(point: _Jacobian, other: _Point) -> _Jacobian:
    """Return the sum, also of a point with itself, its opposite or the neutral element."""
    x, y, z = point
    if z == 0:
        return (*other, 1)
    square = z * z % _P
    h, rise = (other[0] * square - x) % _P, (other[1] * square * z - y) % _P
    if h == 0:
        return _NEUTRAL if rise else _double(point)
    h2 = h * h % _P
    h3, v = h * h2 % _P, x * h2 % _P
    x3 = (rise * rise - h3 - 2 * v) % _P
    return x3, (rise * (v - x3) - y * h3) % _P, z * h % _P


def _to_affine(point: _Jacobian) -> _Point:
    """Return the coordinates of a point that is not neutral."""
    x, y, z = point
    inverse = pow(z, -1, _P)
    square = inverse * inverse % _P
    return x * square % _P, y * square * inverse % _P


_G_MULTIPLES = _odd_multiples(_G, 16)
