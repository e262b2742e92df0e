"""The chain client: the only module that imports web3.py and eth-account.

It asks one node and translates its answers; it decides nothing. web3.py encodes
calls of the contract and eth-account holds keys; questions go through our own
`vermilion_anchor.rpc`, since web3.py's provider follows redirections, reads answers
of any size, and has a timeout that a dripping answer never meets.

A node is believed in nothing that can be looked at: an answer that is not about
what was asked, or that cannot be, is UnavailableError ``chain.bad-answer``. What
a node says in words is passed on for the log only, never acted upon.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.providers import BaseProvider

from vermilion_anchor.artifact import ContractArtifact
from vermilion_anchor.ports import (
    AnchorEvent,
    BlockData,
    ChainHead,
    FeeHistory,
    TransactionFields,
    TransactionReceipt,
)
from vermilion_anchor.receipts import (
    encode_header,
    encode_receipt,
    parse_count,
    parse_data,
    parse_list,
    parse_members,
    parse_quantity,
    parse_remark,
)
from vermilion_anchor.rpc import RefusalError, RpcTransport
from vermilion_ledger.errors import ConflictError, InputError, NotFoundError, UnavailableError
from vermilion_ledger.evm.header import parse_header
from vermilion_ledger.evm.keccak import keccak256
from vermilion_ledger.evm.receipt import ANCHORED_TOPIC

__all__ = ["AccountSigner", "EvmChain", "decrypt_key", "encrypt_key"]

_FEE_BLOCKS, _FEE_PERCENTILE = 10, 50
_BARE = False  # blocks with the hashes of their transactions alone
_METHOD_UNKNOWN = -32601  # JSON-RPC 2.0
_KEY_SIZE = 32
# Reverts that an operator can do something about; all others are `chain.reverted`
_REVERTS = {
    "LogAlreadyRegistered": "chain.log-registered",
    "NotOwner": "chain.not-owner",
    "NotPendingOwner": "chain.not-nominated",
    "NotPublisher": "chain.not-publisher",
    "UnknownLog": "chain.unknown-log",
}


class AccountSigner:
    """A private key held in memory."""

    def __init__(self, key: bytes) -> None:
        """Take a 32-byte private key.

        Raises:
            InputError: ``key.file-malformed``.
        """
        try:
            self._account: LocalAccount = Account.from_key(key)
        except Exception as exc:  # eth-keys raises several unrelated types
            raise InputError("key.file-malformed", "not a private key of secp256k1") from exc

    @property
    def address(self) -> bytes:
        """The 20-byte address of the key."""
        return bytes.fromhex(self._account.address[2:])

    def sign(self, fields: TransactionFields) -> bytes:
        """Return the signed EIP-2718 bytes of an EIP-1559 transaction."""
        transaction: dict[str, Any] = {
            "type": 2,
            "chainId": fields.chain_id,
            "nonce": fields.nonce,
            "value": 0,
            "data": fields.data,
            "gas": fields.gas_limit,
            "maxFeePerGas": fields.max_fee,
            "maxPriorityFeePerGas": fields.priority_fee,
        }
        if fields.to is not None:
            transaction["to"] = Web3.to_checksum_address(fields.to)
        return bytes(self._account.sign_transaction(transaction).raw_transaction)


def encrypt_key(key: bytes, password: str) -> Mapping[str, Any]:
    """Return the V3 keystore of a private key (scrypt)."""
    return Account.encrypt(key, password)


def decrypt_key(keystore: Mapping[str, Any], password: str) -> bytes:
    """Return the private key of a V3 keystore.

    Raises:
        InputError: ``key.file-malformed``: no keystore, or another password.
    """
    try:
        key = bytes(Account.decrypt(dict(keystore), password))
    except Exception as exc:  # eth-keyfile raises KeyError, TypeError, ValueError and more
        raise InputError("key.file-malformed", "no V3 keystore, or another password") from exc
    if len(key) != _KEY_SIZE:
        raise InputError("key.file-malformed", f"the keystore holds {len(key)} bytes")
    return key


class EvmChain:
    """One node over HTTP; implements `vermilion_anchor.ports.ChainClient`.

    Stateless apart from the connection pool; safe to use from several threads.
    """

    def __init__(
        self, url: str, artifact: ContractArtifact, *, timeout_seconds: float = 10.0
    ) -> None:
        """Prepare to ask a node; nothing is sent yet."""
        # Nothing is tried twice here: that is for whoever has a second node, or patience
        self._transport = RpcTransport(url, timeout_seconds=timeout_seconds)
        self._contract = Web3(BaseProvider(), middleware=[]).eth.contract(abi=artifact.abi)
        self._reverts = {
            keccak256(_signature(entry))[:4].hex(): str(entry["name"])
            for entry in artifact.abi
            if entry["type"] == "error"
        }
        self.name = self._transport.name

    # --- accounts and fees ---

    def chain_id(self) -> int:
        """Return the chain id of the node."""
        return parse_quantity(self._ask("eth_chainId"), "chain id")

    def code(self, address: bytes) -> bytes:
        """Return the runtime code at an address; empty where there is none."""
        return parse_data(self._ask("eth_getCode", _wire(address), "latest"), "code")

    def balance(self, address: bytes) -> int:
        """Return the balance of an account in wei."""
        return parse_quantity(self._ask("eth_getBalance", _wire(address), "latest"), "balance")

    def nonce(self, address: bytes) -> int:
        """Return the number of mined transactions of an account."""
        return parse_count(self._ask("eth_getTransactionCount", _wire(address), "latest"), "nonce")

    def fee_history(self) -> FeeHistory:
        """Return what recent blocks cost, in wei per gas."""
        answer = self._ask("eth_feeHistory", hex(_FEE_BLOCKS), "latest", [_FEE_PERCENTILE])
        try:
            rewards = zip(answer.get("reward") or (), answer["gasUsedRatio"], strict=False)
            return FeeHistory(
                base_fee=parse_quantity(answer["baseFeePerGas"][-1], "base fee"),
                rewards=tuple(parse_quantity(row[0], "reward") for row, used in rewards if used),
            )
        except (KeyError, IndexError, TypeError, AttributeError) as exc:
            raise UnavailableError("chain.bad-answer", "the node gave no fee history") from exc

    def set_development_balance(self, address: bytes, wei: int) -> None:
        """Give an account of a development node its balance (``anvil_setBalance``)."""
        self._ask("anvil_setBalance", _wire(address), hex(wei))

    # --- the contract ---

    def head(self, contract: bytes, log: bytes) -> ChainHead:
        """Return the contract's head of a log.

        Raises:
            NotFoundError: ``chain.no-contract``: nothing answers at that address.
        """
        data = parse_data(self._call(contract, "head", [log]), "head")
        if len(data) != 4 * 32:
            raise NotFoundError(
                "chain.no-contract", f"no evidence anchor answers at {_wire(contract)}"
            )
        size, root, number, time = (data[at : at + 32] for at in range(0, 128, 32))
        return ChainHead(
            size=parse_count(_wire(size), "size"),
            root=root,
            block_number=parse_count(_wire(number), "block number"),
            block_time=parse_count(_wire(time), "block time"),
        )

    def anchor_data(self, *, log: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bytes:
        """Return the ABI-encoded call of ``anchor``."""
        return self._encode("anchor", [log, size, root, list(proof)])

    def register_data(self, *, origin_hash: bytes, publisher: bytes) -> bytes:
        """Return the ABI-encoded call of ``register``."""
        return self._encode("register", [origin_hash, Web3.to_checksum_address(publisher)])

    def anchored_events(
        self, contract: bytes, log: bytes, *, block_number: int
    ) -> Sequence[AnchorEvent]:
        """Return the `Anchored` events of a log in one block."""
        query = {
            "address": _wire(contract),
            "topics": [_wire(ANCHORED_TOPIC), _wire(log)],
            "fromBlock": hex(block_number),
            "toBlock": hex(block_number),
        }
        asked = (contract, (ANCHORED_TOPIC, log), block_number)
        return tuple(
            _read_event(parse_members(event, "event"), asked)
            for event in parse_list(self._ask("eth_getLogs", query), "events")
        )

    # --- transactions ---

    def estimate_gas(self, *, sender: bytes, to: bytes | None, data: bytes) -> int:
        """Return the gas a call would use now.

        Raises:
            ConflictError: The call would revert, with a code of `_REVERTS` or ``chain.reverted``.
        """
        call = {"from": _wire(sender), "data": _wire(data)}
        if to is not None:
            call["to"] = _wire(to)
        try:
            return parse_count(self._request("eth_estimateGas", call), "gas")
        except RefusalError as exc:
            name = self._reverts.get(exc.data[2:10], "")
            code = _REVERTS.get(name, "chain.reverted")
            raise ConflictError(code, f"the call would revert: {name or exc}") from exc

    def send(self, raw: bytes) -> str:
        """Hand a signed transaction to the node; return what it said, for the log only.

        Whether the node took it is read back: a refusal may be a repetition,
        and an acceptance may be forgotten.
        """
        try:
            self._request("eth_sendRawTransaction", _wire(raw))
        except RefusalError as exc:
            return str(exc)
        return "accepted"

    def has_transaction(self, transaction: bytes) -> bool:
        """Tell whether the node knows a transaction, waiting or mined."""
        answer = self._ask("eth_getTransactionByHash", _wire(transaction))
        if answer is None:
            return False
        self._check_about(parse_members(answer, "transaction").get("hash"), transaction)
        return True

    def receipt(self, transaction: bytes) -> TransactionReceipt | None:
        """Return the receipt on the canonical chain; None if it is not mined."""
        answer = self._ask("eth_getTransactionReceipt", _wire(transaction))
        if answer is None or parse_members(answer, "receipt").get("blockHash") is None:
            return None
        self._check_about(answer.get("transactionHash"), transaction)
        address = answer.get("contractAddress")
        return TransactionReceipt(
            transaction=transaction,
            transaction_index=parse_count(answer.get("transactionIndex"), "transaction index"),
            block_number=parse_count(answer.get("blockNumber"), "block number"),
            block_hash=parse_data(answer["blockHash"], "block hash", size=32),
            is_success=answer.get("status") == "0x1",
            contract=None if address is None else parse_data(address, "contract", size=20),
            gas_used=parse_remark(answer.get("gasUsed"), "gas used"),
            gas_price=parse_remark(answer.get("effectiveGasPrice"), "gas price"),
        )

    # --- blocks ---

    def block_number(self) -> int:
        """Return the height of the newest block."""
        return parse_count(self._ask("eth_blockNumber"), "block number")

    def block(self, which: int | str) -> BlockData | None:
        """Return the canonical block of a height or tag; None where there is none."""
        if isinstance(which, str):
            try:
                answer = self._request("eth_getBlockByNumber", which, _BARE)
            except RefusalError:
                return None  # a node refuses a tag its chain does not have
            return self._read_block(answer)
        block = self._read_block(self._ask("eth_getBlockByNumber", hex(which), _BARE))
        if block is not None and block.number != which:
            raise UnavailableError(
                "chain.bad-answer", f"{self.name} gave block {block.number} in place of {which}"
            )
        return block

    def block_by_hash(self, block_hash: bytes) -> BlockData | None:
        """Return a block by its hash; None where the node does not know it."""
        block = self._read_block(self._ask("eth_getBlockByHash", _wire(block_hash), _BARE))
        if block is not None:
            self._check_about(_wire(block.hash), block_hash)
        return block

    def receipts(self, block_hash: bytes) -> Sequence[bytes]:
        """Return every EIP-2718 receipt of a block, in order."""
        try:
            answer = self._request("eth_getBlockReceipts", _wire(block_hash))
        except RefusalError:
            answer = None  # older nodes lack the method
        if answer is None:
            block = self._ask("eth_getBlockByHash", _wire(block_hash), _BARE)
            hashes = parse_members(block, "block").get("transactions")
            answer = [
                self._ask("eth_getTransactionReceipt", transaction)
                for transaction in parse_list(hashes, "transactions")
            ]
        return tuple(encode_receipt(receipt) for receipt in parse_list(answer, "receipts"))

    # --- below: asking ---

    def _read_block(self, answer: Any) -> BlockData | None:
        if answer is None:
            return None
        members = parse_members(answer, "block")
        block_hash = parse_data(members.get("hash"), "block hash", size=32)
        header = encode_header(members)
        if keccak256(header) != block_hash:
            # a fork with fields we do not know: some nodes give the raw bytes
            header = parse_data(self._ask("debug_getRawHeader", _wire(block_hash)), "header")
        if keccak256(header) != block_hash:
            raise UnavailableError(
                "chain.bad-answer", f"the node's header does not hash to {_wire(block_hash)}"
            )
        try:
            read = parse_header(header)  # by its bytes: what stands beside them binds nobody
        except InputError as exc:
            raise UnavailableError("chain.bad-answer", f"{self.name}: {exc.message}") from exc
        return BlockData(number=read.number, hash=block_hash, time=read.timestamp, header=header)

    def _check_about(self, value: object, wanted: bytes) -> None:
        """Refuse an answer about another transaction or block than was asked for."""
        if parse_data(value, "hash") != wanted:
            raise UnavailableError(
                "chain.bad-answer", f"{self.name} answers about another than {_wire(wanted)}"
            )

    def _encode(self, name: str, arguments: Sequence[Any]) -> bytes:
        return bytes.fromhex(self._contract.encode_abi(name, args=arguments)[2:])

    def _call(self, contract: bytes, name: str, arguments: Sequence[Any]) -> Any:
        call = {"to": _wire(contract), "data": _wire(self._encode(name, arguments))}
        try:
            return self._request("eth_call", call, "latest")
        except RefusalError as exc:
            raise NotFoundError(
                "chain.no-contract", f"no evidence anchor at {_wire(contract)}: {exc}"
            ) from exc

    def _ask(self, method: str, *parameters: Any) -> Any:
        """Return a node's result where an error answer means that it cannot serve us now."""
        try:
            return self._request(method, *parameters)
        except RefusalError as exc:
            kind = "does not know" if exc.number == _METHOD_UNKNOWN else "refused"
            raise UnavailableError(
                "chain.bad-answer", f"{self.name} {kind} {method}: {exc}"
            ) from exc

    def _request(self, method: str, *parameters: object) -> Any:
        return self._transport.ask(method, parameters)


def _read_event(
    event: Mapping[str, Any], asked: tuple[bytes, tuple[bytes, bytes], int]
) -> AnchorEvent:
    found = (
        parse_data(event.get("address"), "address"),
        tuple(parse_data(topic, "topic") for topic in parse_list(event.get("topics"), "topics")),
        parse_count(event.get("blockNumber"), "block number"),
    )
    if found != asked:
        raise UnavailableError("chain.bad-answer", "the node gave an event that was not asked for")
    data = parse_data(event.get("data"), "event data", size=64)
    return AnchorEvent(
        size=parse_count(_wire(data[:32]), "size"),
        root=data[32:],
        transaction=parse_data(event.get("transactionHash"), "transaction", size=32),
        block_number=asked[2],
        block_hash=parse_data(event.get("blockHash"), "block hash", size=32),
    )


def _signature(entry: Mapping[str, Any]) -> bytes:
    return f"{entry['name']}({','.join(item['type'] for item in entry['inputs'])})".encode()


def _wire(value: bytes) -> str:
    return "0x" + value.hex()
