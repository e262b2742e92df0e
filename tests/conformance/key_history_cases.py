"""Histories of keys: delegations and their end, rotations, ledgers that hide or forge events."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from conformance.case import NEW, ROOT_THREE, STEP, Case, begun, case, log_of, made
from evidence import DOCUMENT_BYTES, LI, WANG, ZHAO, Scene
from office import RECORD_KEY, ROOT, ROOT_TWO, Person, prior_of, secret
from trusted import START, trust_toml
from vermilion_ledger.encoding import encode_json

VALIDITY, RULE, BINDING = "key.validity", "approval.rule", "statement.binding"
SECONDS = 12  # between two blocks


def moment(block: int) -> str:
    """The time of a block of the tests' chains, which begin on 2026-11-18."""
    hours, seconds = divmod(START % 86_400 + SECONDS * block, 3600)
    return f"2026-11-18T{hours:02}:{seconds // 60:02}:{seconds % 60:02}Z"


# Decisions quote block 10, and anchors lie in blocks above 100.
LASTING, CUT, OVER = moment(300), moment(50), moment(9)
DEPUTY = Person(
    name="chen for wang", owner="chen", may=("approve", "version"), until=LASTING,
    on_behalf_of="wang",
)  # fmt: skip
CHEN = Person(name="chen", may=("approve",))
DRAFTED = '[{event = "approve", count = 1, notBy = "version"}]'
TWICE = '[{event = "approve", count = 2}]'
BY_DIRECTOR = '[{event = "approve", count = 1, post = "director"}]'


def key_history_cases() -> Iterator[Case]:
    """What a delegated key may not, and what a history of keys cannot undo."""
    yield from good_histories()
    yield from registration_cases()
    yield from expiry_cases()
    yield from delegate_rule_cases()
    yield from time_and_doubt_cases()
    yield from lying_cases()


def good_histories() -> Iterator[Case]:
    """Decisions that hold."""
    scene = deputised()
    trust = trust_toml([scene.chain], rules='[{event = "approve", count = 1}]')
    yield case("delegate", "the delegate's decision counts", "proven", scene, trust=trust)
    scene = begun()
    scene.register_key(replace(NEW, owner="wang"), ROOT, may=["approve"])
    scene.revoke_key(WANG, ROOT)
    scene.approve(replace(NEW, owner="wang"))
    yield case("rotated_person", "the new key signs for its owner", "proven", scene)
    scene = begun()
    place = scene.approve(WANG)
    scene.revoke_key(WANG, ROOT, compromisedSince=place.index + 1)
    yield case("compromised_later", "signed before the key was stolen", "proven", scene)


def deputised(deputy: Person = DEPUTY, *by: Person, **detail: Any) -> Scene:
    """A record on which somebody decided with a key that was delegated."""
    scene = begun()
    scene.register_key(deputy, *(by or (ROOT,)), **detail)
    scene.event("approve", deputy, detail=STEP)
    return scene


def registration_cases() -> Iterator[Case]:
    """Delegations that nobody could make."""
    root = replace(ROOT_THREE, until=LASTING, on_behalf_of="wang")
    for name, why, scene in (
        ("by_the_delegator", "the delegator is no root", deputised(DEPUTY, WANG)),
        ("of_more", "the delegator may not dispose", deputised(may=["approve", "dispose"])),
        ("of_nobody", "nobody of that id has a key", deputised(onBehalfOf="u-0")),
        ("of_a_revoked", "the delegator's key was revoked", delegated_after(revoke)),
        ("of_a_later", "the delegator's key came later", delegated_before_the_key()),
        ("of_a_delegate", "a delegation of a delegation", delegated_twice()),
        ("unquoted", "the delegation quotes no block", unquoted()),
        ("revoked", "the delegation was revoked before", revoked_delegation()),
    ):
        yield case(f"delegate_{name}", why, "refuted", scene, VALIDITY)
    scene = begun()
    scene.register_key(root)
    roots = f'["{ROOT.keyid}", "{root.keyid}"]'
    yield case(
        "delegate_root", "a root is nobody's delegate", "refuted", scene, VALIDITY,
        trust=trust_toml([scene.chain], roots=roots),
    )  # fmt: skip
    scene = deputised()
    scene.anchor()
    keys = tuple(e for e in scene.bundle().keys if e.envelope.statement.detail.get("key") != HERS)
    yield case(
        "delegate_alone", "the bundle leaves the delegator's keys out", "refuted", scene, VALIDITY,
        bundle=scene.bundle(keys=keys),
    )  # fmt: skip
    for name, why, change in (
        ("without_end", "a delegation has an end", {"until": None}),
        ("without_delegator", "a delegation has a delegator", {"onBehalfOf": None}),
        ("officer", "a delegate is no officer", {"officer": True}),
        ("of_himself", "nobody is their own delegate", {"onBehalfOf": "chen"}),
        ("until_a_day", "a day is no moment", {"until": "2026-11-18"}),
    ):
        yield case(
            f"delegate_{name}", why, "refuted", scene, "bundle.parse",
            bundle=misspelt(scene, change),
        )  # fmt: skip


