"""Writes the conformance cases: one folder each, for any verifier.

A case is a folder with ``document``, ``bundle.evidence.json``, ``trust.toml``
and ``block-hashes.txt``; where they lie there, also ``registry.json`` and
``log-entries.bin``. ``expected.json`` says what must come out: the verdict, the
exit code, the checks that fail (for `refuted`) or are unknown (for
`cannot_tell`), and further arguments. A folder whose name ends in ``_fail``
must not be proven.

What is expected stands here by hand; nothing is copied from a run. Everything
is derived from names, so that writing the cases anew changes no byte.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
for folder in ("tests", "verifier", "ledger"):
    sys.path.insert(0, str(HERE.parents[1] / folder))

from evidence import (  # noqa: E402
    DOCUMENT_BYTES,
    LI,
    RULES,
    WANG,
    ZHAO,
    Chain,
    Scene,
    approved,
    close,
    log_vkey,
    office,
    plain,
    trust_toml,
)
from office import (  # noqa: E402
    DOCUMENT,
    INTAKE_KEYID,
    INTAKE_PUBLIC,
    INTAKE_SEED,
    LOG_SEED,
    ORIGIN,
    RECORD_KEY,
    REGISTRY,
    REGISTRY_KEY,
    ROOT,
    ROOT_TWO,
    Person,
    key_registration,
    prior_of,
    secret,
    statement,
)
from vermilion_ledger.bundle import EvidenceBundle  # noqa: E402
from vermilion_ledger.checkpoint import Checkpoint  # noqa: E402
from vermilion_ledger.commitment import encode_entry, make_tag  # noqa: E402
from vermilion_ledger.encoding import encode_json  # noqa: E402
from vermilion_ledger.envelope import Signature, make_envelope, sign_intake  # noqa: E402
from vermilion_ledger.merkle import hash_leaf  # noqa: E402
from vermilion_ledger.note import (  # noqa: E402
    COSIGNATURE,
    ED25519,
    NoteSignature,
    VerifierKey,
    encode_note,
)
from vermilion_ledger.records import Status  # noqa: E402
from vermilion_ledger.rules import hash_rules  # noqa: E402
from vermilion_ledger.schemes import ed25519  # noqa: E402
from vermilion_ledger.statement import Subject  # noqa: E402

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


def all_cases() -> Iterator[Case]:
    """Every case; names are unique."""
    yield from good_cases()
    yield from bundle_cases()
    yield from log_cases()
    yield from statement_cases()
    yield from key_cases()
    yield from rule_cases()
    yield from record_cases()
    yield from anchor_cases()
    yield from time_cases()
    yield from audit_cases()


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


def convert(scene: Scene) -> None:
    scene.event("convert", content=b"pdf/a", detail={"from": DOCUMENT.hex()})


def two_chains() -> Scene:
    scene = plain()
    scene.anchor(chain=scene.second, number=7)
    return scene


def both(scene: Scene) -> str:
    return trust_toml([scene.chain, scene.second], anchors="2")


def bundle_cases() -> Iterator[Case]:
    """bundle.parse and document.digest."""
    scene = plain()
    data = encode_json(scene.bundle().to_json())
    note = scene.bundle().note
    parse = "bundle.parse"
    for name, why, bundle in (
        ("final_newline", "canonical JSON has no final newline", data + b"\n"),
        ("duplicate_key", "a member stands twice", data.replace(b"{", b'{"anchors":[],', 1)),
        ("unknown_member", "a member that the format has not", data[:-1] + b',"zzz":1}'),
        ("float", "an integer written as a float", data.replace(b'"index":0', b'"index":0.0')),
        (
            "windows_note",
            "the note has Windows line ends",
            encode_json(scene.bundle().to_json() | {"checkpoint": note.replace("\n", "\r\n")}),
        ),
        ("truncated", "the file ends early", data[:-100]),
        ("not_utf8", "a byte that is no UTF-8", data.replace(b"current", b"curr\xffnt")),
    ):
        yield case(name, why, "refuted", scene, parse, bundle=bundle)
    yield case(
        "later_version",
        "a bundle of version 2",
        "cannot_tell",
        scene,
        parse,
        bundle=data.replace(b"evidence.v1+json", b"evidence.v2+json"),
    )
    yield case(
        "other_document",
        "one byte more",
        "refuted",
        scene,
        "document.digest",
        content=b"the contract\n",
    )
    scene = plain(anchored=False)
    scene.event("version", subject=Subject(name="a", sha256=DOCUMENT, sm3=bytes(32)))
    yield case(
        "other_sm3", "the recorded SM3 is of other bytes", "refuted", scene, "document.digest"
    )


def log_cases() -> Iterator[Case]:
    """log.inclusion, checkpoint.signature, witness.quorum."""
    scene = plain(anchored=False)
    scene.event("review")
    scene.anchor()
    bundle = scene.bundle()
    last = bundle.entries[-1]
    for name, why, change in (
        ("other_salt", "the salt opens another commitment", {"salt": bytes(32)}),
        ("short_proof", "the inclusion proof is too short", {"proof": ()}),
        ("long_proof", "the inclusion proof is too long", {"proof": (*last.proof, bytes(32))}),
        ("index_beyond", "the leaf lies beyond the checkpoint", {"index": 99}),
    ):
        changed: dict[str, Any] = change
        entries = (*bundle.entries[:-1], replace(last, **changed))
        yield case(
            name, why, "refuted", scene, "log.inclusion", bundle=scene.bundle(entries=entries)
        )
    checkpoint = "checkpoint.signature"
    for name, why, lines in (
        ("unsigned_note", "only a stranger signed", [log_line(scene, NEW_LOG_SEED)]),
        ("bad_note", "the log's signature is of other bytes", [spoil(log_line(scene))]),
        (
            "bad_beside_good",
            "a bad line beside the good one",
            [log_line(scene), spoil(log_line(scene))],
        ),
    ):
        bundle = scene.bundle(note=encode_note(text_of(scene), lines))
        yield case(name, why, "refuted", scene, checkpoint, bundle=bundle)
    rotated = (
        f'[{{vkey = "{log_vkey()}", from = 0, until = 1}},'
        f' {{vkey = "{log_vkey(NEW_LOG_SEED)}", from = 1}}]'
    )
    new = scene.bundle(note=encode_note(text_of(scene), [log_line(scene, NEW_LOG_SEED)]))
    trust = trust_toml([scene.chain], log_keys=rotated)
    yield case(
        "rotated_key", "the log's second key signed", "proven", scene, bundle=new, trust=trust
    )
    yield case(
        "retired_key", "the log's first key is retired", "refuted", scene, checkpoint, trust=trust
    )
    witnesses = ", ".join(f'"{witness_vkey(name)}"' for name in ("w1.example", "w2.example"))
    trust = trust_toml([scene.chain], witness_quorum="2", witness_keys=f"[{witnesses}]")
    one, two = (cosignature(scene, name) for name in ("w1.example", "w2.example"))
    for name, why, verdict, lines in (
        ("witnessed", "two witnesses cosigned", "proven", [one, two]),
        ("one_witness", "one of two witnesses cosigned", "cannot_tell", [one]),
        (
            "one_witness_twice",
            "a witness counts once",
            "cannot_tell",
            [one, cosignature(scene, "w1.example", 2)],
        ),
        ("bad_witness", "a cosignature of other bytes", "refuted", [one, two, spoil(two)]),
    ):
        bundle = scene.bundle(note=encode_note(text_of(scene), [log_line(scene), *lines]))
        checks = [] if verdict == "proven" else ["witness.quorum"]
        yield case(name, why, verdict, scene, *checks, bundle=bundle, trust=trust)


def text_of(scene: Scene) -> str:
    return Checkpoint(origin=ORIGIN, size=scene.log.size, root=scene.log.root).text


def log_line(scene: Scene, seed: bytes = LOG_SEED) -> NoteSignature:
    key = VerifierKey(name=ORIGIN, kind=ED25519, public=ed25519.public_key_of(seed))
    blob = ed25519.sign(seed, text_of(scene).encode())
    return NoteSignature(name=ORIGIN, key_id=key.key_id, blob=blob)


def spoil(line: NoteSignature) -> NoteSignature:
    return replace(line, blob=line.blob[:-1] + bytes([line.blob[-1] ^ 1]))


def witness_vkey(name: str) -> str:
    return log_vkey(secret(name), name, COSIGNATURE)


def cosignature(scene: Scene, name: str, seconds: int = 1) -> NoteSignature:
    seed = secret(name)
    key = VerifierKey(name=name, kind=COSIGNATURE, public=ed25519.public_key_of(seed))
    message = f"cosignature/v1\ntime {seconds}\n{text_of(scene)}".encode()
    blob = seconds.to_bytes(8, "big") + ed25519.sign(seed, message)
    return NoteSignature(name=name, key_id=key.key_id, blob=blob)


def statement_cases() -> Iterator[Case]:
    """statement.binding, signature.intake, signature.actor."""
    binding = "statement.binding"
    stranger = Person(name="stranger", may=("supersede",))
    for name, why, scene in (
        (
            "other_ledger",
            "said to another ledger",
            made(lambda s: s.event("review", ledger="x.example")),
        ),
        (
            "other_record",
            "said about another record",
            made(lambda s: s.event("review", record=REGISTRY)),
        ),
        (
            "nonce_reused",
            "one nonce twice",
            made(*[lambda s: s.event("review", nonce=bytes(16))] * 2),
        ),
        ("registered_twice", "register comes once", made(lambda s: s.event("register"))),
        ("no_seen", "a decision quotes a block", made(lambda s: s.event("seal", WANG, seen=None))),
        (
            "no_prior",
            "a decision names its prior",
            made(lambda s: s.event("seal", WANG, prior=None)),
        ),
        ("held_back", "an approval held back undoes no rejection", made(held_back)),
        (
            "not_owner",
            "a stranger ends the record",
            made(
                lambda s: s.register_key(stranger, ROOT), lambda s: s.event("supersede", stranger)
            ),
        ),
        (
            "unrecorded",
            "a decision about a version never recorded",
            made(lambda s: s.approve(WANG, subject=Subject(name="x", sha256=bytes(32)))),
        ),
        (
            "other_policy",
            "a decision under another policy",
            made(lambda s: s.approve(WANG, more={"policy": "00" * 32})),
        ),
    ):
        yield case(name, why, "refuted", scene, binding)
    scene = made(lambda s: s.event("review"), lambda s: s.event("seal", WANG))
    scene.anchor()
    yield case(
        "prior_left_out",
        "the entry that was seen is left out",
        "cannot_tell",
        scene,
        binding,
        "record.completeness",
        bundle=scene.bundle(withhold=True, without=[1]),
    )
    bare = make_envelope(statement("review", nonce=bytes(16)).encode(), ())
    aggregate = Signature(
        keyids=tuple(sorted(("00" * 32, INTAKE_KEYID))), scheme="bls12381-g2-pop", sig=b"", extra={}
    )
    intake = "signature.intake"
    for name, why, signed in (
        ("no_intake", "the ledger did not sign", bare),
        (
            "intake_aggregate",
            "an aggregate names the intake key",
            make_envelope(bare.payload, (aggregate,)),
        ),
    ):
        scene = begun()
        scene.smuggle(signed)
        yield case(name, why, "refuted", scene, intake)
    scene = begun()
    scene.smuggle(WANG.sign(sign_intake(bare, INTAKE_SEED)))
    yield case(
        "signed_after_intake",
        "a signature that the ledger had not accepted",
        "refuted",
        scene,
        intake,
        "key.validity",
    )
    keys = f'[{{key = "{INTAKE_PUBLIC.hex()}", from = 1}}]'
    scene = plain(anchored=False)
    scene.event("review")
    yield case(
        "intake_not_in_force",
        "the intake key comes later",
        "refuted",
        scene,
        intake,
        trust=trust_toml([scene.chain], intake=keys),
    )
    yield from signature_cases()


def held_back(scene: Scene) -> None:
    seen = prior_of(scene.last[RECORD_KEY])
    scene.approve(WANG, decision="rejected")
    scene.approve(WANG, prior=seen)


def signature_cases() -> Iterator[Case]:
    """signature.actor."""
    actor = "signature.actor"
    scene = made(unsigned_seal)
    yield case("unsigned", "an event that needs a person has none", "refuted", scene, actor)
    scene = made(lambda s: s.event("seal", Person(name="nobody")))
    yield case("unknown_key", "nobody registered the key", "refuted", scene, actor, "key.validity")
    for person in (WANG, LI):
        for place in (0, 40):
            scene = begun()
            scene.smuggle(sign_intake(spoilt_approval(scene, person, place), INTAKE_SEED))
            name = f"bad_{person.scheme.partition('-')[0]}_{place}"
            yield case(name, "a bit of the signature changed", "refuted", scene, actor)


def unsigned_seal(scene: Scene) -> None:
    scene.event("seal", seen=scene.chain.seen(), prior=prior_of(scene.last[RECORD_KEY]))


def spoilt_approval(scene: Scene, person: Person, place: int) -> Any:
    said = statement(
        "approve",
        actor=person.actor,
        nonce=bytes(16),
        seen=scene.chain.seen(),
        prior=prior_of(scene.last[RECORD_KEY]),
    )
    signed = person.sign(make_envelope(said.encode(), ()))
    sig = bytearray(signed.signatures[0].sig)
    sig[place] ^= 1
    return make_envelope(signed.payload, (replace(signed.signatures[0], sig=bytes(sig)),))


def key_cases() -> Iterator[Case]:
    """key.validity."""
    validity = "key.validity"
    for name, why, scene in (
        (
            "may_not",
            "the key may not seal",
            made(lambda s: s.register_key(NEW, ROOT), lambda s: s.event("seal", NEW)),
        ),
        (
            "other_actor",
            "the actor is not the owner",
            made(lambda s: s.event("seal", WANG, actor=LI.actor)),
        ),
        (
            "registered_later",
            "the key signed before it was registered",
            made(
                lambda s: s.event("approve", NEW, detail=STEP), lambda s: s.register_key(NEW, ROOT)
            ),
        ),
        (
            "revoked_before",
            "the key signed after it was revoked",
            made(lambda s: s.revoke_key(WANG, ROOT), lambda s: s.approve(WANG)),
        ),
        ("no_root", "a key registered without the root", made(lambda s: s.register_key(NEW, WANG))),
        (
            "twice_registered",
            "a key registered twice",
            made(lambda s: s.register_key(WANG, ROOT, may=["seal"])),
        ),
        ("stranger_revokes", "a stranger revoked a key", made(lambda s: s.revoke_key(WANG, ZHAO))),
    ):
        yield case(name, why, "refuted", scene, validity)
    scene = begun()
    place = scene.approve(WANG)
    scene.revoke_key(WANG, ROOT, compromisedSince=place.index)
    yield case("compromised", "the key counts as compromised then", "cannot_tell", scene, validity)
    scene = three_roots(ROOT_TWO)
    yield case(
        "one_root", "one of three roots", "refuted", scene, validity, trust=roots_toml(scene)
    )
    scene = begun()
    weak = b"\x01" + bytes(31)
    said = replace(
        key_registration(WANG, key=weak.hex()),
        subject=Subject(name="weak", sha256=hashlib.sha256(weak).digest()),
        nonce=bytes(16),
    )
    scene.add(said, ROOT, record_key=REGISTRY_KEY)
    yield case("small_order_key", "a key of small order", "refuted", scene, validity)


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


def rule_cases() -> Iterator[Case]:
    """approval.rule."""
    rule = "approval.rule"
    scene = under_policy()
    scene.approve(WANG)
    yield case("one_approval", "two owners had to approve", "refuted", scene, rule)
    scene = under_policy()
    scene.approve(WANG)
    scene.approve(LI)
    scene.approve(WANG, decision="rejected")
    yield case("taken_back", "an approval was taken back", "refuted", scene, rule)
    scene = office(rules=None)
    scene.event("register", detail={"policy": hash_rules(RULES).hex()})
    scene.approve(WANG)
    scene.approve(LI)
    scene.policy(RULES)
    yield case("policy_too_late", "the policy was adopted later", "cannot_tell", scene, rule)
    scene = approved()
    trust = trust_toml([scene.chain], rules='[{event = "seal", count = 1}]')
    yield case("own_rule", "the verifier's own rule is unmet", "refuted", scene, rule, trust=trust)
    bundle = scene.bundle(withhold=True, without=[1])
    checks = ("statement.binding", rule, "record.completeness")
    yield case(
        "rule_of_a_part", "an approval is left out", "cannot_tell", scene, *checks, bundle=bundle
    )


def under_policy() -> Scene:
    scene = office()
    scene.event("register", detail={"policy": hash_rules(RULES).hex()})
    return scene


def record_cases() -> Iterator[Case]:
    """record.completeness and the status of a version."""
    complete = "record.completeness"
    scene = made(lambda s: s.event("revoke", ZHAO))
    yield case("revoked", "the version was revoked", "revoked", scene)
    bundle = scene.bundle(closing={"status": Status.CURRENT})
    yield case(
        "closing_lies", "the closing says current", "refuted", scene, complete, bundle=bundle
    )
    scene = made(convert, lambda s: s.event("revoke", ZHAO))
    yield case(
        "converted_of_revoked", "made from a revoked version", "revoked", scene, content=b"pdf/a"
    )
    scene = made(lambda s: s.event("review"), lambda s: s.event("version", content=b"second"))
    scene.anchor()
    whole = scene.bundle(withhold=True)
    cut = replace(whole, entries=(whole.entries[0], whole.entries[2]))
    yield case(
        "cut_by_a_stranger", "nobody but the ledger cuts", "refuted", scene, complete, bundle=cut
    )
    yield case(
        "cut_older_version",
        "what became of an older version may be left out",
        "cannot_tell",
        scene,
        complete,
        bundle=close(cut),
    )
    bundle = close(scene.bundle(), secret("not an intake key"))
    yield case(
        "closing_by_another", "no intake key closed it", "refuted", scene, complete, bundle=bundle
    )


def anchor_cases() -> Iterator[Case]:
    """anchor.receipt, anchor.block, anchor.finality."""
    receipt = "anchor.receipt"
    yield case("pending", "not anchored yet", "pending", plain(anchored=False))
    scene = plain()
    yield case("one_of_two_chains", "two are required", "pending", scene, trust=both(scene))
    unknown = ("anchor.block", "anchor.finality")
    yield case(
        "no_hashes", "nobody vouches for the block", "cannot_tell", scene, *unknown, hashes=""
    )
    other = f"31337 101 0x{'00' * 32}\n"
    yield case(
        "other_block", "another hash at that height", "refuted", scene, "anchor.block", hashes=other
    )
    for name, why, change in (
        ("other_transaction", "another position in the block", {"transaction_index": 0}),
        ("other_event", "another event of the transaction", {"log_index": 0}),
        ("empty_receipt_proof", "no proof in the trie", {"receipt_proof": ()}),
        ("needless_consistency", "a proof between equal sizes", {"consistency": ()}),
    ):
        changed: dict[str, Any] = change
        bundle = scene.bundle(anchors=(replace(scene.anchors[0], **changed),))
        yield case(name, why, "refuted", scene, receipt, bundle=bundle)
    scene = plain(anchored=False)
    stranger = office(rules=None)
    scene.anchors = [scene.chain.anchor(stranger.log, number=50, size=1)]
    yield case("other_tree", "the anchor is of another tree", "refuted", scene, receipt)
    scene = plain()
    scene.event("review")
    bundle = scene.bundle(anchors=(scene.anchors[0],))
    yield case(
        "no_consistency",
        "nothing leads to the checkpoint",
        "refuted",
        scene,
        receipt,
        bundle=bundle,
    )


def time_cases() -> Iterator[Case]:
    """timestamp.token and time.interval."""
    interval = "time.interval"
    scene = made(lambda s: s.event("seal", WANG))
    scene.anchor(number=106)
    hashes = scene.hash_list().replace(scene.chain.hashes[31337, 10].hex(), "00" * 32)
    yield case(
        "seen_contradicted",
        "the quoted block is another",
        "refuted",
        scene,
        interval,
        hashes=hashes,
    )
    yield case(
        "stale",
        "asked to be newer than it is",
        "cannot_tell",
        scene,
        interval,
        arguments=("--as-of", "2027-01-01T00:00:00Z"),
    )
    yield case(
        "time_stamp_required",
        "the policy requires a time-stamp, and there is none",
        "cannot_tell",
        scene,
        "timestamp.token",
        trust=trust_toml([scene.chain], timestamps="1"),
    )
    scene = made(lambda s: s.event("seal", WANG, seen=s.chain.seen(200)))
    scene.anchor(number=150)
    yield case("seen_above_anchor", "quotes a block above its anchor", "refuted", scene, interval)
    scene = made(lambda s: s.event("seal", WANG, seen=replace(s.chain.seen(), number=9)))
    yield case("seen_other_number", "calls the block another number", "refuted", scene, interval)


def audit_cases() -> Iterator[Case]:
    """With the log's entries, and with the registry file."""
    scene = approved()
    more = {"log-entries.bin": log_of(scene), "registry.json": scene.registry_file()}
    yield case("audited", "registry and log agree with the bundle", "proven", scene, more=more)
    complete = "record.completeness"
    short = {"log-entries.bin": log_of(scene)[:-65]}
    yield case(
        "short_log", "the log ends before the checkpoint", "refuted", scene, complete, more=short
    )
    scene = approved(anchored=False)
    entry = encode_entry(secret("any commitment"), make_tag(RECORD_KEY, 3))
    scene.event("review", record_key=secret("some other record"), content=b"x")
    scene.log.entries.append(entry)
    scene.log._nodes.update(scene.log._frontier.append(hash_leaf(entry)))
    scene.anchor()
    more = {"log-entries.bin": log_of(scene)}
    yield case("hidden_entry", "the log has one entry more", "refuted", scene, complete, more=more)
    scene = begun()
    scene.revoke_key(WANG, ROOT)
    scene.approve(WANG)
    scene.anchor()
    hiding = scene.bundle(keys=scene.bundle().keys[:-1])
    more = {"log-entries.bin": log_of(scene), "registry.json": scene.registry_file()}
    yield case(
        "hidden_revocation",
        "the bundle keeps a revocation back",
        "refuted",
        scene,
        "key.validity",
        bundle=hiding,
        more=more,
    )


def log_of(scene: Scene) -> bytes:
    return b"".join(scene.log.entries)


def main() -> int:
    """Write every case anew; folders of cases that are no more go away."""
    for folder in HERE.iterdir():
        if (folder / "expected.json").is_file():
            shutil.rmtree(folder)
    count = 0
    for each in all_cases():
        folder = HERE / each.name
        folder.mkdir()
        for name, data in each.files().items():
            (folder / name).write_bytes(data)
        count += 1
    print(f"{count} cases")
    return 0


if __name__ == "__main__":
    sys.exit(main())
