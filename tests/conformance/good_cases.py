"""What a verifier must not refuse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from conformance.case import (
    ROOT_THREE,
    Case,
    both,
    case,
    convert,
    made,
    roots_toml,
    three_roots,
    two_chains,
)
from evidence import WANG, approved, plain
from office import (
    ROOT,
)
from trusted import Chain


def good_cases() -> Iterator[Case]:
    """What a verifier must not refuse."""
    yield case("plain", "one registration, one anchor", "proven", plain())
    scene = approved()
    yield case("approved", "two owners approved under a policy", "proven", scene)
    yield case(
        "withheld",
        "the record key is withheld",
        "proven",
        scene,
        bundle=scene.bundle(withhold=True),
    )
    scene = made(lambda s: s.event("review"), lambda s: s.event("version", content=b"second"))
    scene.anchor()
    yield case(
        "cut_current",
        "an entry is left out, the current version is asked about, no rule applies",
        "proven",
        scene,
        bundle=scene.bundle(withhold=True, without=[1]),
        content=b"second",
    )
    yield case("superseded", "a newer version exists", "superseded", scene)
    scene = made(convert)
    yield case("converted", "made from the current version", "proven", scene, content=b"pdf/a")
    scene = two_chains()
    yield case("two_chains", "both are required and final", "proven", scene, trust=both(scene))
    scene = plain()
    scene.event("review")
    scene.anchor()
    yield case("smaller_anchor", "a smaller anchor leads to the checkpoint", "proven", scene)
    scene = plain()
    other = Chain(chain_id=5)
    scene.anchors.insert(0, replace(other.anchor(scene.log, number=9), receipt=b"\x02"))
    yield case(
        "unknown_chain", "an anchor that the policy does not name is ignored", "proven", scene
    )
    scene = made(lambda s: s.approve(WANG), lambda s: s.revoke_key(WANG, ROOT))
    yield case("key_revoked_later", "the key was valid when it signed", "proven", scene)
    scene = three_roots(ROOT, ROOT_THREE)
    yield case("root_quorum", "two of three roots", "proven", scene, trust=roots_toml(scene))
