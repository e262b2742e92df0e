"""Every bound of the formats, in one place (FORMATS sections 1 to 12).

A bound is checked before anything is allocated for what it bounds.
"""

from __future__ import annotations

__all__ = [
    "BUNDLE_SIZE_MAX",
    "ENTRY_SIZE",
    "ENVELOPE_SIZE_MAX",
    "HEADER_FIELD_COUNT_MIN",
    "HEADER_SIZE_MAX",
    "JSON_DEPTH_MAX",
    "JSON_INTEGER_MAX",
    "NAME_SIZE_MAX",
    "NOTE_SIGNATURE_COUNT_MAX",
    "NOTE_SIZE_MAX",
    "ORIGIN_SIZE_MAX",
    "PROOF_LENGTH_MAX",
    "RECEIPT_NODE_COUNT_MAX",
    "RULE_APPROVAL_COUNT_MAX",
    "RULE_COUNT_MAX",
    "SIGNATURE_COUNT_MAX",
    "STATEMENT_SIZE_MAX",
    "TEXT_SIZE_MAX",
    "TREE_SIZE_MAX",
]

JSON_DEPTH_MAX = 16  # the outermost object is 1
JSON_INTEGER_MAX = 2**53 - 1

STATEMENT_SIZE_MAX = 32 * 1024  # bytes of canonical JSON
ENVELOPE_SIZE_MAX = 64 * 1024  # bytes of canonical JSON
SIGNATURE_COUNT_MAX = 32
NAME_SIZE_MAX = 1024  # bytes of UTF-8
TEXT_SIZE_MAX = 200  # bytes of UTF-8, each member of an actor
RULE_COUNT_MAX = 64
RULE_APPROVAL_COUNT_MAX = 100

ENTRY_SIZE = 65  # bytes
TREE_SIZE_MAX = 2**53 - 1
PROOF_LENGTH_MAX = 63  # hashes

ORIGIN_SIZE_MAX = 255  # bytes
NOTE_SIZE_MAX = 64 * 1024  # bytes
NOTE_SIGNATURE_COUNT_MAX = 64

BUNDLE_SIZE_MAX = 8 * 1024 * 1024  # bytes
HEADER_SIZE_MAX = 4 * 1024  # bytes of RLP
HEADER_FIELD_COUNT_MIN = 15
RECEIPT_NODE_COUNT_MAX = 16