HERS = WANG.public_key.hex()


def revoke(scene: Scene) -> None:
    scene.revoke_key(WANG, ROOT)


def delegated_after(step: Callable[[Scene], None]) -> Scene:
    scene = begun()
    step(scene)
    scene.register_key(DEPUTY, ROOT)
    scene.event("approve", DEPUTY, detail=STEP)
    return scene


def delegated_before_the_key() -> Scene:
    scene = deputised(onBehalfOf="new")
    scene.register_key(NEW, ROOT)
    scene.event("approve", NEW, detail=STEP)
    return scene


def delegated_twice() -> Scene:
    further = replace(DEPUTY, name="sun for chen", owner="sun", on_behalf_of="chen")
    scene = deputised()
    scene.register_key(further, ROOT)
    scene.event("approve", further, detail=STEP)
    return scene


def unquoted() -> Scene:
    scene = begun()
    own = replace(DEPUTY, until="", on_behalf_of="")  # what makes the scene quote no block
    scene.register_key(own, ROOT, until=LASTING, onBehalfOf="wang")
    scene.event("approve", DEPUTY, detail=STEP)
    return scene


def revoked_delegation() -> Scene:
    scene = begun()
    scene.register_key(DEPUTY, ROOT)
    scene.revoke_key(DEPUTY, ROOT)
    scene.event("approve", DEPUTY, detail=STEP)
    return scene


def misspelt(scene: Scene, change: Mapping[str, Any]) -> bytes:
    """The bundle with another detail in the delegation; nobody could write it, let alone sign."""
    value = scene.bundle().to_json()
    envelope = json.loads(encode_json(value))
    for event in envelope["keys"]:
        payload = _decoded(event["envelope"]["payload"])
        detail = payload["predicate"]["detail"]
        if "until" in detail:
            for name, content in change.items():
                detail.pop(name, None) if content is None else detail.update({name: content})
            event["envelope"]["payload"] = _encoded(payload)
    return encode_json(envelope)


def _decoded(payload: str) -> Any:
    return json.loads(base64.b64decode(payload))


def _encoded(payload: Any) -> str:
    return base64.b64encode(encode_json(payload)).decode()


def expiry_cases() -> Iterator[Case]:
    """The end of a delegation, judged by blocks."""
    for name, why, verdict, scene in (
        ("expired", "quotes a block from after the end", "refuted", deputised(ending(OVER))),
        ("maybe_expired", "anchored after the end", "cannot_tell", deputised(ending(CUT))),
        ("expired_old_date", "an old date was claimed", "refuted", deputised_long_ago()),
    ):
        yield case(f"delegate_{name}", why, verdict, scene, VALIDITY)
    yield case("delegate_unanchored", "the anchor that tells is awaited", "pending",
               deputised(ending(CUT)))  # fmt: skip
    scene = deputised(ending(CUT))
    scene.anchor()
    hashes = scene.hash_list().replace(f"31337 10 0x{scene.chain.hashes[31337, 10].hex()}\n", "")
    yield case(
        "delegate_unvouched", "nobody vouches for the quoted block, the anchor is late",
        "cannot_tell", scene, VALIDITY, hashes=hashes,
    )  # fmt: skip
    scene = begun()
    scene.register_key(DEPUTY, ROOT)
    scene.event("version", DEPUTY, content=b"x", seen=None)
    checks = (BINDING,)
    yield case("delegate_no_seen", "quotes no block", "refuted", scene, *checks, content=b"x")
    scene = begun()
    scene.register_key(DEPUTY, ROOT)
    scene.event("version", DEPUTY, content=b"x", prior=None)
    yield case("delegate_no_prior", "names no prior entry", "refuted", scene, BINDING,
               content=b"x")  # fmt: skip


def ending(until: str) -> Person:
    return replace(DEPUTY, until=until)


def deputised_long_ago() -> Scene:
    scene = begun()
    scene.register_key(ending(OVER), ROOT)
    scene.event("approve", ending(OVER), detail=STEP, time="2020-01-01T00:00:00Z")
    return scene


