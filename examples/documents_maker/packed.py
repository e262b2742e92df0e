"""Zip containers with the same bytes on every machine.

Members are stored, not deflated, because two versions of zlib may deflate the same
text differently; all carry one fixed time.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["encode_zip"]

_MOMENT = (2026, 3, 18, 9, 30, 0)
_MODE = 0o100644 << 16
_UNIX = 3


def encode_zip(members: Mapping[str, str | bytes]) -> bytes:
    """Pack members in the order given; text becomes UTF-8."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, member in members.items():
            info = zipfile.ZipInfo(name, _MOMENT)
            info.create_system = _UNIX
            info.external_attr = _MODE
            archive.writestr(info, member)
    return buffer.getvalue()
