"""Somebody at a browser with a passkey, and a network that changes answers. Not a test."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from browser_kit import Page
from served import Served
from vermilion_api.signing import sign_envelope, submit_envelope
from vermilion_ledger.encoding import encode_base64, encode_json, parse_base64
from vermilion_ledger.envelope import Envelope, parse_envelope

__all__ = [
    "ASK_UNVERIFIED",
    "Holder",
    "address_of",
    "changing",
    "events_of",
    "make_part",
    "register",
]

# What somebody else's page could do: ask for an assertion that need not be verified.
ASK_UNVERIFIED = """(async () => {
  const { challengeOf } = await import("/page/statement.js");
  const bytes = await import("/page/bytes.js");
  const payload = bytes.fromBase64(document.querySelector("#exact").dataset.payload);
  const made = await navigator.credentials.get({ publicKey: {
    challenge: await challengeOf(payload), rpId: location.hostname,
    userVerification: "discouraged" } });
  const part = (name) => bytes.base64(new Uint8Array(made.response[name]));
  const envelope = {
    payload: bytes.base64(payload), payloadType: "application/vnd.in-toto+json",
    signatures: [{ keyid: document.querySelector("#who").value, scheme: "webauthn-es256",
      sig: part("signature"), authenticatorData: part("authenticatorData"),
      clientDataJSON: part("clientDataJSON") }] };
  const record = document.querySelector("#record").value;
  const answer = await fetch(`/v1/records/${record}/events`, { method: "POST",
    headers: { "Content-Type": "application/json" }, body: JSON.stringify(envelope) });
  return await answer.json();
})()"""


@dataclass
class Holder:
    """Somebody at a browser with a registered passkey."""

    page: Page
    device: str
    url: str

    def read(self, record: str, **fields: str) -> None:
        """Enter what is decided and ask to see it."""
        self.page.go(f"{self.url}/approve/{record}")
        self.page.wait("document.body.dataset.ready")
        for name, value in fields.items():
            self.page.fill(f"#{name}", value)
        self.page.click("#prepare")

    def sign(self) -> None:
        self.page.wait("!document.querySelector('#shown').hidden")
        self.page.click("#sign")

    def outcome(self) -> str:
        """What the page says in the end: good or bad, with its words."""
        self.page.wait("['good', 'bad'].includes(document.querySelector('#notice').className)")
        kind = self.page.run("document.querySelector('#notice').className")
        return f"{kind}: {self.page.text('#notice')}"


def address_of(served: Served) -> str:
    """A passkey needs a name: browsers take localhost without https, and no bare number."""
    return str(served.client.base_url).rstrip("/").replace("127.0.0.1", "localhost")


def make_part(page: Page, url: str, name: str) -> Envelope:
    """Make a passkey on the page; what its holder hands to the roots."""
    page.go(f"{url}/enrol")
    page.wait("document.body.dataset.ready")
    for field, value in {"id": name, "name": "王芳", "post": "主任", "unit": "财务处"}.items():
        page.fill(f"#owner-{field}", value)
    page.click("#prepare")
    page.wait("!document.querySelector('#shown').hidden")
    page.click("#sign")
    page.wait("!document.querySelector('#made').hidden")
    return parse_envelope(page.run("document.querySelector('#part').value").encode())


def register(served: Served, part: Envelope) -> None:
    """What the holder of a root key does with such a file."""
    submit_envelope(served.api, sign_envelope(part, [served.root]))


def events_of(served: Served, record: str) -> int:
    return len(served.api.get(f"/v1/records/{record}")["entries"])


def changing(change: Callable[[dict[str, Any]], None]) -> Callable[[str, bytes], bytes]:
    """A network that changes the statement that the ledger prepared, and writes it canonically."""

    def lie(url: str, body: bytes) -> bytes:
        if not url.endswith("/statements"):
            return body
        answer = json.loads(body)
        statement = json.loads(parse_base64(answer["payload"], size_max=2**15, what="payload"))
        change(statement)
        return json.dumps(answer | {"payload": encode_base64(encode_json(statement))}).encode()

    return lie
