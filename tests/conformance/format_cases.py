"""Bundles of another shape, entries and checkpoints of another log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from conformance.case import (
    NEW_LOG_SEED,
    Case,
    case,
)
from evidence import Scene, plain
from office import (
    DOCUMENT,
    LOG_SEED,
    ORIGIN,
    secret,
)
from trusted import log_vkey, trust_toml
from vermilion_ledger.checkpoint import Checkpoint
from vermilion_ledger.encoding import encode_json
from vermilion_ledger.note import (
    COSIGNATURE,
    ED25519,
    NoteSignature,
    VerifierKey,
    encode_note,
)
from vermilion_ledger.schemes import ed25519
from vermilion_ledger.statement import Subject


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
