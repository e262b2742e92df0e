"""Vectors of what people sign and hand over: statements, rules, envelopes, bundles."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import office
from vermilion_ledger.commitment import make_tag
from vermilion_ledger.encoding import encode_base64, encode_json
from vermilion_ledger.envelope import Signature, make_envelope, sign_intake

__all__ = ["vectors"]

Vector = dict[str, Any]
Named = Iterator[tuple[str, str, Vector]]
Change = Callable[[dict[str, Any]], object]


def vectors() -> Named:
    """Yield folder, name and vector."""
    yield from _statements()
    yield from _rules()
    yield from _envelopes()
    yield from _bundles()


def _refused(why: str, code: str, **members: Any) -> Vector:
    return {"why": why, "accept": False, "code": code, **members}


def _accepted(why: str, **members: Any) -> Vector:
    return {"why": why, "accept": True, **members}


def _changed(data: bytes, change: Change) -> bytes:
    """Canonical bytes of a JSON object after a change in place."""
    value = json.loads(data)
    change(value)
    return encode_json(value)


def _set(*path: str | int, to: Any) -> Change:
    def change(value: Any) -> None:
        for step in path[:-1]:
            value = value[step]
        value[path[-1]] = to

    return change


def _drop(*path: str | int) -> Change:
    def change(value: Any) -> None:
        for step in path[:-1]:
            value = value[step]
        del value[path[-1]]

    return change


APPROVE = office.statement("approve", seen=office.SEEN, actor=office.LI.actor).encode()
REGISTER = office.statement("register").encode()
REGISTRATION = office.key_registration(office.WANG).encode()
REVOCATION = office.key_revocation(office.WANG, compromisedSince=3).encode()


def _statements() -> Named:
    for name, why, data in (
        ("register", "the first event of a record", REGISTER),
        ("approve", "a decision that quotes a block", APPROVE),
        ("key-register", "a key event", REGISTRATION),
        ("key-revoke", "with the index of the theft", REVOCATION),
        ("further-detail", "record events may say more", _changed(REGISTER, _set("predicate", "detail", to={"pages": 3, "deep": {"a": [None]}}))),
    ):
        yield "statement", name, _accepted(why, statement=encode_base64(data))
    yield from _statement_attacks()
    spaced = json.dumps(json.loads(REGISTER), ensure_ascii=False).encode()
    large = _changed(REGISTER, _set("predicate", "detail", to={"x": "y" * 33_000}))
    for name, why, code, data in (
        ("not-canonical", "the same members with spaces", "json.not-canonical", spaced),
        ("final-line-feed", "a byte behind", "json.not-canonical", REGISTER + b"\n"),
        ("above-32-kib", "too large", "json.too-large", large),
        ("list", "a list in place of an object", "json.shape", b"[]"),
    ):
        yield "statement", name, _refused(why, code, statement=encode_base64(data))


def _statement_attacks() -> Named:
    approve, register, registration, revocation = APPROVE, REGISTER, REGISTRATION, REVOCATION
    body = ("predicate",)
    missing, unknown, shape = "json.missing-member", "json.unknown-member", "json.shape"
    attacks: tuple[tuple[str, str, str, bytes, Change], ...] = (
        ("other-type", "another kind of statement", "statement.type", register, _set("_type", to="https://in-toto.io/Statement/v0.1")),
        ("other-predicate", "another predicate", "statement.predicate-type", register, _set("predicateType", to="urn:vermilion:record-event:v2")),
        ("predicate-list", "a list in place of a word", "statement.predicate-type", register, _set("predicateType", to=[])),
        ("two-subjects", "about two documents at once", "statement.subject", register, lambda v: v["subject"].append(v["subject"][0])),
        ("no-subject", "about none", "statement.subject", register, _set("subject", to=[])),
        ("sha1-digest", "an algorithm that is not ours", unknown, register, _set("subject", 0, "digest", "sha1", to="00" * 20)),
        ("no-sha256", "SM3 alone", missing, register, _set("subject", 0, "digest", to={"sm3": "00" * 32})),
        ("upper-case-digest", "one digest, one text", "hex.malformed", register, _set("subject", 0, "digest", "sha256", to="AB" * 32)),
        ("override-in-name", "a name that reads otherwise", "text.control-character", register, _set("subject", 0, "name", to="a\u202efdp.exe")),
        ("name-of-1025-bytes", "a long name", "text.too-long", register, _set("subject", 0, "name", to="n" * 1025)),
        ("key-word-in-record", "an event of another family", "statement.event", register, _set(*body, "event", to="adopt")),
        ("record-word-in-key", "an event of another family", "statement.event", registration, _set(*body, "event", to="approve")),
        ("unknown-event", "no such event", "statement.event", register, _set(*body, "event", to="delete")),
        ("event-list", "a list in place of a word", "statement.event", register, _set(*body, "event", to=["register"])),
        ("unknown-member", "a member that nobody knows", unknown, register, _set(*body, "expires", to="2027")),
        ("no-nonce", "could be replayed", missing, register, _drop(*body, "nonce")),
        ("short-nonce", "15 bytes", "hex.malformed", register, _set(*body, "nonce", to="00" * 15)),
        ("no-detail", "detail is never left out", missing, register, _drop(*body, "detail")),
        ("detail-list", "a list in place of an object", "detail.shape", register, _set(*body, "detail", to=[])),
        ("actor-without-id", "nobody", "text.empty", register, _set(*body, "actor", "id", to="")),
        ("actor-with-more", "exactly four members", unknown, register, _set(*body, "actor", "mail", to="a@b")),
        ("local-time", "not UTC", "time.malformed", register, _set(*body, "time", to="2026-11-21T08:00:00+08:00")),
        ("bad-record-id", "no record", "record.malformed-id", register, _set(*body, "record", to="rec_1")),
        ("seen-without-hash", "a block without its hash", missing, approve, _drop(*body, "seen", "hash")),
        ("seen-float", "a number that is none", "json.not-count", approve, _set(*body, "seen", "number", to="42")),
        ("seen-true", "true is not 1", "json.not-count", approve, _set(*body, "seen", "number", to=True)),
        ("seen-negative", "before the first block", "json.not-count", approve, _set(*body, "seen", "number", to=-1)),
        ("prior-null", "null is not absent", shape, approve, _set(*body, "prior", to=None)),
        ("prior-short-hash", "no hash", "hex.malformed", approve, _set(*body, "prior", to={"sequence": 0, "envelope": "00"})),
        ("no-decision", "a decision that decides nothing", "detail.decision", approve, _drop(*body, "detail", "decision")),
        ("other-decision", "neither yes nor no", "detail.decision", approve, _set(*body, "detail", "decision", to="maybe")),
        ("decision-list", "a list in place of a word", "detail.decision", approve, _set(*body, "detail", "decision", to=["approved"])),
        ("no-step", "a decision on no step", "text.shape", approve, _drop(*body, "detail", "step")),
        ("empty-step", "a step without a name", "text.empty", approve, _set(*body, "detail", "step", to="")),
        ("short-policy", "no policy's digest", "hex.malformed", approve, _set(*body, "detail", "policy", to="00")),
        ("key-further-detail", "key events say nothing more", unknown, registration, _set(*body, "detail", "note", to="x")),
        ("key-unsorted-may", "one list, one text", "detail.may", registration, lambda v: v["predicate"]["detail"]["may"].reverse()),
        ("key-may-twice", "one list, one text", "detail.may", registration, _set(*body, "detail", "may", to=["seal", "seal"])),
        ("key-may-unknown", "no such event", "detail.may", registration, _set(*body, "detail", "may", to=["everything"])),
        ("key-officer-1", "1 is not true", "detail.officer", registration, _set(*body, "detail", "officer", to=1)),
        ("key-pop-of-ed25519", "a member of another scheme", unknown, registration, _set(*body, "detail", "pop", to="AAAA")),
        ("key-bls-without-pop", "a rogue key", missing, registration, _set(*body, "detail", "scheme", to="bls12381-g2-pop")),
        ("key-odd-hex", "half a byte", "detail.key", registration, _set(*body, "detail", "key", to="000")),
        ("revoke-without-reason", "why is part of it", missing, revocation, _drop(*body, "detail", "reason")),
        ("revoke-negative-index", "before the first leaf", "json.not-count", revocation, _set(*body, "detail", "compromisedSince", to=-1)),
    )
    for name, why, code, data, change in attacks:
        yield ("statement", name, _refused(why, code, statement=encode_base64(_changed(data, change))))


def _rules() -> Named:
    one = {"event": "approve", "count": 1, "step": "draft"}
    for name, why, rules in (
        ("empty", "no rule at all", []),
        ("one", "one rule", [one]),
        ("after", "in order", [one, {"event": "seal", "count": 1, "after": "draft"}]),
        ("all-members", "everything", [one, one | {"step": "final", "post": "", "unit": "财务处", "after": "draft", "notBy": "register"}]),
        ("sixty-four", "the largest number", [one] * 64),
        ("within", "a term", [one | {"within": "P1DT12H"}]),
        ("within-second", "the shortest term", [one | {"within": "PT1S"}]),
        ("within-century", "the longest term, in weeks and days", [one | {"within": "P5217W6D"}]),
    ):
        yield "rules", name, _accepted(why, rules=rules)
    refused: tuple[tuple[str, str, str, Any], ...] = (
        ("object", "one rule without its list", "rules.shape", one),
        ("sixty-five", "one too many", "rules.too-many", [one] * 65),
        ("count-0", "met by nobody", "rules.count", [one | {"count": 0}]),
        ("count-101", "more than 100", "rules.count", [one | {"count": 101}]),
        ("count-true", "true is not 1", "json.not-count", [one | {"count": True}]),
        ("no-count", "how many is not said", "json.missing-member", [{"event": "seal"}]),
        ("no-event", "which is not said", "json.missing-member", [{"count": 1}]),
        ("unknown-event", "no such event", "rules.event", [one | {"event": "sign"}]),
        ("event-list", "a list in place of a word", "rules.event", [one | {"event": ["approve"]}]),
        ("unknown-member", "no such member", "json.unknown-member", [one | {"before": "2027"}]),
        ("after-unknown", "no rule has that step", "rules.after", [one | {"after": "final"}]),
        ("after-itself", "its own step is not earlier", "rules.after", [one | {"after": "draft"}]),
        ("after-later", "the rule comes later", "rules.after", [{"event": "seal", "count": 1, "after": "draft"}, one]),
        ("within-no-second", "no time at all", "rules.within", [one | {"within": "PT0S"}]),
        ("within-too-long", "a day above a hundred years", "rules.within", [one | {"within": "P36526D"}]),
        ("within-months", "a month has no length", "duration.malformed", [one | {"within": "P1M"}]),
        ("within-fraction", "no fractions", "duration.malformed", [one | {"within": "PT1.5H"}]),
        ("within-date", "a date is no term", "duration.malformed", [one | {"within": "2027-01-01T00:00:00Z"}]),
        ("within-number", "a number of what", "duration.malformed", [one | {"within": 86400}]),
        ("within-null", "nothing in place of absence", "duration.malformed", [one | {"within": None}]),
        ("within-empty-time", "a T with nothing behind", "duration.malformed", [one | {"within": "P1DT"}]),
        ("not-by-unknown", "no such event", "rules.event", [one | {"notBy": "sign"}]),
        ("empty-step", "a step without a name", "text.empty", [one | {"step": ""}]),
        ("control-in-post", "a line feed", "text.control-character", [one | {"post": "a\nb"}]),
    )
    for name, why, code, bad in refused:
        yield "rules", name, _refused(why, code, rules=bad)


def _envelopes() -> Named:
    made = office.statement("approve", seen=office.SEEN, actor=office.LI.actor)
    wallet = office.Person(name="wallet", scheme="secp256k1-eip712")
    keys = {person.keyid: person.public_key.hex() for person in (office.WANG, office.LI, wallet)}

    def vector(data: bytes) -> Vector:
        return {"envelope": encode_base64(data), "intake": office.INTAKE_PUBLIC.hex(), "keys": keys}

    good = office.envelope(made, office.LI).data
    for name, why, data in (
        ("one-signer", "an actor and the ledger", good),
        ("two-signers", "two actors and the ledger", office.envelope(made, office.LI, office.WANG).data),
        ("wallet", "typed data of EIP-712", office.envelope(made, wallet).data),
        ("no-actor", "the ledger alone", office.envelope(office.statement("register")).data),
    ):
        yield "envelope", name, _accepted(why, **vector(data))
    unsigned = make_envelope(made.encode(), ())
    other = office.LI.sign(make_envelope(office.statement("register").encode(), ()))
    moved = copy.deepcopy(other.signatures)
    li = office.LI.sign(unsigned).signatures[0].to_json()
    second = li | {"keyid": office.WANG.keyid}
    first, at = "signatures", 0
    attacks: tuple[tuple[str, str, str, Change], ...] = (
        ("other-payload-type", "another kind of payload", "envelope.payload-type", _set("payloadType", to="text/plain")),
        ("unknown-member", "a member beside", "json.unknown-member", _set("note", to=1)),
        ("signatures-object", "no list", "envelope.signatures", _set(first, to={})),
        ("unknown-scheme", "none is no scheme", "scheme.unknown", _set(first, at, "scheme", to="none")),
        ("scheme-list", "a list in place of a word", "scheme.unknown", _set(first, at, "scheme", to=["ed25519"])),
        ("signature-null", "null in place of a signature", "scheme.unknown", _set(first, at, to=None)),
        ("upper-case-keyid", "one key, one text", "hex.malformed", _set(first, at, "keyid", to=office.LI.keyid.upper())),
        ("same-key-twice", "a key signs once", "envelope.repeated-signer", lambda v: v[first].insert(0, v[first][0])),
        ("aggregate-of-ed25519", "no aggregates there", "envelope.aggregate", _set(first, at, to={"keyids": sorted(keys), "scheme": "ed25519", "sig": ""})),
        ("aggregate-of-one", "one key is no aggregate", "envelope.aggregate", _set(first, at, to={"keyids": [office.LI.keyid], "scheme": "bls12381-g2-pop", "sig": ""})),
        ("aggregate-unsorted", "one list, one text", "envelope.aggregate", _set(first, at, to={"keyids": sorted(keys, reverse=True), "scheme": "bls12381-g2-pop", "sig": ""})),
        ("aggregate-beside-single", "a key of the aggregate signs singly", "envelope.repeated-signer", lambda v: v[first].insert(0, {"keyids": sorted(keys), "scheme": "bls12381-g2-pop", "sig": ""})),
        ("keyid-and-keyids", "one or the other", "json.unknown-member", _set(first, at, "keyids", to=sorted(keys))),
        ("webauthn-without-data", "what was signed is missing", "json.missing-member", _set(first, at, "scheme", to="webauthn-es256")),
        ("webauthn-data-of-ed25519", "members of another scheme", "json.unknown-member", _set(first, at, "clientDataJSON", to="")),
        ("payload-no-statement", "signed bytes that say nothing", "json.shape", _set("payload", to="W10=")),
        ("thirty-three-signatures", "one too many", "envelope.too-many-signatures", _set(first, to=[li | {"keyid": f"{n:064x}"} for n in range(33)])),
        ("no-intake", "nobody accepted it", "intake.not-one", lambda v: v[first].pop()),
        ("actor-removed", "the ledger accepted more", "signature.bad", lambda v: v[first].pop(0)),
        ("actor-added", "the ledger accepted less", "signature.bad", lambda v: v[first].insert(0, second)),
        ("intake-bad", "a bad intake signature", "signature.bad", _set(first, 1, "sig", to=encode_base64(bytes(64)))),
        ("intake-other-scheme", "intake keys are ed25519", "intake.scheme", _set(first, 1, "scheme", to="ecdsa-p256")),
    )
    for name, why, code, change in attacks:
        yield "envelope", name, _refused(why, code, **vector(_changed(good, change)))
    replayed = sign_intake(make_envelope(made.encode(), moved), office.INTAKE_SEED)
    stranger = office.envelope(made, office.ZHAO)
    lying = office.Person(name="li", scheme="ed25519")
    relabelled = make_envelope(made.encode(), [Signature(keyids=(lying.keyid,), scheme="ecdsa-p256", sig=bytes(64), extra={})])
    for name, why, code, data in (
        ("replayed-signature", "a signature of another statement", "signature.bad", replayed.data),
        ("unregistered-key", "nobody knows the signer", "key.unknown", stranger.data),
        ("relabelled-scheme", "the key's scheme decides", "signature.other-scheme", sign_intake(relabelled, office.INTAKE_SEED).data),
        ("not-canonical", "the same members with spaces", "json.not-canonical", json.dumps(json.loads(good)).encode()),
    ):
        yield "envelope", name, _refused(why, code, **vector(data))


def _bundles() -> Named:
    log = office.filled_log()
    good = log.bundle().encode()
    withheld = json.loads(good)
    del withheld["record"]["key"]
    for entry, (place, _, key) in zip(withheld["entries"], [item for item in log.items if item[2] == office.RECORD_KEY], strict=True):
        entry["tag"] = make_tag(key, place.sequence).hex()
    cut = copy.deepcopy(withheld)
    cut["entries"].pop()
    for name, why, data in (("complete", "with the record key", good), ("key-withheld", "with tags instead", encode_json(withheld)), ("entries-left-out", "an excerpt for outsiders", encode_json(cut))):
        yield "bundle", name, _accepted(why, bundle=encode_base64(data))
    header = "0x" + "c0"
    order, missing, unknown = "bundle.order", "json.missing-member", "json.unknown-member"
    attacks: tuple[tuple[str, str, str, Change], ...] = (
        ("later-version", "cannot be read, which is no refutation", "bundle.later-version", _set("mediaType", to="application/vnd.vermilion.evidence.v2+json")),
        ("other-media-type", "something else", "bundle.media-type", _set("mediaType", to="application/json")),
        ("version-0", "a version that never was", "bundle.media-type", _set("mediaType", to="application/vnd.vermilion.evidence.v0+json")),
        ("no-headers", "all members are present", missing, _drop("headers")),
        ("unknown-member", "a verdict in the bundle", unknown, _set("verdict", to="proven")),
        ("entries-reversed", "sorted by index", "bundle.first-entry", lambda v: v["entries"].reverse()),
        ("entry-twice", "no doubles", order, lambda v: v["keys"].insert(1, v["keys"][0])),
        ("keys-reversed", "sorted by index", order, lambda v: v["keys"].reverse()),
        ("sequence-repeats", "sequences rise", order, _set("entries", 1, "sequence", to=0)),
        ("first-entry-left-out", "entry 0 is never left out", "bundle.first-entry", lambda v: v["entries"].pop(0)),
        ("no-entries", "a record without entries", "bundle.first-entry", _set("entries", to=[])),
        ("entry-left-out-with-key", "whoever has the key gets all", "bundle.entries-left-out", lambda v: v["entries"].pop()),
        ("beyond-closing", "an entry that the ledger did not close", "bundle.sequence-range", _set("closing", "entries", to=1)),
        ("closing-of-none", "no record is empty", "bundle.closing-entries", _set("closing", "entries", to=0)),
        ("closing-status", "no such status", "bundle.closing-status", _set("closing", "status", to="valid")),
        ("closing-status-list", "a list in place of a word", "bundle.closing-status", _set("closing", "status", to=[])),
        ("closing-long-signature", "65 bytes", "base64.too-long", _set("closing", "sig", to=encode_base64(bytes(65)))),
        ("tag-with-key", "tags only without the key", unknown, _set("entries", 0, "tag", to="00" * 32)),
        ("key-withheld-no-tags", "nothing opens the tags", missing, _drop("record", "key")),
        ("tag-on-key-event", "key events never carry tags", unknown, _set("keys", 0, "tag", to="00" * 32)),
        ("proof-of-64", "longer than any proof", "merkle.proof-length", _set("entries", 0, "proof", to=["00" * 32] * 64)),
        ("checkpoint-list", "no note", "bundle.checkpoint", _set("checkpoint", to=[])),
        ("checkpoint-large", "a note above 64 KiB", "note.too-large", _set("checkpoint", to="x" * 65_537)),
        ("checkpoint-unsigned", "a note that nobody signed", "note.no-signatures", _set("checkpoint", to="a\n1\nb\n")),
        ("header-unquoted", "a header that nobody quotes", "header.shape", _set("headers", to=[header])),
        ("timestamp-type", "no such clock", "bundle.timestamp-type", _set("timestamps", to=[{"type": "sundial", "token": ""}])),
        ("timestamp-twice", "no doubles", order, _set("timestamps", to=[{"type": "rfc3161", "token": "AAAA"}] * 2)),
        ("anchors-object", "no list", "bundle.shape", _set("anchors", to={})),
        ("anchor-type", "no such anchor", missing, _set("anchors", to=[{"type": "bitcoin"}])),
        ("record-id", "no record", "record.malformed-id", _set("record", "id", to="rec_")),
        ("envelope-list", "no envelope", "json.shape", _set("entries", 0, "envelope", to=[])),
    )
    for name, why, code, change in attacks:
        yield "bundle", name, _refused(why, code, bundle=encode_base64(_changed(good, change)))
    quoting = office.filled_log()
    quoting.add(office.envelope(office.statement("seal", seen=office.SEEN), office.WANG))
    for name, why, code, data in (
        ("header-missing", "a quoted block without its header", "bundle.header-missing", encode_json(quoting.bundle().to_json())),
        ("not-canonical", "the same members with spaces", "json.not-canonical", json.dumps(json.loads(good)).encode()),
        ("final-line-feed", "a byte behind", "json.not-canonical", good + b"\n"),
        ("duplicate-member", "a second closing", "json.duplicate-key", good[:-1] + b',"closing":{}}'),
    ):
        yield "bundle", name, _refused(why, code, bundle=encode_base64(data))
