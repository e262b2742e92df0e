"""The policies of a ledger, as its registry file tells them, and how people name one.

Read to show and to find a policy. Nothing is proven here: the ledger judges
again whether a policy is in force, and the verifier does so from the bundle.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vermilion_api.client import Ledger
from vermilion_ledger.encoding import parse_json
from vermilion_ledger.errors import ConflictError, InputError, NotFoundError, VerificationError
from vermilion_ledger.limits import STATEMENT_SIZE_MAX
from vermilion_ledger.rules import Rule, hash_rules, parse_rules
from vermilion_verify.registry import parse_registry_file

__all__ = ["KnownPolicy", "fetch_policies", "find_policy", "load_rules", "resolve_policy"]

_DIGEST = re.compile(r"[0-9a-f]{64}\Z", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPolicy:
    """One policy by its newest event.

    Attributes:
        digest: SHA-256 of the canonical rules, in hex: by this records call it.
        name: What the event calls it; nobody judges by it.
        index: Leaf index of the event.
        is_in_force: Whether the event adopts it.
    """

    digest: str
    name: str
    rules: tuple[Rule, ...]
    index: int
    is_in_force: bool


def fetch_policies(ledger: Ledger) -> tuple[KnownPolicy, ...]:
    """Return every policy that was ever adopted, by the index of its newest event.

    Raises:
        EvidenceError: The problem that the ledger answered with.
    """
    newest: dict[bytes, KnownPolicy] = {}
    for event in parse_registry_file(ledger.fetch("/v1/registry")).policies:
        statement = event.envelope.statement
        newest[statement.subject.sha256] = KnownPolicy(
            digest=statement.subject.sha256.hex(),
            name=statement.subject.name,
            rules=parse_rules(statement.detail["rules"]),
            index=event.index,
            is_in_force=statement.event == "adopt",
        )
    return tuple(sorted(newest.values(), key=lambda each: each.index))


def find_policy(policies: Sequence[KnownPolicy], text: str) -> KnownPolicy:
    """Return the policy that somebody names by digest, or by name if that is in force.

    Raises:
        NotFoundError: ``policy.unknown``.
        ConflictError: ``policy.ambiguous``: several in force have the name.
    """
    if _DIGEST.match(text):
        found = [each for each in policies if each.digest == text]
    else:
        found = [each for each in policies if each.name == text and each.is_in_force]
    if not found:
        raise NotFoundError("policy.unknown", f"no policy in force is called {text[:80]!a}")
    if len(found) > 1:
        raise ConflictError("policy.ambiguous", f"{len(found)} policies are called {text[:80]!a}")
    return found[0]


def load_rules(path: Path) -> tuple[Rule, ...]:
    """Read a file of rules: a JSON list.

    Raises:
        NotFoundError: ``input.missing``: the file cannot be read.
        InputError: It is no list of rules.
    """
    try:
        data = path.read_bytes()
    except OSError as exc:
        raise NotFoundError("input.missing", f"{path}: {exc.strerror}") from exc
    try:
        return parse_rules(parse_json(data, size_max=STATEMENT_SIZE_MAX, what="rules"))
    except InputError as exc:
        raise InputError(exc.code, f"{path}: {exc.message}") from exc


def resolve_policy(ledger: Ledger, text: str) -> str:
    """Return the digest of the policy that a file, a name or a digest stands for.

    Raises:
        VerificationError: ``policy.not-in-force``; the message has the command
            that adopts the rules of a file.
        EvidenceError: As `load_rules`, `find_policy` and `fetch_policies`.
    """
    policies, path = fetch_policies(ledger), Path(text)
    if _DIGEST.match(text) or not path.is_file():
        found = find_policy(policies, text)
        if not found.is_in_force:
            raise VerificationError("policy.not-in-force", f"policy {text[:16]}… was withdrawn")
        return found.digest
    digest = hash_rules(load_rules(path)).hex()
    if not any(each.digest == digest and each.is_in_force for each in policies):
        raise VerificationError(
            "policy.not-in-force",
            f"the rules of {path} are not in force as a policy;"
            f" `vermilion policy adopt {path} --key ROOT` adopts them",
        )
    return digest
