"""RFC 3161 time-stamps: reading a token strictly, and checking it (FORMATS section 9).

`der` reads bytes, `token` what they say, `authority` the certificates that a
policy names, `path` a chain of certificates; `verify` is the check, the same
for the verifier and for the ledger before it keeps a token. No network.
"""

from __future__ import annotations

__all__: list[str] = []
