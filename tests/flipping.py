"""Five and more bundles of different kinds, and what becomes of every flipped bit.

Used by `flip_bits.py`, which flips them all, and by `test_flips.py`, which
takes a steady sample. A flip may leave the verdict as it was only in what
nobody vouches for: hints, and note lines whose signer the policy does not
know (also those that the flip itself made unknown, where the policy needs no
more than the other lines).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from evidence import (
    CORRECTED_BYTES,
    DOCUMENT_BYTES,
    WANG,
    ZHAO,
    Scene,
    approved,
    office,
    plain,
)
from office import ROOT
from vermilion_ledger.encoding import encode_json
from vermilion_verify.report import Report, Verdict

GOOD = {Verdict.PROVEN, Verdict.SUPERSEDED}


@dataclass(frozen=True, kw_only=True)
class Specimen:
    """A bundle that verifies, with its document and a way to verify again."""

    name: str
    bundle: bytes
    content: bytes
    verdict: Verdict
    verify: Callable[[bytes, bytes], Report]

    @cached_property
    def unvouched(self) -> list[range]:
        """The bytes of the bundle for which nobody vouches."""
        text = self.bundle.decode()
        spans = [match.span() for match in re.finditer(r'"hints":\{[^}]*\}', text)]
        spans += [match.span() for match in re.finditer(r"— nobody\.example [^ ]*?\\n", text)]
        return [range(len(text[:a].encode()), len(text[:b].encode())) for a, b in spans]

    def bits(self) -> int:
        return 8 * (len(self.bundle) + len(self.content))

    def flip(self, bit: int) -> tuple[str, str | None]:
        """Flip one bit and verify; return the verdict, and what is wrong with it or None."""
        place = bit // 8
        data, content = bytearray(self.bundle), bytearray(self.content)
        if place < len(data):
            data[place] ^= 1 << bit % 8
        else:
            content[place - len(data)] ^= 1 << bit % 8
        verdict = self.verify(bytes(data), bytes(content)).verdict
        if verdict not in GOOD or any(place in span for span in self.unvouched):
            return verdict, None
        return verdict, f"{self.name}: bit {bit % 8} of byte {place} leaves it {verdict}"


def specimens() -> Iterator[Specimen]:
    """Yield the bundles, all small, each with parts that the others lack."""
    yield _specimen("plain", plain(), strangers=True)
    yield _specimen("approved", approved())
    yield _specimen("withheld and cut", _cut(), withhold=True, without=[2])
    yield _specimen("two chains", _two_chains(), chains=2)
    yield _specimen("superseded", _superseded(), verdict=Verdict.SUPERSEDED)
    yield _specimen("corrected", _superseded(), content=CORRECTED_BYTES)
    yield _specimen("revoked key", _revoked_key())


def _specimen(
    name: str,
    scene: Scene,
    *,
    content: bytes = DOCUMENT_BYTES,
    verdict: Verdict = Verdict.PROVEN,
    chains: int = 1,
    strangers: bool = False,
    withhold: bool = False,
    without: list[int] | None = None,
) -> Specimen:
    bundle = scene.bundle(withhold=withhold, without=without or [])
    value = bundle.to_json()
    if strangers:
        value["checkpoint"] += "— nobody.example AAAAAAAAAAA=\n"
    policy = scene.trust(*(scene.chain, scene.second)[:chains], anchors=str(chains))
    hashes = scene.hashes()
    return Specimen(
        name=name,
        bundle=encode_json(value),
        content=content,
        verdict=verdict,
        verify=lambda data, text: scene.verify(data, content=text, policy=policy, hashes=hashes),
    )


def _cut() -> Scene:
    scene = office(rules=None, people=(WANG,))
    scene.event("register", detail={})
    scene.event("seal", WANG)
    scene.event("review")
    scene.anchor()
    return scene


def _two_chains() -> Scene:
    scene = plain()
    scene.event("review")
    scene.anchor(number=200)
    scene.anchor(number=201, chain=scene.second)
    return scene


def _superseded() -> Scene:
    scene = office(rules=None, people=(ZHAO,))
    scene.event("register", detail={})
    scene.event("version", content=CORRECTED_BYTES)
    source = hashlib.sha256(CORRECTED_BYTES).hexdigest()
    scene.event("convert", content=b"pdf/a", detail={"from": source})
    scene.anchor()
    return scene


def _revoked_key() -> Scene:
    scene = office(rules=None, people=(WANG,))
    scene.event("register", detail={})
    scene.approve(WANG)
    scene.revoke_key(WANG, ROOT, reason="left the office")
    scene.anchor()
    return scene


def describe(specimen: Specimen) -> str:
    """One line for people."""
    parts = json.loads(specimen.bundle)
    counts = ", ".join(
        f"{len(parts[name])} {name}" for name in ("entries", "keys", "policies", "anchors")
    )
    return f"{specimen.name} ({len(specimen.bundle)} bytes; {counts})"
