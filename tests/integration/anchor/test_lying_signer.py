"""A remote signer that lies: each field, each part of a signature, over real HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from eth_account import Account

from chain import OTHER_KEY, Chain, MemoryLog
from signer_kit import ADDRESS, Call, SignerServer, refused, sign_call
from vermilion_anchor.remote import RemoteOptions, RemoteSigner
from vermilion_ledger.anchor_rows import JobState
from vermilion_ledger.errors import SignatureError, VerificationError
from vermilion_ledger.evm.rlp import Item, decode_rlp, encode_rlp

N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def members(call: Call) -> list[Item]:
    items = decode_rlp(sign_call(call)[1:], what="transaction")
    assert not isinstance(items, bytes)
    return list(items)


def with_member(number: int, value: Item) -> Callable[[Call], bytes]:
    """Change one member of the finished transaction, signature and all."""

    def lie(call: Call) -> bytes:
        items = members(call)
        items[number] = value
        return b"\x02" + encode_rlp(items)

    return lie


def with_high_s(call: Call) -> bytes:
    items = members(call)
    parity, s = items[9], items[11]
    assert isinstance(s, bytes)
    items[9] = b"" if parity else b"\x01"
    items[11] = (N - int.from_bytes(s, "big")).to_bytes(32, "big").lstrip(b"\0")
    return b"\x02" + encode_rlp(items)


def with_other_parity(call: Call) -> bytes:
    items = members(call)
    items[9] = b"" if items[9] else b"\x01"
    return b"\x02" + encode_rlp(items)


def re_signed(**changes: Any) -> Callable[[Call], bytes]:
    """Another transaction, properly signed with the right key."""
    return lambda call: sign_call(call, **changes)


OTHER_TRANSACTIONS: dict[str, Callable[[Call], bytes]] = {
    "other chain": re_signed(chainId=1),
    "later nonce": re_signed(nonce=8),
    "earlier nonce": re_signed(nonce=0),
    "higher fee": re_signed(maxFeePerGas=3 * 10**9 + 1),
    "lower fee": re_signed(maxFeePerGas=3 * 10**9 - 1),
    "higher tip": re_signed(maxPriorityFeePerGas=3 * 10**9),
    "more gas": re_signed(gas=100_001),
    "less gas": re_signed(gas=99_999),
    "other recipient": re_signed(to=b"\x13" * 20),
    "new contract": re_signed(to=None),
    "some value": re_signed(value=1),
    "other data": re_signed(data="0x" + "34" * 99 + "35"),
    "no data": re_signed(data="0x"),
    "an access list": re_signed(
        accessList=[{"address": "0x" + "12" * 20, "storageKeys": ["0x" + "00" * 32]}]
    ),
    "a type 1 transaction": re_signed(
        type=1, gasPrice=10**9, maxFeePerGas=None, maxPriorityFeePerGas=None
    ),
    "a legacy transaction": re_signed(
        type=None, gasPrice=10**9, maxFeePerGas=None, maxPriorityFeePerGas=None
    ),
    "nonce with a leading zero": with_member(1, b"\0\x07"),
    "nonce as a list": with_member(1, (b"\x07",)),
    "access list as a string": with_member(8, b""),
    "one member less": lambda call: b"\x02" + encode_rlp(members(call)[:-1]),
    "one member more": lambda call: b"\x02" + encode_rlp([*members(call), b""]),
    "no signature": lambda call: b"\x02" + encode_rlp(members(call)[:9]),
    "a byte more": lambda call: sign_call(call) + b"\0",
    "a byte less": lambda call: sign_call(call)[:-1],
    "the type alone": lambda _: b"\x02",
    "nothing": lambda _: b"",
    "no list": lambda _: b"\x02\x83abc",
    "an endless list": lambda _: b"\x02\xff" + b"\xff" * 8,
}
BAD_SIGNATURES: dict[str, tuple[str, Callable[[Call], bytes]]] = {
    "other key": ("signer.other-key", re_signed(key=OTHER_KEY)),
    "other parity": ("signer.other-key", with_other_parity),
    "other r": ("signer.other-key", with_member(10, (1).to_bytes(1, "big"))),
    "other s": ("signer.other-key", with_member(11, b"\x01")),
    "the higher s": ("signer.bad-signature", with_high_s),
    "no s": ("signer.bad-signature", with_member(11, b"")),
    "no r": ("signer.bad-signature", with_member(10, b"")),
    "r too large": ("signer.bad-signature", with_member(10, N.to_bytes(32, "big"))),
    "r of 33 bytes": ("signer.bad-signature", with_member(10, b"\x01" * 33)),
    "r with a leading zero": ("signer.bad-signature", with_member(10, b"\0" + b"\x01" * 31)),
    "r as a list": ("signer.bad-signature", with_member(10, (b"\x01",))),
    "r on no point": ("signer.bad-signature", with_member(10, b"\x05")),
    "parity 27": ("signer.bad-signature", with_member(9, b"\x1b")),
    "parity 2": ("signer.bad-signature", with_member(9, b"\x02")),
}


@pytest.mark.parametrize("lie", OTHER_TRANSACTIONS.values(), ids=OTHER_TRANSACTIONS.keys())
def test_another_transaction_is_refused(server: SignerServer, lie: Callable[[Call], bytes]) -> None:
    server.lie(lie)

    assert refused(server.url, VerificationError) == "signer.other-transaction"


@pytest.mark.parametrize(("code", "lie"), BAD_SIGNATURES.values(), ids=BAD_SIGNATURES.keys())
def test_a_signature_that_is_not_the_address_s_is_refused(
    server: SignerServer, code: str, lie: Callable[[Call], bytes]
) -> None:
    server.lie(lie)

    assert refused(server.url, SignatureError) == code


@pytest.mark.parametrize("key", [b"\x01" * 32, b"\x02" * 32])
def test_a_configured_address_of_another_key_is_refused(server: SignerServer, key: bytes) -> None:
    address = bytes.fromhex(Account.from_key(key).address[2:])

    assert refused(server.url, SignatureError, address=address) == "signer.other-key"


def test_a_lie_is_neither_stored_nor_sent(
    server: SignerServer, chain: Chain, journal: Any, make_anchorer: Callable[..., Any]
) -> None:
    server.lie(re_signed(maxFeePerGas=10**12))
    signer = RemoteSigner(RemoteOptions(url=server.url, address=ADDRESS))
    anchorer = make_anchorer(MemoryLog(9), finality="immediate", signer=signer)
    anchorer.step()
    before = chain.client.nonce(ADDRESS)

    for _ in range(3):
        with pytest.raises(VerificationError):
            anchorer.step()

    job = journal.load_open(chain.target)
    assert (job.state, job.attempts) == (JobState.PLANNED, ())
    assert chain.client.nonce(ADDRESS) == before
    assert chain.rpc("eth_getTransactionCount", "0x" + ADDRESS.hex(), "pending") == hex(before)
