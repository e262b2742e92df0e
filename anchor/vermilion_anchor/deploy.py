"""Bringing the contract and the log onto a chain, each step checked afterwards.

Run once per chain by a person. Unlike anchoring it needs no journal: a
deployment that was interrupted leaves a contract nobody uses, and registering
a log twice changes nothing.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from vermilion_anchor.artifact import ContractArtifact
from vermilion_anchor.fees import FeePolicy
from vermilion_anchor.ports import ChainClient, Signer, TransactionReceipt
from vermilion_anchor.transactions import prepare_transaction, sign_transaction
from vermilion_ledger.errors import ConflictError, InputError, NotFoundError, UnavailableError
from vermilion_ledger.evm.keccak import keccak256
from vermilion_ledger.limits import ORIGIN_SIZE_MAX

__all__ = [
    "DEVELOPMENT_CHAIN",
    "Deployment",
    "check_contract",
    "check_publisher",
    "deploy",
    "deploy_contract",
    "derive_log",
    "fund_development_account",
    "register_log",
    "send_call",
]

DEVELOPMENT_CHAIN = 31337
_DEVELOPMENT_WEI = 10**21
_WAIT_SECONDS, _POLL_SECONDS = 120.0, 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What a trust policy's chain table and the anchorer's settings are made of.

    Attributes:
        chain_id: EIP-155 chain id.
        contract: 20-byte address.
        code_hash: Keccak-256 of the runtime code found there.
        log: 32-byte identifier of the log.
        deployed_block: Height at which the contract was seen first.
    """

    chain_id: int
    contract: bytes
    code_hash: bytes
    log: bytes
    deployed_block: int


def derive_log(owner: bytes, origin: str) -> bytes:
    """Return the identifier that ``register`` gives an owner's log (FORMATS section 7)."""
    encoded = origin.encode("utf-8")
    if not 0 < len(encoded) <= ORIGIN_SIZE_MAX:
        raise InputError("anchor.origin", f"an origin of {len(encoded)} bytes")
    return keccak256(owner.rjust(32, b"\0") + hashlib.sha256(encoded).digest())


def fund_development_account(chain: ChainClient, address: bytes) -> None:
    """Give an account ether on the development chain.

    Raises:
        ConflictError: ``chain.not-development``: any other chain's ether is real.
    """
    chain_id = chain.chain_id()
    if chain_id != DEVELOPMENT_CHAIN:
        raise ConflictError(
            "chain.not-development", f"chain {chain_id} is not {DEVELOPMENT_CHAIN}: not funded"
        )
    chain.set_development_balance(address, _DEVELOPMENT_WEI)


def check_contract(chain: ChainClient, contract: bytes, code_hash: bytes) -> None:
    """Check that the address has exactly the expected runtime code.

    Raises:
        NotFoundError: ``chain.no-contract``: there is no code at all.
        ConflictError: ``chain.other-contract``: it is other code.
    """
    code = chain.code(contract)
    if not code:
        raise NotFoundError("chain.no-contract", f"no contract at 0x{contract.hex()}")
    if keccak256(code) != code_hash:
        raise ConflictError(
            "chain.other-contract",
            f"0x{contract.hex()} has code 0x{keccak256(code).hex()}, not 0x{code_hash.hex()}",
        )


def deploy(
    chain: ChainClient,
    signer: Signer,
    artifact: ContractArtifact,
    *,
    origin: str,
    contract: bytes | None = None,
    fees: FeePolicy,
    sleep: Callable[[float], None] = time.sleep,
) -> Deployment:
    """Deploy the contract, or use the given one, and register the signer's log in it.

    The signer becomes owner and first publisher of the log. On the
    development chain its account is funded first.

    Raises:
        UnavailableError: As for `deploy_contract`.
        NotFoundError: The given contract is not there.
        ConflictError: It is another contract, or the chain refused a step.
    """
    chain_id = chain.chain_id()
    if chain_id == DEVELOPMENT_CHAIN:
        fund_development_account(chain, signer.address)
    if contract is None:
        contract, block = deploy_contract(chain, signer, artifact, fees=fees, sleep=sleep)
    else:
        check_contract(chain, contract, artifact.code_hash)
        block = chain.block_number()
    log = register_log(
        chain,
        signer,
        contract=contract,
        origin=origin,
        publisher=signer.address,
        fees=fees,
        sleep=sleep,
    )
    return Deployment(
        chain_id=chain_id,
        contract=contract,
        code_hash=artifact.code_hash,
        log=log,
        deployed_block=block,
    )


