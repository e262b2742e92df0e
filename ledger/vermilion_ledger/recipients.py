"""Recipients of a document: commitments to names that are disclosed one by one.

Follows `docs/formats/events.md`, "Recipients". A ``dispatch`` names its
recipients by commitments alone. Whoever sent it keeps salts and names in a
file, a line for each, and shows a single line to whom it concerns; the others
stay unknown, also to those who can guess names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from vermilion_ledger.encoding import check_members, check_text, encode_json, parse_hex, parse_json
from vermilion_ledger.errors import InputError
from vermilion_ledger.limits import TEXT_SIZE_MAX

__all__ = ["Recipient", "parse_recipients"]

_LABEL = b"vermilion/recipient/v1"
_LINE_SIZE_MAX = 4096  # bytes
_FILE_SIZE_MAX = 16 * 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One recipient, opened.

    Attributes:
        name: 1 to 200 bytes, no control characters.
        salt: 32 random bytes, drawn for this name and this dispatch.
    """

    name: str
    salt: bytes

    def __post_init__(self) -> None:
        check_text(self.name, size_max=TEXT_SIZE_MAX, what="recipient")
        if len(self.salt) != 32:
            raise InputError("hex.malformed", f"a salt has 32 bytes, not {len(self.salt)}")

    @property
    def commitment(self) -> bytes:
        """What a ``dispatch`` says of this recipient."""
        return hashlib.sha256(_LABEL + b"\x00" + self.salt + self.name.encode()).digest()

    def encode_line(self) -> bytes:
        """Return the line that opens the commitment, with its newline."""
        members = {
            "copy": self.commitment.hex(),
            "recipient": self.name,
            "salt": self.salt.hex(),
        }
        return encode_json(members) + b"\n"


def parse_recipients(data: bytes) -> tuple[Recipient, ...]:
    """Read the lines that open commitments.

    Raises:
        InputError: A line is no such object, or ``recipient.commitment``: name
            and salt do not lead to the commitment beside them.
        LimitError: More than 16 MiB, or a line of more than 4 KiB.
    """
    if len(data) > _FILE_SIZE_MAX:
        raise InputError("json.too-large", "a file of recipients has at most 16 MiB")
    return tuple(_parse_lines(data.splitlines()))


def _parse_lines(lines: Iterable[bytes]) -> Iterable[Recipient]:
    for place, line in enumerate(lines, start=1):
        what = f"recipient {place}"
        value = parse_json(line, size_max=_LINE_SIZE_MAX, what=what)
        members = check_members(value, required=("copy", "recipient", "salt"), what=what)
        found = Recipient(
            name=check_text(members["recipient"], size_max=TEXT_SIZE_MAX, what=what),
            salt=parse_hex(members["salt"], size=32, what=f"{what} salt"),
        )
        if found.commitment != parse_hex(members["copy"], size=32, what=f"{what} copy"):
            raise InputError("recipient.commitment", f"{what} does not open its commitment")
        yield found
