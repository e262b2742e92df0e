"""What a node says of a block, turned back into the bytes that were hashed.

A node's JSON (Ethereum execution API) is believed in nothing: whoever asked
hashes the header that `encode_header` makes of it. The fields are those of
the Yellow Paper, section 4.3, and of the forks' EIPs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from vermilion_ledger.errors import InputError
from vermilion_ledger.evm.rlp import encode_integer, encode_rlp

__all__ = ["encode_header", "parse_data", "parse_quantity"]

_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}\Z")
_DATA = re.compile(r"0x(?:[0-9a-fA-F]{2})*\Z")

# In the order of RLP; True marks integers
_HEADER_FIELDS = (
    ("parentHash", False),
    ("sha3Uncles", False),
    ("miner", False),
    ("stateRoot", False),
    ("transactionsRoot", False),
    ("receiptsRoot", False),
    ("logsBloom", False),
    ("difficulty", True),
    ("number", True),
    ("gasLimit", True),
    ("gasUsed", True),
    ("timestamp", True),
    ("extraData", False),
    ("mixHash", False),
    ("nonce", False),
)
_LATER_FIELDS = (
    ("baseFeePerGas", True),  # London
    ("withdrawalsRoot", False),  # Shanghai
    ("blobGasUsed", True),  # Cancun
    ("excessBlobGas", True),
    ("parentBeaconBlockRoot", False),
    ("requestsHash", False),  # Prague
)


def parse_quantity(value: Any, what: str) -> int:
    """Read a number of a node's answer; one of more than 256 bits is none.

    Raises:
        InputError: ``rpc.answer``.

    >>> parse_quantity("0x7a69", "chain id")
    31337
    """
    if isinstance(value, str) and _QUANTITY.match(value):
        return int(value, 16)
    raise InputError("rpc.answer", f"the node gave no number as {what}")


def parse_data(value: Any, what: str, *, size: int | None = None) -> bytes:
    """Read bytes of a node's answer.

    Raises:
        InputError: ``rpc.answer``: not hex, or another size.
    """
    if isinstance(value, str) and _DATA.match(value):
        data = bytes.fromhex(value[2:])
        if size is None or len(data) == size:
            return data
    raise InputError("rpc.answer", f"the node gave no bytes as {what}")


def encode_header(block: Mapping[str, Any]) -> bytes:
    """Return the RLP of a block's header from the members of ``eth_getBlockBy…``.

    Fields that later forks append are taken as far as the node gives them
    without a gap. The caller compares the hash.

    Raises:
        InputError: ``rpc.answer``: a field is missing or no hex.
    """
    fields = list(_HEADER_FIELDS)
    for field in _LATER_FIELDS:
        if block.get(field[0]) is None:
            break
        fields.append(field)
    return encode_rlp(
        tuple(
            encode_integer(parse_quantity(block.get(name), name))
            if is_integer
            else parse_data(block.get(name), name)
            for name, is_integer in fields
        )
    )
