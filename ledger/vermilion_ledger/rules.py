"""Rules: how many of whom must decide, in which order, by when (FORMATS section 3).

``within`` is the addition of ``docs/formats/rules.md``.

This module reads rules; `vermilion_ledger.approvals` evaluates them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from vermilion_ledger.durations import parse_duration
from vermilion_ledger.encoding import Json, check_members, check_text, encode_json, parse_count
from vermilion_ledger.errors import InputError, LimitError
from vermilion_ledger.events import RECORD_EVENTS
from vermilion_ledger.limits import RULE_APPROVAL_COUNT_MAX, RULE_COUNT_MAX, STATEMENT_SIZE_MAX

__all__ = ["Rule", "encode_rules", "hash_rules", "parse_rules"]

_TERM_MIN = timedelta(seconds=1)
_TERM_MAX = timedelta(days=36_525)  # 100 years


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One demand on the decisions over a document version.

    Attributes:
        event: Event word of the decisions that match.
        count: Number of distinct owners needed, 1 to 100.
        step: Only decisions of this step match, where given.
        post: Only keys whose owner has this post count, where given.
        unit: Only keys whose owner has this unit count, where given.
        after: A decision counts only if, at its index, all earlier rules of
            the list with this step stood met.
        not_by: Owners who signed such an event of this record do not count.
        within: Duration in which a decision must be made, as it was written.
    """

    event: str
    count: int
    step: str | None = None
    post: str | None = None
    unit: str | None = None
    after: str | None = None
    not_by: str | None = None
    within: str | None = None

    @property
    def term(self) -> timedelta | None:
        """The length of `within`, from the registration's earliest anchor on."""
        return None if self.within is None else parse_duration(self.within)

    def to_json(self) -> dict[str, Json]:
        """Return the rule object; absent members are left out."""
        texts = {
            "step": self.step,
            "post": self.post,
            "unit": self.unit,
            "after": self.after,
            "notBy": self.not_by,
            "within": self.within,
        }
        given = {name: text for name, text in texts.items() if text is not None}
        return {"event": self.event, "count": self.count, **given}


def parse_rules(value: Json) -> tuple[Rule, ...]:
    """Read a list of rules.

    Raises:
        InputError: Not a list of rules, ``after`` names a step that no
            earlier rule of the list has, or ``within`` is no duration of 1
            second to 100 years.
        LimitError: More than 64 rules.
    """
    if not isinstance(value, list):
        raise InputError("rules.shape", "rules are not a list")
    if len(value) > RULE_COUNT_MAX:
        raise LimitError("rules.too-many", "rules", found=len(value), limit=RULE_COUNT_MAX)
    rules: list[Rule] = []
    for item in value:
        rule = _parse_rule(item)
        if rule.after is not None and rule.after not in {earlier.step for earlier in rules}:
            raise InputError("rules.after", f"no earlier rule has the step {rule.after!a}")
        rules.append(rule)
    return tuple(rules)


def encode_rules(rules: Sequence[Rule]) -> bytes:
    """Return the canonical bytes of a list of rules."""
    return encode_json([rule.to_json() for rule in rules])


def hash_rules(rules: Sequence[Rule]) -> bytes:
    """Return the SHA-256 of the canonical rules: the name of a policy."""
    return hashlib.sha256(encode_rules(rules)).digest()


def _parse_rule(value: Json) -> Rule:
    members = check_members(
        value,
        required=("event", "count"),
        optional=("step", "post", "unit", "after", "notBy", "within"),
        what="rule",
    )
    count = parse_count(members["count"], what="rule count")
    if not 1 <= count <= RULE_APPROVAL_COUNT_MAX:
        raise InputError("rules.count", f"count {count} is not in 1 to {RULE_APPROVAL_COUNT_MAX}")
    return Rule(
        event=_event(members["event"]),
        count=count,
        step=_text(members, "step"),
        post=_text(members, "post"),
        unit=_text(members, "unit"),
        after=_text(members, "after"),
        not_by=_event(members["notBy"]) if "notBy" in members else None,
        within=_duration(members["within"]) if "within" in members else None,
    )


def _event(value: Json) -> str:
    if not isinstance(value, str) or value not in RECORD_EVENTS:
        raise InputError("rules.event", f"{str(value)[:40]!a} is no record event")
    return value


def _duration(value: Json) -> str:
    if not _TERM_MIN <= parse_duration(value) <= _TERM_MAX:
        raise InputError("rules.within", f"{value} is not in 1 second to 100 years")
    return str(value)


def _text(members: Json, name: str) -> str | None:
    if name not in members:
        return None
    return check_text(
        members[name], size_max=STATEMENT_SIZE_MAX, what=f"rule {name}", empty=name != "step"
    )
