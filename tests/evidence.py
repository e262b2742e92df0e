"""A whole office for the verifier's tests: chains, anchors, policies and bundles.

Extends `office`: blocks with real receipts tries, final anchors, a trust
policy as TOML, and a `Scene` that fills a log event by event. Everything is
derived from names; two runs give the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from office import (
    INTAKE_SEED,
    LOG_SEED,
    ORIGIN,
    POLICIES_KEY,
    RECORD_KEY,
    REGISTRY_KEY,
    ROOT,
    Log,
    Person,
    envelope,
    key_registration,
    key_revocation,
    policy_event,
    prior_of,
    secret,
    statement,
)
from trusted import Chain, trust_toml
from vermilion_ledger.bundle import (
    BundleEntry,
    Closing,
    EvidenceBundle,
    closing_message,
)
from vermilion_ledger.checkpoint import Checkpoint, parse_checkpoint_unverified, sign_checkpoint
from vermilion_ledger.commitment import commit, encode_entry, make_record_id, make_tag
from vermilion_ledger.encoding import encode_json
from vermilion_ledger.envelope import Envelope
from vermilion_ledger.evm.header import parse_header
from vermilion_ledger.evm.receipt import AnchorReceipt
from vermilion_ledger.logged import LoggedEnvelope
from vermilion_ledger.merkle import hash_leaf
from vermilion_ledger.records import make_history
from vermilion_ledger.rules import Rule, hash_rules
from vermilion_ledger.schemes import ed25519
from vermilion_ledger.statement import Subject
from vermilion_ledger.timestamp.authority import Authority
from vermilion_ledger.tree import build_consistency, build_inclusion
from vermilion_verify.blocks import BlockJudge, Endpoint
from vermilion_verify.case import Document
from vermilion_verify.policy import TrustPolicy, parse_trust_policy
from vermilion_verify.report import CheckStatus, Report
from vermilion_verify.verify import Question, verify_bundle

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DOCUMENT_BYTES = b"the contract"
CORRECTED_BYTES = b"the contract, corrected"
SEEN_EVENTS = {"approve", "countersign", "seal", "revoke"}

WANG = Person(
    name="wang", may=("approve", "correct", "countersign", "revoke", "seal", "supersede", "version")
)
LI = Person(name="li", post="director", scheme="secp256k1-eip712", may=("approve", "revoke"))
ZHAO = Person(name="zhao", officer=True, may=("approve", "dispose", "revoke", "supersede"))
RULES = (Rule(event="approve", count=2, step="sign-off"),)


class Scene:
    """A ledger under the hand of a test: add events, then ask for a bundle and a report."""

    def __init__(self) -> None:
        self.log = Log()
        self.chain = Chain()
        self.second = Chain(chain_id=1)
        self.last: dict[bytes, LoggedEnvelope] = {}
        self.anchors: list[AnchorReceipt] = []

    # -- filling the log

    def add(self, made: Any, *signers: Person, record_key: bytes = RECORD_KEY) -> LoggedEnvelope:
        """Append a statement as it is."""
        self.last[record_key] = place = self.log.add(envelope(made, *signers), record_key)
        return place

    def smuggle(self, signed: Envelope, record_key: bytes = RECORD_KEY) -> None:
        """Append an envelope that the ledger would never have accepted."""
        log = self.log
        sequence = sum(key == record_key for _, _, key in log.items)
        salt = secret(f"salt {log.size}")
        entry = encode_entry(commit(salt, signed.hash), make_tag(record_key, sequence))
        place = LoggedEnvelope(
            index=log.size, sequence=sequence, envelope=signed, intake=None, actors=()
        )
        log.items.append((place, salt, record_key))
        log.entries.append(entry)
        log._nodes.update(log._frontier.append(hash_leaf(entry)))

    def register_key(
        self, person: Person, *by: Person, actor: Person | None = None, **detail: Any
    ) -> LoggedEnvelope:
        """Register a key by the roots; a root registers itself when nobody is named."""
        first = actor or (by[0] if by else person)
        made = key_registration(person, by=first.actor, **detail)
        if person.scheme == "secp256k1-eip712" or person.until:
            made = replace(made, seen=self.chain.seen())
        return self.add(made, *by, person, record_key=REGISTRY_KEY)

    def revoke_key(self, person: Person, *by: Person, **detail: Any) -> LoggedEnvelope:
        made = key_revocation(person, by=by[0].actor, **detail)
        nonce = secret(f"revoke {self.log.size}")[:16]
        return self.add(replace(made, nonce=nonce), *by, record_key=REGISTRY_KEY)

    def policy(
        self, rules: Sequence[Rule] = RULES, event: str = "adopt", by: Sequence[Person] = (ROOT,)
    ) -> str:
        """Adopt or withdraw rules; returns their name."""
        made = policy_event(rules, event)
        made = replace(made, nonce=secret(f"policy {self.log.size}")[:16], actor=by[0].actor)
        self.add(made, *by, record_key=POLICIES_KEY)
        return hash_rules(rules).hex()

    def event(
        self,
        word: str,
        *signers: Person,
        record_key: bytes = RECORD_KEY,
        content: bytes = DOCUMENT_BYTES,
        detail: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> LoggedEnvelope:
        """Append a record event, with `seen` and `prior` where it needs them."""
        parts: dict[str, Any] = {
            "record": make_record_id(record_key),
            "subject": Subject(name="合同-2026-017.pdf", sha256=hashlib.sha256(content).digest()),
            "nonce": secret(f"nonce {self.log.size}")[:16],
            "actor": signers[0].actor if signers else WANG.actor,
        }
        if detail is not None:
            parts["detail"] = detail
        if word in SEEN_EVENTS or any(
            each.scheme.startswith("secp") or each.until for each in signers
        ):
            parts["seen"] = self.chain.seen()
            if record_key in self.last:
                parts["prior"] = prior_of(self.last[record_key])
        return self.add(statement(word, **parts | changes), *signers, record_key=record_key)

    def approve(self, person: Person, **changes: Any) -> LoggedEnvelope:
        """Approve (or decide otherwise) under the policy that the record names."""
        detail = {
            "step": changes.pop("step", "sign-off"),
            "decision": changes.pop("decision", "approved"),
        }
        policy = self._policy_of(changes.get("record_key", RECORD_KEY))
        if policy is not None:
            detail["policy"] = policy
        return self.event("approve", person, detail=detail | changes.pop("more", {}), **changes)

    def _policy_of(self, record_key: bytes) -> str | None:
        for place, _, key in self.log.items:
            if key == record_key:
                found = place.statement.detail.get("policy")
                return str(found) if found is not None else None
        return None

    def anchor(
        self, *, number: int | None = None, chain: Chain | None = None, **changes: Any
    ) -> None:
        """Anchor the log as it stands, or at another size."""
        chain = chain or self.chain
        if number is None:
            number = 100 + self.log.size
        self.anchors.append(chain.anchor(self.log, number=number, **changes))

    # -- taking a bundle

    def bundle(
        self,
        *,
        record_key: bytes = RECORD_KEY,
        withhold: bool = False,
        without: Iterable[int] = (),
        note: str | None = None,
        closing: Mapping[str, Any] | None = None,
        intake_seed: bytes = INTAKE_SEED,
        **changes: Any,
    ) -> EvidenceBundle:
        """The bundle of a record; entries may be left out where the key is withheld."""
        log = self.log
        note = note or sign_checkpoint(
            Checkpoint(origin=ORIGIN, size=log.size, root=log.root), LOG_SEED
        )
        whole = log.record(record_key)
        history = make_history([each for each, _, key in log.items if key == record_key])
        entries = [entry for entry in whole if entry.sequence not in set(without)]
        if withhold:
            entries = [replace(e, tag=make_tag(record_key, e.sequence)) for e in entries]
        made = EvidenceBundle(
            record_id=make_record_id(record_key),
            record_key=None if withhold else record_key,
            note=note,
            signed_checkpoint=parse_checkpoint_unverified(note.encode()),
            closing=Closing(
                entries=len(whole),
                digest=history.current_digest(),
                status=history.closing_status(),
                sig=bytes(64),
            ),
            entries=tuple(entries),
            keys=log.record(REGISTRY_KEY),
            policies=log.record(POLICIES_KEY),
            anchors=self._receipts(),
            headers=(),
            timestamps=(),
        )
        made = replace(made, **changes)
        if "headers" not in changes:
            made = replace(made, headers=self.headers_of(made))
        if closing:
            made = replace(made, closing=replace(made.closing, **closing))
        return close(made, intake_seed)

    def signed_text(self) -> bytes:
        """What the log key signs, and an authority stamps, as the log stands."""
        return self.bundle().signed_checkpoint.note.text.encode()

    def headers_of(self, bundle: EvidenceBundle) -> tuple[bytes, ...]:
        """The headers that the statements of a bundle quote."""
        known = self.chain.headers | self.second.headers
        quoted = {
            entry.envelope.statement.seen.hash
            for entry in (*bundle.entries, *bundle.keys, *bundle.policies)
            if entry.envelope.statement.seen is not None
        }
        return tuple(known[each] for each in sorted(quoted) if each in known)

    def _receipts(self) -> tuple[AnchorReceipt, ...]:
        """The anchors with their consistency proofs, in order."""
        receipts = [
            replace(each, consistency=build_consistency(each.size, self.log.size, self.log.read))
            if each.size < self.log.size
            else each
            for each in self.anchors
        ]
        return tuple(
            sorted(receipts, key=lambda each: (each.chain_id, parse_header(each.header).number))
        )

    def registry_file(self) -> bytes:
        """What ``GET /v1/registry`` gives."""

        def events(record_key: bytes) -> list[dict[str, Any]]:
            listed = []
            for entry in self.log.record(record_key):
                member = entry.to_json()
                del member["proof"]
                listed.append(member)
            return listed

        return encode_json(
            {
                "mediaType": "application/vnd.vermilion.registry.v1+json",
                "keys": events(REGISTRY_KEY),
                "policies": events(POLICIES_KEY),
            }
        )

    # -- judging

    def hashes(self) -> dict[tuple[int, int], bytes]:
        """The trusted block hashes: every block that was made."""
        return self.chain.hashes | self.second.hashes

    def hash_list(self) -> str:
        """The same as the text of a block-hashes file."""
        return "# chain number hash\n" + "".join(
            f"{chain} {number} 0x{found.hex()}\n"
            for (chain, number), found in sorted(self.hashes().items())
        )

    def trust(self, *chains: Chain | str, **changes: Any) -> TrustPolicy:
        text = trust_toml(chains or (self.chain,), **changes)
        return parse_trust_policy(text.encode(), folder=Path())

    def verify(
        self,
        bundle: EvidenceBundle | bytes | None = None,
        *,
        content: bytes = DOCUMENT_BYTES,
        policy: TrustPolicy | None = None,
        hashes: Mapping[tuple[int, int], bytes] | None = None,
        endpoints: Sequence[Endpoint] = (),
        sm3: bytes | None = None,
        authorities: Sequence[Authority] = (),
        issuers: Sequence[Authority] = (),
        **question: Any,
    ) -> Report:
        made = self.bundle() if bundle is None else bundle
        data = made if isinstance(made, bytes) else encode_json(made.to_json())
        return verify_bundle(
            data,
            Document(sha256=hashlib.sha256(content).digest(), sm3=sm3, name="contract.pdf"),
            policy or self.trust(),
            judge=BlockJudge(self.hashes() if hashes is None else hashes, endpoints),
            question=Question(**{"now": NOW} | question),
            authorities=authorities,
            issuers=issuers,
        )


def close(bundle: EvidenceBundle, seed: bytes = INTAKE_SEED) -> EvidenceBundle:
    """The bundle with the ledger's word over its present content."""
    sig = ed25519.sign(seed, closing_message(bundle))
    return replace(bundle, closing=replace(bundle.closing, sig=sig))


