"""Records that were cut, anchors that do not hold, times that do not fit, hidden entries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from conformance.case import (
    Case,
    begun,
    both,
    case,
    convert,
    log_of,
    made,
)
from evidence import WANG, ZHAO, approved, close, office, plain
from office import (
    RECORD_KEY,
    ROOT,
    secret,
)
from trusted import trust_toml
from tsa import make_ca, make_response, make_signer, make_token
from vermilion_ledger.commitment import encode_entry, make_tag
from vermilion_ledger.merkle import hash_leaf
from vermilion_ledger.records import Status


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
    yield from _time_stamp_cases()
    scene = made(lambda s: s.event("seal", WANG, seen=s.chain.seen(200)))
    scene.anchor(number=150)
    yield case("seen_above_anchor", "quotes a block above its anchor", "refuted", scene, interval)
    scene = made(lambda s: s.event("seal", WANG, seen=replace(s.chain.seen(), number=9)))
    yield case("seen_other_number", "calls the block another number", "refuted", scene, interval)


def _time_stamp_cases() -> Iterator[Case]:
    root, stranger = make_ca("Root", seed="root"), make_ca("Stranger", seed="stranger")
    signer = make_signer(root, seed="signer")
    scene = plain()
    text = scene.signed_text()
    counted = "2\ntimestamps_count = true"
    good, check = make_token(signer, text), "timestamp.token"
    for name, why, verdict, checks, token, anchors in (
        ("time_stamped", "required, and there", "proven", (), good, "1"),
        ("time_stamp_counts", "counts as one more chain", "proven", (), good, counted),
        (
            *("time_stamp_of_a_stranger", "of nobody whom the policy names", "cannot_tell"),
            *((check,), make_token(make_signer(stranger, seed="strange"), text), "1"),
        ),
        (
            *("time_stamp_elsewhere", "stamps another checkpoint", "refuted", (check,)),
            *(make_token(signer, text + b"\n"), "1"),
        ),
        (
            *("time_stamp_response", "the response, not the token", "refuted", (check,)),
            *(make_response(good), "1"),
        ),
    ):
        yield case(
            name,
            why,
            verdict,
            scene,
            *checks,
            bundle=scene.bundle(timestamps=(token,)),
            trust=trust_toml([scene.chain], timestamps='1\nroots = ["tsa.pem"]', anchors=anchors),
            more={"tsa.pem": root.pem},
        )
    yield case(
        "time_stamp_is_not_fresh",
        "asked to be newer than a time, and no block tells how new it is",
        "cannot_tell",
        scene,
        "time.interval",
        bundle=scene.bundle(timestamps=(good,), anchors=()),
        trust=trust_toml(
            [scene.chain],
            timestamps='1\nroots = ["tsa.pem"]',
            anchors="1\ntimestamps_count = true",
        ),
        more={"tsa.pem": root.pem},
        arguments=("--as-of", "2026-11-01T00:00:00Z"),
    )


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
