"""Makes the example documents: letters, papers, sheets, scans of an invented office.

Needs the standard library only. The same bytes come out on every machine, because
nothing reads a clock and nothing is compressed.
"""

from __future__ import annotations

from .catalogue import LARGE_NAME, make_documents, save_documents, save_large

__all__ = ["LARGE_NAME", "make_documents", "save_documents", "save_large"]
