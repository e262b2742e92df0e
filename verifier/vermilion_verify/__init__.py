"""Verification of evidence bundles: what a stranger runs.

Needs no network, no database and no server: a bundle, a file and a trust
policy go in, a `Report` comes out. Nothing here believes the ledger whose
bundle it reads.
"""

from __future__ import annotations

__all__ = ["VERSION"]

VERSION = "0.1.0"
