"""What the owner of a log may do in the contract (FORMATS section 7).

Publishers come and go; the log itself is handed over in two steps, so that no
slip of the pen gives it to nobody. None of this touches what was anchored.
Run by a person. Each step is tried on the chain before anything is signed, and
read back afterwards by asking what the next step would do.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from vermilion_anchor.deploy import check_publisher, send_call
from vermilion_anchor.fees import FeePolicy
from vermilion_anchor.ports import ChainClient, Signer
from vermilion_ledger.errors import ConflictError, InputError
from vermilion_ledger.evm.keccak import keccak256

__all__ = ["NOBODY", "OwnedLog"]

NOBODY = bytes(20)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedLog:
    """A log in a contract, and the key that acts for it.

    The key shares its nonces with an anchorer that uses it: of two
    transactions sent at once one is refused, and sent again by its sender.

    Attributes:
        chain: Node of the log's chain.
        signer: The owner's key; for `accept` that of the successor.
        contract: 20-byte address.
        log: 32-byte identifier of the log.
        fees: What a transaction may cost.
        sleep: Waits for blocks, in seconds.
    """

    chain: ChainClient
    signer: Signer
    contract: bytes
    log: bytes
    fees: FeePolicy
    sleep: Callable[[float], None] = time.sleep

    def set_publisher(self, publisher: bytes, *, is_allowed: bool) -> None:
        """Allow or forbid an account to anchor for the log.

        Raises:
            InputError: ``chain.zero-publisher``.
            ConflictError: ``chain.not-owner``, ``chain.unknown-log``, or
                ``chain.not-effective`` if the chain does not show it afterwards.
            UnavailableError: As for `vermilion_anchor.deploy.deploy_contract`.
        """
        if publisher == NOBODY:
            raise InputError("chain.zero-publisher", "the zero address cannot be a publisher")
        self._send(_set_publisher(self.log, publisher, is_allowed=is_allowed))
        if self._may_publish(publisher) != is_allowed:
            raise _not_effective(f"publisher 0x{publisher.hex()}")

    def transfer(self, successor: bytes) -> None:
        """Nominate a successor, who is the owner once they accept; `NOBODY` withdraws it.

        Raises:
            ConflictError: As for `set_publisher`.
            UnavailableError: As for `set_publisher`.
        """
        self._send(_encode("transferOwnership(bytes32,address)", self.log, successor))
        if successor != NOBODY and not self._would_pass(successor, _accept(self.log)):
            raise _not_effective(f"nomination of 0x{successor.hex()}")

    def accept(self) -> None:
        """Become the owner, as the nominated successor. Publishers stay as they are.

        Raises:
            ConflictError: ``chain.not-nominated``, ``chain.unknown-log`` or
                ``chain.not-effective``.
            UnavailableError: As for `set_publisher`.
        """
        self._send(_accept(self.log))
        probe = _set_publisher(self.log, self.signer.address, is_allowed=True)
        if not self._would_pass(self.signer.address, probe):
            raise _not_effective(f"ownership of 0x{self.signer.address.hex()}")

    def _send(self, data: bytes) -> None:
        send_call(
            self.chain, self.signer, to=self.contract, data=data, fees=self.fees, sleep=self.sleep
        )

    def _may_publish(self, publisher: bytes) -> bool:
        try:
            check_publisher(self.chain, contract=self.contract, log=self.log, publisher=publisher)
        except ConflictError as exc:
            if exc.code != "chain.not-publisher":
                raise
            return False
        return True

    def _would_pass(self, sender: bytes, data: bytes) -> bool:
        try:
            self.chain.estimate_gas(sender=sender, to=self.contract, data=data)
        except ConflictError:
            return False
        return True


def _set_publisher(log: bytes, publisher: bytes, *, is_allowed: bool) -> bytes:
    flag = b"\x01" if is_allowed else b"\0"
    return _encode("setPublisher(bytes32,address,bool)", log, publisher, flag)


def _accept(log: bytes) -> bytes:
    return _encode("acceptOwnership(bytes32)", log)


def _encode(signature: str, *arguments: bytes) -> bytes:
    """ABI-encode a call whose arguments are all static: a word each, numbers at its end."""
    words = (argument.rjust(32, b"\0") for argument in arguments)
    return keccak256(signature.encode())[:4] + b"".join(words)


def _not_effective(what: str) -> ConflictError:
    """The transaction succeeded, and the chain does not show it: somebody was faster."""
    return ConflictError("chain.not-effective", f"{what}: the chain shows another state already")
