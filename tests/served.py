"""A ledger that really serves, in this process: SQLite or PostgreSQL, uvicorn, a sequencer.

The chain in its settings is at a port where nobody listens; one block of it was
offered before, as if the chain had gone down a moment ago. People sign with
real keys through the same functions as the operator's command.
"""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from vermilion_api.app import create_app
from vermilion_api.cli.serve import listen
from vermilion_api.client import Ledger as Api
from vermilion_api.home import create_home
from vermilion_api.hot import open_door
from vermilion_api.keyfiles import KeyFile, create_key_file
from vermilion_api.settings import ChainSettings, Settings
from vermilion_api.signing import describe_key, sign_statement, submit_event
from vermilion_api.wiring import Ledger, build_keeper, now, open_ledger
from vermilion_ledger.actor import Actor
from vermilion_ledger.anchor_rows import ChainBlock
from vermilion_ledger.envelope import make_envelope
from vermilion_ledger.errors import EvidenceError
from vermilion_ledger.evm.header import parse_header
from vermilion_ledger.evm.rlp import encode_integer, encode_rlp
from vermilion_ledger.rules import Rule, hash_rules
from vermilion_ledger.statement import Statement, parse_statement
from vermilion_ledger.store import open_database

CHAIN_ID = 31337
CLOSED_PORT = 9  # discard: nobody listens there
DOWN = ChainSettings(
    id=CHAIN_ID,
    rpc=f"http://127.0.0.1:{CLOSED_PORT}",
    contract="0x" + "ab" * 20,
    log="0x" + "cd" * 32,
    code_hash="0x" + "ef" * 32,
)
DECISION = {"step": "sign-off", "decision": "approved"}
TWO_OWNERS = (Rule(event="approve", count=2, step="sign-off"),)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def make_block(number: int, *, time: int | None = None) -> ChainBlock:
    """A block whose header hashes to its hash; on no chain."""
    stamp = int(now().timestamp()) if time is None else time
    fields = [bytes(32)] * 8 + [encode_integer(number), b"", b"", encode_integer(stamp)]
    raw = encode_rlp([*fields, b"", bytes(32), bytes(8), b""])
    header = parse_header(raw)
    return ChainBlock(
        chain_id=CHAIN_ID, number=number, hash=header.hash, time=header.time, header=raw
    )


@dataclass
class Served:
    """A served ledger with its root and its people."""

    folder: Path
    ledger: Ledger
    app: FastAPI
    api: Api
    client: httpx.Client
    root: KeyFile

    def person(self, name: str, *, scheme: str = "ed25519", **owner: str) -> KeyFile:
        """A key that is not registered yet."""
        return create_key_file(
            self.folder / f"{name}.json", scheme=scheme, owner=Actor(id=name, **owner)
        )

    def enrol(
        self,
        name: str,
        *,
        scheme: str = "ed25519",
        may: Sequence[str] = ("approve", "countersign", "revoke", "seal"),
    ) -> KeyFile:
        """A key that the root registered."""
        key = self.person(name, scheme=scheme)
        self.register_key(key, self.root, may=may)
        return key

    def register_key(
        self, key: KeyFile, *roots: KeyFile, may: Sequence[str] = ()
    ) -> dict[str, Any]:
        detail = describe_key(key, may)
        signers = [*roots, key]
        asked = {"event": "register", "detail": detail, "actor": signers[0].owner.to_json()}
        return self.event("keys", asked, *signers)

    def register(self, name: str, **members: Any) -> dict[str, Any]:
        """Register a document by the digest of its name."""
        body = {"name": f"{name}.pdf", "digest": {"sha256": sha256(name)}, **members}
        return self.api.post("/v1/records", body)

    def event(self, record: str, asked: Mapping[str, Any], *keys: KeyFile) -> dict[str, Any]:
        return submit_event(self.api, self.api.record_id(record), asked, keys)

    def decide(
        self, record: str, *keys: KeyFile, decision: str = "approved", step: str = "sign-off"
    ) -> dict[str, Any]:
        detail = {"step": step, "decision": decision}
        return self.event(record, {"event": "approve", "detail": detail}, *keys)

    def adopt(self, rules: Sequence[Rule] = TWO_OWNERS) -> str:
        """Adopt rules and return the policy's name."""
        detail = {"rules": [rule.to_json() for rule in rules]}
        self.event("policies", {"event": "adopt", "detail": detail}, self.root)
        return hash_rules(rules).hex()


def refused(call: Callable[[], object]) -> str:
    """The code with which a call is refused."""
    with pytest.raises(EvidenceError) as caught:
        call()
    return caught.value.code


