"""Many documents a request: each with its own record, envelope, salt, tag and proof.

A few connections post bulks of 1,000 documents to ``vermilion serve`` on SQLite
and wait for the index of each. Then more connections wait for the checkpoint
instead, of which there is one a second, and get the inclusion proof of each
document as well. A round ends with the last answer. Client and server share
the two cores; bodies are made before the clock starts. Where the time goes is
measured in this process, stage by stage, as time on the processor.
"""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import httpx
from ledgers import make_registrar, open_ledger
from measure import Figure, at_least, folder, rate, scaled, take_turns
from serving import make_home, running, vermilion

from vermilion_api.classes import RecordClasses
from vermilion_api.intake_signer import IntakeSigner
from vermilion_api.requests import parse_bulk
from vermilion_ledger.rows import IntakeBatch

__all__ = ["run"]

BULK = 1_000
BULKS = 96  # in each round
CONNECTIONS, PROOF_CONNECTIONS = 4, 24
RATE_MIN, RATE_STRETCH = 6_000, 12_000

_T = TypeVar("_T")


def run(*, scale: float = 1.0) -> list[Figure]:
    """Measure and return the figures."""
    count = scaled(BULKS, scale, least=PROOF_CONNECTIONS)
    with folder() as home:
        port = make_home(home)
        with running(vermilion("serve", "--home", home), port) as server:
            _post(server.url, CONNECTIONS, "?wait=sequenced", CONNECTIONS)  # warm up
            taken = take_turns(
                {
                    "sequenced": lambda: _post(server.url, count, "?wait=sequenced", CONNECTIONS),
                    "proven": lambda: _post(
                        server.url,
                        count,
                        "?wait=published&proofs=true&timeout=120",
                        PROOF_CONNECTIONS,
                    ),
                }
            )
    sequenced, proven = (statistics.median(rates) for rates in taken.values())
    stages = take_turns({"stages": lambda: _time_stages(count)})["stages"]
    what = f"documents in bulks of {BULK:,}"
    return [
        at_least(
            f"{what}, {CONNECTIONS} connections, index durable", sequenced, "per second", RATE_MIN
        ),
        at_least("the same, against the stretch goal", sequenced, "per second", RATE_STRETCH),
        at_least(
            f"{what}, {PROOF_CONNECTIONS} connections, published, with inclusion proofs",
            proven,
            "per second",
            RATE_MIN,
        ),
        *(
            Figure(
                what=f"of that on a core: {stage}",
                value=statistics.median(each[stage] for each in stages),
                unit="µs a document",
            )
            for stage in stages[0]
        ),
    ]


def _time_stages(count: int) -> dict[str, float]:
    """Return the processor's microseconds a document at each stage of the production code."""
    bodies = [_make_body() for _ in range(count)]
    taken: dict[str, float] = {}

    def timed(stage: str, work: Callable[[], _T]) -> _T:
        start = time.process_time()
        result = work()
        taken[stage] = 1e6 * (time.process_time() - start) / (BULK * count)
        return result

    registrar = make_registrar()
    signer, classes = IntakeSigner(bytes(32)), RecordClasses()
    with folder() as home, open_ledger(home) as ledger:
        asked = timed("reading the request", lambda: [parse_bulk(body, classes) for body in bodies])
        made = timed(
            "statement, envelope, record key, salt, signature",
            lambda: [registrar.prepare_all(each) for each in asked],
        )
        digests = [each.envelope_hash for bulk in made for each in bulk]
        timed("of which Ed25519", lambda: [signer.sign(digest) for digest in digests])
        batches = [IntakeBatch(submissions=tuple(bulk)) for bulk in made]
        timed(
            "intake and index, one transaction a bulk",
            lambda: [ledger.sequencer.save_batches([batch]) for batch in batches],
        )
        timed("entries, tree, tiles, recheck, checkpoint", ledger.publisher.publish)
    return taken


def _post(url: str, count: int, query: str, connections: int) -> float:
    """Return how many documents a second were registered."""
    bodies = [_make_body() for _ in range(count)]

    def post(mine: Sequence[bytes]) -> None:
        with httpx.Client(base_url=url, timeout=120) as client:
            for body in mine:
                answer = client.post(
                    f"/v1/records/bulk{query}",
                    content=body,
                    headers={"Content-Type": "application/json"},
                )
                answer.raise_for_status()
                _check(answer.content, is_proven="proofs" in query)

    start = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        list(pool.map(post, [bodies[at::connections] for at in range(connections)]))
    return rate(BULK * count, time.perf_counter() - start)


def _make_body() -> bytes:
    drawn = os.urandom(16).hex()
    records = [
        {
            "name": f"document-{number}.pdf",
            "digest": {"sha256": hashlib.sha256(f"{drawn}/{number}".encode()).hexdigest()},
        }
        for number in range(BULK)
    ]
    return json.dumps({"records": records}).encode()


def _check(answer: bytes, *, is_proven: bool) -> None:
    """Count what a bulk got, without reading it as JSON, which would take a core."""
    indices, proofs = answer.count(b'"index"'), answer.count(b'"proof"')
    if (indices, proofs) != (BULK, BULK if is_proven else 0):
        raise SystemExit(f"{BULK} documents got {indices} indices and {proofs} proofs")
