"""The case: a bundle, a document and a policy, with what follows from them.

Everything here is derived without judging; the checks judge. A part that
cannot be derived is reported by the check that owns it, and the other checks
go on with what is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from vermilion_ledger.bundle import BundleEntry, EvidenceBundle, closing_message
from vermilion_ledger.commitment import commit, encode_entry, make_tag
from vermilion_ledger.errors import VerificationError
from vermilion_ledger.evm.header import BlockHeader, parse_header
from vermilion_ledger.keys import KeyRegistry, collect_keys
from vermilion_ledger.logged import LoggedEnvelope
from vermilion_ledger.policies import find_policy
from vermilion_ledger.records import RecordHistory, Status
from vermilion_ledger.rules import Rule
from vermilion_verify.anchoring import AnchorFindings, Covering, judge_anchors
from vermilion_verify.blocks import BlockJudge
from vermilion_verify.closing import is_closing_signed
from vermilion_verify.policy import TrustPolicy
from vermilion_verify.registry import RegistryFile
from vermilion_verify.timestamps import TimestampFindings, judge_timestamps
from vermilion_verify.walk import LogWalk

if TYPE_CHECKING:
    from vermilion_ledger.timestamp.authority import Authority

__all__ = ["Case", "Document", "OpenedEntry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The file in question, by its digests; ``sm3`` where it was computed."""

    sha256: bytes
    sm3: bytes | None = None
    name: str = ""
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedEntry:
    """An entry of the bundle, formed from its salt and envelope.

    Attributes:
        array: ``entries``, ``keys`` or ``policies``.
        source: As it stands in the bundle.
        entry: The 65 bytes that the log must hold at its index.
    """

    array: str
    source: BundleEntry
    entry: bytes


