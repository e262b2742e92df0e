"""Rules of an office: terms, several units, steps in order, drafters who do not sign off.

A block is 12 seconds after the one before; a term of ten minutes has 50 blocks.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from conformance.case import Case, case
from evidence import DOCUMENT_BYTES, Scene, office
from office import Person
from trusted import trust_toml
from vermilion_ledger.encoding import encode_base64, encode_json
from vermilion_ledger.rules import Rule, hash_rules

RULE = "approval.rule"
CLERK = Person(name="clerk", may=("approve",))
OTHER = Person(name="other clerk", may=("approve",))
DRAFTER = Person(name="drafter", may=("review", "version"))
REVIEWER = Person(name="reviewer", may=("review",), unit="办公室")
MONEY = Person(name="money", may=("countersign",), unit="财务处")
LAW = Person(name="law", may=("countersign",), unit="法规处")
HEAD = Person(name="head", may=("approve", "version"), post="局长", unit="办公室")
DEPUTY = Person(name="deputy", may=("approve",), post="副局长", unit="办公室")
MONEY_AT_LAW = Person(name="money at law", owner="money", may=("countersign",), unit="法规处")
PEOPLE = (CLERK, OTHER, DRAFTER, REVIEWER, MONEY, LAW, HEAD, DEPUTY, MONEY_AT_LAW)

TERM = (Rule(event="approve", count=1, step="sign-off", within="PT10M"),)
TWO_STEPS = (
    Rule(event="approve", count=1, step="legal", within="PT10M"),
    Rule(event="approve", count=1, step="sign-off", after="legal"),
)
OUTGOING = (
    Rule(event="review", count=1, step="审核", not_by="version"),
    Rule(event="countersign", count=1, step="会签", unit="财务处", after="审核"),
    Rule(event="countersign", count=1, step="会签", unit="法规处", after="审核"),
    Rule(event="approve", count=1, step="签发", post="局长", after="会签", not_by="version"),
)
DUTIES = (Rule(event="version", count=1), Rule(event="approve", count=1, not_by="version"))
COMMITTEE = (Rule(event="approve", count=3, step="vote", unit="committee"),)
MEMBERS = tuple(Person(name=f"member {n}", may=("approve",), unit="committee") for n in range(4))


def office_rule_cases() -> Iterator[Case]:
    """approval.rule, as an office writes its rules."""
    yield from _term_cases()
    yield from _unanchored_term_cases()
    yield from _malformed_term_cases()
    yield from _outgoing_cases()
    yield from _duty_cases()
    yield from _committee_cases()


def _term_cases() -> Iterator[Case]:
    yield case("in_time", "decided in the last second", "proven", decided(seen=25, at=70))
    yield case("late", "a block after the term is quoted", "refuted", decided(seen=71, at=80), RULE)
    why = "quotes a block of the term, and is anchored a second after it"
    yield case("perhaps_late", why, "cannot_tell", decided(seen=25, at=71), RULE)
    scene = decided(seen=90, at=95)
    scene.approve(OTHER, seen=scene.chain.seen(96))
    scene.anchor(number=99)
    yield case("all_late", "both were late", "refuted", scene, RULE)
    scene = decided(seen=25, at=40)
    scene.approve(OTHER, seen=scene.chain.seen(90))
    scene.anchor(number=95)
    yield case("one_in_time", "one was late, one was not", "proven", scene)
    scene = decided(seen=25, at=40)
    scene.approve(CLERK, seen=scene.chain.seen(90))
    scene.anchor(number=95)
    yield case("late_again", "decided again when it was too late", "refuted", scene, RULE)
    scene = decided(seen=25, at=40)
    scene.approve(CLERK, decision="rejected", seen=scene.chain.seen(90))
    scene.anchor(number=95)
    yield case("late_rejection", "taken back after the term", "refuted", scene, RULE)
    scene = decided(seen=25, at=40)
    scene.event("version", content=b"second")
    scene.approve(CLERK, content=b"second", seen=scene.chain.seen(90))
    scene.anchor(number=95)
    why = "another version does not begin the term anew"
    yield case("late_version", why, "refuted", scene, RULE, content=b"second")
    scene = decided(TWO_STEPS, seen=90, at=95, step="legal")
    scene.approve(OTHER)
    scene.anchor(number=99)
    yield case("after_a_late_step", "the step before was late", "refuted", scene, RULE)
    scene = decided(TWO_STEPS, seen=60, at=90, step="legal")
    scene.approve(OTHER)
    scene.anchor(number=99)
    why = "nobody can tell of the step before"
    yield case("after_an_undecided_step", why, "cannot_tell", scene, RULE)
    scene = registered(at=60)
    scene.anchor(number=20, chain=scene.second)
    scene.approve(CLERK, seen=scene.chain.seen(75))
    scene.anchor(number=80)
    scene.anchor(number=81, chain=scene.second)
    trust = trust_toml([scene.chain, scene.second])
    why = "the term began on the other chain"
    yield case("earlier_on_another_chain", why, "refuted", scene, RULE, trust=trust)
    yield case("another_chain_ignored", "that chain does not count", "proven", scene)
    scene = decided(seen=61, at=65)
    rules = '[{event = "approve", count = 1, within = "PT8M"}]'
    trust = trust_toml([scene.chain], rules=rules)
    yield case(
        "own_term", "the verifier's own term is shorter", "refuted", scene, RULE, trust=trust
    )


def _unanchored_term_cases() -> Iterator[Case]:
    scene = registered(at=None)
    scene.approve(CLERK)
    yield case("term_not_begun", "no anchor began the term", "pending", scene)
    scene = registered(at=None)
    scene.approve(CLERK)
    trust = trust_toml([scene.chain], anchors="0")
    bundle = scene.bundle()
    scene.anchor()  # the bundle is older than that
    yield case(
        "term_without_anchors",
        "a policy that asks for no anchor cannot judge a term",
        "cannot_tell",
        scene,
        RULE,
        bundle=bundle,
        trust=trust,
    )
    scene = registered()
    scene.approve(CLERK, seen=scene.chain.seen(90))
    scene.event("review")
    yield case("late_before_its_anchor", "late already", "refuted", scene, RULE)


def _malformed_term_cases() -> Iterator[Case]:
    for name, why, member in (
        ("term_of_a_month", "a month has no length", b'"within":"P1M"'),
        ("term_of_nothing", "less than a second", b'"within":"PT0S"'),
        ("term_of_too_long", "a day above a hundred years", b'"within":"P36526D"'),
        ("rule_of_later", "a member that nobody knows", b'"withinWorkdays":5'),
    ):
        scene = decided(seen=25, at=40)
        value = scene.bundle().to_json()
        envelope = value["policies"][0]["envelope"]
        payload = base64.b64decode(envelope["payload"]).replace(b'"within":"PT10M"', member)
        envelope["payload"] = encode_base64(payload)
        yield case(name, why, "refuted", scene, "bundle.parse", bundle=encode_json(value))


def _outgoing_cases() -> Iterator[Case]:
    yield case("outgoing", "reviewed, countersigned, signed off", "proven", outgoing())
    for name, why, scene in (
        ("office_missing", "one unit did not countersign", outgoing(units=(MONEY,))),
        ("office_twice", "one person for two units", outgoing(units=(MONEY, MONEY_AT_LAW))),
        ("drafter_reviews", "the drafter reviewed", outgoing(reviewer=DRAFTER)),
        ("deputy_signs", "not by the head", outgoing(signer=DEPUTY)),
        ("out_of_turn", "signed off before the units", outgoing(first=HEAD)),
    ):
        yield case(name, why, "refuted", scene, RULE)
    scene = outgoing()
    scene.event("version", HEAD)
    yield case("signer_drafts", "the signer drafted, later", "refuted", scene, RULE)
    scene = outgoing()
    scene.event("approve", HEAD, detail={"step": "签发", "decision": "approved"})
    why = "a decision binds no policy"
    yield case("binds_no_policy", why, "refuted", scene, "statement.binding")
    scene = office(rules=OUTGOING, people=PEOPLE)
    scene.policy(OUTGOING, "withdraw")
    why = "the policy had been withdrawn"
    yield case("policy_withdrawn", why, "cannot_tell", outgoing(scene), RULE)


def _duty_cases() -> Iterator[Case]:
    why = "one signed as the drafter, another approved"
    yield case("duties", why, "proven", drafted(DRAFTER, CLERK))
    for name, why, scene in (
        ("drafter_approves", "the drafter approved", drafted(HEAD, HEAD)),
        ("nobody_drafted", "only the ledger signed the registration", drafted(None, HEAD)),
        ("drafted_another", "the draft that was signed is another", drafted(DRAFTER, CLERK, b"x")),
        ("drafter_elsewhere", "drafted another version of it", drafted(DRAFTER, HEAD, also=HEAD)),
    ):
        yield case(f"duties_{name}", why, "refuted", scene, RULE)


def _committee_cases() -> Iterator[Case]:
    for name, votes, verdict in (("committee", 3, "proven"), ("one_vote_short", 2, "refuted")):
        scene = office(rules=COMMITTEE, people=(*PEOPLE, *MEMBERS))
        scene.event("register", detail={"policy": hash_rules(COMMITTEE).hex()})
        for member in MEMBERS[:votes]:
            scene.approve(member, step="vote")
        scene.approve(HEAD, step="vote")
        checks = () if verdict == "proven" else (RULE,)
        yield case(name, f"{votes} of the committee, 3 are asked", verdict, scene, *checks)


def registered(rules: tuple[Rule, ...] = TERM, *, at: int | None = 20) -> Scene:
    """A record under rules, its registration anchored in a block."""
    scene = office(rules=rules, people=PEOPLE)
    scene.event("register", detail={"policy": hash_rules(rules).hex()})
    if at is not None:
        scene.anchor(number=at)
    return scene


def decided(rules: tuple[Rule, ...] = TERM, *, seen: int, at: int, **changes: Any) -> Scene:
    """The same, with a decision that quotes a block and is anchored in another."""
    scene = registered(rules)
    scene.approve(CLERK, seen=scene.chain.seen(seen), **changes)
    scene.anchor(number=at)
    return scene


def drafted(
    drafter: Person | None,
    approver: Person,
    draft: bytes = DOCUMENT_BYTES,
    *,
    also: Person | None = None,
) -> Scene:
    """A paper that somebody may have signed as its drafter, and that somebody approved."""
    scene = registered(DUTIES, at=None)
    if also is not None:
        scene.event("version", also, content=b"an earlier draft")
    if drafter is not None:
        scene.event("version", drafter, content=draft)
    scene.approve(approver)
    return scene


def outgoing(
    scene: Scene | None = None,
    *,
    reviewer: Person = REVIEWER,
    units: tuple[Person, ...] = (MONEY, LAW),
    signer: Person = HEAD,
    first: Person | None = None,
) -> Scene:
    """A paper that went its way, perhaps not as it should."""
    policy = hash_rules(OUTGOING).hex()
    scene = scene or office(rules=OUTGOING, people=PEOPLE)
    scene.event("register", detail={"policy": policy})
    scene.event("version", DRAFTER, content=DOCUMENT_BYTES)
    scene.event("review", reviewer, detail={"step": "审核"})
    signing = {"step": "签发", "decision": "approved", "policy": policy}
    if first is not None:
        scene.event("approve", first, detail=signing)
    for each in units:
        scene.event("countersign", each, detail=signing | {"step": "会签"})
    if first is None:
        scene.event("approve", signer, detail=signing)
    return scene
