"""The people of the demonstration, and the calls they make to the ledger.

Everything goes through the REST interface, as it would in an office; keys
never leave this process.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from vermilion_api.keyfiles import KeyFile, create_key_file
from vermilion_ledger.actor import Actor
from vermilion_ledger.envelope import Envelope, Signature, make_envelope
from vermilion_ledger.rules import Rule, hash_rules
from vermilion_ledger.schemes import load_scheme

__all__ = ["RULES", "Caller", "DemoError", "People", "make_people"]

STEP = "sign-off"
RULES = (Rule(event="approve", count=2, step=STEP),)
_TIMEOUT_SECONDS = 60.0


class DemoError(Exception):
    """The demonstration cannot go on; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Who takes part: a root that registers keys, and two who approve."""

    root: KeyFile
    approvers: tuple[KeyFile, ...]


def make_people(folder: Path) -> People:
    """Create the key files of everybody in a folder."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    root = Actor(id="root-1", name="密钥管理员", post="管理员", unit="办公室")
    finance = Actor(id="u-1029", name="王芳", post="主任", unit="财务处")
    legal = Actor(id="u-2044", name="J. Smith", post="counsel", unit="Legal")
    return People(
        root=create_key_file(folder / "root.json", scheme="ed25519", owner=root),
        approvers=(
            create_key_file(folder / "finance.json", scheme="ed25519", owner=finance),
            create_key_file(folder / "legal.json", scheme="secp256k1-eip712", owner=legal),
        ),
    )


class Caller:
    """Calls of one ledger's REST interface; closed by ``with`` of the client."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def get(self, path: str) -> Any:
        """Return the JSON of a resource."""
        return _read(self._client.get(path, timeout=_TIMEOUT_SECONDS)).json()

    def get_bytes(self, path: str) -> bytes:
        """Return a resource as it is."""
        return _read(self._client.get(path, timeout=_TIMEOUT_SECONDS)).content

    def register_key(self, registry: str, key: KeyFile, root: KeyFile, may: Sequence[str]) -> None:
        """Have a key registered by the root, or the root by itself."""
        detail = {
            "scheme": key.scheme,
            "key": key.public.hex(),
            "owner": key.owner.to_json(),
            "may": sorted(may),
        }
        signers = [root] if key == root else [root, key]
        self._submit(
            registry, {"event": "register", "actor": root.owner.to_json()}, detail, signers
        )

    def adopt_rules(self, policies: str, root: KeyFile) -> str:
        """Adopt the demonstration's rules; return the policy's name."""
        detail = {"rules": [rule.to_json() for rule in RULES]}
        self._submit(policies, {"event": "adopt", "actor": root.owner.to_json()}, detail, [root])
        return hash_rules(RULES).hex()

    def approve(self, record: str, key: KeyFile, policy: str) -> None:
        """Sign off the current version of a record."""
        detail = {"step": STEP, "decision": "approved", "policy": policy}
        self._submit(record, {"event": "approve", "actor": key.owner.to_json()}, detail, [key])

    def _submit(
        self,
        record: str,
        draft: Mapping[str, Any],
        detail: Mapping[str, Any],
        signers: Sequence[KeyFile],
    ) -> None:
        """Have a statement prepared, look at it, sign it, and submit it."""
        body = {**draft, "detail": detail, "keyids": [key.keyid for key in signers]}
        prepared = _read(
            self._client.post(
                f"/v1/records/{record}/statements", json=body, timeout=_TIMEOUT_SECONDS
            )
        ).json()
        envelope = make_envelope(base64.b64decode(prepared["payload"]), ())
        statement = envelope.statement
        if statement.record != record or dict(statement.detail) != dict(detail):
            raise DemoError("the ledger prepared another statement than was asked for")
        for key in signers:
            envelope = envelope.with_signature(_sign(key, envelope))
        _read(
            self._client.post(
                f"/v1/records/{record}/events?wait=sequenced",
                content=envelope.data,
                headers={"Content-Type": "application/json"},
                timeout=_TIMEOUT_SECONDS,
            )
        )


def _sign(key: KeyFile, envelope: Envelope) -> Signature:
    message = envelope.message
    scheme = load_scheme(key.scheme)
    signed = message.pae if key.scheme == "ed25519" else message
    return Signature(
        keyids=(key.keyid,), scheme=key.scheme, sig=scheme.sign(key.private, signed), extra={}
    )


def _read(response: httpx.Response) -> httpx.Response:
    if response.is_success:
        return response
    try:
        problem = response.json()
        text = f"{problem.get('code')}: {problem.get('detail')} ({problem.get('hint')})"
    except ValueError:
        text = response.text[:200]
    raise DemoError(f"{response.request.url.path} answered {response.status_code}: {text}")
