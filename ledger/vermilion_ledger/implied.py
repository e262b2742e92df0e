"""What a stored envelope implies for the rows beside it.

Record, digest, family, nonces: all of it stands in the envelope, and the
tables only repeat it. What `vermilion_ledger.fsck` compares with, and what
`vermilion_ledger.archive` rebuilds the tables from. The common form, as this
ledger's registrar writes it, is matched whole by an expression that admits
canonical bytes only; every other envelope is parsed.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Collection
from typing import NamedTuple

from vermilion_ledger.envelope import parse_envelope, split_intake
from vermilion_ledger.events import Predicate
from vermilion_ledger.limits import NAME_SIZE_MAX, ORIGIN_SIZE_MAX, TEXT_SIZE_MAX

__all__ = ["Implied", "imply"]

# Printable ASCII and common Han characters; what has others is parsed.
_TEXT = r"(?:[ !#-\[\]-~]++|\xe4[\xb8-\xbf][\x80-\xbf]|[\xe5-\xe9][\x80-\xbf][\x80-\xbf])"
_DAY = (
    r"(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])"
    r"|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
)
_ENVELOPE = re.compile(
    rb'\{"payload":"(?P<payload>[A-Za-z0-9+/]+={0,2})","payloadType":"application/vnd\.in-toto\+json",'
    rb'"signatures":\[\{"keyid":"(?P<keyid>[0-9a-f]{64})","scheme":"ed25519",'
    rb'"sig":"[A-Za-z0-9+/]{85}[AQgw]=="\}\]\}'
)
_STATEMENT = re.compile(
    (
        r'\{"_type":"https://in-toto\.io/Statement/v1","predicate":\{'
        rf'"actor":\{{(?P<actor>"id":"{_TEXT}++","name":"{_TEXT}*+",'
        rf'"post":"{_TEXT}*+","unit":"{_TEXT}*+")\}},"detail":\{{\}},'
        rf'"event":"register","ledger":"(?P<ledger>{_TEXT}++)","nonce":"[0-9a-f]{{32}}",'
        r'"record":"(?P<record>rec_[0-9a-hjkmnp-tv-z]{32})",'
        rf'"time":"[12]\d{{3}}-{_DAY}T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ"\}},'
        r'"predicateType":"urn:vermilion:record-event:v1","subject":\[\{"digest":\{'
        r'"sha256":"(?P<digest>[0-9a-f]{64})"(?:,"sm3":"[0-9a-f]{64}")?\},'
        rf'"name":"(?P<name>{_TEXT}++)"\}}\]\}}'
    ).encode("latin-1")
)


class Implied(NamedTuple):
    """What an envelope says of itself; a tuple, as millions are made in a run.

    Attributes:
        record_id: The record that its statement names.
        digest: SHA-256 of its subject.
        predicate: Its family of events.
        is_plain: True for what the registrar wrote for a new record: no actor
            signed it, and no policy judges it. It cannot come twice.
        nonces: Pairs of key id and nonce that it uses up.
    """

    record_id: str
    digest: bytes
    predicate: Predicate
    is_plain: bool
    nonces: tuple[tuple[bytes, bytes], ...]


def imply(envelope: bytes, intake_keyids: Collection[str]) -> Implied:
    """Return what the canonical bytes of an envelope imply; check no signature.

    Args:
        envelope: As stored.
        intake_keyids: Key ids of all intake keys, retired ones too.

    Raises:
        InputError: The bytes are no envelope in canonical form.
        VerificationError: ``intake.not-one``: not one intake signature is on it.
    """
    return _match(envelope, intake_keyids) or _parse(envelope, intake_keyids)


def _match(envelope: bytes, intake_keyids: Collection[str]) -> Implied | None:
    """Read the common form; None where it is another, or longer than the bounds of its texts."""
    found = _ENVELOPE.fullmatch(envelope)
    if found is None or found["keyid"].decode() not in intake_keyids:
        return None
    statement = _STATEMENT.fullmatch(_decode(found["payload"]))
    if (
        statement is None
        or len(statement["actor"]) > TEXT_SIZE_MAX  # its four texts together
        or len(statement["ledger"]) > ORIGIN_SIZE_MAX
        or len(statement["name"]) > NAME_SIZE_MAX
    ):
        return None
    return Implied(
        record_id=statement["record"].decode(),
        digest=bytes.fromhex(statement["digest"].decode()),
        predicate=Predicate.RECORD,
        is_plain=True,
        nonces=(),
    )


def _parse(envelope: bytes, intake_keyids: Collection[str]) -> Implied:
    parsed = parse_envelope(envelope)
    intake, actors = split_intake(parsed, intake_keyids)
    statement = parsed.statement
    # The registrar writes what opens a record, and draws the nonce of that itself.
    is_registered_here = (
        statement.predicate is Predicate.RECORD and statement.event == "register" and not actors
    )
    signers = {keyid for each in actors or (intake,) for keyid in each.keyids}
    return Implied(
        record_id=statement.record,
        digest=statement.subject.sha256,
        predicate=statement.predicate,
        is_plain=is_registered_here and "policy" not in statement.detail,
        nonces=()
        if is_registered_here
        else tuple((bytes.fromhex(keyid), statement.nonce) for keyid in sorted(signers)),
    )


def _decode(text: bytes) -> bytes:
    """Return what canonical base64 stands for; nothing if it is not canonical."""
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        return b""
    return data if binascii.b2a_base64(data, newline=False) == text else b""
