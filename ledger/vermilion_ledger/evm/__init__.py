"""Evidence from Ethereum-compatible chains: RLP, tries, headers, receipts.

Pure: bytes in, nothing or an exception out, no chain library and no network.
`receipt` checks the anchor receipt of FORMATS section 8; the other modules
are what that check stands on.
"""

from __future__ import annotations

__all__: list[str] = []
