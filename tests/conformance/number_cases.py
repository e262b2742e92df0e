"""Numbers and grades in records: no verdict hangs on them, and what surrounds them must hold."""

from __future__ import annotations
