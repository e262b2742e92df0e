"""The one tree of errors, and the stable codes that the outside sees.

::

    EvidenceError                 .code: stable, public, documented
    ├── InputError                malformed bytes; the same bytes will never work
    │   └── LimitError            a bound was exceeded
    ├── VerificationError         well-formed evidence that does not hold
    │   ├── RootMismatchError     a proof leads to another root
    │   └── SignatureError        a signature does not verify
    ├── NotFoundError             nothing of that name is here
    ├── ConflictError             another writer moved the record or the log
    ├── UnavailableError          store, node or disk out of reach; retry
    └── IntegrityError            our own log contradicts itself: stop

A code names one cause for good. `vermilion_ledger.codes` gives each code its
advice in English and Chinese; `vermilion_api.problems` maps it to HTTP and
`vermilion_ledger.codes` to an exit code. Messages are lower case without a
full stop and hold both values, the stated and the found one.
"""

from __future__ import annotations

__all__ = [
    "ConflictError",
    "EvidenceError",
    "InputError",
    "IntegrityError",
    "LimitError",
    "NotFoundError",
    "RootMismatchError",
    "SignatureError",
    "UnavailableError",
    "VerificationError",
]


class EvidenceError(Exception):
    """Base of every error that Vermilion raises on purpose.

    Attributes:
        code: Stable public code, such as ``json.duplicate-key``.
        message: One sentence for people, without the code.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return self.message


class InputError(EvidenceError):
    """The bytes are malformed: the same bytes will never work."""


class LimitError(InputError):
    """A bound was exceeded before anything was allocated."""

    def __init__(self, code: str, what: str, *, found: int, limit: int) -> None:
        super().__init__(code, f"{what}: {found} exceeds the limit of {limit}")
        self.found = found
        self.limit = limit


class VerificationError(EvidenceError):
    """Well-formed evidence that does not hold."""


class RootMismatchError(VerificationError):
    """A well-formed proof leads to another root than the stated one."""

    def __init__(self, *, stated: bytes, computed: bytes) -> None:
        super().__init__(
            "merkle.root-mismatch",
            f"the proof leads to root {computed.hex()}, stated is {stated.hex()}",
        )
        self.stated = stated
        self.computed = computed


class SignatureError(VerificationError):
    """A signature does not verify under the key it names."""


class NotFoundError(EvidenceError):
    """Nothing of that name is here."""


class ConflictError(EvidenceError):
    """Another writer moved the record or the log: reload and retry."""


class UnavailableError(EvidenceError):
    """A store, a node or a disk is out of reach: retry later."""


class IntegrityError(EvidenceError):
    """Our own log contradicts itself: stop and call a person."""