def delegate_rule_cases() -> Iterator[Case]:
    """approval.rule and prior: delegator and delegate are one."""

    def decided(*people: Person) -> Scene:
        scene = begun()
        scene.register_key(CHEN, ROOT)
        scene.register_key(DEPUTY, ROOT)
        for person in people:
            scene.event("approve", person, detail=STEP)
        return scene

    def drafted(drafter: Person) -> Scene:
        scene = decided()
        scene.event("version", drafter, content=b"second")
        scene.event("approve", DEPUTY, detail=STEP, content=b"second")
        return scene

    for name, why, scene, rules, content in (
        ("and_delegator", "delegator and delegate are one", decided(WANG, DEPUTY), TWICE, None),
        ("twice", "one person, for herself and another", decided(CHEN, DEPUTY), TWICE, None),
        ("of_the_drafter", "the delegator drafted it", drafted(WANG), DRAFTED, b"second"),
        ("drafted", "the delegate drafted it", drafted(DEPUTY), DRAFTED, b"second"),
        ("in_no_post", "the post is not delegated", decided(DEPUTY), BY_DIRECTOR, None),
    ):
        trust = trust_toml([scene.chain], rules=rules)
        yield case(
            f"delegate_{name}", why, "refuted", scene, RULE, trust=trust,
            content=content or DOCUMENT_BYTES,
        )  # fmt: skip
    scene = decided()
    prior = prior_of(scene.last[RECORD_KEY])
    scene.event("approve", WANG, detail=STEP | {"decision": "rejected"})
    scene.event("approve", DEPUTY, detail=STEP, prior=prior)
    yield case(
        "delegate_held_back", "cannot undo the delegator's rejection", "refuted", scene, BINDING
    )


def time_and_doubt_cases() -> Iterator[Case]:
    """What a key says of itself, and what the roots say of it."""
    for name, why, scene in (
        (
            "old_date_after_revocation",
            "a stolen key and an old date",
            made(
                revoke,
                lambda s: s.event("approve", WANG, detail=STEP, time="2020-01-01T00:00:00Z"),
            ),
        ),
        (
            "disowned",
            "a key cannot disown its own past",
            made(
                lambda s: s.approve(WANG),
                lambda s: s.revoke_key(WANG, WANG, compromisedSince=1),
            ),
        ),
        (
            "compromised_too_early",
            "compromised before it was registered",
            made(lambda s: s.approve(WANG), lambda s: s.revoke_key(WANG, ROOT, compromisedSince=0)),
        ),
        (
            "revoked_again_by_itself",
            "a revoked key says no more",
            made(lambda s: s.approve(WANG), revoke, lambda s: s.revoke_key(WANG, WANG)),
        ),
    ):
        yield case(name, why, "refuted", scene, VALIDITY)
    scene = begun()
    place = scene.register_key(NEW, ROOT)
    scene.event("approve", NEW, detail=STEP)
    scene.register_key(ROOT_TWO)
    scene.revoke_key(ROOT, ROOT_TWO, compromisedSince=place.index)
    trust = trust_toml([scene.chain], roots=f'["{ROOT.keyid}", "{ROOT_TWO.keyid}"]')
    yield case(
        "root_compromised", "the root that registered the key is in doubt", "cannot_tell", scene,
        VALIDITY, trust=trust,
    )  # fmt: skip


def lying_cases() -> Iterator[Case]:
    """A ledger that left a revocation out, or made one up."""
    scene = begun()
    scene.approve(ZHAO)
    scene.revoke_key(WANG, ROOT)
    scene.approve(WANG)
    scene.anchor()
    hiding = scene.bundle(keys=scene.bundle().keys[:-1])
    told = json.loads(scene.registry_file())
    revocation = told["keys"].pop()
    yield case(
        "registry_hides", "registry file and bundle keep a revocation back", "refuted", scene,
        VALIDITY, bundle=hiding, more=audit(scene, told),
    )  # fmt: skip
    scene = begun()
    scene.approve(WANG)
    scene.anchor()
    told = json.loads(scene.registry_file())
    last = told["keys"][-1]
    forged = revocation | {"sequence": last["sequence"] + 1, "index": scene.log.size - 1}
    told["keys"].append(forged)
    yield case(
        "registry_forges", "a revocation that the log has not", "refuted", scene, VALIDITY,
        more=audit(scene, told),
    )  # fmt: skip
    told["keys"][-1] = last | {"salt": secret("another salt").hex()}
    told["keys"] = told["keys"][:-2] + told["keys"][-1:]
    yield case(
        "registry_other_salt", "a registration that the log has not", "refuted", scene, VALIDITY,
        more=audit(scene, told),
    )  # fmt: skip
    scene = deputised()
    scene.revoke_key(WANG, ROOT)
    scene.event("approve", LI, detail=STEP)
    scene.anchor()
    keys = scene.bundle().keys
    yield case(
        "delegator_held_back", "what became of the delegator's key is kept back", "refuted", scene,
        VALIDITY, bundle=scene.bundle(keys=keys[:-1]),
        more=audit(scene, json.loads(scene.registry_file())),
    )  # fmt: skip


def audit(scene: Scene, registry: Any) -> dict[str, bytes]:
    return {"log-entries.bin": log_of(scene), "registry.json": encode_json(registry)}