def deploy_contract(
    chain: ChainClient,
    signer: Signer,
    artifact: ContractArtifact,
    *,
    fees: FeePolicy,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[bytes, int]:
    """Create the contract; return its address and its block once its code is there.

    Raises:
        UnavailableError: The node is out of reach, or the transaction is not
            mined within two minutes.
        ConflictError: The chain refused it, or other code is at the address.
    """
    receipt = send_call(chain, signer, to=None, data=artifact.creation_code, fees=fees, sleep=sleep)
    if receipt.contract is None:
        raise ConflictError("chain.reverted", "the deployment created no contract")
    check_contract(chain, receipt.contract, artifact.code_hash)
    return receipt.contract, receipt.block_number


def register_log(
    chain: ChainClient,
    signer: Signer,
    *,
    contract: bytes,
    origin: str,
    publisher: bytes,
    fees: FeePolicy,
    sleep: Callable[[float], None] = time.sleep,
) -> bytes:
    """Register the signer's log of an origin, or adopt it if it exists; return its identifier.

    Raises:
        UnavailableError: As for `deploy_contract`.
        ConflictError: ``chain.not-publisher``: the log exists, and its owner
            has not allowed this publisher; or the chain refused the registration.
    """
    log = derive_log(signer.address, origin)
    data = chain.register_data(
        origin_hash=hashlib.sha256(origin.encode("utf-8")).digest(), publisher=publisher
    )
    try:
        send_call(chain, signer, to=contract, data=data, fees=fees, sleep=sleep)
    except ConflictError as exc:
        if exc.code != "chain.log-registered":
            raise
    check_publisher(chain, contract=contract, log=log, publisher=publisher)
    return log


def check_publisher(chain: ChainClient, *, contract: bytes, log: bytes, publisher: bytes) -> None:
    """Check that an account may anchor for a log, by asking what an anchor would do.

    Raises:
        ConflictError: ``chain.unknown-log`` or ``chain.not-publisher``.
    """
    head = chain.head(contract, log)
    # the head again is accepted and changes nothing; before the first anchor any tree is
    data = chain.anchor_data(log=log, size=max(head.size, 1), root=head.root, proof=())
    chain.estimate_gas(sender=publisher, to=contract, data=data)


def send_call(
    chain: ChainClient,
    signer: Signer,
    *,
    to: bytes | None,
    data: bytes,
    fees: FeePolicy,
    sleep: Callable[[float], None] = time.sleep,
) -> TransactionReceipt:
    """Sign and send one transaction, and wait for its receipt; ``to=None`` creates a contract.

    Raises:
        UnavailableError: As for `deploy_contract`, or the account lacks funds.
        ConflictError: The call would revert, or did: ``chain.reverted``.
    """
    fields = prepare_transaction(
        chain,
        sender=signer.address,
        chain_id=chain.chain_id(),
        nonce=chain.nonce(signer.address),
        to=to,
        data=data,
        fees=fees.first(chain.fee_history()),
    )
    signed = sign_transaction(signer, fields)
    said = chain.send(signed.raw)
    waited = 0.0
    while (receipt := chain.receipt(signed.hash)) is None:
        if waited >= _WAIT_SECONDS:
            raise UnavailableError(
                "chain.not-mined", f"0x{signed.hash.hex()} is not mined; the node said: {said}"
            )
        sleep(_POLL_SECONDS)
        waited += _POLL_SECONDS
    if not receipt.is_success:
        raise ConflictError("chain.reverted", f"transaction 0x{signed.hash.hex()} failed")
    return receipt