@dataclass(frozen=True)
class Case:
    """What is to be verified. Owned by one verification; computed once, lazily.

    Attributes:
        authorities: Time-stamping authorities that the policy names.
        issuers: Those who may certify people's keys, by the policy.
        walk: The log's own entries, where the auditor brought them.
        registry_file: All key and policy events, where the auditor brought them.
        as_of: The checkpoint is asked to be at least as new as this.
        now: The verifier's clock, for the policy's ``max_age``.
    """

    bundle: EvidenceBundle
    document: Document
    policy: TrustPolicy
    judge: BlockJudge
    now: datetime
    authorities: tuple[Authority, ...] = ()
    issuers: tuple[Authority, ...] = ()
    as_of: datetime | None = None
    registry_file: RegistryFile | None = None
    walk: LogWalk | None = None

    @property
    def size(self) -> int:
        """Tree size of the bundle's checkpoint."""
        return self.bundle.signed_checkpoint.checkpoint.size

    @cached_property
    def opened(self) -> tuple[OpenedEntry, ...]:
        """All entries of the bundle, formed (FORMATS section 5)."""
        key = self.bundle.record_key
        arrays = (
            ("entries", self.bundle.entries, key),
            ("keys", self.bundle.keys, self.policy.registry.key),
            ("policies", self.bundle.policies, self.policy.policies.key),
        )
        return tuple(
            OpenedEntry(array=array, source=source, entry=_form_entry(source, record_key))
            for array, sources, record_key in arrays
            for source in sources
        )

    @cached_property
    def entries(self) -> tuple[LoggedEnvelope, ...]:
        """The record's entries at their places."""
        return self._place(self.bundle.entries)

    @cached_property
    def key_events(self) -> tuple[LoggedEnvelope, ...]:
        """Key events: those of the registry file where there is one, else the bundle's."""
        if self.registry_file is not None:
            return self._place(self.registry_file.keys_below(self.size))
        return self._place(self.bundle.keys)

    @cached_property
    def policy_events(self) -> tuple[LoggedEnvelope, ...]:
        """Policy events: those of the registry file where there is one, else the bundle's."""
        if self.registry_file is not None:
            return self._place(self.registry_file.policies_below(self.size))
        return self._place(self.bundle.policies)

    @cached_property
    def bundled(self) -> tuple[LoggedEnvelope, ...]:
        """Every envelope of the bundle at its place, whatever array it is in."""
        return (
            *self.entries,
            *self._place(self.bundle.keys),
            *self._place(self.bundle.policies),
        )

    @cached_property
    def registry(self) -> KeyRegistry:
        """The keys; empty where the key events contradict each other."""
        try:
            return collect_keys(self.key_events)
        except VerificationError:
            return KeyRegistry(keys={})

    @cached_property
    def history(self) -> RecordHistory:
        """The life of the record, as far as the bundle tells it."""
        return RecordHistory(entries=self.entries)

    @property
    def is_complete(self) -> bool:
        """Whether all entries that the closing counts are present."""
        return len(self.bundle.entries) == self.bundle.closing.entries

    @cached_property
    def headers(self) -> dict[bytes, BlockHeader]:
        """The headers that statements quote, by their hash."""
        parsed = (parse_header(header) for header in self.bundle.headers)
        return {header.hash: header for header in parsed}

    @cached_property
    def is_closed(self) -> bool:
        """Whether an intake key in force signed the closing: almost all of the bundle."""
        message, sig = closing_message(self.bundle), self.bundle.closing.sig
        return is_closing_signed(message, sig, self.policy, index=self.size - 1)

    @cached_property
    def anchors(self) -> AnchorFindings:
        """The anchors that count, with what is known of their blocks."""
        return judge_anchors(self.bundle, self.policy, self.judge)

    @cached_property
    def timestamps(self) -> TimestampFindings:
        """The time-stamps, each judged by the policy's authorities."""
        return judge_timestamps(self.bundle, self.authorities, is_closed=self.is_closed)

    @cached_property
    def earliest_anchors(self) -> Covering:
        """Final anchors, the earliest by the time of its block first."""
        return Covering(self.anchors.final(), lambda each: (each.block_time, each.chain_id))

    @cached_property
    def lowest_anchors(self) -> dict[int, Covering]:
        """Final anchors by chain id, the one in the lowest block first."""
        final = self.anchors.final()
        return {
            chain_id: Covering(
                (each for each in final if each.chain_id == chain_id),
                lambda each: each.block_number,
            )
            for chain_id in {each.chain_id for each in final}
        }

    @cached_property
    def record_policy(self) -> tuple[bytes | None, tuple[Rule, ...] | None]:
        """The policy that the record names, and its rules where it is in force."""
        register = self.entries[0]
        named = register.statement.detail.get("policy")
        if register.statement.event != "register" or named is None:
            return None, None
        policy = bytes.fromhex(named)
        return policy, find_policy(self.policy_events, policy, before=register.index)

    @property
    def has_rules(self) -> bool:
        """Whether any rule is asked of the record."""
        return self.record_policy[0] is not None or bool(self.policy.approval_rules)

    @property
    def rule_lists(self) -> tuple[tuple[Rule, ...], ...]:
        """The rules that apply: the record's policy, where it is in force, and the verifier's."""
        _, rules = self.record_policy
        return tuple(given for given in (rules, self.policy.approval_rules) if given)

    @cached_property
    def status(self) -> Status:
        """How the version in question stands (FORMATS sections 3 and 12)."""
        closing = self.bundle.closing
        return self.history.status_of(
            self.document.sha256, current=closing.digest, current_status=closing.status
        )

    def _place(self, sources: Sequence[BundleEntry]) -> tuple[LoggedEnvelope, ...]:
        """Place envelopes; the actors are all who are not an intake key."""
        known = {key.keyid for key in self.policy.intake_keys}
        placed = []
        for source in sources:
            signatures = source.envelope.signatures
            intake = [s for s in signatures if known.intersection(s.keyids)]
            placed.append(
                LoggedEnvelope(
                    index=source.index,
                    sequence=source.sequence,
                    envelope=source.envelope,
                    intake=intake[0] if len(intake) == 1 else None,
                    actors=tuple(s for s in signatures if s not in intake),
                )
            )
        return tuple(placed)


def _form_entry(source: BundleEntry, record_key: bytes | None) -> bytes:
    tag = source.tag if record_key is None else make_tag(record_key, source.sequence)
    assert tag is not None  # noqa: S101 - `parse_bundle` demands the tag where the key is withheld
    return encode_entry(commit(source.salt, source.envelope.hash), tag)
