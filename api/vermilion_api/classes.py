"""Classes of records: a name that stands for a policy at registration.

The settings have them (``[[class]]`` tables); every way in may name one. The
record's ``register`` keeps the name in its detail, where nobody judges by it,
and names the policy as if the caller had (``docs/formats/rules.md``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vermilion_api.setting import setting
from vermilion_ledger.encoding import check_text, parse_hex
from vermilion_ledger.errors import InputError, VerificationError
from vermilion_ledger.limits import TEXT_SIZE_MAX

__all__ = ["ClassSettings", "RecordClasses"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassSettings:
    """One ``[[class]]`` table: a class of records."""

    name: str = setting("", "text", "Name of the class, such as 发文; at most 200 bytes.")
    policy: str = setting("", "hex 32 bytes", "Policy that is asked of its records.")

    def __post_init__(self) -> None:
        check_text(self.name, size_max=TEXT_SIZE_MAX, what="class.name")
        parse_hex(self.policy, size=32, what="class.policy")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordClasses:
    """What a registration may name.

    Attributes:
        policies: Policy in hex by the name of its class.
        is_required: Whether a registration must name a class or a policy.
    """

    policies: Mapping[str, str] = field(default_factory=dict)
    is_required: bool = False

    def policy_of(self, name: str) -> str:
        """Return the policy of a class, in hex.

        Raises:
            VerificationError: ``class.unknown``.
        """
        policy = self.policies.get(name)
        if policy is None:
            raise VerificationError("class.unknown", f"there is no class {name!a}")
        return policy

    def check_named(self, members: Mapping[str, object]) -> None:
        """Check that a registration names one of both, or none where that is allowed.

        Raises:
            InputError: ``class.beside-policy``.
            VerificationError: ``class.missing``.
        """
        named = {"class", "policy"} & members.keys()
        if len(named) > 1:
            raise InputError("class.beside-policy", "a registration names a class or a policy")
        if self.is_required and not named:
            raise VerificationError("class.missing", "the registration names no class")
