"""Archive integration: record files and folders where they lie.

Nothing but digests and file names leaves the archive. `recorder` is the one
way in; it walks (`walk`), hashes (`hashing`), remembers (`journal`) and sends
(`client`).
"""

from __future__ import annotations

__all__: list[str] = []
