"""Scheme ``secp256k1-eip712``: what wallets sign, with readable fields.

EIP-712 typed data of FORMATS section 4, ECDSA over secp256k1, recovered to
an address. libsecp256k1 (through `coincurve`) recovers high-s signatures as
well, so r, s and v are checked here first.
"""

from __future__ import annotations

from vermilion_ledger.errors import InputError, SignatureError
from vermilion_ledger.schemes.message import SignedMessage
from vermilion_ledger.statement import Statement

__all__ = [
    "NAME",
    "PUBLIC_KEY_SIZE",
    "SIGNATURE_SIZE",
    "check_public_key",
    "public_key_of",
    "sign",
    "typed_data",
    "typed_data_hash",
    "verify",
    "verify_digest",
]

NAME = "secp256k1-eip712"
PUBLIC_KEY_SIZE = 20  # an address
SIGNATURE_SIZE = 65

_N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_DOMAIN_TYPE = b"EIP712Domain(string name,string version,uint256 chainId)"
_FIELDS = (
    ("ledger", "string"),
    ("record", "string"),
    ("event", "string"),
    ("step", "string"),
    ("decision", "string"),
    ("document", "bytes32"),
    ("payload", "bytes32"),
)
_STATEMENT_TYPE = f"Statement({','.join(f'{kind} {name}' for name, kind in _FIELDS)})".encode()


def check_public_key(public_key: bytes) -> None:
    """Refuse anything that is not a 20-byte address, and the zero address.

    Raises:
        InputError: The key is one of those.
    """
    if len(public_key) != PUBLIC_KEY_SIZE:
        raise InputError("key.size", f"an address of {len(public_key)} bytes")
    if not any(public_key):
        raise InputError("key.zero-address", "nobody holds the key of the zero address")


def typed_data(message: SignedMessage) -> dict[str, object]:
    """Return the EIP-712 JSON that a wallet shows and signs.

    Raises:
        InputError: The statement quotes no block, so it names no chain.
    """
    values = _values(message)
    return {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
            ],
            "Statement": [{"name": name, "type": kind} for name, kind in _FIELDS],
        },
        "primaryType": "Statement",
        "domain": {
            "name": "Vermilion",
            "version": "1",
            "chainId": _chain_id(message.statement),
        },
        "message": {
            name: value if isinstance(value, str) else "0x" + value.hex()
            for (name, _), value in zip(_FIELDS, values, strict=True)
        },
    }


def typed_data_hash(message: SignedMessage) -> bytes:
    """Return the 32 bytes that are signed (EIP-712, "signTypedData").

    Raises:
        InputError: The statement quotes no block, so it names no chain.
    """
    chain_id = _chain_id(message.statement).to_bytes(32, "big")
    domain = _keccak(_keccak(_DOMAIN_TYPE) + _keccak(b"Vermilion") + _keccak(b"1") + chain_id)
    struct = _keccak(_STATEMENT_TYPE) + b"".join(
        _keccak(value.encode()) if isinstance(value, str) else value for value in _values(message)
    )
    return _keccak(b"\x19\x01" + domain + _keccak(struct))


def verify(public_key: bytes, message: SignedMessage, signature: bytes) -> None:
    """Check that the holder of an address signed the typed data.

    Raises:
        InputError: The key is refused, or the statement names no chain.
        SignatureError: As for `verify_digest`.
    """
    verify_digest(public_key, typed_data_hash(message), signature)


def verify_digest(public_key: bytes, digest: bytes, signature: bytes) -> None:
    """Check that the holder of an address signed 32 bytes.

    Raises:
        InputError: The key is refused.
        SignatureError: r or s outside (0, n), s > n/2, v not 27 or 28, or
            another address.
    """
    import coincurve

    check_public_key(public_key)
    if len(signature) != SIGNATURE_SIZE:
        raise SignatureError("signature.size", f"a signature of {len(signature)} bytes, not 65")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    if not 0 < r < _N or not 0 < s <= _N // 2 or signature[64] not in {27, 28}:
        raise SignatureError("signature.not-canonical", "r, s or v is out of range")
    recoverable = signature[:64] + bytes([signature[64] - 27])
    try:
        key = coincurve.PublicKey.from_signature_and_message(recoverable, digest, hasher=None)
    except Exception as exc:  # coincurve raises plain Exception for a point off the curve
        raise SignatureError("signature.bad", "no key fits the secp256k1 signature") from exc
    if _address(key) != public_key:
        raise SignatureError("signature.bad", "another address made the secp256k1 signature")


def sign(private_key: bytes, message: SignedMessage) -> bytes:
    """Return ``r ‖ s ‖ v`` of a 32-byte private key over the typed data.

    Raises:
        InputError: The statement names no chain.
    """
    import coincurve

    recoverable = coincurve.PrivateKey(private_key).sign_recoverable(
        typed_data_hash(message), hasher=None
    )
    return recoverable[:64] + bytes([recoverable[64] + 27])


def public_key_of(private_key: bytes) -> bytes:
    """Return the 20-byte address of a 32-byte private key."""
    import coincurve

    return _address(coincurve.PrivateKey(private_key).public_key)


def _values(message: SignedMessage) -> tuple[str | bytes, ...]:
    statement = message.statement
    step, decision = statement.detail.get("step", ""), statement.detail.get("decision", "")
    return (
        statement.ledger,
        statement.record,
        statement.event,
        step if isinstance(step, str) else "",
        decision if isinstance(decision, str) else "",
        statement.subject.sha256,
        message.digest,
    )


def _chain_id(statement: Statement) -> int:
    if statement.seen is None:
        raise InputError("statement.seen-missing", "an EIP-712 signature needs a quoted block")
    return statement.seen.chain_id


def _address(key: object) -> bytes:
    import coincurve

    assert isinstance(key, coincurve.PublicKey)  # noqa: S101 - our own callers
    return _keccak(key.format(compressed=False)[1:])[12:]


def _keccak(data: bytes) -> bytes:
    from vermilion_ledger.evm.keccak import keccak256

    return keccak256(data)
