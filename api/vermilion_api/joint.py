"""Signatures that travel in files until they are joined into one envelope.

A part is an envelope without the ledger's signature, in canonical JSON: one
statement, and what one person signed on it, with or without a network.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vermilion_api.client import Ledger
from vermilion_ledger.envelope import Envelope, Signature, make_envelope, parse_envelope
from vermilion_ledger.errors import InputError, NotFoundError
from vermilion_ledger.joining import join_approvals
from vermilion_ledger.keys import KeyRegistry, collect_keys
from vermilion_ledger.limits import ENVELOPE_SIZE_MAX
from vermilion_ledger.logged import LoggedEnvelope
from vermilion_verify.registry import parse_registry_file

__all__ = ["fetch_key_events", "fetch_registry", "join_parts", "load_part", "merge_parts"]


def load_part(path: Path) -> Envelope:
    """Read a statement with what was signed on it.

    Raises:
        NotFoundError: ``input.missing``: the file cannot be read.
        InputError: It is no envelope.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(ENVELOPE_SIZE_MAX + 1)
    except OSError as exc:
        raise NotFoundError("input.missing", f"{path}: {exc.strerror}") from exc
    try:
        return parse_envelope(data)
    except InputError as exc:
        raise InputError(exc.code, f"{path}: {exc.message}") from exc


def join_parts(ledger: Ledger, parts: Sequence[Envelope]) -> Envelope:
    """Join signatures under the keys that a ledger has registered.

    Raises:
        EvidenceError: As `vermilion_ledger.joining.join_approvals`, or the
            problem that the ledger answered with.
    """
    return join_approvals(parts, fetch_registry(ledger))


def merge_parts(parts: Sequence[Envelope]) -> Envelope:
    """Return one statement with every signature that one of its parts has.

    Nothing is checked but that they are about one statement; a part may have
    been made from another, and repeat its signatures.

    Raises:
        InputError: ``join.nothing``, ``join.other-statement``, or
            ``envelope.repeated-signer``: two different signatures of one key.
        LimitError: More than an envelope takes.
    """
    if not parts:
        raise InputError("join.nothing", "no statement is given")
    if any(part.payload != parts[0].payload for part in parts):
        raise InputError("join.other-statement", "the files are about different statements")
    signatures: dict[tuple[tuple[str, ...], bytes], Signature] = {}
    for part in parts:
        for each in part.signatures:
            signatures.setdefault((each.keyids, each.sig), each)
    return make_envelope(parts[0].payload, list(signatures.values()))


def fetch_registry(ledger: Ledger) -> KeyRegistry:
    """Return the keys of a ledger, from the registry file that it serves.

    Believed no further than to find out whose signature is bad: a ledger that
    lies here makes a join fail, or makes one that is refused later.

    Raises:
        EvidenceError: The problem that the ledger answered with.
        VerificationError: The key record contradicts itself.
    """
    return collect_keys(fetch_key_events(ledger))


def fetch_key_events(ledger: Ledger) -> tuple[LoggedEnvelope, ...]:
    """Return the events of a ledger's key record, as it tells them; nothing is checked.

    Raises:
        EvidenceError: The problem that the ledger answered with.
    """
    events = parse_registry_file(ledger.fetch("/v1/registry")).keys
    return tuple(
        LoggedEnvelope(
            index=event.index,
            sequence=event.sequence,
            envelope=event.envelope,
            intake=None,
            actors=(),
        )
        for event in events
    )
