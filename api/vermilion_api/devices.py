"""Keys that never leave a device: what a statement's signature asks of any key.

A device shows its public half and signs; whose it is, the key record says. A
ledger is not asked to be believed in that: the registration of the key carries
the key's own signature, which is checked here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from vermilion_api.client import Ledger
from vermilion_api.joint import fetch_key_events
from vermilion_ledger.actor import Actor
from vermilion_ledger.errors import SignatureError
from vermilion_ledger.keys import collect_keys, touched_key, verify_actor_signature
from vermilion_ledger.schemes import make_keyid
from vermilion_ledger.schemes.message import SignedMessage

__all__ = ["Device", "DeviceKey", "StatementSigner", "find_owner"]


class StatementSigner(Protocol):
    """A key with which a person signs statements, wherever it lies."""

    @property
    def scheme(self) -> str:
        """Name of the scheme (FORMATS section 4)."""
        ...

    @property
    def public(self) -> bytes:
        """Public key bytes of the scheme."""
        ...

    @property
    def owner(self) -> Actor:
        """Whose key it is."""
        ...

    @property
    def keyid(self) -> str:
        """Key id (FORMATS section 4)."""
        ...

    def sign(self, message: SignedMessage) -> bytes:
        """Return the signature bytes of the scheme over a statement."""
        ...


class Device(Protocol):
    """What holds a key and does not know whose it is. Believed in nothing but its consent.

    `sign` returns only a signature that verifies under `public`.
    """

    @property
    def scheme(self) -> str:
        """Name of the scheme (FORMATS section 4)."""
        ...

    @property
    def public(self) -> bytes:
        """Public key bytes of the scheme."""
        ...

    def sign(self, message: SignedMessage) -> bytes:
        """Return the signature bytes of the scheme over a statement."""
        ...

    def close(self) -> None:
        """Let the device go."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceKey:
    """A device's key and its owner. Implements `StatementSigner`."""

    device: Device
    owner: Actor

    @property
    def scheme(self) -> str:
        """Name of the scheme."""
        return self.device.scheme

    @property
    def public(self) -> bytes:
        """Public key bytes of the scheme."""
        return self.device.public

    @property
    def keyid(self) -> str:
        """Key id (FORMATS section 4)."""
        return make_keyid(self.scheme, self.public)

    def sign(self, message: SignedMessage) -> bytes:
        """Let the device sign.

        Raises:
            EvidenceError: As the device's own `sign`.
        """
        return self.device.sign(message)


def find_owner(ledger: Ledger, device: Device) -> Actor:
    """Return the owner that the device's key signed for when it was registered.

    Raises:
        SignatureError: ``key.unknown``: the key is not registered; or its
            registration does not carry its own signature.
        EvidenceError: The problem that the ledger answered with.
    """
    events = fetch_key_events(ledger)
    registry = collect_keys(events)
    key = registry.find(make_keyid(device.scheme, device.public))
    for event in events:
        if event.statement.event == "register" and touched_key(event.statement) == key.keyid:
            for signature in event.envelope.signatures:
                if signature.keyids == (key.keyid,):
                    verify_actor_signature(signature, event.envelope.message, registry)
                    return key.owner
    raise SignatureError("key-event.new-key", "the key did not sign its own registration")
