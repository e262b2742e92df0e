"""X.509 certificates beside a registered key (docs/formats/certificates.md, RFC 5280).

`material` reads what a registration brings along, `path` looks for the way to a
root that a trust policy names, `revocation` judges the data that was kept. No network.
"""

from __future__ import annotations

__all__: list[str] = []
