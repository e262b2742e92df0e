"""The composition root: the REST API, its services and the operator's command.

The only package that knows the store, the anchorer and the verifier at once.
Routes translate, services decide, `vermilion_api.wiring` joins.
"""

from __future__ import annotations

__all__: list[str] = []
