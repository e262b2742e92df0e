"""Re-deriving a whole log from its stored envelopes, and naming what differs.

Every tile, entry, tag and commitment, the root at every size that was ever
signed or anchored, and every row that an envelope implies (DESIGN section 6).
Reads only, and works beside a running ledger: what was published when it
starts is its horizon.
"""

from __future__ import annotations

__all__: list[str] = []
