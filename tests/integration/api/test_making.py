"""The process that makes the submissions of bulk requests: it helps, and is not needed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from serve_kit import children_of, documents, running, wait_until
from vermilion_api.classes import RecordClasses
from vermilion_api.home import create_home
from vermilion_api.requests import parse_bulk
from vermilion_api.services.making import Made, MakerProcess, collect
from vermilion_api.services.nonces import RegistrarNonces
from vermilion_api.services.registering import Registrar
from vermilion_api.settings import Settings
from vermilion_api.wiring import now, open_ledger
from vermilion_ledger.envelope import parse_envelope
from vermilion_ledger.statement import parse_statement

ORIGIN, SEED = "example.org/log", bytes(range(32))
POLICY = "ab" * 32
START_SECONDS = 30


@asynccontextmanager
async def maker() -> AsyncIterator[MakerProcess]:
    made = MakerProcess(origin=ORIGIN, intake_seed=SEED, classes=RecordClasses())
    try:
        yield made
    finally:
        await asyncio.to_thread(made.close)


async def ask(helper: MakerProcess, body: bytes) -> Made:
    """Ask until it has started."""
    async with asyncio.timeout(START_SECONDS):
        while True:
            if made := await helper.make(body):
                return made
            await asyncio.sleep(0.05)


def test_it_makes_what_the_registrar_makes() -> None:
    body = json.dumps(
        {
            "records": [
                {"name": "关于印发.pdf", "digest": {"sha256": "12" * 32}},
                {"name": "b", "digest": {"sha256": "34" * 32}, "policy": POLICY},
                {"name": "c", "digest": {"sha256": "56" * 32}, "policy": POLICY},
            ]
        }
    ).encode()

    async def run() -> Made:
        async with maker() as helper:
            return await ask(helper, body)

    made = asyncio.run(run())

    registrations = parse_bulk(body, RecordClasses())
    registrar = Registrar(origin=ORIGIN, intake_seed=SEED, clock=now)
    alike = collect(registrations, registrar.prepare_all(registrations))
    nonces = RegistrarNonces(SEED)
    assert len({each.record_id for each in made.submissions}) == 3
    for ours, other in zip(made.submissions, alike.submissions, strict=True):
        mine, theirs = (
            parse_statement(parse_envelope(each.envelope).payload) for each in (ours, other)
        )
        assert (ours.digest, ours.is_plain) == (other.digest, other.is_plain)
        assert (mine.subject, mine.detail) == (theirs.subject, theirs.detail)
        assert mine.record == ours.record_id
        assert nonces.is_ours(mine.nonce)
    assert made.policies == {POLICY: made.submissions[1]}
    assert alike.policies == {POLICY: alike.submissions[1]}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff" * 1000,
        b'{"records":[]}',
        b'{"records":[{"name":"a","digest":{"sha256":"00"}}]}',
        b'{"records":[{"name":"a","name":"b","digest":{"sha256":"' + b"00" * 32 + b'"}}]}',
    ],
)
def test_what_it_refuses_is_left_to_the_caller(body: bytes) -> None:
    async def run() -> None:
        async with maker() as helper:
            await ask(helper, documents(2, "before"))
            assert await helper.make(body) is None
            assert await helper.make(documents(2, "after")) is not None

    asyncio.run(run())


def test_it_is_started_again_when_it_has_died() -> None:
    async def run() -> None:
        async with maker() as helper:
            await ask(helper, documents(2, "before"))
            (child,) = children_of(os.getpid())
            os.kill(child, signal.SIGKILL)
            assert await helper.make(documents(2, "meanwhile")) is None
            assert len((await ask(helper, documents(2, "after"))).submissions) == 2
            assert children_of(os.getpid()) != {child}

    asyncio.run(run())
    assert children_of(os.getpid()) == set()


def test_a_served_ledger_takes_bulks_while_its_helper_is_killed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    create_home(home, Settings(port=0, node_port=0, publish_interval_seconds=0.05))
    ledger = open_ledger(home)
    ledger.database.migrate()
    ledger.database.close()

    with running("serve", "--home", home) as process, httpx.Client(timeout=60) as client:
        indices: list[int] = []
        killed: set[int] = set()

        def register() -> None:
            answer = client.post(
                f"{process.url}/v1/records/bulk?wait=sequenced",
                content=documents(1000, len(indices)),
                headers={"Content-Type": "application/json"},
            )
            assert answer.status_code == 200, answer.text
            indices.extend(each["index"] for each in answer.json()["records"])

        def kill() -> bool:
            register()
            for child in children_of(process.child.pid) - killed:
                os.kill(child, signal.SIGKILL)
                killed.add(child)
            return len(killed) >= 2

        wait_until(kill)
        register()
        assert sorted(indices) == list(range(len(indices)))
        assert process.stop() == 0


def test_it_ends_with_the_process_it_helps(tmp_path: Path) -> None:
    home = tmp_path / "home"
    create_home(home, Settings(port=0, node_port=0))
    ledger = open_ledger(home)
    ledger.database.migrate()
    ledger.database.close()

    with running("serve", "--home", home) as process:

        def has_helper() -> bool:
            httpx.post(
                f"{process.url}/v1/records/bulk?wait=sequenced",
                content=documents(1000, os.urandom(4)),
                headers={"Content-Type": "application/json"},
                timeout=60,
            ).raise_for_status()
            return bool(children_of(process.child.pid))

        wait_until(has_helper)
        helpers = children_of(process.child.pid)
        process.child.kill()
        process.child.wait()

        wait_until(lambda: not any(Path(f"/proc/{each}/cmdline").exists() for each in helpers))
