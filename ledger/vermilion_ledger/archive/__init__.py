"""A ledger as a folder of files: written out, checked, and read in again.

docs/formats/export.md fixes every byte. The folder needs no database and none
of our programs to be understood: the tree is C2SP tlog-tiles, everything else
is one JSON object a line, and `SHA256SUMS` is what its name says.
"""

from __future__ import annotations

__all__: list[str] = []
