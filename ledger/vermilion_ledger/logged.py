"""An envelope at its place in the log, with the actors' signatures apart."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from vermilion_ledger.envelope import Envelope, Signature, split_intake
from vermilion_ledger.statement import Statement

__all__ = ["LoggedEnvelope", "place_envelope"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEnvelope:
    """An envelope with the place that the sequencer gave it.

    Attributes:
        index: Leaf index in the log, 0-based.
        sequence: Position in its record, 0-based.
        envelope: As accepted.
        intake: The ledger's own signature; None where it is not exactly one.
        actors: All other signatures.
    """

    index: int
    sequence: int
    envelope: Envelope
    intake: Signature | None
    actors: tuple[Signature, ...]

    @property
    def statement(self) -> Statement:
        """The statement in the envelope."""
        return self.envelope.statement

    @property
    def signers(self) -> frozenset[str]:
        """Key ids of all actors, those in an aggregate too."""
        return frozenset(keyid for signature in self.actors for keyid in signature.keyids)


def place_envelope(
    envelope: Envelope, *, index: int, sequence: int, intake_keyids: Collection[str]
) -> LoggedEnvelope:
    """Return the envelope at its place.

    Raises:
        VerificationError: Not exactly one signature is by an intake key.
    """
    intake, actors = split_intake(envelope, intake_keyids)
    return LoggedEnvelope(
        index=index, sequence=sequence, envelope=envelope, intake=intake, actors=actors
    )
