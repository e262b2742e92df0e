"""Grades of documents: which are taken, and what each demands (docs/formats/grades.md).

秘密 and above are state secrets and never enter (DESIGN section 7). Of the
others each belongs to a control profile; the table of profiles is itself a
document, by whose digest the ledger finds the record of its refusals.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vermilion_ledger.encoding import encode_json
from vermilion_ledger.errors import EvidenceError, InputError, VerificationError
from vermilion_ledger.events import VERSION_EVENTS
from vermilion_ledger.keys import KeyRegistry
from vermilion_ledger.logged import LoggedEnvelope

__all__ = [
    "GRADE_CODES",
    "GRADE_DEFAULT",
    "PROFILES",
    "REFUSALS_MARK",
    "Control",
    "Profile",
    "RegradeProblem",
    "check_grade",
    "check_grades",
    "check_name",
    "check_regrade",
    "check_regrades",
    "encode_profiles",
    "find_profile",
    "neutral_name",
    "present_grade",
    "profile_of",
]

GRADE_DEFAULT = "内部"
"""The grade of a record that states none: what nobody called public is not."""
GRADE_CODES = ("grade.marked", "grade.name", "grade.refused", "grade.unknown")
"""Refusals at the door; each is counted in the record of refusals."""
REFUSALS_MARK = "refusals"
"""Member of the registration of that record, which nobody but the ledger writes."""

_LEVELS = "绝密|絕密|机密|機密|秘密|祕密"
_ENGLISH = r"(?:top[\W_]*)?secret|confidential"
# A printed mark often goes on with a star and a term: 机密★10年.
_SECRET = re.compile(rf"[\W_]*(?:国家|國家)?(?:{_LEVELS}|(?:{_ENGLISH})(?![a-z]))", re.IGNORECASE)
_STAR = "[★☆*✩✪]"
# Each marked name has one of these; most names have none, and are let through at once.
_HINTS = ("密", "祕", "secret", "confidential")
_MARKED = re.compile(
    rf"(?:{_LEVELS}){_STAR}(?<!工作秘密.)(?<!商业秘密.)"  # 机密★10年, wherever it stands
    rf"|(?:^|[\W_])(?:{_LEVELS})(?=[\W_]|$)"  # or the word by itself
    r"|(?:^|[\W_])top[\W_]?secret(?=[\W_]|$)"
    r"|(?:^|[(\[{【（])(?:secret|confidential)(?=[\W_]|$)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One thing that a profile demands.

    Attributes:
        by: ``ledger`` where the ledger itself sees to it, else ``office``.
    """

    name: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What documents of some grades demand.

    Attributes:
        level: ``L1`` or ``L2``.
        grades: The words that documents are marked with.
        controls: What is demanded.
    """

    level: str
    grades: tuple[str, ...]
    controls: tuple[Control, ...]

    @property
    def is_neutral(self) -> bool:
        """Whether a statement may not tell the document's name."""
        return any(control.name == "neutral-name" for control in self.controls)

    @property
    def has_view_log(self) -> bool:
        """Whether handing a bundle out is an event of the record."""
        return any(control.name == "view-log" for control in self.controls)


