"""A ledger that is stopped, changed by the operator's command, and started again."""

from __future__ import annotations

import threading
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from served import listening, sha256
from vermilion_api.app import create_app
from vermilion_api.cli import main
from vermilion_api.client import Ledger as Api
from vermilion_api.home import create_home
from vermilion_api.settings import Settings
from vermilion_api.wiring import build_keeper, now, open_ledger
from vermilion_ledger.encoding import encode_json
from vermilion_ledger.errors import UnavailableError
from vermilion_verify.blocks import BlockJudge
from vermilion_verify.case import Document
from vermilion_verify.policy import parse_trust_policy
from vermilion_verify.report import Report
from vermilion_verify.verify import Question, verify_bundle

__all__ = ["exported", "judged", "record_of", "register", "run", "sequencing", "started"]


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(words)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def exported(
    capsys: pytest.CaptureFixture[str], home: Path, kind: str = "keys"
) -> Sequence[dict[str, Any]]:
    code, out, _ = run(capsys, "trust", "export", "--home", str(home))
    assert code == 0
    keys: Sequence[dict[str, Any]] = tomllib.loads(out)["log"][kind]
    return keys


@contextmanager
def started(home: Path) -> Iterator[Api]:
    """The ledger of a home folder, served; made if there is none."""
    create_home(home, Settings(publish_interval_seconds=0.05))
    ledger = open_ledger(home)
    ledger.database.migrate()
    with listening(create_app(ledger)) as url, Api(url) as api:
        yield api
    ledger.database.close()


@contextmanager
def sequencing(home: Path) -> Iterator[None]:
    """A sequencer of its own for a ledger that is served elsewhere."""
    ledger, stop = open_ledger(home), threading.Event()
    thread = threading.Thread(target=build_keeper(ledger).run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        ledger.database.close()


def register(api: Api, name: str, *, timeout: float = 30.0) -> dict[str, Any]:
    body = {"name": name, "digest": {"sha256": sha256(name)}}
    while True:
        try:
            return api.post("/v1/records", body, {"timeout": str(timeout)})
        except UnavailableError as exc:
            if exc.code != "intake.no-sequencer":  # it has not taken the lease yet
                raise
            time.sleep(0.02)


def record_of(api: Api, name: str) -> str:
    (found,) = api.get("/v1/records", {"digest": f"sha256:{sha256(name)}"})["records"]
    return str(found["record"])


def judged(trust: str, name: str, bundle: dict[str, Any]) -> Report:
    """The report under a trust policy that the ledger handed out."""
    return verify_bundle(
        encode_json(bundle),
        Document(sha256=bytes.fromhex(sha256(name)), sm3=None, name=name),
        parse_trust_policy(trust.encode(), folder=Path()),
        judge=BlockJudge({}, ()),
        question=Question(now=now()),
    )
