"""Making a signed transaction: gas, funds, signature. Nothing is sent here."""

from __future__ import annotations

from dataclasses import dataclass

from vermilion_anchor.fees import Fees
from vermilion_anchor.ports import ChainClient, Signer, TransactionFields
from vermilion_ledger.errors import UnavailableError
from vermilion_ledger.evm.keccak import keccak256

__all__ = ["SignedTransaction", "sign_transaction"]


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


def sign_transaction(
    chain: ChainClient,
    signer: Signer,
    *,
    chain_id: int,
    nonce: int,
    to: bytes | None,
    data: bytes,
    fees: Fees,
) -> SignedTransaction:
    """Estimate, check that the account can pay, and sign.

    Raises:
        ConflictError: The call would revert, as for `ChainClient.estimate_gas`.
        UnavailableError: ``anchor.no-funds``.
    """
    gas = chain.estimate_gas(sender=signer.address, to=to, data=data)
    gas_limit = gas + gas // 4  # the head may move between now and the block
    balance, needed = chain.balance(signer.address), gas_limit * fees.max_fee
    if balance < needed:
        raise UnavailableError(
            "anchor.no-funds",
            f"0x{signer.address.hex()} has {balance} wei, {needed} may be needed",
        )
    fields = TransactionFields(
        chain_id=chain_id,
        nonce=nonce,
        to=to,
        data=data,
        gas_limit=gas_limit,
        max_fee=fees.max_fee,
        priority_fee=fees.priority_fee,
    )
    raw = signer.sign(fields)
    return SignedTransaction(fields=fields, raw=raw, hash=keccak256(raw))
