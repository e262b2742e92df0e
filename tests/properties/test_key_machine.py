"""Histories of keys against a model of plain dicts: intake and verifier must agree with it.

Roots (two of three), people with several keys, delegates; events by the right
signers and the wrong ones, forged, unquoted, too late. Each is put to the
ledger's admission and, admitted or not, into a log that a verifier judges.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from conformance.key_history_cases import moment
from evidence import DOCUMENT_BYTES, Scene
from office import (
    INTAKE_KEYID,
    INTAKE_SEED,
    ORIGIN,
    POLICIES,
    RECORD,
    RECORD_KEY,
    REGISTRY,
    REGISTRY_KEY,
    Person,
    key_registration,
    key_revocation,
    prior_of,
    statement,
)
from properties.key_model import (
    OWNERS,
    QUORUM,
    ROOTS,
    Event,
    is_admitted,
    judge,
    owner_of,
    read_keys,
)
from trusted import Chain, trust_toml
from vermilion_ledger.admission import LedgerAdmission, LedgerIdentity
from vermilion_ledger.encoding import parse_time
from vermilion_ledger.envelope import Envelope, Signature, make_envelope, sign_intake
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.keys import Roots
from vermilion_ledger.logged import place_envelope
from vermilion_ledger.rows import RecordEntry, RecordKind
from vermilion_ledger.schemes import ed25519
from vermilion_ledger.statement import Statement
from vermilion_verify.policy import parse_trust_policy

KEYS = {
    **{name: Person(name=name, may=()) for name in ROOTS},
    **{name: Person(name=name, owner=owner) for name, owner in OWNERS.items()},
}
IDENTITY = LedgerIdentity(
    origin=ORIGIN,
    roots=Roots(keyids=frozenset(KEYS[name].keyid for name in ROOTS), quorum=QUORUM),
    intake_keyids=frozenset({INTAKE_KEYID}),
    keys_record=REGISTRY,
    policies_record=POLICIES,
)
CHAIN = Chain()
TRUST = trust_toml(
    [CHAIN],
    roots="[" + ", ".join(f'"{KEYS[name].keyid}"' for name in ROOTS) + "]",
    quorum=str(QUORUM),
)


# -- the same events, really signed


class KeyMachine(RuleBasedStateMachine):
    """Owns a history as dicts, and the envelopes that stand for it."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Event] = [{"word": "document", "signers": (), "for": None}]
        self.signed: list[tuple[Envelope, bytes]] = []
        self.anchors: list[tuple[int, int]] = []
        self.now = 10  # a block; quoted ones are even, anchors lie in odd ones
        self.admission = LedgerAdmission(IDENTITY)
        document = sign_intake(
            make_envelope(statement("register", detail={}).encode(), ()), INTAKE_SEED
        )
        self.signed.append((document, RECORD_KEY))

    # what admission sees

    def history(self, record_id: str, *, since: int = 0) -> list[RecordEntry]:
        wanted = {RECORD: RECORD_KEY, REGISTRY: REGISTRY_KEY}.get(record_id)
        found = [(at, each) for at, (each, key) in enumerate(self.signed) if key == wanted]
        return [
            RecordEntry(
                record_id=record_id, index=index, sequence=sequence, position=index,
                salt=bytes(32), envelope=each.data,
            )
            for sequence, (index, each) in enumerate(found)
        ][since:]  # fmt: skip

    def ask_intake(self, signed: Envelope, event: Event) -> bool:
        kind: RecordKind = "document" if event["word"] == "approve" else "keys"
        record = RECORD if kind == "document" else REGISTRY
        entry = place_envelope(
            signed,
            index=len(self.events),
            sequence=len(self.history(record)),
            intake_keyids={INTAKE_KEYID},
        )
        moment_now = parse_time(moment(max(self.now, event["quoted"] or 0)), what="now")
        try:
            self.admission.check(entry, record_id=record, kind=kind, view=self)
            self.admission.verify_actors(entry, kind=kind, view=self)
            self.admission.check_unexpired(entry, kind=kind, view=self, moment=moment_now)
        except EvidenceError:
            return False
        return True

    def ask_verifier(
        self, signed: Sequence[tuple[Envelope, bytes]], anchors: Sequence[tuple[int, int]]
    ) -> str:
        scene = Scene()
        for size, (each, record_key) in enumerate(signed, start=1):
            if (seen := each.statement.seen) is not None:
                scene.chain.seen(seen.number)
            scene.log.add(each, record_key)
            for block in (block for wanted, block in anchors if wanted == size):
                scene.anchor(number=block)
        policy = parse_trust_policy(TRUST.encode(), folder=None)  # type: ignore[arg-type]
        return scene.verify(policy=policy, content=DOCUMENT_BYTES).verdict.value

    def play(self, word: str, key: str, signers: Sequence[str], actor: str, **more: Any) -> None:
        """Put an event to both, compare, and go on with it if it was admitted."""
        event: Event = {
            "word": word, "key": key, "signers": tuple(signers), "actor": actor, "may": (),
            "for": None, "until": None, "since": None, "quoted": None, "forged": False, **more,
        }  # fmt: skip
        signed = self.sign(event)
        place = (signed, RECORD_KEY if word == "approve" else REGISTRY_KEY)
        is_admitted_now = is_admitted(self.events, event, self.now)

        assert self.ask_intake(signed, event) is is_admitted_now, event
        if is_admitted_now:
            self.events.append(event)
            self.signed.append(place)
        else:  # what comes of it where a ledger admits it nevertheless
            self.compare([*self.events, event], [*self.signed, place])

    def teardown(self) -> None:
        """Judge all that was admitted; what came first did not change by what came later."""
        self.compare(self.events, self.signed)

    def compare(self, events: Sequence[Event], signed: Sequence[tuple[Envelope, bytes]]) -> None:
        """Hold the verifier to the model, under the anchors so far and a last one."""
        anchors = [*self.anchors, (len(events), self.now + 1)]
        assert self.ask_verifier(signed, anchors) == judge(events, anchors), events

    def sign(self, event: Event) -> Envelope:
        made = replace(
            self.write(event),
            nonce=hashlib.sha256(b"%d" % len(self.events)).digest()[:16],
            seen=CHAIN.seen(event["quoted"]) if event["quoted"] else None,
            actor=KEYS[event["actor"]].actor,
        )
        signed = make_envelope(made.encode(), ())
        for name in event["signers"]:
            signed = KEYS[name].sign(signed)
        if event["forged"] and signed.signatures:
            last = signed.signatures[-1]
            bad = Signature(
                keyids=last.keyids, scheme=last.scheme, extra={},
                sig=ed25519.sign(b"somebody else's key, 32 bytes...", signed.message.pae),
            )  # fmt: skip
            signed = make_envelope(signed.payload, (*signed.signatures[:-1], bad))
        return sign_intake(signed, INTAKE_SEED)

    def write(self, event: Event) -> Statement:
        person = KEYS[event["key"]]
        if event["word"] == "approve":
            rows = self.history(RECORD)
            last = place_envelope(
                self.signed[rows[-1].index][0], index=rows[-1].index, sequence=rows[-1].sequence,
                intake_keyids={INTAKE_KEYID},
            )  # fmt: skip
            return statement("approve", prior=prior_of(last))
        if event["word"] == "revoke":
            since = {} if event["since"] is None else {"compromisedSince": event["since"]}
            return key_revocation(person, **since)
        given: dict[str, Any] = {"may": sorted(event["may"])}
        if event["for"]:
            given |= {"until": moment(event["until"]), "onBehalfOf": event["for"]}
        return key_registration(person, **given)

    # what happens

    @initialize()
    def begin(self) -> None:
        for root in ROOTS[:2]:
            self.play("register", root, [root], root)
        for key, may in (("wang 1", ("approve",)), ("li 1", ("approve", "seal"))):
            self.play("register", key, [*ROOTS[:2], key], ROOTS[0], may=may)
        deputy = {"for": "wang", "until": self.now + 6, "may": ("approve",), "quoted": self.now}
        self.play("register", "chen 1", [*ROOTS[:2], "chen 1"], ROOTS[0], **deputy)

    @rule(data=st.data())
    def pass_time(self, data: st.DataObject) -> None:
        if data.draw(st.booleans()) and (
            not self.anchors or self.anchors[-1][0] < len(self.signed)
        ):
            self.anchors.append((len(self.signed), self.now + 1))
        self.now += 2 * data.draw(st.integers(1, 6))

    @rule(data=st.data(), may=st.sets(st.sampled_from(["approve", "seal"])))
    def register(self, data: st.DataObject, may: set[str]) -> None:
        key = self.draw_fresh(data)
        by = [key] if key in ROOTS else [*ROOTS[:2], key]
        signers, actor = self.draw_signers(data, by)
        self.play("register", key, signers, actor, may=() if key in ROOTS and len(may) < 2 else may,
                  forged=self.seldom(data))  # fmt: skip

    @rule(
        data=st.data(),
        may=st.sampled_from([("approve",), ("approve", "seal"), ()]),
        lasts=st.integers(-3, 9),
    )
    def delegate(self, data: st.DataObject, may: tuple[str, ...], lasts: int) -> None:
        key = self.draw_fresh(data)
        holders = {owner_of(name) for name in read_keys(self.events)} - set(ROOTS)
        owners = sorted((holders | {"nobody"}) - {owner_of(key)})
        signers, actor = self.draw_signers(data, [*ROOTS[:2], key])
        self.play(
            "register", key, signers, actor, may=may, until=max(1, self.now + 2 * lasts),
            quoted=None if self.seldom(data) else self.now,
            **{"for": data.draw(st.sampled_from(owners))},
        )  # fmt: skip

    @precondition(lambda self: len(self.events) > 1)
    @rule(data=st.data(), alone=st.booleans(), is_doubted=st.booleans())
    def revoke(self, data: st.DataObject, alone: bool, is_doubted: bool) -> None:
        names = sorted(KEYS) if self.seldom(data) else ROOTS
        is_root = data.draw(st.integers(0, 5)) == 0
        key = data.draw(st.sampled_from(names)) if is_root else self.draw_valid(data)
        signers, actor = self.draw_signers(data, [key] if alone else list(ROOTS[:2]))
        places = [at for at, each in enumerate(self.events) if key in each["signers"]]
        around = st.sampled_from(places) if places else st.nothing()
        anywhere = st.integers(0, len(self.events) + 1)
        since = data.draw(around | anywhere) if is_doubted else None
        self.play("revoke", key, signers, actor, since=since, quoted=self.now,
                  forged=self.seldom(data))  # fmt: skip

    @rule(data=st.data())
    def rotate(self, data: st.DataObject) -> None:
        keys, old = read_keys(self.events), self.draw_valid(data)
        new = next(
            (name for name in OWNERS if name not in keys and owner_of(name) == owner_of(old)), old
        )
        may = keys[old]["may"]
        self.play("register", new, [*ROOTS[:2], new], ROOTS[0], may=may)
        self.play("revoke", old, ROOTS[:2], ROOTS[1], quoted=self.now)

    @rule(data=st.data())
    def approve(self, data: st.DataObject) -> None:
        key = "chen 1" if data.draw(st.integers(0, 2)) == 0 else self.draw_valid(data)
        signers, actor = self.draw_signers(data, [key])
        quoted = 2 * data.draw(st.integers(5, self.now // 2)) if self.seldom(data) else self.now
        self.play("approve", signers[0] if signers else "li 1", signers, actor, quoted=quoted,
                  forged=self.seldom(data))  # fmt: skip

    def draw_valid(self, data: st.DataObject) -> str:
        """Mostly a person's key that is registered and not revoked."""
        keys = {name: key for name, key in read_keys(self.events).items() if name in OWNERS}
        valid = sorted(name for name, key in keys.items() if key["revoked"] is None)
        return data.draw(st.sampled_from(sorted(keys) if self.seldom(data) or not valid else valid))

    def draw_fresh(self, data: st.DataObject) -> str:
        """Mostly a key that nobody registered yet."""
        fresh = [] if self.seldom(data) else sorted(KEYS.keys() - read_keys(self.events).keys())
        return data.draw(st.sampled_from(fresh or sorted(KEYS)))

    def draw_signers(self, data: st.DataObject, right: list[str]) -> tuple[list[str], str]:
        """Mostly those who should sign; else one fewer, one more, or another one."""
        signers = list(dict.fromkeys(right))
        match data.draw(st.integers(0, 7)):
            case 0:
                signers.remove(data.draw(st.sampled_from(signers)))
            case 1:
                other = data.draw(st.sampled_from(sorted(KEYS)))
                signers = list(dict.fromkeys([*signers, other]))
            case _:
                pass
        actor = signers[0] if signers else "li 1"
        if self.seldom(data):
            actor = data.draw(st.sampled_from(sorted(KEYS)))
        return signers, actor

    def seldom(self, data: st.DataObject) -> bool:
        return data.draw(st.integers(0, 9)) == 9


TestKeys = KeyMachine.TestCase
TestKeys.settings = settings(
    stateful_step_count=12, max_examples=max(20, settings().max_examples // 4), deadline=None
)
