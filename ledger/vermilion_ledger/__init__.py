"""Vermilion's log, its formats and its stores.

Every module here is pure (bytes in, nothing or an exception out) except
`vermilion_ledger.log`, `vermilion_ledger.sequencer` and
`vermilion_ledger.store`, which write.
"""

from __future__ import annotations

__all__: list[str] = []
