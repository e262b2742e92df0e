"""The events of a record as CloudEvents, and as the envelopes that were signed.

CloudEvents 1.0.2 in its JSON format, an event a line (docs/formats/provenance.md);
the envelopes are DSSE around in-toto statements, verbatim.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from vermilion_ledger.bundle import BundleEntry, EvidenceBundle
from vermilion_ledger.encoding import parse_json

__all__ = ["describe_events", "list_envelopes"]


def describe_events(bundle: EvidenceBundle) -> list[dict[str, Any]]:
    """Return the entries of a bundle as CloudEvents, in the order of the log; check nothing."""
    return [_describe(entry) for entry in bundle.entries]


def list_envelopes(bundle: EvidenceBundle) -> list[bytes]:
    """Return the envelopes of a bundle's entries, byte for byte as they were logged."""
    return [entry.envelope.data for entry in bundle.entries]


def _describe(entry: BundleEntry) -> dict[str, Any]:
    statement = entry.envelope.statement
    payload = entry.envelope.payload
    return {
        "specversion": "1.0",
        "id": entry.envelope.hash.hex(),
        "source": "//" + quote(statement.ledger, safe="/:@"),  # a URL without a scheme
        "type": f"urn:vermilion:record-event:v1:{statement.event}",
        "subject": statement.record,
        "time": statement.time,
        "timebasis": "claimed",  # an extension: the statement says so, nobody proves it here
        "datacontenttype": "application/json",
        "data": {
            "sequence": entry.sequence,
            "index": entry.index,
            "statement": parse_json(payload, size_max=len(payload), what="statement"),
        },
    }
