"""EIP-1559 transactions: what a signer signs, and what may be sent of its answer.

Follows EIP-1559 (fields and their order), EIP-2718 (the type byte) and EIP-2
(the lower of two possible ``s``). A signer is believed in nothing: each field
of what came back is compared with what was asked for, and the signature must
lead to the address that shall pay.
"""

from __future__ import annotations

import coincurve

from vermilion_anchor.ports import TransactionFields
from vermilion_ledger.errors import InputError, SignatureError, VerificationError
from vermilion_ledger.evm.keccak import keccak256
from vermilion_ledger.evm.rlp import Item, decode_rlp, encode_integer, encode_rlp, parse_integer

__all__ = [
    "add_signature",
    "check_signed",
    "encode_unsigned",
    "parse_signed",
    "parse_unsigned",
    "signed_data",
    "signing_digest",
]

_TYPE = b"\x02"
_INTEGER_MAX = 2**256 - 1
_N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_NAMES = (
    "chain id",
    "nonce",
    "priority fee",
    "max fee",
    "gas limit",
    "recipient",
    "value",
    "data",
    "access list",
)


def encode_unsigned(fields: TransactionFields) -> bytes:
    """Return type and unsigned fields (EIP-1559): what a cold wallet is given."""
    return _TYPE + encode_rlp(_items(fields))


def parse_unsigned(data: bytes) -> TransactionFields:
    """Read what `encode_unsigned` writes, and nothing else.

    Raises:
        InputError: ``rlp.shape`` and its like: another type, other members, a
            value or an access list.
    """
    return _fields(_decode(data, len(_NAMES)), data)


def parse_signed(raw: bytes) -> TransactionFields:
    """Read the fields of a signed transaction; the signature is not looked at.

    Raises:
        InputError: As for `parse_unsigned`.
    """
    items = _decode(raw, len(_NAMES) + 3)[: len(_NAMES)]
    return _fields(items, _TYPE + encode_rlp(items))


def signing_digest(fields: TransactionFields) -> bytes:
    """Return the 32 bytes that are signed: Keccak-256 of type and unsigned fields (EIP-1559)."""
    return keccak256(encode_unsigned(fields))


def add_signature(fields: TransactionFields, *, r: int, s: int, address: bytes) -> bytes:
    """Return the signed bytes from the bare ``r`` and ``s`` of a device.

    A device may give either ``s``, and says nothing of the parity of the
    point: the lower ``s`` is taken, and the parity that leads to the address.

    Raises:
        SignatureError: ``signer.bad-signature``: r or s is no scalar of the
            group; ``signer.other-key``: another key signed, or something else was signed.
    """
    if not 0 < r < _N or not 0 < s < _N:
        raise SignatureError("signer.bad-signature", "r or s is out of range")
    s, digest = min(s, _N - s), signing_digest(fields)
    for parity in (0, 1):
        if _recover(digest, r, s, parity) == address:
            scalars = [encode_integer(value) for value in (parity, r, s)]
            return _TYPE + encode_rlp([*_items(fields), *scalars])
    raise SignatureError("signer.other-key", f"0x{address.hex()} has not signed what was asked for")


def check_signed(raw: bytes, fields: TransactionFields, *, address: bytes) -> None:
    """Check that signed bytes are exactly this transaction, paid by this address.

    Args:
        raw: Signed EIP-2718 bytes, as a signer gave them.
        fields: What it was asked to sign.
        address: 20-byte address of the key it was asked to sign with.

    Raises:
        VerificationError: ``signer.other-transaction``: another type, or a
            field differs.
        SignatureError: ``signer.bad-signature`` or ``signer.other-key``.
    """
    try:
        items = _decode(raw, len(_NAMES) + 3)
    except InputError as exc:
        raise VerificationError(
            "signer.other-transaction", f"the signer gave no EIP-1559 transaction: {exc}"
        ) from exc
    for name, found, asked in zip(_NAMES, items, _items(fields), strict=False):
        if found != asked:
            raise VerificationError(
                "signer.other-transaction",
                f"the signer signed {name} {_show(found)}, asked for was {_show(asked)}",
            )
    try:
        parity, r, s = (
            parse_integer(item, maximum=maximum, what=what)
            for item, maximum, what in zip(
                items[len(_NAMES) :], (1, _N - 1, _N // 2), ("parity", "r", "s"), strict=True
            )
        )
    except InputError as exc:
        raise SignatureError("signer.bad-signature", f"the signature is off: {exc}") from exc
    signed_by = _recover(signing_digest(fields), r, s, parity)
    if signed_by is None:
        raise SignatureError("signer.bad-signature", "no key fits the signature")
    if signed_by != address:
        raise SignatureError(
            "signer.other-key", f"0x{signed_by.hex()} signed, not 0x{address.hex()}"
        )


def signed_data(raw: bytes) -> bytes:
    """Return the call data of a signed transaction.

    Raises:
        InputError: ``rlp.shape`` and others of RLP: no EIP-1559 transaction.
    """
    data = _decode(raw, len(_NAMES) + 3)[_NAMES.index("data")]
    if not isinstance(data, bytes):
        raise InputError("rlp.shape", "the data is a list")
    return data


def _items(fields: TransactionFields) -> list[Item]:
    return [
        encode_integer(fields.chain_id),
        encode_integer(fields.nonce),
        encode_integer(fields.priority_fee),
        encode_integer(fields.max_fee),
        encode_integer(fields.gas_limit),
        fields.to or b"",
        b"",
        fields.data,
        (),
    ]


def _decode(raw: bytes, count: int) -> tuple[Item, ...]:
    if raw[:1] != _TYPE:
        raise InputError("rlp.shape", f"type {raw[:1].hex() or 'none'}, not 02")
    items = decode_rlp(raw[1:], what="transaction")
    if isinstance(items, bytes) or len(items) != count:
        raise InputError("rlp.shape", f"it has not {count} members")
    return tuple(items)


def _fields(items: tuple[Item, ...], unsigned: bytes) -> TransactionFields:
    """Read unsigned members; what does not encode to the same bytes again is refused."""
    chain_id, nonce, priority_fee, max_fee, gas_limit = (
        parse_integer(item, maximum=_INTEGER_MAX, what=name)
        for name, item in zip(_NAMES, items[:5], strict=False)
    )
    to, data = items[5], items[7]
    if not isinstance(to, bytes) or len(to) not in {0, 20} or not isinstance(data, bytes):
        raise InputError("rlp.shape", "the recipient is no address, or the data is a list")
    fields = TransactionFields(
        chain_id=chain_id,
        nonce=nonce,
        to=to or None,
        data=data,
        gas_limit=gas_limit,
        max_fee=max_fee,
        priority_fee=priority_fee,
    )
    if encode_unsigned(fields) != unsigned:
        raise InputError("rlp.shape", "the transaction sends ether, or has an access list")
    return fields


def _show(item: Item) -> str:
    return f"0x{item.hex()[:64]}" if isinstance(item, bytes) else f"a list of {len(item)}"


def _recover(digest: bytes, r: int, s: int, parity: int) -> bytes | None:
    """Return the address that made a signature; None where r is on no point."""
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([parity])
    try:
        key = coincurve.PublicKey.from_signature_and_message(signature, digest, hasher=None)
    except Exception:  # noqa: BLE001 - coincurve raises plain Exception for a point off the curve
        return None
    return keccak256(key.format(compressed=False)[1:])[12:]
