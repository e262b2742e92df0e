"""The registry file: all key and policy events of a ledger (FORMATS section 5).

An auditor fetches it beside the log's entries. It is as little believed as a
bundle: each of its events must be the very entry that the log has there.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

from vermilion_ledger.bundle import BundleEntry
from vermilion_ledger.encoding import (
    Json,
    check_members,
    parse_count,
    parse_hex,
    parse_json,
)
from vermilion_ledger.envelope import read_envelope
from vermilion_ledger.errors import InputError, NotFoundError, UnavailableError
from vermilion_verify.files import read_file

__all__ = ["MEDIA_TYPE", "RegistryFile", "load_registry_file", "parse_registry_file"]

MEDIA_TYPE = "application/vnd.vermilion.registry.v1+json"
_FILE_SIZE_MAX = 256 * 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryFile:
    """All events of the key record and of the policy record, by leaf index."""

    keys: tuple[BundleEntry, ...]
    policies: tuple[BundleEntry, ...]

    def keys_below(self, size: int) -> tuple[BundleEntry, ...]:
        """Return the key events with an index below ``size``."""
        return tuple(event for event in self.keys if event.index < size)

    def policies_below(self, size: int) -> tuple[BundleEntry, ...]:
        """Return the policy events with an index below ``size``."""
        return tuple(event for event in self.policies if event.index < size)


def load_registry_file(path: Path) -> RegistryFile:
    """Read a registry file.

    Raises:
        NotFoundError: No such file.
        UnavailableError: It cannot be read.
        InputError: It is malformed.
    """
    try:
        data = read_file(path, size_max=_FILE_SIZE_MAX)
    except FileNotFoundError as exc:
        raise NotFoundError("registry.missing", f"no registry file at {path}") from exc
    except OSError as exc:
        raise UnavailableError("registry.unreadable", f"{path}: {exc.strerror}") from exc
    return parse_registry_file(data)


def parse_registry_file(data: bytes) -> RegistryFile:
    """Read the bytes of a registry file strictly.

    Raises:
        InputError: Not I-JSON of this shape, or events out of order.
        LimitError: A bound was exceeded.
    """
    value = parse_json(data, size_max=_FILE_SIZE_MAX, what="registry file")
    members = check_members(value, required=("mediaType", "keys", "policies"), what="registry file")
    if members["mediaType"] != MEDIA_TYPE:
        raise InputError("registry.media-type", f"mediaType is not {MEDIA_TYPE}")
    return RegistryFile(
        keys=_parse_events(members["keys"], "keys"),
        policies=_parse_events(members["policies"], "policies"),
    )


def _parse_events(value: Json, what: str) -> tuple[BundleEntry, ...]:
    if not isinstance(value, list):
        raise InputError("registry.shape", f"{what} is not a list")
    events = tuple(_parse_event(item, what) for item in value)
    for earlier, later in itertools.pairwise(events):
        if later.index <= earlier.index or later.sequence <= earlier.sequence:
            raise InputError("registry.order", f"{what} are not sorted, or have doubles")
    return events


def _parse_event(value: Json, what: str) -> BundleEntry:
    members = check_members(value, required=("sequence", "index", "salt", "envelope"), what=what)
    return BundleEntry(
        sequence=parse_count(members["sequence"], what="sequence"),
        index=parse_count(members["index"], what="index"),
        salt=parse_hex(members["salt"], size=32, what="salt"),
        envelope=read_envelope(members["envelope"]),
        proof=(),
    )
