"""The time-stamps of a bundle, each judged once (FORMATS section 9).

A token counts if its signing certificate leads to a root that the trust
policy names; one that leads nowhere is ignored. What is malformed, badly
signed or about another text fails, whoever made it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vermilion_ledger.bundle import EvidenceBundle
from vermilion_ledger.errors import (
    InputError,
    NotFoundError,
    UnavailableError,
    VerificationError,
)
from vermilion_verify.closing import Patience
from vermilion_verify.files import read_file

if TYPE_CHECKING:  # X.509 is loaded where there is a time-stamp, which costs a start
    from vermilion_ledger.timestamp.authority import Authority
    from vermilion_ledger.timestamp.verify import VerifiedToken

__all__ = ["TimestampFindings", "judge_timestamps", "load_authorities", "load_issuers"]

_ROOTS_SIZE_MAX = 1024 * 1024  # bytes of PEM
_STRANGE_COUNT_MAX = 4  # time-stamps looked at in a bundle that the ledger did not close


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampFindings:
    """What became of the time-stamps of a bundle.

    Attributes:
        verified: Those that hold, in the order of the bundle.
        failures: Why others do not hold.
        unknown: Why others cannot be checked by this build.
        ignored: Number of those of nobody whom the policy names.
    """

    verified: tuple[VerifiedToken, ...]
    failures: tuple[VerificationError | InputError, ...]
    unknown: tuple[UnavailableError, ...]
    ignored: int

    @property
    def authorities(self) -> frozenset[str]:
        """The authorities whose word holds; each counts once, however many tokens it gave."""
        return frozenset(token.authority for token in self.verified)


def load_authorities(paths: Sequence[Path]) -> tuple[Authority, ...]:
    """Read the PEM files that ``[timestamps] roots`` names: one authority each.

    Raises:
        NotFoundError: ``timestamp.roots-missing``.
        UnavailableError: ``timestamp.roots-unreadable``.
        InputError: ``timestamp.roots``.
    """
    if not paths:
        return ()
    from vermilion_ledger.timestamp.authority import parse_authority

    found = []
    for path in dict.fromkeys(paths):
        try:
            data = read_file(path, size_max=_ROOTS_SIZE_MAX)
        except FileNotFoundError as exc:
            raise NotFoundError("timestamp.roots-missing", f"no certificates at {path}") from exc
        except OSError as exc:
            raise UnavailableError("timestamp.roots-unreadable", f"{path}: {exc.strerror}") from exc
        if len(data) > _ROOTS_SIZE_MAX:
            raise InputError("timestamp.roots", f"{path} is larger than {_ROOTS_SIZE_MAX} bytes")
        found.append(parse_authority(str(path), data))
    return tuple(found)


def load_issuers(paths: Sequence[Path]) -> tuple[Authority, ...]:
    """Read the PEM files that ``[certificates] roots`` names: one authority each.

    Raises:
        NotFoundError: ``certificate.roots-missing``.
        UnavailableError: ``certificate.roots-unreadable``.
        InputError: ``certificate.roots``.
    """
    try:
        return load_authorities(paths)
    except NotFoundError as exc:
        raise NotFoundError("certificate.roots-missing", exc.message) from exc
    except UnavailableError as exc:
        raise UnavailableError("certificate.roots-unreadable", exc.message) from exc
    except InputError as exc:
        raise InputError("certificate.roots", exc.message) from exc


def judge_timestamps(
    bundle: EvidenceBundle, authorities: Sequence[Authority], *, is_closed: bool
) -> TimestampFindings:
    """Check every token against the checkpoint's signed text.

    Args:
        bundle: Whose time-stamps they are.
        authorities: Those that the policy names.
        is_closed: Whether the ledger made the bundle; of any other a few are enough.
    """
    verified: list[VerifiedToken] = []
    failures: list[VerificationError | InputError] = []
    unknown: list[UnavailableError] = []
    ignored = 0
    if bundle.timestamps:
        from vermilion_ledger.timestamp.verify import verify_token

        text = bundle.signed_checkpoint.note.text.encode()
        patience = Patience(is_closed=is_closed, count_max=_STRANGE_COUNT_MAX)
        for token in bundle.timestamps:
            if not patience.lasts():
                unknown.append(UnavailableError("bundle.not-closed", "too many time-stamps"))
                break
            try:
                verified.append(verify_token(token, text, authorities))
            except (VerificationError, InputError) as exc:
                failures.append(exc)
            except UnavailableError as exc:
                unknown.append(exc)
            except NotFoundError:
                ignored += 1
    return TimestampFindings(
        verified=tuple(verified),
        failures=tuple(failures),
        unknown=tuple(unknown),
        ignored=ignored,
    )