def prepare(served: Served, record: str, *keys: KeyFile, **asked: Any) -> Statement:
    """An approval as the ledger prepares it, not signed yet."""
    body = {"event": "approve", "detail": DECISION, "keyids": [key.keyid for key in keys]}
    found = served.api.post(f"/v1/records/{record}/statements", {**body, **asked})
    return parse_statement(base64.b64decode(found["payload"]))


def envelope_of(made: Statement, *keys: KeyFile) -> bytes:
    """A statement signed by people."""
    payload = made.encode()
    return make_envelope(payload, [sign_statement(payload, made, key) for key in keys]).data


def send(served: Served, record: str, made: Statement, *keys: KeyFile) -> dict[str, Any]:
    """Sign a statement and submit it."""
    return served.api.post(f"/v1/records/{record}/events", envelope_of(made, *keys))


@contextmanager
def sequencing(ledger: Ledger) -> Iterator[None]:
    """Run in a thread what keeps the log, where the API does not do so itself."""
    if ledger.is_sequencer_inside:
        yield
        return
    keeper, stop, leads = build_keeper(ledger), threading.Event(), threading.Event()
    thread = threading.Thread(
        target=keeper.run, args=(stop,), kwargs={"on_lead": lambda _epoch: leads.set()}
    )
    thread.start()
    try:
        assert leads.wait(30)
        yield
    finally:
        stop.set()
        thread.join()


def wait_until_leading(app: FastAPI, seconds: float = 30) -> None:
    """Wait until the API's own keeper takes submissions, if it has one."""
    keeper, deadline = app.state.services.keeper, time.monotonic() + seconds
    while keeper is not None and not keeper.is_leading and keeper._trouble is None:
        assert time.monotonic() < deadline, "nobody leads"
        time.sleep(0.005)


def wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    """The socket takes connections at once; what answers them is there after the start only."""
    while not server.started:
        assert thread.is_alive(), "the application did not start"
        time.sleep(0.005)


@contextmanager
def listening(app: FastAPI) -> Iterator[str]:
    """Run uvicorn on a free loopback port in a thread; the address."""
    door = listen("127.0.0.1", 0)
    config = uvicorn.Config(
        open_door(app), loop="uvloop", http="httptools", log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
    thread.start()
    try:
        wait_until_started(server, thread)
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        door.close()


def make_roots(folder: Path, count: int) -> list[KeyFile]:
    names = ["root", *(f"root-{number}" for number in range(2, count + 1))]
    return [
        create_key_file(folder / f"{name}.json", scheme="ed25519", owner=Actor(id=name))
        for name in names
    ]


@contextmanager
def serving(
    folder: Path,
    *,
    sequenced: bool = True,
    offered: bool = True,
    page_count_max: int | None = None,
    database_url: str = "",
    quorum: int = 1,
    **more: Any,
) -> Iterator[Served]:
    """Serve a ledger whose home is in a folder.

    Args:
        folder: Where the home and the key files go.
        sequenced: Somebody keeps the log: the API itself, or a thread beside it.
        offered: A block was offered before the chain went down.
        page_count_max: Size of the disk, in pages of the API's database.
        database_url: Another database than the file in the home folder.
        quorum: Number of roots, all of which must sign; the second one is in ``root-2.json``.
        more: Further settings.
    """
    folder.mkdir(exist_ok=True)
    roots = make_roots(folder, quorum)
    settings = Settings(
        origin="ledger.example.gov/office-1",
        publish_interval_seconds=0.05,
        roots=tuple(root.keyid for root in roots),
        quorum=quorum,
        chains=(DOWN,),
        database_url=database_url,
        sequencer="auto" if sequenced else "outside",
        **more,
    )
    home, _ = create_home(folder / "home", settings)
    ledger = open_ledger(home.path)
    ledger.database.migrate()
    if offered:
        ledger.database.blocks.save(make_block(42), offered_at=now())
    shown = ledger
    if page_count_max is not None:
        url = home.database_url(settings)
        shown = replace(ledger, database=open_database(url, page_count_max=page_count_max))
    app = create_app(shown)
    with (
        listening(app) as url,
        Api(url) as api,
        httpx.Client(base_url=url, timeout=60, trust_env=False) as client,
    ):
        served = Served(
            folder=folder, ledger=ledger, app=app, api=api, client=client, root=roots[0]
        )
        if sequenced:
            with sequencing(ledger):
                wait_until_leading(app)
                yield served
        else:
            yield served
    ledger.database.close()
