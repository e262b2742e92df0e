"""Taking in approvals over HTTP: one Ed25519 signature each, durable, 64 clients.

Each approval is of a record of its own and was prepared and signed before the
clock starts, as people do on machines of theirs. The server judges each whole
(place, rules, key, signature, quoted block), signs it at intake and makes it
durable. The block that all quote was offered a moment ago, so no chain is asked.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import httpx
from load import LoadResult
from measure import Figure, folder, scaled
from serving import SERVER_CORE, Server, free_port, put_load, running, vermilion

from vermilion_api.client import Ledger
from vermilion_api.home import create_home
from vermilion_api.keyfiles import KeyFile, create_key_file
from vermilion_api.settings import ChainSettings, Settings
from vermilion_api.signing import describe_key, sign_statement, submit_event
from vermilion_api.wiring import now, open_ledger
from vermilion_ledger.actor import Actor
from vermilion_ledger.envelope import make_envelope
from vermilion_ledger.statement import parse_statement

CLIENTS = 64
RECORDS = 4_000
SECONDS, WARM_UP_SECONDS = 2.0, 0.5
_BULK = 1_000
_CLOSED_PORT = 9  # discard: the chain is down, and need not be asked


def run(*, scale: float = 1.0) -> list[Figure]:
    """Measure and return the figures."""
    with folder() as place:
        root = create_key_file(place / "root.json", scheme="ed25519", owner=Actor(id="root"))
        person = create_key_file(place / "wang.json", scheme="ed25519", owner=Actor(id="wang"))
        port = _make_home(place / "home", root)
        with running(
            vermilion("serve", "--home", place / "home"), port, core=SERVER_CORE
        ) as server:
            requests = place / "approvals.jsonl"
            _sign(server, root, person, requests, scaled(RECORDS, scale, least=1_000))
            seen = put_load(
                port,
                *("posts", str(requests)),
                connections=CLIENTS,
                seconds=max(0.5, SECONDS * scale),
                warm_up_seconds=WARM_UP_SECONDS * scale,
            )
    return _figures(seen)


def _figures(seen: LoadResult) -> list[Figure]:
    return [
        Figure(what=f"approvals over HTTP, {CLIENTS} clients", value=seen.rate, unit="per second"),
        Figure(what="the same, p50", value=seen.p50_ms, unit="ms"),
        Figure(what="the same, p99", value=seen.p99_ms, unit="ms"),
    ]


def _make_home(home: Path, root: KeyFile) -> int:
    """Make a home with a root, a chain that is down, and a block of it that was offered."""
    from served import CHAIN_ID, make_block

    chain = ChainSettings(
        id=CHAIN_ID,
        rpc=f"http://127.0.0.1:{_CLOSED_PORT}",
        contract="0x" + "ab" * 20,
        log="0x" + "cd" * 32,
        code_hash="0x" + "ef" * 32,
    )
    port = free_port()
    create_home(home, Settings(port=port, node_port=0, roots=(root.keyid,), chains=(chain,)))
    ledger = open_ledger(home)
    ledger.database.migrate()
    ledger.database.blocks.save(make_block(42), offered_at=now())
    ledger.database.close()
    return port


def _sign(server: Server, root: KeyFile, person: KeyFile, requests: Path, count: int) -> None:
    """Register records, have an approval of each prepared, sign it, and write the requests."""
    with Ledger(server.url) as ledger:
        for key, signers in ((root, [root]), (person, [root, person])):
            detail = describe_key(key, () if key is root else ("approve",))
            asked = {"event": "register", "detail": detail, "actor": root.owner.to_json()}
            submit_event(ledger, ledger.record_id("keys"), asked, signers)
    asked = {
        "event": "approve",
        "detail": {"step": "sign-off", "decision": "approved"},
        "keyids": [person.keyid],
    }
    with (
        httpx.Client(base_url=server.url, timeout=60) as client,
        requests.open("w", encoding="ascii") as lines,
    ):
        for record in _register(client, count):
            answer = client.post(f"/v1/records/{record}/statements", json=asked)
            payload = base64.b64decode(answer.raise_for_status().json()["payload"])
            signature = sign_statement(payload, parse_statement(payload), person)
            body = make_envelope(payload, [signature]).data.decode()
            path = f"/v1/records/{record}/events?wait=sequenced"
            lines.write(json.dumps({"path": path, "body": body}) + "\n")


def _register(client: httpx.Client, count: int) -> list[str]:
    """Return the ids of new records."""
    found: list[str] = []
    while len(found) < count:
        documents = [
            {
                "name": f"document-{number}.pdf",
                "digest": {"sha256": hashlib.sha256(b"%d" % number).hexdigest()},
            }
            for number in range(len(found), min(count, len(found) + _BULK))
        ]
        answer = client.post("/v1/records/bulk?wait=sequenced", json={"records": documents})
        found += [each["record"] for each in answer.raise_for_status().json()["records"]]
    return found