def office(
    *, rules: Sequence[Rule] | None = RULES, people: Sequence[Person] = (WANG, LI, ZHAO)
) -> Scene:
    """A scene with a root, people, a policy in force, and a foreign record between."""
    scene = Scene()
    scene.register_key(ROOT)
    for person in people:
        scene.register_key(person, ROOT)
    if rules is not None:
        scene.policy(rules)
    scene.event("register", record_key=secret("another record"), content=b"another paper")
    return scene


def approved(*, anchored: bool = True, rules: Sequence[Rule] | None = RULES) -> Scene:
    """The main job: registered under a policy of two owners, both approved, anchored."""
    scene = office(rules=rules)
    detail = {} if rules is None else {"policy": hash_rules(rules).hex()}
    scene.event("register", detail=detail)
    scene.approve(WANG)
    scene.event("review", record_key=secret("another record"), content=b"another paper")
    scene.approve(LI)
    if anchored:
        scene.anchor()
    return scene


def plain(*, anchored: bool = True) -> Scene:
    """A record of one registration, without keys or policies."""
    scene = Scene()
    scene.event("register")
    if anchored:
        scene.anchor()
    return scene


def entry_of(scene: Scene, place: LoggedEnvelope) -> BundleEntry:
    """A logged event as a bundle would carry it."""
    salt = next(salt for each, salt, _ in scene.log.items if each.index == place.index)
    return BundleEntry(
        sequence=place.sequence,
        index=place.index,
        salt=salt,
        envelope=place.envelope,
        proof=build_inclusion(place.index, scene.log.size, scene.log.read),
    )


def codes(report: Report, status: CheckStatus = CheckStatus.FAIL) -> dict[str, str]:
    """The code of every check that came out with a status."""
    return {
        check.id: str(check.detail.get("code", ""))
        for check in report.checks
        if check.status is status
    }
