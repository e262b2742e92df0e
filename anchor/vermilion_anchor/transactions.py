"""Making a signed transaction: gas, funds, signature. Nothing is sent here.

Every signer's answer passes `vermilion_anchor.eip1559.check_signed` here, that
of a key in our own memory as well: what is stored and sent is what was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

from vermilion_anchor.eip1559 import check_signed, signed_data
from vermilion_anchor.fees import Fees
from vermilion_anchor.ports import ChainClient, Signer, TransactionFields
from vermilion_ledger.errors import InputError, UnavailableError
from vermilion_ledger.evm.keccak import keccak256

__all__ = ["SignedTransaction", "anchored_tree", "prepare_transaction", "sign_transaction"]

_SELECTOR_SIZE, _WORD = 4, 32


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedTransaction:
    """A transaction ready to be sent.

    Attributes:
        fields: What was signed.
        raw: Signed EIP-2718 bytes.
        hash: Keccak-256 of ``raw``.
    """

    fields: TransactionFields
    raw: bytes
    hash: bytes


def prepare_transaction(
    chain: ChainClient,
    *,
    sender: bytes,
    chain_id: int,
    nonce: int,
    to: bytes | None,
    data: bytes,
    fees: Fees,
) -> TransactionFields:
    """Estimate the gas, and check that the account can pay.

    Raises:
        ConflictError: The call would revert, as for `ChainClient.estimate_gas`.
        UnavailableError: ``anchor.no-funds``.
    """
    gas = chain.estimate_gas(sender=sender, to=to, data=data)
    fields = TransactionFields(
        chain_id=chain_id,
        nonce=nonce,
        to=to,
        data=data,
        gas_limit=gas + gas // 4,  # the head may move between now and the block
        max_fee=fees.max_fee,
        priority_fee=fees.priority_fee,
    )
    balance = chain.balance(sender)
    if balance < fields.cost_max:
        raise UnavailableError(
            "anchor.no-funds",
            f"0x{sender.hex()} has {balance} wei, {fields.cost_max} may be needed",
        )
    return fields


def sign_transaction(signer: Signer, fields: TransactionFields) -> SignedTransaction:
    """Have a transaction signed, and check that it is this one.

    Raises:
        UnavailableError: The signer is out of reach, or refuses.
        VerificationError: It signed something else: ``signer.other-transaction``,
            ``signer.bad-signature`` or ``signer.other-key``.
        InputError: ``signer.pin``: a token takes the PIN no more.
        NotFoundError: ``signer.no-key``: a token has the key no more.
    """
    raw = signer.sign(fields)
    check_signed(raw, fields, address=signer.address)
    return SignedTransaction(fields=fields, raw=raw, hash=keccak256(raw))


def anchored_tree(raw: bytes) -> tuple[int, bytes]:
    """Return size and root of the tree that a signed call of ``anchor`` is for.

    Read from the bytes themselves: they are what was sent, whatever a row says.

    Raises:
        InputError: ``rlp.shape``: it is no such call.
    """
    data = signed_data(raw)
    # Solidity ABI: selector, log, size, root, then where the proof begins
    if len(data) < _SELECTOR_SIZE + 4 * _WORD:
        raise InputError("rlp.shape", f"call data of {len(data)} bytes, not of an anchor")
    words = data[_SELECTOR_SIZE:]
    return int.from_bytes(words[_WORD : 2 * _WORD], "big"), words[2 * _WORD : 3 * _WORD]
