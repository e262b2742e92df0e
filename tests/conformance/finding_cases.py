"""Lapses in the life of a document: they are listed, and change no verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from conformance.case import STEP, Case, case
from evidence import WANG, ZHAO, Scene, office
from office import secret
from vermilion_ledger.logged import LoggedEnvelope
from vermilion_ledger.rules import Rule

COPY = secret("a recipient").hex()
PAST, FUTURE = "2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"
SIGN_OFF = (Rule(event="approve", count=1, step="sign-off"),)
Step = Callable[[Scene], object]


def of(entry: LoggedEnvelope) -> dict[str, Any]:
    return {"sequence": entry.sequence, "envelope": entry.envelope.hash.hex()}


def life(*steps: Step, flow: str = "") -> Scene:
    """A record in which some things happened after its registration."""
    scene = office(rules=None)
    scene.event("register", detail={"flow": flow} if flow else {})
    for step in steps:
        step(scene)
    return scene


def happen(word: str, content: bytes = b"the contract", **detail: Any) -> Step:
    signed = (WANG,) if word in {"approve", "seal"} else ()
    return lambda scene: scene.event(word, *signed, content=content, detail=detail)


def sign_off(content: bytes = b"the contract") -> Step:
    return happen("approve", content, **STEP)


def circulate(scene: Scene) -> None:
    """A dispatch that was received, and a task that was answered."""
    sent = scene.event("dispatch", detail={"to": [COPY], "due": FUTURE})
    scene.event("receive", detail={"of": of(sent), "copy": COPY})
    task = scene.event("handle", detail={"due": FUTURE, "owner": "综合科"})
    scene.event("handle", detail={"of": of(task), "outcome": "done"})


def found(name: str, severity: str, sequence: int, *, certain: bool = True) -> dict[str, Any]:
    return {
        "code": f"finding.{name}",
        "severity": severity,
        "sequence": sequence,
        "certain": certain,
    }


CHANGED = (sign_off(), happen("version", b"second"), happen("issue", b"second"))
ISSUED = (
    *(happen("review"), sign_off(), happen("review", step="recheck"), happen("number")),
    *(happen("seal"), happen("issue")),
)
ODD: dict[str, Any] = {
    "due": [PAST],
    "to": {"a": None},
    "of": True,
    "outcome": 7,
    "step": [],
    "decision": {},
}


def finding_cases() -> Iterator[Case]:
    """What is listed, under each verdict."""
    scene = life(*ISSUED, circulate, happen("archive"), flow="outgoing")
    yield case("findings_none", "a lawful life", "proven", scene, findings=[])
    changed = found("changed-after-sign-off", "critical", 2)
    yield case(
        "findings_changed",
        "changed after its sign-off and issued: a critical finding, and proven all the same",
        "proven",
        life(*CHANGED),
        content=b"second",
        findings=[changed],
    )
    scene = life(happen("review"), happen("number"), sign_off(), flow="outgoing")
    yield case(
        "findings_out_of_order",
        "numbered before it was signed off",
        "proven",
        scene,
        findings=[found("out-of-order", "warning", 2)],
    )
    scene = life(happen("dispatch", to=[COPY, "00" * 32]), happen("handle", due=PAST))
    scene.event("seal", WANG)
    yield case(
        "findings_overdue",
        "nobody confirmed or answered; the quoted block is later than what was due",
        "proven",
        scene,
        findings=[found("undelivered", "notice", 1), found("overdue", "warning", 2)],
    )
    yield case(
        "findings_of_odd_details",
        "members that are not as described are not there",
        "proven",
        life(*(happen(word, **ODD) for word in ("handle", "supervise", "review", "receive"))),
        findings=[],
    )
    yield from _refused(changed)


def _refused(changed: dict[str, Any]) -> Iterator[Case]:
    yield case(
        "findings_pending",
        "not anchored yet: listed as well",
        "pending",
        life(*CHANGED),
        content=b"second",
        findings=[changed],
    )
    scene = life(sign_off(), lambda s: s.event("revoke", ZHAO), happen("issue"))
    yield case(
        "findings_revoked",
        "used after it was revoked",
        "revoked",
        scene,
        findings=[found("used-after-revocation", "critical", 3)],
    )
    scene = life(*CHANGED, happen("access", b"second", how="view"))
    scene.anchor()
    yield case(
        "findings_left_out",
        "an entry is left out, which may be the sign-off",
        "cannot_tell",
        scene,
        "record.completeness",
        bundle=scene.bundle(withhold=True, without=[4]),
        findings=[found("changed-after-sign-off", "critical", 2, certain=False)],
    )
    yield case(
        "findings_other_document",
        "refuted: what the record lacks is listed all the same",
        "refuted",
        life(*CHANGED),
        "document.digest",
        content=b"forged",
        findings=[changed],
    )
    yield case(
        "findings_no_hashes",
        "nobody vouches for a block: what is overdue, is so perhaps",
        "cannot_tell",
        life(happen("handle", due=PAST), lambda s: s.event("seal", WANG)),
        *("anchor.block", "anchor.finality"),
        hashes="",
        findings=[found("overdue", "notice", 1, certain=False)],
    )
    yield from _beside_failures()


def _beside_failures() -> Iterator[Case]:
    scene = office(rules=None)
    policy = scene.policy(SIGN_OFF)
    scene.event("register", detail={"flow": "outgoing", "policy": policy})
    scene.event("review")
    scene.event("issue")
    yield case(
        "findings_beside_a_rule",
        "the rule refutes it, the flow names what is missing",
        "refuted",
        scene,
        "approval.rule",
        findings=[
            found("missing", "critical", 2),
            found("missing", "warning", 2),
            found("missing", "warning", 2),
        ],
    )
    yield case(
        "findings_unreadable",
        "a bundle that cannot be read has none",
        "refuted",
        life(happen("dispatch", to=[COPY])),
        "bundle.parse",
        bundle=b"{}",
        findings=[],
    )
