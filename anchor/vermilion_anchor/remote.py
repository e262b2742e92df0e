"""A key behind a remote signer: JSON-RPC ``eth_signTransaction`` over HTTP.

What Web3Signer and others answer (Ethereum execution API). The remote side sees
each field and may refuse by rules of its own; what it gives is believed in
nothing, which `vermilion_anchor.transactions` sees to for every signer.
"""

from __future__ import annotations

from dataclasses import dataclass

from vermilion_anchor.ports import TransactionFields
from vermilion_anchor.signer_door import ANSWER_SIZE_MAX, SignerDoor, SignerEndpoint
from vermilion_ledger.encoding import parse_wire_hex
from vermilion_ledger.errors import InputError, UnavailableError

__all__ = ["RemoteOptions", "RemoteSigner"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteOptions(SignerEndpoint):
    """Where a remote signer is, how it is known and knows us, and which key it has.

    Attributes:
        address: 20-byte address of the key that it signs with.
    """

    address: bytes


class RemoteSigner:
    """Implements `vermilion_anchor.ports.Signer`; without state, for several threads."""

    def __init__(self, options: RemoteOptions) -> None:
        """Read address and files; nothing is sent yet.

        Raises:
            InputError: ``signer.url``: the address is refused;
                ``signer.certificate``: a PEM file does not do;
                ``key.file-readable``: others may read the private key.
            NotFoundError: ``key.file-missing``.
        """
        self._options = options
        self._door = SignerDoor(options)

    @property
    def address(self) -> bytes:
        """The 20-byte address that shall sign."""
        return self._options.address

    def sign(self, fields: TransactionFields) -> bytes:
        """Return what the signer gives as the signed bytes of a transaction.

        Raises:
            UnavailableError: ``signer.unreachable``; ``signer.refused``: it
                says no; ``signer.bad-answer``: it gave something else.
        """
        call = {
            "from": _wire(self.address),
            "chainId": hex(fields.chain_id),
            "nonce": hex(fields.nonce),
            "gas": hex(fields.gas_limit),
            "maxFeePerGas": hex(fields.max_fee),
            "maxPriorityFeePerGas": hex(fields.priority_fee),
            "value": "0x0",
            "data": _wire(fields.data),
        }
        if fields.to is not None:
            call["to"] = _wire(fields.to)
        result = self._door.ask("eth_signTransaction", [call])
        if not isinstance(result, str):
            raise UnavailableError("signer.bad-answer", "the signer gave no text")
        try:
            return parse_wire_hex(result.lower(), what="answer", size_max=ANSWER_SIZE_MAX)
        except InputError as exc:
            raise UnavailableError("signer.bad-answer", f"the signer gave no hex: {exc}") from exc


def _wire(value: bytes) -> str:
    return "0x" + value.hex()