_L1 = (Control(name="salted-commitment", by="ledger"),)
_L2 = (
    *_L1,
    Control(name="neutral-name", by="ledger"),
    Control(name="view-log", by="ledger"),
    Control(name="alert", by="office"),
    Control(name="own-batch", by="office"),
    Control(name="step-up-authentication", by="office"),
)
PROFILES = (
    Profile(level="L1", grades=("公开", "public"), controls=_L1),
    Profile(level="L1", grades=("内部", "依申请公开", "internal"), controls=_L1),
    Profile(level="L2", grades=("工作秘密", "商业秘密", "个人信息", "work secret"), controls=_L2),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegradeProblem:
    """A change of grade that should not have been taken.

    Attributes:
        sequence: Of the entry.
        code: Stable code of the rule that it breaks.
        message: One sentence.
    """

    sequence: int
    code: str
    message: str


def check_grade(grade: object) -> None:
    """Refuse a grade of state secrets.

    Raises:
        InputError: ``grade.refused``, or ``text.shape`` where it is not text.
    """
    if grade is None:
        return
    if not isinstance(grade, str):
        raise InputError("text.shape", "grade is not text")
    if _SECRET.match(_plain(grade)):
        raise InputError("grade.refused", "documents graded 秘密 or above are not taken")


def check_grades(detail: Mapping[str, Any]) -> None:
    """Refuse an event whose detail names such a grade under ``grade``, ``from`` or ``to``.

    Raises:
        InputError: As for `check_grade`.
    """
    check_grade(detail.get("grade"))
    for name in ("from", "to"):
        if isinstance(detail.get(name), str):
            check_grade(detail[name])


def find_profile(grade: str) -> Profile:
    """Return the control profile of a grade.

    Raises:
        InputError: ``grade.refused``; ``grade.unknown``: no profile has this word.
    """
    if (profile := profile_of(grade)) is not None:
        return profile
    check_grade(grade)
    known = ", ".join(word for profile in PROFILES for word in profile.grades)
    raise InputError("grade.unknown", f"the grades are {known}")


def profile_of(grade: str) -> Profile | None:
    """Return the control profile of a grade that a log has, perhaps from older times."""
    return next((profile for profile in PROFILES if grade in profile.grades), None)


def check_name(name: str, *, profile: Profile | None = None, sha256: bytes = b"") -> None:
    """Refuse a name that is marked as a state secret, or tells what the grade forbids to tell.

    Args:
        name: Of the file, as a statement would carry it.
        profile: Of the document's grade; None where it has none.
        sha256: Digest of the document, for a profile that wants a neutral name.

    Raises:
        InputError: ``grade.marked`` or ``grade.name``.
    """
    normal = unicodedata.normalize("NFKC", name).lower()
    if any(hint in normal for hint in _HINTS) and (
        _MARKED.search(normal) or _MARKED.search(_plain(normal))
    ):
        raise InputError("grade.marked", "the name is marked 秘密 or above")
    if profile is not None and profile.is_neutral and name != neutral_name(sha256):
        raise InputError("grade.name", "this grade allows the name document-<16 hex digits> only")


def neutral_name(sha256: bytes) -> str:
    """Return the name that says nothing but the digest, which stands beside it anyway.

    >>> neutral_name(bytes(32))
    'document-0000000000000000'
    """
    return f"document-{sha256[:8].hex()}"


def encode_profiles() -> bytes:
    """Return the control profiles as a document: canonical JSON."""
    return encode_json(
        {
            "default": GRADE_DEFAULT,
            "profiles": [
                {
                    "controls": [{"by": each.by, "name": each.name} for each in profile.controls],
                    "grades": list(profile.grades),
                    "level": profile.level,
                }
                for profile in PROFILES
            ],
            "refused": _LEVELS.split("|"),
            "type": "urn:vermilion:control-profiles:v1",
        }
    )


def present_grade(entries: Sequence[LoggedEnvelope]) -> str:
    """Return the grade that a record has after some of its entries."""
    grade = GRADE_DEFAULT
    for entry in entries:
        grade = _grade_after(entry, grade)
    return grade


def check_regrade(
    entry: LoggedEnvelope, earlier: Sequence[LoggedEnvelope], registry: KeyRegistry
) -> None:
    """Check a change of grade: what it says, and who signed it.

    Raises:
        InputError: ``grade.detail``, ``grade.refused`` or ``grade.unknown``.
        VerificationError: ``grade.from``, ``grade.same``, ``grade.officer`` or
            ``grade.drafter``.
    """
    drafters = {owner for each in earlier for owner in _drafters(each, registry)}
    _check_change(entry, present_grade(earlier), drafters, registry)


def check_regrades(
    entries: Sequence[LoggedEnvelope], registry: KeyRegistry
) -> tuple[RegradeProblem, ...]:
    """Return what is wrong with the changes of grade in a record, for a report.

    Pure, and no part of a verdict: the ledger refuses these at intake, and a
    ledger that did not is told about by whoever verifies. One pass, as whoever
    writes a record decides how many there are.

    Args:
        entries: All entries of a record, in log order.
        registry: The keys of their signers.
    """
    problems: list[RegradeProblem] = []
    grade, drafters = GRADE_DEFAULT, set[str]()
    for entry in entries:
        if entry.statement.event == "regrade":
            try:
                _check_change(entry, grade, drafters, registry)
            except EvidenceError as exc:
                problems.append(
                    RegradeProblem(sequence=entry.sequence, code=exc.code, message=exc.message)
                )
        grade = _grade_after(entry, grade)
        drafters |= _drafters(entry, registry)
    return tuple(problems)


def _check_change(
    entry: LoggedEnvelope, grade: str, drafters: set[str], registry: KeyRegistry
) -> None:
    """Check a change of grade against how the record stood before it."""
    detail = entry.statement.detail
    before, after, reason = (detail.get(name) for name in ("from", "to", "reason"))
    if not (isinstance(before, str) and isinstance(after, str) and isinstance(reason, str)):
        raise InputError("grade.detail", "a change of grade has from, to and reason")
    if not reason.strip():
        raise InputError("grade.detail", "a change of grade has a reason")
    find_profile(after)
    if before != grade:
        raise VerificationError("grade.from", "from is not the grade that the record has")
    if before == after:
        raise VerificationError("grade.same", "the record has this grade already")
    keys = [registry.keys[keyid] for keyid in sorted(entry.signers) if keyid in registry.keys]
    if not keys or not all(key.officer for key in keys):
        raise VerificationError("grade.officer", "only security officers change a grade")
    if own := {person for key in keys for person in key.people} & drafters:
        raise VerificationError(
            "grade.drafter", f"{min(own)[:80]!a} recorded a version of this document"
        )


def _grade_after(entry: LoggedEnvelope, grade: str) -> str:
    detail = entry.statement.detail
    if entry.statement.event == "register":
        return str(detail.get("grade", GRADE_DEFAULT))
    if entry.statement.event == "regrade" and isinstance(detail.get("to"), str):
        return str(detail["to"])
    return grade


def _drafters(entry: LoggedEnvelope, registry: KeyRegistry) -> set[str]:
    """Return who recorded a version: those who signed it, and whom an unsigned one names."""
    if entry.statement.event not in VERSION_EVENTS:
        return set()
    found = {entry.statement.actor.id}
    for keyid in entry.signers:
        if (key := registry.keys.get(keyid)) is not None:
            found |= key.people
    return found


def _plain(text: str) -> str:
    """Return text without what people put between letters, and without look-alikes."""
    normal = unicodedata.normalize("NFKC", text)
    return "".join(each for each in normal if not each.isspace() and each.isprintable())
