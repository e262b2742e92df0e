"""One conformance case, and the scenes that several cases start from."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evidence import DOCUMENT_BYTES, Scene, office, plain
from office import (
    DOCUMENT,
    ROOT,
    ROOT_TWO,
    Person,
    secret,
)
from trusted import trust_toml
from vermilion_ledger.bundle import EvidenceBundle
from vermilion_ledger.encoding import encode_json

EXITS = {"proven": 0, "superseded": 0, "refuted": 1, "revoked": 1, "pending": 3, "cannot_tell": 5}
ROOT_THREE = Person(name="root three", may=())
NEW = Person(name="new", may=("approve", "revoke"))
NEW_LOG_SEED = secret("new log key")
STEP = {"step": "sign-off", "decision": "approved"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One folder."""

    name: str
    why: str
    verdict: str
    checks: Sequence[str]
    scene: Scene
    bundle: EvidenceBundle | bytes
    content: bytes = DOCUMENT_BYTES
    trust: str = ""
    hashes: str | None = None
    arguments: Sequence[str] = ()
    more: Mapping[str, bytes] = field(default_factory=dict)
    findings: Sequence[Mapping[str, Any]] | None = None

    def files(self) -> dict[str, bytes]:
        """Every file of the folder."""
        bundle = self.bundle
        data = bundle if isinstance(bundle, bytes) else encode_json(bundle.to_json())
        expected = {
            "why": self.why,
            "verdict": self.verdict,
            "exit": EXITS[self.verdict],
            "checks": list(self.checks),
            "arguments": list(self.arguments),
        }
        if self.findings is not None:
            expected["findings"] = [dict(each) for each in self.findings]
        hashes = self.scene.hash_list() if self.hashes is None else self.hashes
        return {
            "document": self.content,
            "bundle.evidence.json": data,
            "trust.toml": (self.trust or trust_toml([self.scene.chain])).encode(),
            "block-hashes.txt": hashes.encode(),
            "expected.json": (json.dumps(expected, ensure_ascii=False, indent=1) + "\n").encode(),
            **self.more,
        }


def case(
    name: str,
    why: str,
    verdict: str,
    scene: Scene,
    *checks: str,
    bundle: EvidenceBundle | bytes | None = None,
    **parts: Any,
) -> Case:
    """A case; `scene` is anchored if it is not yet, unless it is to stay pending."""
    if not scene.anchors and verdict != "pending":
        scene.anchor()
    is_good = verdict in {"proven", "superseded"}
    return Case(
        name=name if is_good else f"{name}_fail",
        why=why,
        verdict=verdict,
        checks=checks,
        scene=scene,
        bundle=scene.bundle() if bundle is None else bundle,
        **parts,
    )


def begun() -> Scene:
    """A record of one registration, with people around."""
    scene = office(rules=None)
    scene.event("register", detail={})
    return scene


def made(*steps: Callable[[Scene], object]) -> Scene:
    """A begun scene in which some things happened."""
    scene = begun()
    for step in steps:
        step(scene)
    return scene


def convert(scene: Scene) -> None:
    scene.event("convert", content=b"pdf/a", detail={"from": DOCUMENT.hex()})


def two_chains() -> Scene:
    scene = plain()
    scene.anchor(chain=scene.second, number=7)
    return scene


def both(scene: Scene) -> str:
    return trust_toml([scene.chain, scene.second], anchors="2")


def three_roots(*by: Person) -> Scene:
    scene = Scene()
    for root in (ROOT, ROOT_TWO, ROOT_THREE):
        scene.register_key(root)
    scene.register_key(NEW, *by)
    scene.event("register", detail={})
    scene.event("approve", NEW, detail=STEP)
    return scene


def roots_toml(scene: Scene) -> str:
    keyids = ", ".join(f'"{root.keyid}"' for root in (ROOT, ROOT_TWO, ROOT_THREE))
    return trust_toml([scene.chain], roots=f"[{keyids}]", quorum="2")


def log_of(scene: Scene) -> bytes:
    return b"".join(scene.log.entries)
